"""Who does what: the reasoner, and beside it a writer and a fast model where the user has them.

A role is a chat model with what is known of it: where it is, and how it must be driven.  Knows nothing of prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.reasoning.models.failures import Endpoint
from agent.reasoning.models.profiles import Profile

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class Role:
    """`profile`: None for a model that the caller brought, of which nothing is known."""

    model: BaseChatModel
    endpoint: Endpoint
    profile: Profile | None = None

    @property
    def separates_thinking(self) -> bool:
        """`ChatR1` tells thinking and answer apart itself; of other classes it has to be found out."""
        return bool(getattr(self.model, "separates_thinking", False))

    def options(self, *, effort: str = "", max_tokens: int | None = None) -> dict[str, Any]:
        """Parameters of one call.  Only `ChatR1` knows what an endpoint calls them, or that it has none."""
        given = {"effort": effort or None, "max_tokens": max_tokens}
        return {n: v for n, v in given.items() if v is not None} if self.separates_thinking else {}


@dataclass(frozen=True)
class Roles:
    """Without a writer the reasoner writes; without a fast model whoever wrote mends what it wrote."""

    reasoner: Role
    writer: Role | None = None
    fast: Role | None = None
    pass_thinking: bool = False  # may the writer read what the reasoner thought?


def takes_two(role: Role) -> bool:
    """Does a second call beside one under way cost that one nothing?  Of a model that a caller brought: not known."""
    return role.profile is not None and role.profile.parallel >= 2
