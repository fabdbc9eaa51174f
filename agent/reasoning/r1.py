"""R1Reasoner: plans, writes and revises with a reasoning model, and with a writer and a fast one where there are any.

Fulfils `services.Reasoner` with any LangChain chat models.  Knows which role does what; nothing of steps, of the web or
of how a model is reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from agent.errors import ModelError
from agent.reasoning import asking
from agent.reasoning.budget import Budget
from agent.reasoning.calls import ModelCalls
from agent.reasoning.judging import Bench
from agent.reasoning.reading import (
    Plan,
    fault_of_revisions,
    nothing_wrong,
    plan_in_reasoning,
    revisions_in_reasoning,
)
from agent.reasoning.roles import Role, Roles, takes_two
from agent.reasoning.tries import Ask, shortenable
from agent.reasoning.writing import Author, Thoughts
from agent.services import Journal
from agent.types import Again, Brief, Delta, Evidence, Finding


class R1Reasoner:
    """One for a run: its calls share one budget of retries and money.  `judge` checks what was written."""

    def __init__(self, roles: Roles, journal: Journal, budget: Budget | None = None) -> None:
        shared = budget or Budget()

        def calls(role: Role | None) -> ModelCalls | None:
            return ModelCalls(role, journal, shared) if role else None

        self._reasoner = ModelCalls(roles.reasoner, journal, shared)
        writer, fast = calls(roles.writer), calls(roles.fast)
        self._mender = fast or self._reasoner
        self._scribe = writer or self._reasoner
        judging = roles.fast or roles.reasoner
        concurrent = bool(fast) or takes_two(roles.reasoner)
        self.judge = Bench(fast or self._reasoner, beside=concurrent, profile=judging.profile)
        self._author = Author(self._reasoner, writer, fast or self._scribe, pass_thinking=roles.pass_thinking)

    async def plan(self, brief: Brief) -> Thoughts:
        plan, said = Plan(brief), ""
        ask = Ask("plan", brief, asking.for_plan(brief), nothing_wrong, plan_in_reasoning)
        async with aclosing(self._reasoner.make(ask)) as made:
            async for thought in made:
                match thought:
                    case Delta(text=text) if text:
                        said += text
                        for query in plan.feed(text):
                            yield query
                        continue
                    case Again():
                        plan, said = Plan(brief), ""
                yield thought
        for query in plan.finish():
            yield query
        if not plan.readable:
            async with aclosing(self._plan_mended(brief, said)) as mended:
                async for told in mended:
                    yield told

    async def _plan_mended(self, brief: Brief, said: str) -> Thoughts:
        """One call that puts a plan in prose into JSON; after that the question itself is all there is to ask."""
        plan = Plan(brief)
        ask = Ask("repair", brief, asking.for_repair(brief, said), nothing_wrong, plan_in_reasoning)
        try:
            async with aclosing(self._mender.make(ask)) as thoughts:
                async for thought in thoughts:
                    if isinstance(thought, Delta) and thought.text:
                        for query in plan.feed(thought.text):
                            yield query
                    else:
                        yield thought
        except ModelError as e:
            yield Again(f"the plan could not be put into JSON: {e}")
            return
        for query in plan.finish():
            yield query

    def write(self, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        return self._author.write(brief, evidence)

    async def revise(self, brief: Brief, findings: Sequence[Finding], evidence: Sequence[Evidence]) -> Thoughts:
        prompt = partial(asking.for_revision, brief, findings)
        ask = Ask("revise", brief, prompt(evidence), fault_of_revisions, revisions_in_reasoning)
        async with aclosing(self._scribe.make(shortenable(ask, prompt, evidence))) as thoughts:
            async for thought in thoughts:
                yield thought
