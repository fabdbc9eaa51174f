"""Model calls of one run: streamed, journalled, and made again within one budget where that may help.

Works with any LangChain chat model.  Reasoning and answer arrive apart, whatever the model's class leaves undone; no
reasoning of one call enters another's prompt.  Knows nothing of what is asked or how a reply is read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import ModelOverloaded, ReplyUnusable
from agent.reasoning.attempt import Attempt, CutOff
from agent.reasoning.models.failures import Endpoint
from agent.services import Journal, Reply, ReplyKey
from agent.types import Again, Brief, Delta, Spending

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.reasoning.models.think import Mode

RETRIES = 4  # over all calls of a run
_LONGEST_PAUSE_S = 60.0  # a server that wants a longer one is as good as gone for somebody who waits


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a model is asked, and how its reply is judged."""

    step: str
    brief: Brief
    prompt: str
    fault: Callable[[str, bool], str]  # (text, was it cut off?) -> why it cannot be used; empty: it can
    salvage: Callable[[str], str]  # reasoning that the answer was left in -> the answer; empty: there is none


class ModelCalls:
    """Calls to one model.  One for a run: the budget of retries is shared by all its calls."""

    def __init__(
        self,
        model: BaseChatModel,
        endpoint: Endpoint,
        journal: Journal,
        *,
        retries: int = RETRIES,
        pause_s: float = 1.0,
    ) -> None:
        self._model = model
        self._endpoint = endpoint
        self._journal = journal
        self._retries_left = retries
        self._pause_s = pause_s  # before the first retry; it doubles
        # ChatR1 tells thinking and answer apart itself; of other classes it has to be found out.
        self._tags: Mode = "off" if getattr(model, "separates_thinking", False) else "auto"

    async def make(self, ask: Ask) -> AsyncGenerator[Delta | Again | Spending, None]:
        """What the model says.  A reply that is in the journal is said again, and costs nothing.

        Raises `ModelRefused`, `ModelUnreachable` and `ContextExceeded` at once, `ModelOverloaded` when the retries are
        used up, `ReplyUnusable` for a reply that was cut off in mid-thought, or is of no use twice.
        """
        key = self._key(ask)
        if kept := await self._journal.find(key):
            yield Delta(reasoning=kept.reasoning)
            yield Delta(text=kept.text)
            return
        unusable = 0
        while True:
            attempt = Attempt(self._model, self._endpoint, ask.prompt, self._tags)
            try:
                async with aclosing(attempt.run(ask.salvage)) as said:
                    async for thought in said:
                        yield thought
                attempt.check(ask.fault)
            except (ModelOverloaded, ReplyUnusable) as failure:
                if attempt.begun:
                    yield Spending(attempt.usage())
                unusable += isinstance(failure, ReplyUnusable)
                pause = self._pause(failure, unusable)
                yield Again(str(failure))
                await asyncio.sleep(pause)
            else:
                self._tags = attempt.learned
                await self._journal.keep(key, Reply(attempt.reasoning, attempt.text))
                yield Spending(attempt.usage())
                return

    def _pause(self, failure: ModelOverloaded | ReplyUnusable, unusable: int) -> float:
        """Seconds until the next try; raises the failure where there is to be none."""
        if isinstance(failure, CutOff) or unusable > 1 or self._retries_left < 1:
            raise failure
        if isinstance(failure, ModelOverloaded) and (failure.retry_after or 0) > _LONGEST_PAUSE_S:
            raise failure
        self._retries_left -= 1
        if isinstance(failure, ReplyUnusable):
            return 0.0
        backoff = self._pause_s * random.uniform(1, 1.5)  # noqa: S311 - spreads callers, guards nothing
        self._pause_s *= 2
        return max(backoff, failure.retry_after or 0)

    def _key(self, ask: Ask) -> ReplyKey:
        said = json.dumps([self._endpoint.model, ask.prompt])
        return ReplyKey(ask.brief.run_id, ask.step, ask.brief.round, hashlib.sha256(said.encode()).hexdigest())
