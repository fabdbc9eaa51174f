"""The page pool: the web work of one run, beside everything else it does.

Queries and addresses go in the moment they are known; pages are searched, fetched, extracted, stored and embedded
while the model thinks.  The steps only say what they want and wait for enough.  Knows the run's budget of pages and
which of the found pages are read; how one query is asked and one page is read is told elsewhere.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from agent.errors import LibraryError
from agent.text.tokens import query_key
from agent.text.urls import canonical
from agent.types import PageRecord, Query, Search
from agent.web.page_reader import PageReader, PoolServices
from agent.web.page_selection import PageCandidate, PagesFound, Providers, allowance, early_share, fused, search

_SEARCHES = 4  # at once; providers throttle who asks faster
_BEST = 0.25  # of the pages, by rank: each of them is waited for
_TRIES = 2  # times the budget of pages: how many may be tried where many fail


@dataclass(slots=True)
class _PageRequest:
    round: int
    found: PagesFound | None = None


@dataclass(slots=True)
class _Page:
    wanted: PageCandidate
    reading: int  # how many times `read` had been answered before it was wanted
    record: PageRecord | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def alive(self) -> bool:
        """Under way, or good."""
        return self.record is None or self.record.status != "skipped"

    @property
    def good(self) -> bool:
        return self.record is not None and self.alive


class RunPagePool:
    """Fulfils `services.PagePool`; an async context manager that owns its tasks.  Used on one event loop."""

    def __init__(self, parts: PoolServices, *, warm: Callable[[], Coroutine[None, None, None]] | None = None) -> None:
        """`warm`: begun when the pool is entered, to have the extractor ready before the first page is."""
        self._parts = parts
        self._warm = warm
        self._reader = PageReader(parts)
        self._providers = Providers(parts.web, parts.local, parts.kept)
        self._asked: dict[tuple[str, bool], _PageRequest] = {}
        self._pages: dict[str, _Page] = {}  # by `PageCandidate.key`
        self._round = 1  # the latest that something was wanted for
        self._complete: set[int] = set()  # rounds whose searches are in, or were waited for long enough
        self._gathering = True  # may pages be chosen?  Not between a `read` and the next `want`
        self._readings = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._searching = asyncio.Semaphore(_SEARCHES)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._warm:
            self._begin(self._warm())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gathering = False
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)

    # ------------------------------------------------------------------------------------------- what steps call

    def want(self, wanted: Query | str, *, round: int, local_only: bool = False) -> None:
        """See `services.PagePool`.  An address is one that the question named: it is read before any that was found."""
        self._gathering = True
        self._round = max(self._round, round)
        if isinstance(wanted, str):
            self._want_named(PageCandidate(canonical(wanted)))
            return
        self._reader.serve(wanted.text)
        key = (query_key(wanted.text), local_only)
        if key not in self._asked and (key[0], False) not in self._asked:
            self._asked[key] = asked = _PageRequest(round)
            self._begin(self._search(wanted, asked, local_only=local_only))

    async def searched(self, *, round: int, seconds: float) -> tuple[Search, ...]:
        mine = [asked for asked in self._asked.values() if asked.round == round]
        await self._until(lambda: all(asked.found for asked in mine), seconds)
        self._complete.add(round)
        self._choose()
        return tuple(asked.found.search for asked in mine if asked.found)

    async def read(self, *, seconds: float, first: float = 0.0) -> tuple[PageRecord, ...]:
        began = time.monotonic()
        await self._until(self._enough, seconds)
        await self._until(self._has_any, first - (time.monotonic() - began))
        await self._until(self._all_in, min(self._parts.limits.grace_seconds, began + seconds - time.monotonic()))
        self._gathering = False
        self._readings += 1
        return tuple(page.record for page in self._pages.values() if page.record)

    def left_out(self) -> tuple[PageRecord, ...]:
        """For the run's last word: the pages that are still under way, as skipped."""
        now = time.monotonic()
        waiting = [page for page in self._pages.values() if page.record is None]
        return tuple(
            PageRecord(page.wanted.url, "skipped", "not in time", seconds=now - page.began) for page in waiting
        )

    # ------------------------------------------------------------------------------------------- tasks

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _search(self, query: Query, asked: _PageRequest, *, local_only: bool) -> None:
        async with self._searching:
            asked.found = await search(query, asked.round, self._providers, self._parts.limits, local_only=local_only)
        self._parts.tell(asked.found.search)
        self._choose()
        self._wake()

    async def _read(self, page: _Page) -> None:
        outcome = await self._reader.read(page.wanted)
        page.record = outcome.record
        self._parts.tell(outcome.record)
        if not page.alive:
            self._choose()
        self._wake()
        if outcome.document_id:
            self._parts.tell((page.wanted.url, outcome.passages))
            with suppress(LibraryError):  # without vectors it is found by its words
                await self._parts.library.embed(outcome.document_id, run_id=self._parts.run_id)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                while not condition():
                    await self._changed.wait()

    # ------------------------------------------------------------------------------------------- which pages

    def _want_named(self, wanted: PageCandidate) -> None:
        if wanted.key in self._pages:
            return
        self._pages[wanted.key] = page = _Page(wanted, self._readings)
        if len(self._pages) > self._parts.limits.pages:
            page.record = PageRecord(wanted.url, "skipped", "more addresses than the pages this run may read")
            self._parts.tell(page.record)
        else:
            self._begin(self._read(page))

    def _choose(self) -> None:
        """Start pages: of each early search its share, and by all rankings together once a round's searches are in.

        A page that fails makes room for the next one.
        """
        if not self._gathering:
            return
        for wanted in self._together() if self._round in self._complete else self._early():
            if self._room() <= 0:
                return
            if wanted.key not in self._pages:
                self._pages[wanted.key] = page = _Page(wanted, self._readings)
                self._begin(self._read(page))

    def _room(self) -> int:
        limits = self._parts.limits
        alive = sum(page.alive for page in self._pages.values())
        return min(allowance(self._round, limits) - alive, _TRIES * limits.pages - len(self._pages))

    def _early(self) -> Iterator[PageCandidate]:
        share = early_share(self._round, self._parts.limits)
        for found in self._found():
            hits = fused(found.rankings)
            for wanted in hits:
                if sum(page.alive for hit in hits if (page := self._pages.get(hit.key))) >= share:
                    break
                yield wanted

    def _together(self) -> Iterator[PageCandidate]:
        """This round's hits, then what earlier rounds left."""
        yield from fused([ranking for found in self._found() for ranking in found.rankings])
        yield from fused([ranking for found in self._found(earlier=True) for ranking in found.rankings])

    def _found(self, *, earlier: bool = False) -> Iterator[PagesFound]:
        for asked in self._asked.values():
            if asked.found and (asked.round != self._round) == earlier:
                yield asked.found

    def _all_in(self) -> bool:
        return all(page.record for page in self._pages.values())

    def _has_any(self) -> bool:
        return self._all_in() or any(page.good for page in self._pages.values())

    def _enough(self) -> bool:
        """All that is under way is in; or of what this round wanted a quorum, the best-ranked and all that were named.

        A share of the pages that did not fail: where many fail there is less to wait for.
        """
        pages = self._pages.values()
        if self._all_in():
            return True
        if any(page.record is None and page.wanted.hit is None for page in pages):
            return False
        mine = [page for page in pages if page.reading == self._readings and page.alive]
        places = {wanted.key: place for place, wanted in enumerate(self._together())}
        best = sorted(mine, key=lambda page: places.get(page.wanted.key, len(places)))
        are_best_in = all(page.good for page in best[: math.ceil(_BEST * len(best))])
        return are_best_in and sum(page.good for page in mine) >= math.ceil(self._parts.limits.quorum * len(mine))
