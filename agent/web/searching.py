"""One query to the search providers: the next one at once where one fails, and no failure read as "nothing found".

Providers may be the host's own objects, so whatever they raise ends here, as an outcome with its reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.errors import SearchThrottled
from agent.services import SearchProvider
from agent.types import Limits, Query, Search, SearchOutcome, Tried
from agent.web.choosing import Ranking, Wanted

KEPT_BESIDE = 3  # hits of what is kept, where the web has some: it must not keep out what nobody has read yet
FIRST_SHARE = 0.75  # of the time left, for a provider behind which another one waits; the others answer in 1 to 2 s
_GRAVITY: tuple[SearchOutcome, ...] = ("throttled", "broken", "nothing")  # what a reader should hear of first


@dataclass(frozen=True, slots=True)
class Found:
    """How a query fared, and what each provider that had hits ranked."""

    search: Search
    rankings: tuple[Ranking, ...]


@dataclass(frozen=True, slots=True)
class Providers:
    web: Sequence[SearchProvider]  # in order of preference: one answer is enough
    local: Sequence[SearchProvider]  # all are asked, beside the web
    kept: SearchProvider | None = None  # what earlier runs read, likewise


async def search(query: Query, round: int, providers: Providers, limits: Limits, *, local_only: bool) -> Found:
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
        tuple(Wanted.of(hit, local=place >= remote) for hit in leg.hits) for place, leg in enumerate(legs) if leg.hits
    ]
    return Found(_together(asked, legs), tuple(rankings))


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
