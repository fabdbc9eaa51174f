"""How long may it take, on the machine that runs the tests just now?

A test that says "this costs little" means a power of its input's length, not a clock: its limit in seconds is that of a
quiet desktop, and is stretched here by how much slower a fixed sum is at this very moment.
"""

from __future__ import annotations

import time

_QUIET = 0.012  # seconds of `_sum` on an idle core of 2023
_MARGIN = 2.0  # a machine that others use too is quick at one moment and slow at the next
_TRIES = 3  # the best of them: one may be interrupted


def limit(seconds: float) -> float:
    """`seconds` of a quiet machine, in seconds of this one: at least twice as many."""
    return seconds * _MARGIN * max(1.0, min(_sum() for _ in range(_TRIES)) / _QUIET)


def _sum() -> float:
    began = time.perf_counter()
    total = 0
    for number in range(200_000):
        total += number & 7
    return time.perf_counter() - began
