"""Wraps a provider: filters its hits, stops asking after failures, remembers hits, adapts a host's own provider."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from agent.errors import AgentError, SearchBroken, SearchThrottled, SettingsError
from agent.protocols import SearchProvider
from agent.result import from_json, to_json
from agent.search.provider_state import NotYet, ProviderStateStore, Refusal, with_jitter
from agent.text.source_filters import SourceFilter, is_allowed
from agent.types import Query, SearchHit

# ------------------------------------------------------------------------------------------ bounded

# A provider whose hits keep within the run's bounds, whatever its service made of them.

_MORE = 3  # times as many hits are asked for where they are sifted here only; first value


class FilteredProvider:
    def __init__(self, provider: SearchProvider, bounds: SourceFilter) -> None:
        self.name = provider.name
        self._provider = provider
        self._bounds = bounds
        told: frozenset[str] = getattr(provider, "applies", frozenset())
        wanted = {"since": bounds.since, "site": bounds.sites, "not_site": bounds.not_sites}
        self._is_sifted_here = any(value and name not in told for name, value in wanted.items())

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        """The hits within the bounds, ranks from 1 again.  One without a date is kept: what it lacks is a date."""
        wanted = limit * _MORE if self._is_sifted_here else limit
        hits = await self._provider.search(query, limit=wanted)
        kept = [hit for hit in hits if is_allowed(self._bounds, hit.url, hit.published)][:limit]
        return [replace(hit, rank=rank) for rank, hit in enumerate(kept, start=1)]


# ------------------------------------------------------------------------------------------ breaker

# Whether a provider is asked at all: not while it refuses, not while it is plainly broken.
#
# Knows waits and how they grow.  A refusal is kept on the shelf, so that the next command does not repeat what got
# the last one blocked; a fault is remembered by the run only, because whoever mends it tries again at once.

# Seconds after a first refusal that does not say how long; it doubles with each that follows.
FIRST_WAIT = 60.0
FIRST_WAITS = {"duckduckgo": 3_600.0}  # it blocks an address for about an hour, longer where the asking goes on
_LONGEST_WAIT = 86_400.0
_FORGOTTEN = 86_400.0  # a refusal so long ago is no reason to wait longer after the next one
_SHORTEST_WAIT = 1.0
_TRIAL_SECONDS = 20.0  # for the one search that tries whether a refusal is over
_FAULT_WAIT = 20.0
_LONGEST_FAULT_WAIT = 300.0
_SLOW_SECONDS = 3.0  # a search that was broken off after so long counts as a fault: its caller ran out of patience


class CircuitBreakerProvider:
    """A provider behind a circuit breaker.  Raises what the provider raises, and the same where it is not asked."""

    def __init__(
        self,
        provider: SearchProvider,
        shelf: ProviderStateStore,
        *,
        identity: str = "",
        faults: int = 2,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`identity`: under which it stands on the shelf: who is asked, with which key, from where.

        `faults`: so many in a row, and it is left alone for a while; those of searches that ran at once are one.
        """
        self.name = provider.name
        self.applies: frozenset[str] = getattr(provider, "applies", frozenset())
        self._provider = provider
        self._shelf = shelf
        self._identity = identity or provider.name
        self._clock = clock
        self._now = now
        self._most_faults = faults
        self._faults = 0  # in a row
        self._faulted_at = -1.0
        self._broken_until = 0.0
        self._fault = ""

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        self._look_for_faults()
        refused_before = await asyncio.to_thread(self._look_for_refusals)
        began, started = self._now(), self._clock()
        try:
            hits = await self._provider.search(query, limit=limit)
        except NotYet:
            raise
        except SearchThrottled as e:
            await asyncio.to_thread(self._refused, str(e), e.retry_after, began)
            raise
        except SearchBroken as e:
            self._failed(str(e), started)
            raise
        except asyncio.CancelledError:
            if self._clock() - started >= _SLOW_SECONDS:
                self._failed("it is too slow", started)
            raise
        self._faults = 0
        if refused_before:
            await asyncio.to_thread(self._shelf.forgive, self._identity)
        return hits

    # --------------------------------------------------------------------------------------------- faults

    def _look_for_faults(self) -> None:
        left = self._broken_until - self._clock()
        if left > 0:
            raise SearchBroken(f"not asked for another {duration(left)}: {self._fault}")

    def _failed(self, why: str, started: float) -> None:
        if started <= self._faulted_at:
            return
        self._faults += 1
        self._fault = why
        self._faulted_at = self._clock()
        if self._faults >= self._most_faults:
            wait = min(_FAULT_WAIT * 2 ** (self._faults - self._most_faults), _LONGEST_FAULT_WAIT)
            self._broken_until = self._faulted_at + with_jitter(wait)

    # --------------------------------------------------------------------------------------------- refusals

    def _look_for_refusals(self) -> bool:
        """Was there one, now over?  Raises `SearchThrottled` where it is not, or where another search tries that."""
        last = self._shelf.refusal(self._identity)
        if last is None:
            return False
        if last.until > self._now() or not self._shelf.claim(self._identity, _TRIAL_SECONDS):
            left = max(last.until - self._now(), 0.0)
            raise SearchThrottled(f"not asked for another {duration(left)}: {last.why}", left)
        return True

    def _refused(self, why: str, retry_after: float | None, began: float) -> None:
        """Of searches that ran at once, the first refusal counts as a strike and the others say the same again."""
        last = self._shelf.refusal(self._identity)
        if last and last.at >= began:
            strikes = last.strikes
        else:
            strikes = 1 + (last.strikes if last and began - last.at < _FORGOTTEN else 0)
        until = self._now() + self._wait(strikes, retry_after)
        self._shelf.refuse(self._identity, Refusal(self._now(), until, strikes, why), began=began)

    def _wait(self, strikes: int, retry_after: float | None) -> float:
        """Seconds.  The provider's own word counts; without it, longer each time."""
        if retry_after is not None:
            return with_jitter(max(retry_after, _SHORTEST_WAIT))
        first = FIRST_WAITS.get(self.name, FIRST_WAIT)
        return min(with_jitter(first * 2.0 ** min(strikes - 1, 16)), _LONGEST_WAIT)


