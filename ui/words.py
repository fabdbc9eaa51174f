"""Small phrases that the page is made of; what comes from outside has been through `safe`."""

from __future__ import annotations

from collections.abc import Iterable

from agent.ui import safe


def seconds(time: float) -> str:
    return f"{time:.1f} s" if time < 59.95 else f"{round(time) // 60} min {round(time) % 60:02} s"


def further(text: str) -> str:
    """What is said after a middle dot, if there is anything to say."""
    told = safe.label(text)
    return f" · {told}" if told else ""


def numbered(number: int) -> str:
    """A source's number as it stands in the answer; 0 is none yet."""
    return f"**\\[{number}\\]** " if number else ""


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
