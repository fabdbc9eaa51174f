"""Asks the search providers and the stored pages, and chooses the pages that are read."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.errors import AddressRefused, LibraryError, SearchBroken, SearchThrottled
from agent.protocols import Library, SearchProvider
from agent.text.ranking import rrf
from agent.text.tokens import terms
from agent.text.urls import at_publisher, canonical, host, is_reduced, page_key
from agent.types import LibraryFilter, LibraryHit, Limits, Query, Search, SearchHit, SearchOutcome, Tried
from agent.web.address_guard import check_url

# ------------------------------------------------------------------------------------------ choosing

# Which of the found pages are read, and how many by when.  Pure.
#
# Searches come in one after another, and the first one must not take all the pages: what it ranks first is what *its*
# words rank first.  So each gets a small share at once, which hides the fetching behind the others, and the rest is
# given out by all rankings together.

_OF_ONE_HOST = 3  # pages of a round's 8 or more; first value


@dataclass(frozen=True, slots=True)
class PageCandidate:
    """A page somebody wants.  `url` is the spelling that is fetched; pages are told apart by `key`."""

    url: str
    hit: SearchHit | None = None  # that led to it; None: the question named it
    local: bool = False  # the hit came from a provider of local documents

    @classmethod
    def of(cls, hit: SearchHit, *, local: bool = False) -> PageCandidate:
        return cls(canonical(at_publisher(hit.url)), hit, local)

    @property
    def key(self) -> str:
        return page_key(self.url)


Ranking = Sequence[PageCandidate]
"""One provider's hits for one query, best first."""


def fused(rankings: Sequence[Ranking]) -> list[PageCandidate]:
    """All pages of the rankings, each once, best first; the fourth page of a host and later ones come last."""
    pages: dict[str, PageCandidate] = {}
    for ranking in rankings:
        for page in ranking:
            known = pages.setdefault(page.key, page)
            if is_reduced(known.url) and not is_reduced(page.url):
                pages[page.key] = page
    return _spread([pages[key] for key, _ in rrf([[page.key for page in ranking] for ranking in rankings])])


def _spread(pages: Sequence[PageCandidate]) -> list[PageCandidate]:
    """One host must not be the whole evidence, nor hold up the run when it is slow.  Folders have no host."""
    first: list[PageCandidate] = []
    later: list[PageCandidate] = []
    counts: Counter[str] = Counter()
    for page in pages:
        name = host(page.url)
        counts[name] += 1
        (later if name and counts[name] > _OF_ONE_HOST else first).append(page)
    return first + later


