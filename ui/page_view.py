"""What the page shows: a run's events, folded into one frozen View.  Pure; knows no Streamlit."""

from __future__ import annotations

from collections.abc import Callable
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
from agent.types import Claim, Query, Search, Source


@dataclass(frozen=True, slots=True)
class QueryView:
    """A query and, once it is in, how its search fared."""

    query: Query
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with all that happened in it.  Pages may come before it begins and after it has ended."""

    name: str
    round: int
    seen_at: float  # on the events' clock
    begun: bool = False
    seconds: float | None = None  # None: still going
    summary: str = ""
    thinking: str = ""
    asked: tuple[QueryView, ...] = ()
    pages: tuple[PageRead | PageSkipped, ...] = ()
    sources: tuple[Source, ...] = ()
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()  # warnings, and why the run lands early


@dataclass(frozen=True, slots=True)
class View:
    question: str
    run_id: str = ""
    steps: tuple[StepView, ...] = ()
    draft: str = ""
    draft_number: int = 0
    answer: Answer | None = None
    failure: str = ""  # one line
    stopped: bool = False

    @property
    def over(self) -> bool:
        return self.answer is not None or bool(self.failure) or self.stopped


def fold(view: View, event: Event) -> View:  # noqa: C901, PLR0912 - one flat case for each kind of event
    """The view after `event`."""
    view = replace(view, run_id=event.run_id)
    match event:
        case Began():
            return _begin(view, event)
        case Ended():
            return _change(view, event, lambda s: replace(s, seconds=event.seconds, summary=event.summary))
        case Planned():
            return _change(view, event, lambda s: replace(s, asked=(*s.asked, QueryView(event.query))))
        case Searched():
            found = QueryView(event.search.query, event.search)
            return _change(view, event, lambda s: replace(s, asked=(*s.asked, found)))
        case PageRead() | PageSkipped():
            return _change(view, event, lambda s: replace(s, pages=(*s.pages, event)))
        case Ranked():
            return _change(view, event, lambda s: replace(s, sources=event.sources))
        case Thinking():
            return _change(view, event, lambda s: replace(s, thinking=s.thinking + event.text))
        case Writing():
            kept = view.draft if event.draft == view.draft_number else ""
            return replace(view, draft=kept + event.text, draft_number=event.draft)
        case Checked():
            claim = replace(event.claim, verdict=event.verdict)
            return _change(view, event, lambda s: replace(s, claims=(*s.claims, claim)))
        case Warned():
            return _change(view, event, lambda s: replace(s, notes=(*s.notes, event.text)))
        case Landed():
            return _change(view, event, lambda s: replace(s, notes=(*s.notes, f"Lands early: {event.why}")))
        case Finished():
            return replace(view, answer=event.answer)
        case Stored() | Spent():
            return view
        case _:
            assert_never(event)


def _begin(view: View, event: Began) -> View:
    """A step that only its early pages have announced begins now; any other begins anew, before those."""
    last = _last(view, event)
    if last is not None and not view.steps[last].begun:
        return _change(view, event, lambda s: replace(s, begun=True, seen_at=event.at))
    begun = [step for step in view.steps if step.begun]
    announced = [step for step in view.steps if not step.begun]
    return replace(view, steps=(*begun, StepView(event.step, event.round, event.at, begun=True), *announced))


def _change(view: View, event: Event, change: Callable[[StepView], StepView]) -> View:
    """`change` the newest step of the event's name and round; there is one from its first event on."""
    last = _last(view, event)
    steps = view.steps
    if last is None:
        last, steps = len(steps), (*steps, StepView(event.step, event.round, event.at))
    return replace(view, steps=(*steps[:last], change(steps[last]), *steps[last + 1 :]))


def _last(view: View, event: Event) -> int | None:
    for place in range(len(view.steps) - 1, -1, -1):
        if (view.steps[place].name, view.steps[place].round) == (event.step, event.round):
            return place
    return None
