"""A web that means harm: each behaviour of `hostile.py` ends as it is said there, within its bytes and its time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import pytest
import trustme

from agent.types import PageRecord
from agent.web.addresses import Address
from agent.web.choosing import Wanted
from agent.web.client import Reach, open_client
from agent.web.extract.extractor import PageExtractor
from agent.web.fetch import HttpFetcher, Manners
from agent.web.network import metered
from agent.web.reading import PageReader, PoolParts
from agent.web.robots import Robots
from tests.parts import LIMITS, NOON, FixedClock, MemoryLibrary
from tests.web.hostile import HOST, TABLE, Case
from tests.web_server import WebServer, page

SLACK = 1.0  # seconds past a deadline, on a machine that others use too
NAMES = [case.name for case in TABLE]


@dataclass(frozen=True)
class Outcome:
    record: PageRecord
    received: int  # bytes
    seconds: float


@pytest.fixture(scope="module")
def told() -> Iterator[list[tuple[Case, Outcome]]]:
    """Printed at the end: run with -s and without -n to see it."""
    rows: list[tuple[Case, Outcome]] = []
    yield rows
    print("\n\n| behaviour | verdict | bytes | seconds |\n|---|---|---|---|")
    for case, outcome in rows:
        verdict = outcome.record.reason or outcome.record.status
        print(f"| {case.name} | {verdict} | {outcome.received:,} | {outcome.seconds:.2f} |")


@pytest.mark.parametrize("case", TABLE, ids=NAMES)
async def test_it_ends_as_it_should(case: Case, told: list[tuple[Case, Outcome]]) -> None:
    outcome = await met(case)
    told.append((case, outcome))
    assert (outcome.record.reason or outcome.record.status) in case.verdict.split(" or ")
    assert outcome.received <= case.bytes
    assert case.least <= outcome.seconds < case.deadline + SLACK


def test_there_are_more_than_forty_of_them() -> None:
    assert len(set(NAMES)) == len(TABLE) >= 40


async def met(case: Case) -> Outcome:
    await PageExtractor().warm()  # the start of the workers is not the page's
    before = asyncio.all_tasks()
    async with serving(case) as (web, reach), open_client("test/1", reach, connections=4) as client:
        manners = Manners(between=0, robots=Robots("r1-research-agent", FixedClock(), seconds=0.3 * case.deadline))
        fetcher = HttpFetcher(client, reach, FixedClock(), seconds=case.deadline, manners=manners)
        parts = PoolParts(
            run_id="run",
            started_at=NOON,
            web=(),
            fetcher=fetcher,
            extractor=PageExtractor(),
            library=MemoryLibrary(),
            limits=replace(LIMITS, page_seconds=case.deadline),
            tell=lambda news: None,
        )
        began = time.monotonic()
        with metered() as meter:
            outcome = await PageReader(parts).read(Wanted(case.url))
        seconds = time.monotonic() - began
        await asyncio.sleep(0.03)
        if web:
            assert not [request for request in web.requests if "secret" in request.path], "it got inside"
            assert not [request for request in web.requests if "x-evil" in request.headers], "it spoke for us"
    assert asyncio.all_tasks() <= before, "something of the page goes on"
    return Outcome(outcome.record, meter.received, seconds)


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
