"""What a run owns while it goes, and who ends it.

A run's HTTP clients, model client, page pool and tasks are opened at first use, owned by one keeper task and keyed by
run and event loop.  They end with the last step, with any step that fails or is cancelled, when the host walks away
between two steps (a callback on the compiled graph sees the graph's run end), and after an idle time for a generator
that is held open for ever.  Whatever is missing after that is opened again at next use.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig

from agent.graph.state import RunInfo
from agent.graph.step_context import EventBuffer
from agent.protocols import RunParts, Services

logger = logging.getLogger(__name__)
IDLE_SECONDS = 600.0  # between two steps; a host that pauses longer finds the pool empty and fetches again


class RunResources:
    """What one run owns on one loop.  `keep` is the keeper task; all else is called from that loop."""

    def __init__(self, run: RunInfo, services: Services, idle_seconds: float) -> None:
        self.outbox = EventBuffer(run.id)
        self.parts: RunParts
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._open = services.open_run(run.id, datetime.fromisoformat(run.started_at), self.outbox.tell)
        self._idle_seconds = idle_seconds
        self._deadline: asyncio.Timeout | None = None
        self.task: asyncio.Task[None] | None = None

    async def keep(self, ready: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._idle_seconds) as self._deadline, self._open as self.parts:
                if not ready.done():  # whoever opened it may have been cancelled meanwhile
                    ready.set_result(None)
                await self._stop.wait()
        except BaseException as e:
            if not ready.done():  # whoever waits for the parts must hear of it
                ready.set_exception(e)
            elif not (isinstance(e, TimeoutError) and self._deadline and self._deadline.expired()):
                raise
        finally:
            self._deadline = None

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """While a step works the idle deadline rests."""
        self._rest(None)
        try:
            yield
        finally:
            self._rest(self.loop.time() + self._idle_seconds)

    def _rest(self, until: float | None) -> None:
        if self._deadline and not self._deadline.expired() and not self._stop.is_set():
            self._deadline.reschedule(until)

    def stop_soon(self) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and with it everything on it
            self.loop.call_soon_threadsafe(self._stop.set)

    async def stop(self) -> None:
        self._stop.set()
        if self.task:
            await asyncio.wait([self.task])


class RunResourcePool:
    """The belongings of all runs of one compiled graph."""

    def __init__(self, services: Services, idle_seconds: float = IDLE_SECONDS) -> None:
        self._services = services
        self._idle_seconds = idle_seconds
        self._all: dict[tuple[str, int], RunResources] = {}

    async def belongings(self, run: RunInfo) -> RunResources:
        """Those of the run on this loop, opened now if there are none."""
        key = (run.id, id(asyncio.get_running_loop()))
        found = self._all.get(key)
        if found and found.task and not found.task.done():
            return found
        made = RunResources(run, self._services, self._idle_seconds)
        ready = made.loop.create_future()
        # An empty contextvars.Context: the keeper must not inherit the step's tracing parent or stream writer.
        made.task = made.loop.create_task(made.keep(ready), name=f"run {run.id}", context=contextvars.Context())
        self._all[key] = made
        made.task.add_done_callback(lambda task: self._forget(key, task))
        try:
            await ready
        except asyncio.CancelledError:
            await made.stop()
            raise
        return made

    def _forget(self, key: tuple[str, int], task: asyncio.Task[None]) -> None:
        found = self._all.get(key)
        if found and found.task is task:
            del self._all[key]
        if not task.cancelled() and task.exception():
            logger.warning("a run's parts did not close cleanly: %r", task.exception())

    async def end(self, run_id: str) -> None:
        """Close everything of the run on this loop; it is closed when this returns."""
        found = self._all.get((run_id, id(asyncio.get_running_loop())))
        if found:
            await found.stop()


class RunEndCallback(BaseCallbackHandler):
    """Sees when the graph's run ends, however it ends; a dropped generator arrives here as `GeneratorExit`."""

    run_inline = True

    def __init__(self) -> None:
        self._up: dict[UUID, UUID | None] = {}
        self._bound: dict[UUID, RunResources] = {}

    def bind(self, config: RunnableConfig, belongings: RunResources) -> None:
        """Called from a step: these belongings end with the outermost run that this handler has seen begin."""
        run: UUID | None = getattr(config.get("callbacks"), "parent_run_id", None)
        while run is not None and self._up.get(run) in self._up:
            run = self._up[run]
        if run is not None:
            self._bound[run] = belongings

    def on_chain_start(  # the base class's own types
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **_: Any,
    ) -> None:
        self._up[run_id] = parent_run_id

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        self._out(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._out(run_id)

    def _out(self, run_id: UUID) -> None:
        self._up.pop(run_id, None)
        belongings = self._bound.pop(run_id, None)
        if belongings:
            belongings.stop_soon()
