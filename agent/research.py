"""ResearchAgent: one path behind every door of ours.

Adds to the graph what a host has of its own: checkpoints, a list of runs, resuming, and typed events instead of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from agent.errors import RunError, UsageError
from agent.events import Event, Finished, decode
from agent.result import Answer
from agent.run_registry import KnownRun, Runs
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.graph.graph_builder import Graph
    from agent.protocols import Clock
    from agent.wiring.model_discovery import DiscoveredModel


class ResearchAgent:
    """A question in, typed events out, the last of them `Finished` with the checked answer.

    Cheap to make: nothing is opened before the first question.  May be used from any thread and any event loop, by
    several questions at once.  `parts` are those of `agent.wiring.build_graph`: reasoner, writer, fast, embeddings,
    search, clock.
    """

    def __init__(self, settings: Settings | None = None, **parts: Any) -> None:
        self._settings = settings or Settings()
        self._parts = parts

    # --------------------------------------------------------------------------------------------- asking

    async def astream(self, question: str) -> AsyncGenerator[Event, None]:
        """Everything the run says, as it says it.  Raises `AgentError`.  Leaving early ends the run at once."""
        run_id, graph = await asyncio.to_thread(self._begun, question)
        try:
            async with contextlib.aclosing(self._drive(run_id, question, graph)) as events:
                async for event in events:
                    yield event
        except UsageError:
            await asyncio.to_thread(self._runs.remove, run_id)
            raise

    async def aresume(self, run_id: str | None = None) -> AsyncGenerator[Event, None]:
        """Go on with a run that was interrupted; without an id, the newest unfinished one.

        It goes on with the settings it was begun with; keys come from the settings of now.  What a model has already
        said is not asked again.  A run that is finished gives its answer once more: whoever was stopped between the
        answer and its delivery has paid for it.  Raises `RunError`.
        """
        known, graph = await asyncio.to_thread(self._found, run_id)
        if known.answer is not None:
            yield _ending(known.run_id, known.answer)
            return
        async with contextlib.aclosing(self._drive(known.run_id, known.question, graph)) as events:
            async for event in events:
                yield event

    async def ainvoke(self, question: str) -> Answer:
        return await _last(self.astream(question))

    def stream(self, question: str) -> Generator[Event, None, None]:
        """`astream` for sync code; leaving the loop early ends the run at once."""
        from agent.graph.sync_bridge import drain

        return drain(lambda: self.astream(question))

    def resume(self, run_id: str | None = None) -> Generator[Event, None, None]:
        from agent.graph.sync_bridge import drain

        return drain(lambda: self.aresume(run_id))

    def invoke(self, question: str) -> Answer:
        from agent.graph.sync_bridge import run_sync

        return run_sync(self.ainvoke(question))

    # --------------------------------------------------------------------------------------------- looking

    def describe(self) -> str:
        """One line: which reasoner and which search answer, and why these."""
        from agent.wiring.factory import describe

        return describe(self._completed, **self._parts)

    async def stored_text(self, snapshot: str) -> str:
        """The text that quotes point into.  Raises `LibraryError` for a snapshot that is not there."""
        from agent.wiring.factory import stored_text

        return await stored_text(self._settings, snapshot)

    # --------------------------------------------------------------------------------------------- inside

    async def _drive(self, run_id: str, question: str, graph: Graph) -> AsyncGenerator[Event, None]:
        from agent.graph.checkpointer import open_saver

        async with contextlib.AsyncExitStack() as held:
            await asyncio.to_thread(held.enter_context, self._runs.at_work(run_id))
            saver = await held.enter_async_context(open_saver(self._settings.data_home / "checkpoints.sqlite"))
            said = _said(graph.copy({"checkpointer": saver}), run_id, question)
            async for event in await held.enter_async_context(contextlib.aclosing(said)):
                if isinstance(event, Finished):
                    await self._finish(event)
                yield event

    async def _finish(self, event: Finished) -> None:
        import json

        from agent.result import to_json

        text = json.dumps(to_json(event.answer), ensure_ascii=False)
        await asyncio.to_thread(self._runs.finish, event.run_id, text)

    @cached_property
    def _runs(self) -> Runs:
        return Runs(self._settings.data_home)

    @cached_property
    def _completed(self) -> DiscoveredModel:
        """Which model it is; looked for once, so that what is said of it and what is asked are the same."""
        from agent.wiring.factory import completed

        return completed(self._settings, self._parts.get("reasoner"))

    @cached_property
    def _graph(self) -> Graph:
        return self._built(self._completed.settings)

    def _built(self, settings: Settings) -> Graph:
        from agent.wiring.factory import build_graph

        return build_graph(settings, **self._parts)

    def _begun(self, question: str) -> tuple[str, Graph]:
        """A new run's id and the graph.  Blocking: it imports, and opens files."""
        from agent.graph.steps.scout import new_run_id

        now = self._clock.now()
        run_id = new_run_id(now)
        self._runs.add(run_id, question, self._completed.settings.to_store(), now.isoformat())
        return run_id, self._graph

    def _found(self, run_id: str | None) -> tuple[KnownRun, Graph]:
        """A run, and the graph with its settings.  Blocking, like `_begun`."""
        known = self._runs.find(run_id)
        return known, self._built(self._settings.restored(known.settings))

    @cached_property
    def _clock(self) -> Clock:
        from agent.wiring.factory import SystemClock

        return self._parts.get("clock") or SystemClock()


async def _said(graph: Graph, run_id: str, question: str) -> AsyncGenerator[Event, None]:
    """The run's events from its last checkpoint on, or from its question where there is none.

    `next` of a state does not tell whether the run is over: it is empty, too, where the run was stopped between the
    end of a step and the checkpoint after it.
    """
    before = await graph.aget_state(_config(run_id))
    if answer := before.values.get("answer"):  # it was stopped before the list of runs had it
        yield _ending(run_id, answer)
        return
    given = {"question": question} if before.metadata is None else None
    parts = graph.astream(cast("Any", given), _config(run_id), stream_mode="custom", durability="sync")
    async with contextlib.aclosing(cast("AsyncGenerator[Any, None]", parts)) as items:
        async for item in items:
            yield decode(item)


def _ending(run_id: str, answer: object) -> Finished:
    """What the run said last, made anew from its answer as JSON."""
    from agent.result import from_json

    told = from_json(Answer, answer)
    last = max((step.round for step in told.steps), default=1)
    return Finished(run_id=run_id, step="verify", round=last, at=time.monotonic(), answer=told)


def _config(run_id: str) -> Any:
    from agent.graph.steps.scout import RUN_ID

    return {"configurable": {"thread_id": run_id, RUN_ID: run_id}}


async def _last(events: AsyncIterator[Event]) -> Answer:
    answer = None
    async for event in events:
        if isinstance(event, Finished):
            answer = event.answer
    if answer is None:
        raise RunError("the run ended without an answer")
    return answer
