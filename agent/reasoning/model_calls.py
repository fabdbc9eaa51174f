"""Runs model calls: the stored reply if there is one, retries, and the budget of a run."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent.errors import BudgetSpent, ContextExceeded, ModelError, ModelOverloaded, ReplyUnusable
from agent.protocols import Journal, ReplyKey, StoredReply
from agent.reasoning.call_stream import CallStream, CutOff, Looping, Role
from agent.reasoning.prompt_builder import for_haste, halved
from agent.text.ranking import estimate_tokens
from agent.types import Brief, CallCost, Delta, Evidence, Notice, Restart

if TYPE_CHECKING:
    from agent.reasoning.models.think_tags import Mode


# ------------------------------------------------------------------------------------------ calls

# Model calls of one run: streamed, journalled, and made again within one budget where that may help.
#
# Works with any LangChain chat model.  Reasoning and answer arrive apart, whatever the model's class leaves undone;
# no reasoning of one call enters another's prompt.  Knows nothing of what is asked or how a reply is read.


class ModelCalls:
    """Calls to the model of one role.  One for a run; all roles of a run share its budget."""

    def __init__(self, role: Role, journal: Journal, budget: RunBudget) -> None:
        self._role = role
        self._journal = journal
        self._budget = budget
        self._tags: Mode = "off" if role.separates_thinking else "auto"

    async def make(self, ask: ModelRequest) -> AsyncGenerator[Delta | Restart | CallCost | Notice, None]:
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
        tries = RetryPolicy(ask, self._role, self._budget)
        while True:
            self._budget.check(ask.brief.spent_usd)
            attempt = CallStream(self._role, tries.prompt, self._tags, tries.options)
            try:
                async with aclosing(self._charged(attempt, ask)) as said:
                    async for thought in said:
                        yield thought
                attempt.check(ask.fault)
            except (ModelOverloaded, ReplyUnusable, ContextExceeded) as failure:
                if attempt.begun:
                    yield CallCost(attempt.usage())
                pause = tries.after(failure)
                yield Restart(str(failure))
                await asyncio.sleep(pause)
            else:
                self._tags = self._tags if attempt.cut else attempt.learned  # what is not whole teaches nothing
                await self._journal.keep(key, StoredReply(attempt.reasoning, attempt.text))
                yield CallCost(attempt.usage())
                if attempt.cut:
                    model = self._role.endpoint.model
                    yield Notice(f"{model!r} reached its token limit ({ask.step}): the end of what it said is missing.")
                return

    async def _charged(self, attempt: CallStream, ask: ModelRequest) -> AsyncGenerator[Delta | Restart, None]:
        """One try.  What had come of it is paid for, also where whoever listens gives up."""
        try:
            async with aclosing(attempt.run(ask.salvage)) as said:
                async for thought in said:
                    yield thought
        finally:
            if attempt.begun:
                self._budget.spend(attempt.usage().usd)

    def _key(self, ask: ModelRequest) -> ReplyKey:
        said = json.dumps([self._role.endpoint.model, ask.prompt])
        return ReplyKey(ask.brief.run_id, ask.step, ask.brief.round, hashlib.sha256(said.encode()).hexdigest())


# ------------------------------------------------------------------------------------------ tries

# What is done about a call that failed: how the next try differs from the last, and when there is none.
#
# Knows our errors and what helps against each; knows nothing of streams or journals.

_SMALL_REPLY = 8_192  # tokens, where prompt and reply did not fit: servers count what a reply may take as taken
_MARGIN = 512  # tokens: our count is an estimate


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One thing that a model is asked, and how its reply is judged."""

    step: str
    brief: Brief
    prompt: str
    fault: Callable[[str, bool], str]  # (text, was it cut off?) -> why it cannot be used; empty: it can
    salvage: Callable[[str], str]  # reasoning that the answer was left in -> the answer; empty: there is none
    shorter: Callable[[], str] | None = None  # the prompt with less in it, for a model that cannot take all
    effort: str = ""  # of thinking; empty: the model's own


def with_shorter_prompt(
    ask: ModelRequest, prompt: Callable[[Sequence[Evidence]], str], evidence: Sequence[Evidence]
) -> ModelRequest:
    """An ask that can be made with half of the evidence."""
    return replace(ask, shorter=lambda: prompt(halved(evidence)))


