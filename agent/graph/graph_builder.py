"""WHEN: the graph.  Seven steps in a line, two ways back, each decided by a named outcome.

A compiled graph is an ordinary LangGraph graph: sync and async, streamed or not, alone or as a node of another.  Each
step is written once, async; its sync half runs on the process's house loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import reduce
from itertools import pairwise
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer

from agent.events import Began, Ended, Finished, Spent, StepName
from agent.graph import state as channels
from agent.graph.run_resources import IDLE_SECONDS, RunEndCallback, RunResourcePool, RunResources
from agent.graph.state import In, Json, Out, Run, RunInfo, State
from agent.graph.step_context import StepContext, add
from agent.graph.steps import StepResult
from agent.graph.steps.plan import plan
from agent.graph.steps.read import read
from agent.graph.steps.retrieve import retrieve
from agent.graph.steps.scout import facts, scout
from agent.graph.steps.search import search
from agent.graph.steps.verify import verify
from agent.graph.steps.write import write
from agent.graph.sync_bridge import run_sync
from agent.protocols import Services
from agent.result import Answer, StepRecord, from_json

Step = Callable[[Run, StepContext], Awaitable[StepResult]]
Graph = CompiledStateGraph[State, None, In, Out]

MAX_STEPS = 100  # LangGraph's recursion limit; the deepest run makes 2 + 5 rounds of 4 + 2 revisions of 2


def build(services: Services, *, checkpointer: Checkpointer = None, idle_seconds: float = IDLE_SECONDS) -> Graph:
    """The compiled graph: `{"question": …}` or `{"messages": […]}` in, `{"answer": …, "messages": […]}` out.

    `checkpointer`: None leaves it to the host's graph.  `idle_seconds`: how long a run's belongings outlive a step
    when no other follows.
    """
    crew = StepRunner(services, RunResourcePool(services, idle_seconds), RunEndCallback())
    graph = StateGraph(State, input_schema=In, output_schema=Out)
    graph.add_node("scout", both(crew.begin, "scout"))
    steps: dict[StepName, Step] = {
        "plan": plan,
        "search": search,
        "read": read,
        "retrieve": retrieve,
        "write": write,
        "verify": verify,
    }
    for name, step in steps.items():
        graph.add_node(name, both(crew.staged(step, name), name))
    line: list[str] = [START, "scout", "plan", "search", "read", "retrieve", "write"]
    for one, next_one in pairwise(line):
        graph.add_edge(one, next_one)
    graph.add_conditional_edges("write", after_write, {"answer": "verify", "search more": "search"})
    graph.add_conditional_edges("verify", after_verify, {"done": END, "revise": "write"})
    compiled = graph.compile(checkpointer=checkpointer, name="r1-research")
    return compiled.with_config(callbacks=[crew.ends], recursion_limit=MAX_STEPS)


def after_write(state: State) -> Literal["answer", "search more"]:
    return "search more" if state.get("outcome") == "search more" else "answer"


def after_verify(state: State) -> Literal["done", "revise"]:
    return "revise" if state.get("outcome") == "revise" else "done"


def both(step: Callable[[State, RunnableConfig], Coroutine[Any, Any, Json]], name: str) -> RunnableLambda[State, Json]:
    """A step's two halves."""

    async def afunc(state: State, config: RunnableConfig) -> Json:
        return await step(state, config)

    def func(state: State, config: RunnableConfig) -> Json:
        return run_sync(step(state, config))

    return RunnableLambda(func, afunc=afunc, name=name)


class StepRunner:
    """Sets the stage for each step: its belongings, its events, its record; clears it when something goes wrong."""

    def __init__(self, services: Services, keeper: RunResourcePool, ends: RunEndCallback) -> None:
        self._services = services
        self._keeper = keeper
        self.ends = ends

    async def begin(self, state: State, config: RunnableConfig) -> Json:
        """scout, which begins without a run."""
        run = facts(state, config, self._services)
        return await self._perform(lambda context: scout(run, context), _Call("scout", run, 1), config)

    def staged(self, step: Step, name: StepName) -> Callable[[State, RunnableConfig], Coroutine[Any, Any, Json]]:
        async def perform(state: State, config: RunnableConfig) -> Json:
            run = channels.read(state)
            call = _Call(name, run.run, run.round, _turn(name, run))
            update = await self._perform(lambda context: step(run, context), call, config, run)
            if name == "verify" and update.get("answer"):
                await self._keeper.end(run.run.id)
            return update

        return perform

    async def _perform(
        self,
        work: Callable[[StepContext], Awaitable[StepResult]],
        call: _Call,
        config: RunnableConfig,
        run: Run | None = None,
    ) -> Json:
        try:
            belongings = await self._keeper.belongings(call.run)
            self.ends.bind(config, belongings)
            with belongings.busy(), belongings.outbox.open(get_stream_writer(), call.round):
                return await self._recorded(work, call, belongings, run)
        except BaseException:
            await asyncio.shield(self._keeper.end(call.run.id))
            raise

    async def _recorded(
        self,
        work: Callable[[StepContext], Awaitable[StepResult]],
        call: _Call,
        belongings: RunResources,
        run: Run | None,
    ) -> Json:
        context = StepContext(self._services, belongings.parts, belongings.outbox, call.name)
        context.say(Began)
        done = await work(context)
        seconds = round(time.monotonic() - context.began, 3)
        if done.reasoning:
            await self._services.journal.note(call.run.id, call.label, call.round, done.reasoning)
        record = StepRecord(call.name, call.round, seconds, summary=done.summary)
        context.say(Ended, seconds=seconds, summary=done.summary)
        if done.usage.model_calls:
            past = list(run.usage.values()) if run else []
            context.say(
                Spent, usage=replace(reduce(add, past, done.usage), seconds=context.seconds(run) if run else seconds)
            )
        if answer := done.update.get("answer"):
            context.say(Finished, answer=from_json(Answer, answer))
        kept = channels.update(steps={call.key: record}, usage={call.key: done.usage})
        if call.name == "scout":  # a new question: nothing of the thread's last one stays
            kept = {name: {channels.OVERWRITE: value} for name, value in kept.items()}
        return {**done.update, **kept}


class _Call:
    """Which performance of which step this is; its key makes the records of repeated steps distinct."""

    def __init__(self, name: StepName, run: RunInfo, round: int, turn: int = 0) -> None:
        self.name, self.run, self.round = name, run, round
        self.label = f"{name}/{turn}" if turn else name
        self.key = f"{self.label}:{round}"


def _turn(name: StepName, run: Run) -> int:
    """0 for the first go at an answer, then the number of the revision."""
    if name == "write" and run.outcome == "revise":
        return run.draft.revision + 1
    return run.draft.revision if name == "verify" else 0
