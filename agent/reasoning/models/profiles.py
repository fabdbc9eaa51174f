"""How an endpoint must be driven, as data.

One frozen value per kind of endpoint; the chat model reads it and decides nothing by name.  R1's own values:
temperature 0.6 of 0.5 to 0.7 and top_p 0.95 (model card, "Usage Recommendations": outside of it endless repetition),
32,768 tokens for thinking and answer together (its evaluation settings), and no system prompt (same place).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.reasoning.models.think import Mode


@dataclass(frozen=True, slots=True)
class Profile:
    """None leaves a parameter out of the request."""

    name: str
    temperature: float | None
    top_p: float | None
    max_tokens: int | None  # of thinking and answer together
    system: Literal["fold", "send"]  # fold: a system message goes into the first user message
    tags: Mode = "auto"  # a hint; what the server really does is learned from its first reply
    connect_seconds: float = 10.0
    idle_seconds: float = 300.0  # without one byte; DeepSeek's keep-alive comments count (its own client waits as long)


R1 = Profile("r1", temperature=0.6, top_p=0.95, max_tokens=32_768, system="fold")
