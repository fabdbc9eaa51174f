"""Threads for calls that block, so that no event loop waits for a disk or a processor.

Knows executors and forks.  Does not know what is called.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """A few threads for one kind of call, shared by all event loops; made at first use, and anew after a fork."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._made: tuple[int, ThreadPoolExecutor] | None = None  # in which process

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `call` returns or raises.  A caller that is cancelled leaves at once; the call itself goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._executor(), lambda: call(*args, **kwargs))

    def _executor(self) -> ThreadPoolExecutor:
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), ThreadPoolExecutor(self._threads, thread_name_prefix=self._name))
        return self._made[1]
