"""What the live view shows: a run's events, folded into one frozen Scene.  Pure; knows no terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from agent.events import (
    Began,
    Checked,
    Ended,
    Event,
    Finished,
    Landed,
    PageRead,
    PageSkipped,
    Planned,
    Ranked,
    Searched,
    Spent,
    Stored,
    Thinking,
    Warned,
    Writing,
)
from agent.result import Answer
from agent.types import Claim, Query, Search, Source, Usage

_TAIL = 4_000  # characters of reasoning and draft that are kept; a screen shows fewer


@dataclass(frozen=True, slots=True)
class StepLines:
    name: str
    round: int
    began_at: float  # on the events' clock
    seconds: float | None = None  # None: still going
    summary: str = ""


@dataclass(frozen=True, slots=True)
class QueryLine:
    """A query and, once it is in, how its search fared."""

    query: Query
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class TerminalView:
    began_at: float | None = None  # on the events' clock
    steps: tuple[StepLines, ...] = ()
    asked: tuple[QueryLine, ...] = ()
    pages: tuple[PageRead | PageSkipped, ...] = ()
    sources: tuple[Source, ...] = ()
    thinking: str = ""  # its end
    draft: str = ""  # its end
    draft_number: int = 0
    claims: tuple[Claim, ...] = ()
    usage: Usage | None = None
    landed: str = ""
    answer: Answer | None = None


def fold(scene: TerminalView, event: Event) -> TerminalView:  # noqa: C901, PLR0912 - one flat case for each kind of event
    """The scene after `event`."""
    if scene.began_at is None:
        scene = replace(scene, began_at=event.at)
    match event:
        case Began():
            return replace(scene, steps=(*scene.steps, StepLines(event.step, event.round, event.at)), thinking="")
        case Ended():
            return replace(scene, steps=tuple(_ended(step, event) for step in scene.steps))
        case Planned():
            return replace(scene, asked=_asked(scene.asked, QueryLine(event.query)))
        case Searched():
            return replace(scene, asked=_asked(scene.asked, QueryLine(event.search.query, event.search)))
        case PageRead() | PageSkipped():
            return replace(scene, pages=(*scene.pages, event))
        case Ranked():
            return replace(scene, sources=event.sources)
        case Thinking():
            return replace(scene, thinking=(scene.thinking + event.text)[-_TAIL:])
        case Writing():
            return _written(scene, event)
        case Checked():
            return replace(scene, claims=(*scene.claims, replace(event.claim, verdict=event.verdict)))
        case Spent():
            return replace(scene, usage=event.usage)
        case Landed():
            return replace(scene, landed=event.why)
        case Finished():
            return replace(scene, answer=event.answer)
        case Stored() | Warned():
            return scene
        case _:
            assert_never(event)


def _written(scene: TerminalView, event: Writing) -> TerminalView:
    """A new draft replaces the one before it and what was checked of it."""
    if event.draft == scene.draft_number:
        return replace(scene, draft=(scene.draft + event.text)[-_TAIL:])
    return replace(scene, draft=event.text[-_TAIL:], draft_number=event.draft, claims=())


def _ended(step: StepLines, event: Ended) -> StepLines:
    if (step.name, step.round, step.seconds) != (event.step, event.round, None):
        return step
    return replace(step, seconds=event.seconds, summary=event.summary)


def _asked(before: tuple[QueryLine, ...], new: QueryLine) -> tuple[QueryLine, ...]:
    """A query stands once, in the order of asking; its search joins it when it is in."""
    if all(one.query.text != new.query.text for one in before):
        return (*before, new)
    return tuple(new if one.query.text == new.query.text and new.search else one for one in before)
