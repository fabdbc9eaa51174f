"""The steps of a run.  Each reads values, calls one service and one pure function, and returns an update.

A step is `async (run: Run, context: Desk) -> Done`; `scout` alone begins without a run, and makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.graph.state import Json
from agent.types import Usage


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step gives back: the update of the channels, and how it is told in one line."""

    update: Json
    summary: str
    reasoning: str = ""
    usage: Usage = field(default_factory=Usage)
