"""A web-search research agent for DeepSeek-R1.  The public names, loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agent.version import VERSION

if TYPE_CHECKING:
    from agent.errors import AgentError as AgentError
    from agent.reasoning.models import ChatR1 as ChatR1
    from agent.research import ResearchAgent as ResearchAgent
    from agent.result import Answer as Answer
    from agent.settings import Settings as Settings
    from agent.wiring.factory import build_graph as build_graph

_HOMES = {
    "AgentError": "agent.errors",
    "Answer": "agent.result",
    "ChatR1": "agent.reasoning.models",
    "ResearchAgent": "agent.research",
    "Settings": "agent.settings",
    "build_graph": "agent.wiring",
}

__all__ = ["AgentError", "Answer", "ChatR1", "ResearchAgent", "Settings", "build_graph"]
__version__ = VERSION


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'agent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
