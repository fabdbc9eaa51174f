"""When the next request to a host may go out: a moment after the last one, and not before it asked us to come back.

Knows hosts and seconds; knows nothing of URLs or replies.
"""

from __future__ import annotations

import asyncio
import time

from agent.errors import FetchFailed

BETWEEN = 0.5  # seconds between two pages of one host; crawlers take 1 to 10, but a run reads three of a host


class Pace:
    """One run's; used on one event loop."""

    def __init__(self, between: float = BETWEEN) -> None:
        self._between = between
        self._free: dict[str, float] = {}  # host → when a request may go out, on the monotonic clock
        self._asked: dict[str, str] = {}  # host → what it said when it asked us to wait

    async def turn(self, host: str, *, until: float) -> None:
        """Wait for the host's next turn, and take it.  Raises `FetchFailed` where that is later than `until`."""
        while (at := self._free.get(host, 0.0)) > (now := time.monotonic()):
            if at >= until:
                raise FetchFailed(self._asked.get(host) or "timed out")
            await asyncio.sleep(at - now)
        self._asked.pop(host, None)
        self._free[host] = time.monotonic() + self._between

    def hold(self, host: str, seconds: float, why: str) -> None:
        """The host asks for a pause."""
        self._free[host] = max(self._free.get(host, 0.0), time.monotonic() + seconds)
        self._asked[host] = why
