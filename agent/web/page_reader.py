"""One page from its URL into the library: recalled or fetched, extracted, stored; else a plain reason why not.

Knows how many pages may be under way at once, and which texts this run has already.  Does not choose pages.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.errors import AgentError, ExtractFailed, FetchFailed, LibraryError, PageError
from agent.protocols import Extractor, Fetcher, Library, PoolNews, SearchProvider
from agent.text.ranking import KnownText, copy_of, sketch
from agent.text.source_filters import UNBOUNDED, SourceFilter, is_allowed, is_too_old
from agent.text.urls import canonical, host
from agent.types import Document, Limits, Page, PageRecord, PageStatus, SearchHit, Source
from agent.web.http_client import metered
from agent.web.page_selection import PageCandidate

_PER_HOST = 2  # pages at once; what browsers did to servers for decades is 6, and nobody waits for us
_NONE = timedelta(0)
_SLOW = 3.0  # seconds after which a page no longer counts among those at once: the slow must not keep out the others


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolServices:
    """What a run's page pool works with."""

    run_id: str
    started_at: datetime  # of the run: pages read since then are not fetched again
    web: Sequence[SearchProvider]
    local: Sequence[SearchProvider] = ()
    fetcher: Fetcher
    local_fetcher: Fetcher | None = None  # for the hits of `local`
    extractor: Extractor
    library: Library
    limits: Limits
    tell: Callable[[PoolNews], None]
    bounds: SourceFilter = UNBOUNDED  # on what is found; what the question names is read whatever it is
    kept: SearchProvider | None = None  # finds what earlier runs read
    good_for: Callable[[str], timedelta] | None = None  # how long a kept page serves a query; None: not at all
    slow_seconds: float = _SLOW


@dataclass(frozen=True, slots=True)
class PageOutcome:
    record: PageRecord
    document_id: str = ""  # of a page that is in the library
    passages: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    status: PageStatus
    size: int  # bytes of the page
    seconds: float
    note: str = ""  # of a page that was not fetched: how old it is