class RetryPolicy:
    """The tries at one ask."""

    def __init__(self, ask: ModelRequest, role: Role, budget: RunBudget) -> None:
        self._ask, self._role, self._budget = ask, role, budget
        self._prompt = ask.prompt
        self._unusable = 0
        self._hurried = self._shortened = False
        self._max_tokens: int | None = None

    @property
    def prompt(self) -> str:
        hurry = for_haste(self._ask.brief.language) if self._hurried else ""
        return f"{self._prompt}\n\n{hurry}".strip()

    @property
    def options(self) -> dict[str, Any]:
        return self._role.options(
            effort="low" if self._hurried and not self._ask.effort else self._ask.effort, max_tokens=self._room()
        )

    def _room(self) -> int | None:
        """Tokens for the reply, where it is not the profile's usual number: never more than the context has left."""
        profile = self._role.profile
        wanted = self._max_tokens or (profile.max_tokens if profile else None)
        if profile is None or profile.context_tokens is None or wanted is None:
            return self._max_tokens
        left = profile.context_tokens - estimate_tokens(self.prompt) - _MARGIN
        return max(_MARGIN, min(wanted, left)) if left < wanted else self._max_tokens

    def after(self, failure: ModelError) -> float:
        """Seconds until the next try, which the failure has changed; raises the failure where there is to be none."""
        match failure:
            case ContextExceeded() if self._ask.shorter and not self._shortened:
                self._shortened = True
                self._prompt, self._max_tokens = self._ask.shorter(), _SMALL_REPLY
            case CutOff() | Looping() if not self._hurried:
                self._hurried = True
                if isinstance(failure, CutOff) and not self._shortened:
                    self._max_tokens = self._twice()
            case ReplyUnusable() if self._unusable == 0 and not isinstance(failure, CutOff | Looping):
                self._unusable += 1
            case ModelOverloaded():
                return self._budget.retry(failure, failure.retry_after)
            case _:
                raise failure
        self._budget.retry_at_once(failure)
        return 0.0

    def _twice(self) -> int | None:
        """Of what the profile allows; a server whose limit it is will say so, or cut off again."""
        profile = self._role.profile
        return 2 * profile.max_tokens if profile and profile.max_tokens and profile.context_tokens else None


# ------------------------------------------------------------------------------------------ budget

# What the model calls of one run may cost together: tries that failed, and money.
#
# Knows numbers only.  One for a run: all its roles draw on it.

RETRIES = 4  # over all calls of a run
_LONGEST_PAUSE_S = 60.0  # a server that wants a longer one is as good as gone for somebody who waits


@dataclass
class RunBudget:
    """`usd`: None has no limit.  `pause_s`: before the first retry; it doubles."""

    retries: int = RETRIES
    pause_s: float = 1.0
    usd: float | None = None
    spent_usd: float = 0.0

    def check(self, spent_before: float = 0.0) -> None:
        """Before each call.  `spent_before`: what the run's record says, which counts for a run that was resumed.

        Raises `BudgetSpent`.
        """
        self.spent_usd = max(self.spent_usd, spent_before)
        if self.usd is not None and self.spent_usd >= self.usd:
            raise BudgetSpent(f"the limit of {self.usd:g} US dollars is used up ({self.spent_usd:.4f} were spent)")

    def spend(self, usd: float | None) -> None:
        self.spent_usd += usd or 0.0

    def retry(self, failure: ModelError, retry_after: float | None = None) -> float:
        """Seconds to wait before another try; raises `failure` where there is to be none."""
        if self.retries < 1 or (retry_after or 0) > _LONGEST_PAUSE_S:
            raise failure
        self.retries -= 1
        backoff = self.pause_s * random.uniform(1, 1.5)  # noqa: S311 - spreads callers, guards nothing
        self.pause_s *= 2
        return max(backoff, retry_after or 0)

    def retry_at_once(self, failure: ModelError) -> None:
        """For a reply that came and was of no use: its server is well."""
        if self.retries < 1:
            raise failure
        self.retries -= 1
