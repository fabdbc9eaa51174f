"""Builds the agent's parts from its settings: the one place that knows both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.wiring.factory import build_graph as build_graph


def __getattr__(name: str) -> Any:  # on first use, so that no command imports what it does not need
    if name != "build_graph":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agent.wiring.factory import build_graph

    return build_graph
