"""What is done about a call that failed: how the next try differs from the last, and when there is none.

Knows our errors and what helps against each; knows nothing of streams or journals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.errors import ContextExceeded, ModelError, ModelOverloaded, ReplyUnusable
from agent.reasoning.asking import for_haste, halved
from agent.reasoning.attempt import CutOff, Looping
from agent.reasoning.budget import Budget
from agent.reasoning.roles import Role
from agent.text.ranking import estimate_tokens
from agent.types import Brief, Evidence

_SMALL_REPLY = 8_192  # tokens, where prompt and reply did not fit: servers count what a reply may take as taken
_MARGIN = 512  # tokens: our count is an estimate


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a model is asked, and how its reply is judged."""

    step: str
    brief: Brief
    prompt: str
    fault: Callable[[str, bool], str]  # (text, was it cut off?) -> why it cannot be used; empty: it can
    salvage: Callable[[str], str]  # reasoning that the answer was left in -> the answer; empty: there is none
    shorter: Callable[[], str] | None = None  # the prompt with less in it, for a model that cannot take all
    effort: str = ""  # of thinking; empty: the model's own


def shortenable(ask: Ask, prompt: Callable[[Sequence[Evidence]], str], evidence: Sequence[Evidence]) -> Ask:
    """An ask that can be made with half of the evidence."""
    return replace(ask, shorter=lambda: prompt(halved(evidence)))


class Tries:
    """The tries at one ask."""

    def __init__(self, ask: Ask, role: Role, budget: Budget) -> None:
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
