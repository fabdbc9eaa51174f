"""How much one page has brought over the network, however it came: counted where it arrives, bounded by what it is.

Knows bytes only; whoever reads from a socket counts, whoever asks for a page sets the bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from agent.errors import FetchFailed

_HEAD_BYTES = 256_000  # of one reply before its body, interim replies included; the largest honest ones have 16 kB
_BODY_BYTES = 21_000_000  # a little over the largest page that is taken, see `agent.web.sizes`


class Meter:
    """What one page has brought over the network, over all its hops; ends a reply that goes on and on."""

    def __init__(self) -> None:
        self.received = 0  # bytes, TLS taken off
        self.connections = 0  # opened for it
        self._room = _HEAD_BYTES

    def expect_head(self) -> None:
        self._room = _HEAD_BYTES

    def expect_body(self) -> None:
        self._room = _BODY_BYTES

    def count(self, size: int) -> None:
        """Raises `FetchFailed` past what a reply's head or body may have."""
        self.received += size
        self._room -= size
        if self._room < 0:
            raise FetchFailed("too large a reply")


_METER: ContextVar[Meter] = ContextVar("meter of the page that this task fetches")


@contextmanager
def metered() -> Iterator[Meter]:
    """All that this task receives in here is counted; inside another one, by that one."""
    outer = _METER.get(None)
    if outer:
        yield outer
        return
    token = _METER.set(Meter())
    try:
        yield _METER.get()
    finally:
        _METER.reset(token)


def current_meter() -> Meter:
    """The one of the page that this task fetches; outside of any, one that nobody reads."""
    return _METER.get(None) or Meter()