def allowance(round: int, limits: Limits) -> int:
    """Pages that may be read up to the end of this round: most in the first, which is often the only one."""
    if round <= 0:
        return 0
    return limits.pages if round >= limits.rounds else max(1, limits.pages * (round + 1) // (limits.rounds + 1))


def early_share(round: int, limits: Limits) -> int:
    """Pages that one search may start before the others of its round are in."""
    searches = limits.queries + 1  # the question itself is one
    return max(1, (allowance(round, limits) - allowance(round - 1, limits)) // searches)


# ------------------------------------------------------------------------------------------ searching

# One query to the search providers: the next one at once where one fails, and no failure read as "nothing found".
#
# Providers may be the host's own objects, so whatever they raise ends here, as an outcome with its reason.

KEPT_BESIDE = 3  # hits of what is kept, where the web has some: it must not keep out what nobody has read yet
FIRST_SHARE = 0.75  # of the time left, for a provider behind which another one waits; the others answer in 1 to 2 s
_GRAVITY: tuple[SearchOutcome, ...] = ("throttled", "broken", "nothing")  # what a reader should hear of first


@dataclass(frozen=True, slots=True)
class PagesFound:
    """How a query fared, and what each provider that had hits ranked."""

    search: Search
    rankings: tuple[Ranking, ...]


@dataclass(frozen=True, slots=True)
class Providers:
    web: Sequence[SearchProvider]  # in order of preference: one answer is enough
    local: Sequence[SearchProvider]  # all are asked, beside the web
    kept: SearchProvider | None = None  # what earlier runs read, likewise


async def search(query: Query, round: int, providers: Providers, limits: Limits, *, local_only: bool) -> PagesFound:
    """Never raises.  The web's outcome is the search's own where it is a failure, even if a folder had hits.

    `local_only`: what is kept is not asked either, as reading it anew would tell the web.
    """
    web = [] if local_only or not providers.web else [tuple(providers.web)]
    kept = [] if local_only or providers.kept is None else [(providers.kept,)]
    orders = [*web, *kept, *((provider,) for provider in providers.local)]
    asked = Search(query, round, "nothing", "")
    legs = await asyncio.gather(*(_in_order(asked, order, limits) for order in orders))
    if web and kept and legs[0].hits:
        legs[1] = replace(legs[1], hits=legs[1].hits[:KEPT_BESIDE])
    remote = len(web) + len(kept)
    rankings = [
        tuple(PageCandidate.of(hit, local=place >= remote) for hit in leg.hits)
        for place, leg in enumerate(legs)
        if leg.hits
    ]
    return PagesFound(_together(asked, legs), tuple(rankings))


def _together(asked: Search, legs: Sequence[Search]) -> Search:
    if not legs:
        return asked
    failed = [leg for leg in legs if leg.outcome in {"throttled", "broken"}]
    leading = legs[0] if legs[0] in failed else next((leg for leg in legs if leg.hits), (failed or legs)[0])
    why = [leg.why if leg is leading else f"{leg.provider}: {leg.why}" for leg in legs if leg.why]
    return replace(leading, hits=tuple(hit for leg in legs for hit in leg.hits), why="; ".join(why))


async def _in_order(asked: Search, providers: Sequence[SearchProvider], limits: Limits) -> Search:
    """The first reply with hits; else the gravest of the outcomes, with the others in its `why`."""
    until = time.monotonic() + limits.search_seconds
    tried: list[Search] = []
    for place, provider in enumerate(providers, start=1):
        left = until - time.monotonic()
        seconds = left if place == len(providers) else FIRST_SHARE * left
        reply = await _ask(asked, provider, limits.hits, seconds)
        if reply.hits:
            return replace(reply, why=_reasons(tried), tried=_as_tried(tried))
        tried.append(reply)
    gravest = min(tried, key=lambda reply: _GRAVITY.index(reply.outcome))
    others = [reply for reply in tried if reply is not gravest]
    why = "; ".join(filter(None, (gravest.why, _reasons(others))))
    return replace(gravest, why=why, tried=_as_tried(others))


def _reasons(tried: Sequence[Search]) -> str:
    return "; ".join(f"{reply.provider}: {reply.why or 'nothing found'}" for reply in tried)


def _as_tried(replies: Sequence[Search]) -> tuple[Tried, ...]:
    return tuple(Tried(reply.provider, reply.outcome, reply.why) for reply in replies)


async def _ask(asked: Search, provider: SearchProvider, limit: int, seconds: float) -> Search:
    asked = replace(asked, provider=provider.name)
    try:
        async with asyncio.timeout(seconds):
            hits = tuple(await provider.search(asked.query, limit=limit))[:limit]
    except SearchThrottled as e:
        return replace(asked, outcome="throttled", why=str(e))
    except TimeoutError:
        return replace(asked, outcome="broken", why=f"no answer in {seconds:.0f} s")
    except Exception as e:  # noqa: BLE001 - a provider may be the host's own; its fault costs this search, not the run
        return replace(asked, outcome="broken", why=str(e) or type(e).__name__)
    return replace(asked, outcome="found" if hits else "nothing", hits=hits)


# ------------------------------------------------------------------------------------------ kept

# What earlier runs read, as a search provider: the library is asked before and beside the web.
#
# Knows how much of a query a kept page has to speak of to be worth a place among the pages of a run.  Does not know
# how the library finds it, or whether it is still fresh enough.

NAME = "library"
_MORE = 3  # times as many are asked for as are wanted: the library finds something for every query
_SPOKEN_OF = 0.6  # of the query's telling words that the title and the best passage have; first value


class LibraryProvider:
    """Fulfils `services.SearchProvider`."""

    name = NAME

    def __init__(self, library: Library, *, within: LibraryFilter | None = None, allow_private: bool = False) -> None:
        """`allow_private`: pages of an intranet too, which were read when that was allowed."""
        self._library = library
        self._within = within or LibraryFilter()
        self._allow_private = allow_private

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        """Pages that speak of most of what is asked, best first.  Raises `SearchBroken`."""
        try:
            found = await self._library.search([query.text], within=self._within, limit=_MORE * limit)
        except LibraryError as e:
            raise SearchBroken(str(e)) from e
        wanted = set(terms(query.text))
        fitting = [hit for hit in found if self._may_be_shown(hit.url) and _speaks_of(hit, wanted)][:limit]
        return [
            SearchHit(hit.url, hit.title, hit.passage, rank, self.name, hit.published)
            for rank, hit in enumerate(fitting, start=1)
        ]

    def _may_be_shown(self, url: str) -> bool:
        try:
            check_url(url, allow_private=self._allow_private)
        except AddressRefused:
            return False
        return True


def _speaks_of(hit: LibraryHit, wanted: set[str]) -> bool:
    has = set(terms(f"{hit.title} {hit.passage}"))
    return len(wanted & has) >= _SPOKEN_OF * len(wanted)