class PageReader:
    """Reads the pages of one run; its bounds hold over all that it is asked for."""

    def __init__(self, parts: PoolServices) -> None:
        self._parts = parts
        self._at_once = asyncio.Semaphore(parts.limits.fetches)
        self._at_host: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_PER_HOST))
        self._owners: dict[str, str] = {}  # final addresses and snapshots → the URL they were first read from
        self._known: dict[str, KnownText] = {}  # by URL: the pages that later ones may be copies of
        self._age: timedelta | None = None  # of kept pages, at most; None until a query has said how old they may be

    def serve(self, query: str) -> None:
        """Pages are read for this query too: the one that needs the freshest decides for all."""
        if self._parts.good_for:
            age = self._parts.good_for(query)
            self._age = age if self._age is None else min(self._age, age)

    async def read(self, wanted: PageCandidate) -> PageOutcome:
        """Never raises.  A page that is skipped is told with the bytes that it cost."""
        began = time.monotonic()
        with metered() as meter:
            try:
                return await self._kept(wanted, await self._recalled(wanted) or await self._fetched(wanted))
            except PageError as e:
                reason = e.reason
            except AgentError as e:
                reason = f"not kept: {e}"
            except Exception as e:  # noqa: BLE001 - a fault met on one page is named in its record and costs no other
                reason = f"fault: {type(e).__name__}: {e}"
            return PageOutcome(PageRecord(wanted.url, "skipped", reason, meter.received, time.monotonic() - began))

    async def _kept(self, wanted: PageCandidate, found: _Read) -> PageOutcome:
        document = _with_hit(found.document, wanted.hit)
        if wanted.hit and not wanted.local:
            _hold(document, self._parts.bounds)
        self._claim(document, wanted.url)
        known = KnownText(document.url, document.declares, await asyncio.to_thread(sketch, document.text))
        origin = copy_of(known, self._known)
        if not origin:
            self._known[document.url] = known
        passages = await self._parts.library.store(document, run_id=self._parts.run_id)
        source = replace(_source(document), copy_of=origin)
        record = PageRecord(wanted.url, found.status, found.note, found.size, found.seconds, source)
        return PageOutcome(record, document.id, passages)

    async def _recalled(self, wanted: PageCandidate) -> _Read | None:
        """What this run has read before it was interrupted, or an earlier one not too long ago."""
        began = self._parts.started_at
        age_limit = _NONE if wanted.url.startswith("file:") else self._age or _NONE  # a file is here: it is looked at
        try:
            known = await self._parts.library.recall(wanted.url, since=began - age_limit)
        except LibraryError:
            return None  # whatever is wrong with it, storing will tell
        if known is None:
            return None
        mine = datetime.fromisoformat(known.fetched_at) >= began
        note = "read earlier in this run" if mine else f"read {age(began, known)}"
        return _Read(known, "cached", 0, 0.0, note)

    async def _fetched(self, wanted: PageCandidate) -> _Read:
        async with self._at_host[host(wanted.url)], self._slot():
            began = time.monotonic()
            try:
                async with asyncio.timeout(self._parts.limits.page_seconds):
                    page = await self._fetcher(wanted).fetch(wanted.url)
                    document = page.kept or await self._parts.extractor.extract(page)
            except TimeoutError as e:
                raise FetchFailed("timed out", wanted.url) from e
            took = time.monotonic() - began
            if page.kept:
                return _Read(document, "cached", 0, took, f"unchanged since it was read {age(_time(page), page.kept)}")
            return _Read(document, "read", len(page.body), took)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """One of the pages under way at once, for as long as it takes, but not longer than `slow_seconds`."""
        held = True

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                self._at_once.release()

        await self._at_once.acquire()
        timer = asyncio.get_running_loop().call_later(self._parts.slow_seconds, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()

    def _fetcher(self, wanted: PageCandidate) -> Fetcher:
        """`file:` addresses count only where a provider of local documents gave them."""
        local = self._parts.local_fetcher
        return local if wanted.local and local and wanted.url.startswith("file:") else self._parts.fetcher

    def _claim(self, document: Document, url: str) -> None:
        """The first of several addresses with one text is the source.  Raises `ExtractFailed` for the others."""
        for what, key in (("page", canonical(document.url)), ("text", document.snapshot)):
            owner = self._owners.setdefault(key, url)
            if owner != url:
                raise ExtractFailed(f"same {what} as {owner}", url)


def _hold(document: Document, bounds: SourceFilter) -> None:
    """What a search did not know shows when the page is read.  Raises `ExtractFailed` where it is out of bounds."""
    if is_too_old(bounds, document.published) and (not document.modified or is_too_old(bounds, document.modified)):
        raise ExtractFailed(f"published {document.published}, before {bounds.since}", document.url)
    if not is_allowed(bounds, document.url):
        raise ExtractFailed(f"leads to {host(document.url)}, which is out of bounds", document.url)


def _with_hit(document: Document, hit: SearchHit | None) -> Document:
    """What the search knew of it fills the gaps."""
    if hit is None:
        return document
    found = replace(document, title=document.title or hit.title)
    if document.published or not hit.published:
        return found
    return replace(found, published=hit.published, date_certainty="inferred")


def _time(page: Page) -> datetime:
    return datetime.fromisoformat(page.fetched_at)


def age(now: datetime, kept: Document) -> str:
    """How long ago a kept text was read, for people."""
    seconds = (now - datetime.fromisoformat(kept.fetched_at)).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if (count := int(seconds // length)) > 0:
            return f"{count} {unit}{'s' * (count != 1)} ago"
    return "just now"


def _source(document: Document) -> Source:
    return Source(
        number=0,
        document_id=document.id,
        snapshot=document.snapshot,
        url=document.url,
        title=document.title,
        site=document.site,
        fetched_at=document.fetched_at,
        published=document.published,
        language=document.language,
        page_starts=document.page_starts,
        author=document.author,
        modified=document.modified,
        date_certainty=document.date_certainty,
        suspect=document.suspect,
    )
