"""Whether a provider is asked at all: not while it refuses, not while it is plainly broken.

Knows waits and how they grow.  A refusal is kept on the shelf, so that the next command does not repeat what got the
last one blocked; a fault is remembered by the run only, because whoever mends it tries again at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from agent.errors import SearchBroken, SearchThrottled
from agent.services import SearchProvider
from agent.types import Query, SearchHit
from agent.web.search.pace import NotYet, with_jitter
from agent.web.search.shelf import Refusal, Shelf

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


class Guarded:
    """A provider behind a circuit breaker.  Raises what the provider raises, and the same where it is not asked."""

    def __init__(
        self,
        provider: SearchProvider,
        shelf: Shelf,
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
