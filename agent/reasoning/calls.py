"""Model calls of one run: streamed, journalled, and made again within one budget where that may help.

Works with any LangChain chat model.  Reasoning and answer arrive apart, whatever the model's class leaves undone; no
reasoning of one call enters another's prompt.  Knows nothing of what is asked or how a reply is read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from agent.errors import ContextExceeded, ModelOverloaded, ReplyUnusable
from agent.reasoning.attempt import Attempt
from agent.reasoning.budget import Budget
from agent.reasoning.roles import Role
from agent.reasoning.tries import Ask, Tries
from agent.services import Journal, Reply, ReplyKey
from agent.types import Again, Caution, Delta, Spending

if TYPE_CHECKING:
    from agent.reasoning.models.think import Mode


class ModelCalls:
    """Calls to the model of one role.  One for a run; all roles of a run share its budget."""

    def __init__(self, role: Role, journal: Journal, budget: Budget) -> None:
        self._role = role
        self._journal = journal
        self._budget = budget
        self._tags: Mode = "off" if role.separates_thinking else "auto"

    async def make(self, ask: Ask) -> AsyncGenerator[Delta | Again | Spending | Caution, None]:
        """What the model says.  A reply that is in the journal is said again, and costs nothing.

        Raises `ModelRefused`, `ModelUnreachable` and `BudgetSpent` at once; `ModelOverloaded` when the retries are used
        up; `ContextExceeded` where a shorter prompt does not help either; `ReplyUnusable` for a reply that is cut off
        in mid-thought, goes in circles, or is of no use, twice.
        """
        key = self._key(ask)
        if kept := await self._journal.find(key):
            yield Delta(reasoning=kept.reasoning)
            yield Delta(text=kept.text)
            return
        tries = Tries(ask, self._role, self._budget)
        while True:
            self._budget.check(ask.brief.spent_usd)
            attempt = Attempt(self._role, tries.prompt, self._tags, tries.options)
            try:
                async with aclosing(self._charged(attempt, ask)) as said:
                    async for thought in said:
                        yield thought
                attempt.check(ask.fault)
            except (ModelOverloaded, ReplyUnusable, ContextExceeded) as failure:
                if attempt.begun:
                    yield Spending(attempt.usage())
                pause = tries.after(failure)
                yield Again(str(failure))
                await asyncio.sleep(pause)
            else:
                self._tags = self._tags if attempt.cut else attempt.learned  # what is not whole teaches nothing
                await self._journal.keep(key, Reply(attempt.reasoning, attempt.text))
                yield Spending(attempt.usage())
                if attempt.cut:
                    model = self._role.endpoint.model
                    yield Caution(
                        f"{model!r} reached its token limit ({ask.step}): the end of what it said is missing."
                    )
                return

    async def _charged(self, attempt: Attempt, ask: Ask) -> AsyncGenerator[Delta | Again, None]:
        """One try.  What had come of it is paid for, also where whoever listens gives up."""
        try:
            async with aclosing(attempt.run(ask.salvage)) as said:
                async for thought in said:
                    yield thought
        finally:
            if attempt.begun:
                self._budget.spend(attempt.usage().usd)

    def _key(self, ask: Ask) -> ReplyKey:
        said = json.dumps([self._role.endpoint.model, ask.prompt])
        return ReplyKey(ask.brief.run_id, ask.step, ask.brief.round, hashlib.sha256(said.encode()).hexdigest())