def duration(seconds: float) -> str:
    """For people: `40 seconds`, `57 minutes`, `3 hours`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} second{'s' * (round(seconds) > 1)}"
    return f"{seconds / 60:.0f} minutes" if seconds < 5_400 else f"{seconds / 3_600:.0f} hours"


# ------------------------------------------------------------------------------------------ remembered

# A provider that is not asked the same again within some hours, by this command or another.
#
# Only replies with hits are kept: that nothing was found may be a block that was not recognised.


class CachedProvider:
    def __init__(self, provider: SearchProvider, shelf: ProviderStateStore, *, identity: str) -> None:
        """`identity`: everything beside the query that a reply depends on."""
        self.name = provider.name
        self._provider = provider
        self._shelf = shelf
        self._identity = identity

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        key = self._key(query.text, limit)
        kept = await asyncio.to_thread(self._recall, key)
        if kept:
            return kept
        hits = tuple(await self._provider.search(query, limit=limit))
        if hits:
            written = json.dumps(to_json(hits, tuple[SearchHit, ...]), ensure_ascii=False)
            await asyncio.to_thread(self._shelf.keep, key, written)
        return hits

    def _key(self, text: str, limit: int) -> str:
        """What was asked cannot be read from it."""
        return hashlib.sha256(json.dumps([self._identity, " ".join(text.split()), limit]).encode()).hexdigest()

    def _recall(self, key: str) -> tuple[SearchHit, ...]:
        written = self._shelf.recall(key)
        try:
            return from_json(tuple[SearchHit, ...], json.loads(written)) if written else ()
        except (ValueError, ValidationError):  # another version's
            return ()


# ------------------------------------------------------------------------------------------ brought

# A search provider that a host program brings: any object with `async search(query, *, limit)`.
#
# Its hits may be dicts, and whatever it raises is a search that broke, so that the next provider is asked.


class HostProvider:
    def __init__(self, provider: Any) -> None:
        if not callable(getattr(provider, "search", None)):
            raise SettingsError(f"{type(provider).__name__} cannot search: it needs `async search(query, *, limit)`")
        self._provider = provider
        self.name = str(getattr(provider, "name", type(provider).__name__))

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        try:
            hits = await self._provider.search(query, limit=limit)
            return [self._hit(hit, rank) for rank, hit in enumerate(hits[:limit], start=1)]
        except AgentError:
            raise
        except Exception as e:
            raise SearchBroken(f"{self.name} failed: {type(e).__name__}: {e}") from e

    def _hit(self, hit: Any, rank: int) -> SearchHit:
        if isinstance(hit, SearchHit):
            return hit
        return SearchHit(
            url=str(hit["url"]),
            title=str(hit.get("title", "")),
            snippet=str(hit.get("snippet", "")),
            rank=rank,
            provider=self.name,
            published=hit.get("published"),
        )
