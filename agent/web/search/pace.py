"""How often a provider is asked, over all threads and event loops of the process."""

from __future__ import annotations

import random
import threading
import time

from agent.errors import SearchThrottled


class NotYet(SearchThrottled):
    """Our own pace stands in the way: the provider has refused nothing."""


class Pace:
    """At most one request every `seconds`."""

    def __init__(self, seconds: float, who: str = "the search provider") -> None:
        self._seconds = seconds
        self._who = who
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, patience: float) -> float:
        """Take the next turn; the seconds until then.  Raises `NotYet` where that is over `patience`."""
        with self._lock:
            now = time.monotonic()
            wait = max(self._free_at - now, 0.0)
            if wait > patience:
                raise NotYet(f"{self._who} is asked once every {self._seconds:g} seconds, to not be blocked", wait)
            # Jitter: a fixed rhythm is what blocks look for.
            self._free_at = now + wait + self._seconds * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
            return wait
