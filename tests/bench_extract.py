"""Pages per second, from HTTP to documents, against bare trafilatura: `python -m tests.bench_extract [DIRECTORY]`.

Without a directory of `.html` or `.html.gz` files it takes the sample web's pages and those of the tests, which are
short.  Three figures: trafilatura on bytes in this process; our extraction in this process, hidden-text pass included;
and pages fetched over loopback and extracted in the workers.  The bar for the second is 0.8 of the first.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from trafilatura import bare_extraction

import agent.sample
from agent.errors import ExtractFailed, PageError
from agent.extract.format_base import FormatInput
from agent.extract.formats import html
from agent.extract.page_extractor import PageExtractor
from agent.web.http_client import Reach, open_client
from agent.web.page_fetcher import FetchPolicy, HttpFetcher
from tests.parts import FixedClock
from tests.web_server import WebServer, page

_PAGES = 200
_AT_ONCE = 6  # as a run has it
_BAR = 0.8
_URL = "http://bench.example/page"


def gathered(directory: Path | None) -> list[bytes]:
    roots = [directory] if directory else [Path(agent.sample.__file__).parent, Path(__file__).parent / "web" / "kinds"]
    paths = sorted(path for root in roots for path in root.rglob("*.html*"))
    bodies = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths]
    if not bodies:
        raise SystemExit(f"no .html or .html.gz files under {directory}")
    return [bodies[n % len(bodies)][:2_000_000] for n in range(max(_PAGES, min(len(bodies), 2 * _PAGES)))]


def bare(body: bytes) -> None:
    bare_extraction(body, url=_URL, with_metadata=True, include_comments=False, include_formatting=True)


def ours(body: bytes) -> None:
    with suppress(ExtractFailed):
        html.extract(body, FormatInput(_URL))


def per_core(extract: Callable[[bytes], None], bodies: Sequence[bytes]) -> float:
    """Pages a second of processor time, after a warm-up."""
    for body in bodies[:10]:
        extract(body)
    began = time.process_time()
    for body in bodies:
        extract(body)
    return len(bodies) / (time.process_time() - began)


async def end_to_end(bodies: Sequence[bytes]) -> float:
    """Pages a second of wall time: loopback, one client, the two workers."""
    hosts = [f"h{n}.example" for n in range(len(bodies))]
    async with WebServer({f"/{n}": page(body) for n, body in enumerate(bodies)}) as web:
        reach = Reach(resolver=web.resolver(*hosts))
        async with open_client("bench", reach, connections=_AT_ONCE) as client:
            fetcher = HttpFetcher(client, reach, FixedClock(), seconds=20, manners=FetchPolicy(between=0))
            extractor, slots = PageExtractor(), asyncio.Semaphore(_AT_ONCE)
            await extractor.warm()

            async def read(url: str) -> None:
                async with slots:
                    with suppress(PageError):
                        await extractor.extract(await fetcher.fetch(url))

            began = time.monotonic()
            await asyncio.gather(*(read(f"http://{host}/{n}") for n, host in enumerate(hosts)))
            return len(bodies) / (time.monotonic() - began)


def main() -> None:
    logging.disable(logging.CRITICAL)
    bodies = gathered(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    rates = [(per_core(bare, bodies), per_core(ours, bodies)) for _ in range(3)]
    theirs, mine = max(rate for rate, _ in rates), max(rate for _, rate in rates)
    print(f"{len(bodies)} pages, {sum(map(len, bodies)) // len(bodies):,} bytes on average, best of 3")
    print(f"bare trafilatura     {theirs:7.1f} pages/s per core")
    print(f"ours                 {mine:7.1f} pages/s per core, {mine / theirs:.2f} of it (bar: {_BAR})")
    print(f"fetched and extracted {asyncio.run(end_to_end(bodies)):6.1f} pages/s")
    if mine / theirs < _BAR:
        raise SystemExit("below the bar")


if __name__ == "__main__":
    main()
