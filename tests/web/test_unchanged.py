"""Asking whether a page has changed: what is sent, what a 304 gives, and how a reader is told of its age."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.errors import FetchFailed
from agent.extract.page_extractor import PageExtractor
from agent.types import Document, Page, PageRecord
from agent.web.http_client import Reach, open_client
from agent.web.page_fetcher import FetchPolicy, HttpFetcher
from agent.web.page_pool import RunPagePool
from agent.web.page_reader import PoolServices, age
from tests.parts import LIMITS, NOON, FixedClock, MemoryLibrary, PlainExtractor
from tests.web_server import Behaviour, Request, WebServer, page, redirect

OPEN = Reach(allow_private=True)
TEXT = "# Head\n\nThe words of the page."


def versioned(etag: str, body: str = TEXT) -> Behaviour:
    """304 for whoever has this version."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        has_it = request.headers.get("if-none-match") == etag
        reply = page("" if has_it else body, type="text/plain", status=304 if has_it else 200, headers={"ETag": etag})
        await reply(request, writer)

    return behave


async def read(url: str, library: MemoryLibrary, *, days: int = 0) -> PageRecord:
    """One run that reads this page, so many days after noon."""
    clock = FixedClock(NOON + timedelta(days=days))

    async def recall(url: str) -> Document | None:
        found = [document for document in library.documents.values() if document.url == url]
        return max(found, key=lambda document: document.fetched_at, default=None)

    class ThisRun(MemoryLibrary):
        """Has nothing of this run yet."""

        async def recall(self, url: str, **since: object) -> None:
            return None

    this_run = ThisRun()
    this_run.documents = library.documents
    async with open_client("test", OPEN, connections=2) as client:
        fetcher = HttpFetcher(client, OPEN, clock, seconds=5, manners=FetchPolicy(between=0), recall=recall)
        parts = PoolServices(
            run_id="run",
            started_at=clock.now(),
            web=(),
            fetcher=fetcher,
            extractor=PageExtractor(),
            library=this_run,
            limits=LIMITS,
            tell=lambda news: None,
        )
        async with RunPagePool(parts) as pool:
            pool.want(url, round=1)
            (record,) = await pool.read(seconds=5)
            return record


async def test_a_page_that_is_unchanged_comes_from_the_library_and_its_age_is_told() -> None:
    library = MemoryLibrary()
    async with WebServer({"/page": versioned('"v1"')}) as web:
        first = await read(web.url("/page"), library)
        again = await read(web.url("/page"), library, days=3)
    assert (first.status, again.status) == ("read", "cached")
    assert again.reason == "unchanged since it was read 3 days ago"
    assert (again.bytes, again.source) == (0, first.source), "its source still says when its text was read"


async def test_a_page_that_has_changed_is_read_anew() -> None:
    library = MemoryLibrary()
    async with WebServer({"/page": versioned('"v1"')}) as web:
        first = await read(web.url("/page"), library)
        web.pages["/page"] = versioned('"v2"', "# Head\n\nOther words.")
        again = await read(web.url("/page"), library, days=3)
    assert (again.status, again.reason) == ("read", "")
    assert again.source.snapshot != first.source.snapshot


async def test_a_page_behind_a_redirect_is_asked_about_where_it_is() -> None:
    library = MemoryLibrary()
    async with WebServer({"/old": redirect("/new"), "/new": versioned('"v1"')}) as web:
        await read(web.url("/old"), library)
        assert (await read(web.url("/old"), library, days=1)).status == "cached"
    assert "if-none-match" not in web.requests[2].headers


async def told(known: Document | None, *, status: int = 200) -> tuple[Request, Page | FetchFailed]:
    async def recall(url: str) -> Document | None:
        return known

    async with (
        WebServer({"/page": page(TEXT, type="text/plain", status=status)}) as web,
        open_client("test", OPEN, connections=2) as client,
    ):
        fetcher = HttpFetcher(client, OPEN, FixedClock(), seconds=5, recall=recall)
        try:
            return web.requests, await fetcher.fetch(web.url("/page"))
        except FetchFailed as failure:
            return web.requests, failure


async def known_as(etag: str | None, last_modified: str | None = None) -> Document:
    document = await PlainExtractor().extract(Page("http://a.example/", TEXT.encode(), "text/plain", NOON.isoformat()))
    return replace(document, etag=etag, last_modified=last_modified)


async def test_both_marks_of_a_version_are_sent_as_the_server_gave_them() -> None:
    (request,), _ = await told(await known_as('W/"x"', "Mon, 23 Nov 2026 10:00:00 GMT"))
    assert request.headers["if-none-match"] == 'W/"x"'
    assert request.headers["if-modified-since"] == "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("etag", ["", None, '"é"', '"a\r\nX: y"', '"\x00"', "x" * 501])
async def test_a_mark_that_no_header_can_carry_is_not_sent(etag: str | None) -> None:
    (request,), got = await told(await known_as(etag))
    assert "if-none-match" not in request.headers
    assert "x" not in request.headers
    assert isinstance(got, Page)


async def test_a_304_that_nobody_asked_for_is_no_page() -> None:
    _, failure = await told(None, status=304)
    assert isinstance(failure, FetchFailed)
    assert failure.reason == "304"


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=59), "5 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=400), "400 days ago"),
    ],
)
async def test_an_age_is_told_in_one_unit(before: timedelta, words: str) -> None:
    kept = replace(await known_as(None), fetched_at=(NOON - before).isoformat())
    assert age(NOON, kept) == words
