"""How often a provider is asked, over all threads, event loops and, where there is a shelf, processes."""

from __future__ import annotations

import asyncio
import random
import threading
import time

from agent.errors import SearchThrottled
from agent.web.search.shelf import Shelf


class NotYet(SearchThrottled):
    """Our own pace stands in the way: the provider has refused nothing."""


class Pace:
    """At most one request every `seconds`."""

    def __init__(self, seconds: float, who: str = "the search provider") -> None:
        self.seconds = seconds
        self.who = who
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, patience: float) -> float:
        """Take the next turn; the seconds until then.  Raises `NotYet` where that is over `patience`."""
        with self._lock:
            now = time.monotonic()
            wait = max(self._free_at - now, 0.0)
            if wait > patience:
                raise self.not_yet(wait)
            self._free_at = now + wait + with_jitter(self.seconds)
            return wait

    def not_yet(self, wait: float) -> NotYet:
        return NotYet(f"{self.who} is asked once every {self.seconds:g} seconds, to not be blocked", wait)


async def wait_for_turn(pace: Pace, shelf: Shelf | None, patience: float) -> float:
    """Wait for one's turn; the seconds that took.  Raises `NotYet` at once where it would be over `patience`."""
    wait = pace.take(patience)
    if shelf:
        wait = max(wait, await asyncio.to_thread(shelf.turn, pace.who, with_jitter(pace.seconds), patience))
        if wait > patience:
            raise pace.not_yet(wait)
    await asyncio.sleep(wait)
    return wait


def with_jitter(seconds: float) -> float:
    """A quarter more at most: a fixed rhythm is what blocks look for, and who waits together comes back together."""
    return seconds * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
