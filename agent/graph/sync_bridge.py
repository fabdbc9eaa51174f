"""One long-lived event loop for everybody who calls from sync code.

Async code is written once; a sync caller hands its coroutine, with its contextvars, to this loop and waits.  One loop
for the whole process, because async clients die with the loop that made them.  Knows nothing of graphs or runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class _House:
    """The loop and the lock that guards its making; forgotten in a forked child, where its thread does not exist."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None


_house = _House()


def _forget() -> None:
    _house.__init__()  # type: ignore[misc]  # the same object, so that nobody holds an old one


os.register_at_fork(after_in_child=_forget)


def house_loop() -> asyncio.AbstractEventLoop:
    """The loop, running in a daemon thread since its first use."""
    with _house.lock:
        if _house.loop is None:
            _house.loop = asyncio.new_event_loop()
            threading.Thread(target=_house.loop.run_forever, name="r1-research-loop", daemon=True).start()
        return _house.loop


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on the house loop and wait for it; it is cancelled if the wait is broken off (Ctrl-C).

    Raises RuntimeError when called on the house loop itself, where waiting would never end.
    """
    loop = house_loop()
    if _is_running(loop):
        work.close()
        raise RuntimeError("a sync call on the agent's own event loop would never end: use ainvoke or astream there")
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def drain(make: Callable[[], AsyncGenerator[T, None]]) -> Generator[T, None, None]:
    """The items of an async generator, for sync code.

    One task runs the whole generator and hands items over: stepping it with one task per item would break the cancel
    scopes inside it.  Leaving early cancels it and waits until it has cleaned up.
    """
    items: queue.SimpleQueue[tuple[T | None, BaseException | None, bool]] = queue.SimpleQueue()

    async def run() -> None:
        try:
            async with contextlib.aclosing(make()) as source:
                async for item in source:
                    items.put((item, None, False))
            items.put((None, None, True))
        except BaseException as e:
            items.put((None, e, True))
            raise

    loop = house_loop()
    if _is_running(loop):
        raise RuntimeError("a sync call on the agent's own event loop would never end: use astream there")
    future = asyncio.run_coroutine_threadsafe(run(), loop)
    ended = False
    try:
        while True:
            item, error, ended = items.get()
            if error:
                raise error
            if ended:
                return
            yield item  # type: ignore[misc]  # an item that is not the end is a T
    finally:
        future.cancel()
        while not ended:
            ended = items.get()[2]


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
