"""A web that means harm: each behaviour of `hostile.py` ends as it is said there, within its bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme

from agent import ResearchAgent, Settings
from agent.extract.page_extractor import PageExtractor
from agent.types import Limits, PageRecord, Query, SearchHit
from agent.web.address_guard import Address
from agent.web.http_client import Reach, metered, open_client
from agent.web.page_fetcher import FetchPolicy, HttpFetcher
from agent.web.page_reader import PageReader, PoolServices
from agent.web.page_selection import PageCandidate
from agent.web.robots import Robots
from tests.parts import LIMITS, NOON, FixedClock, MemoryLibrary
from tests.web.hostile import HOST, TABLE, Case
from tests.web_server import Behaviour, WebServer, article, page

EXTRACTION = 20.0  # seconds: what is tried here is the way to the page, on whatever machine
NAMES = [case.name for case in TABLE]


@dataclass(frozen=True)
class Outcome:
    record: PageRecord
    received: int  # bytes


@pytest.fixture(scope="module")
def told() -> Iterator[list[tuple[Case, Outcome]]]:
    """Printed at the end: run with -s and without -n to see it."""
    rows: list[tuple[Case, Outcome]] = []
    yield rows
    print("\n\n| behaviour | verdict | bytes |\n|---|---|---|")
    for case, outcome in rows:
        verdict = outcome.record.reason or outcome.record.status
        print(f"| {case.name} | {verdict} | {outcome.received:,} |")


@pytest.mark.parametrize("case", TABLE, ids=NAMES)
async def test_it_ends_as_it_should(case: Case, told: list[tuple[Case, Outcome]]) -> None:
    outcome = await met(case)
    told.append((case, outcome))
    assert (outcome.record.reason or outcome.record.status) in case.verdict.split(" or ")
    assert outcome.received <= case.bytes


def test_there_are_more_than_forty_of_them() -> None:
    assert len(set(NAMES)) == len(TABLE) >= 40


async def met(case: Case) -> Outcome:
    await PageExtractor().warm()  # the start of the workers is not the page's
    before = asyncio.all_tasks()
    async with serving(case) as (web, reach), open_client("test/1", reach, connections=4) as client:
        manners = FetchPolicy(between=0, robots=Robots("r1-research-agent", FixedClock(), seconds=0.5 * case.deadline))
        fetcher = HttpFetcher(client, reach, FixedClock(), seconds=case.deadline, manners=manners)
        parts = PoolServices(
            run_id="run",
            started_at=NOON,
            web=(),
            fetcher=fetcher,
            extractor=PageExtractor(seconds=EXTRACTION),
            library=MemoryLibrary(),
            limits=replace(LIMITS, page_seconds=case.deadline),
            tell=lambda news: None,
        )
        with metered() as meter:
            outcome = await PageReader(parts).read(PageCandidate(case.url))
        if web:
            assert not [request for request in web.requests if "secret" in request.path], "it got inside"
            assert not [request for request in web.requests if "x-evil" in request.headers], "it spoke for us"
    await _nothing_more_than(before)
    return Outcome(outcome.record, meter.received)


async def _nothing_more_than(before: set[asyncio.Task[object]]) -> None:
    """The server needs a moment to notice that it is left; then nothing of the page may go on."""
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(case: Case) -> AsyncIterator[tuple[WebServer | None, Reach]]:
    if case.server in {"full", "silent"}:
        with listening(full=case.server == "full") as port:
            yield None, Reach(resolver=always(port))
        return
    tls = None
    if case.server == "tls":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert(HOST).configure_cert(tls)
    pages = {"/secret": page("secret"), **case.pages} | ({"/page": case.behaviour} if case.behaviour else {})
    async with WebServer(pages, tls=tls) as web:
        yield web, case.reach(web) if case.reach else Reach(resolver=web.resolver(HOST, private=("inside.example",)))


def always(port: int):
    async def resolve(name: str, wanted: int) -> list[Address]:
        return [Address("127.0.0.1", port, exempt=True)]

    return resolve


@contextmanager
def listening(*, full: bool) -> Iterator[int]:
    """A port whose connections nobody takes; `full`: where not even the system takes them."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if full else 8)
        for _ in range(4 if full else 0):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# ------------------------------------------------------------------------------------------------- a whole run

FACTS = [
    "DeepSeek released R1 on 20 January 2025.",
    "The licence of R1 is the MIT licence.",
    "R1 has 671 billion parameters, of which 37 billion are active.",
    "The distilled models of R1 range from 1.5 to 70 billion parameters.",
    "R1-Zero was trained with reinforcement learning alone.",
]
HARM = [
    "no byte of a reply",
    "slow drip",
    "headers, then silence",
    "endless HTML",
    "robots.txt hangs",
]


class Finds:
    """Harm and help in turns, harm first."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        return [SearchHit(url, "About R1", "", rank, "mine") for rank, url in enumerate(self._urls, 1)][:limit]


class Hasty(Settings):
    """Gives up on pages sooner than a user would."""

    @property
    def limits(self) -> Limits:
        return replace(super().limits, page_seconds=3, read_seconds=3)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback has one address only")
async def test_a_run_on_a_web_of_which_half_means_harm_answers_from_the_other_half(tmp_path: Path) -> None:
    cases = [case for name in HARM for case in TABLE if case.name == name]
    webs = [
        WebServer({"/page": case.behaviour, **case.pages}, address=f"127.0.1.{n}") for n, case in enumerate(cases, 1)
    ]
    good = [WebServer({"/page": about(fact)}, address=f"127.0.2.{n}") for n, fact in enumerate(FACTS, 1)]
    chosen = {"depth": "deep", "allow_private_addresses": True, "data_dir": tmp_path, "cache_dir": tmp_path}
    settings = Hasty(model="extractive", **chosen)
    async with AsyncExitStack() as stack:
        for web in (*webs, *good):
            await stack.enter_async_context(web)
        urls = [web.url("/page") for pair in zip(webs, good, strict=True) for web in pair]
        answer = await ResearchAgent(settings, search=Finds(urls)).ainvoke(
            "When was R1 released and under which licence?"
        )
        while sum(web.connections for web in (*webs, *good)):  # the servers need a moment to notice
            await asyncio.sleep(0.01)
    told = {page.url: page for page in answer.pages}
    assert answer.status == "complete"
    assert "20 January 2025" in answer.answer
    assert {source.url for source in answer.sources} >= {urls[1], urls[3]}, "the two pages that the question is about"
    assert set(told) == set(urls), "every page that was wanted is told"
    assert all(told[url].status == "read" for url in urls[1::2])
    assert all(page.reason for page in answer.pages if page.status == "skipped")


def about(fact: str) -> Behaviour:
    return article("About R1", fact, "What else is said of it on this page is of no importance to anybody. " * 3)
