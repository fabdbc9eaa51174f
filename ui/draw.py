"""A View on the page.  Every text of a page or model goes through `safe`, or into `st.text`, which formats nothing.

A step that happens is drawn piece by piece: only what has changed is sent to the browser again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from agent.events import PageRead, PageSkipped
from agent.phrases import SIGNS
from agent.types import Claim, Search, Source
from agent.ui import safe
from agent.ui.view import Asked, Step, View
from agent.ui.words import bullets, further, numbered, seconds

_NAMES = {
    "scout": "Set out",
    "plan": "Plan",
    "search": "Search",
    "read": "Read pages",
    "retrieve": "Choose evidence",
    "write": "Write",
    "verify": "Check each sentence",
}
_SHORT_REASONING = 400  # characters; more of it scrolls in a box
_REASONING_HEIGHT = 220  # pixels


class Timeline:
    """The steps of a run, one below the other, as they come."""

    def __init__(self) -> None:
        self._place = st.empty()
        self._steps: Any = None
        self._drawn: list[tuple[Key, _DrawnStep]] = []

    def show(self, view: View, now: float) -> None:
        """`now` on the events' clock."""
        told = [step for step in view.steps if step.name != "scout" or step.notes]  # it is over before it can be read
        if self._steps is None or [_key(step) for step in told[: len(self._drawn)]] != [key for key, _ in self._drawn]:
            self._steps, self._drawn = self._place.container(gap=None), []  # a step has come in between
        for step in told[len(self._drawn) :]:
            with self._steps:
                self._drawn.append((_key(step), _DrawnStep(step, view, now)))
        for step, (_, drawn) in zip(told, self._drawn, strict=True):
            drawn.show(step, view, now)


Key = tuple[str, int]


def _key(step: Step) -> Key:
    return step.name, step.round


class _DrawnStep:
    """One step and what is on the page of it."""

    def __init__(self, step: Step, view: View, now: float) -> None:
        self._told = _told(step, view, now)
        label, state, expanded = self._told
        self._status = st.status(label, type="step", state=state, expanded=expanded)
        self._slots: dict[str, DeltaGenerator] = {}
        self._values: dict[str, object] = {}

    def show(self, step: Step, view: View, now: float) -> None:
        told = _told(step, view, now)
        if told != self._told:
            label, state, expanded = told
            self._status.update(label=label, state=state, expanded=expanded)  # left out, `expanded` folds it
            self._told = told
        for name, draw in _PARTS.items():
            value = getattr(step, name)
            if value and value != self._values.get(name):
                self._values[name] = value
                draw(self._slot(name), value)

    def _slot(self, name: str) -> DeltaGenerator:
        if name not in self._slots:
            self._slots[name] = self._status.empty()
        return self._slots[name]


def _told(step: Step, view: View, now: float) -> tuple[str, str, bool]:
    """Label, state and whether it is open."""
    name = _NAMES.get(step.name, step.name) + (f" · round {step.round}" if step.round > 1 else "")
    if step.seconds is not None:
        return f"{name} · {seconds(step.seconds)}{further(step.summary)}", "complete", False
    if view.over:
        return f"{name} · not finished", "error", False
    return f"**{name}** · {now - step.seen_at:.0f} s", "running", True


# ---------------------------------------------------------------------------------------------------- a step's parts


def _thinking(slot: DeltaGenerator, text: str) -> None:
    box = slot.container(height=_REASONING_HEIGHT, autoscroll=True) if len(text) > _SHORT_REASONING else slot
    box.text(safe.visible(text))


def _asked(slot: DeltaGenerator, asked: tuple[Asked, ...]) -> None:
    slot.caption(bullets(f"{safe.label(one.query.text)}{_fared(one.search)}" for one in asked))


def _fared(search: Search | None) -> str:
    """ "Throttled", "broken" and "nothing" are three different things."""
    if search is None:
        return ""
    who = safe.label(search.provider)
    told = {
        "found": f"{len(search.hits)} found with {who}",
        "nothing": f"{who} found nothing",
        "throttled": f"⚠️ {who} refuses for now",
        "broken": f"⚠️ {who} does not work",
    }[search.outcome]
    return f" – {told}{further(search.why)}"


def _pages(slot: DeltaGenerator, pages: tuple[PageRead | PageSkipped, ...]) -> None:
    slot.caption(bullets(map(_page, pages)))


def _page(page: PageRead | PageSkipped) -> str:
    if isinstance(page, PageSkipped):
        return f"✖️ {safe.label(page.url)}{further(page.reason)}"
    how = f"from the library{further(page.note)}" if page.cached else f"{page.bytes / 1000:.0f} kB"
    return f"{safe.link(page.title or page.url, page.url)} – {safe.label(page.site)} · {how}"


def _sources(slot: DeltaGenerator, sources: tuple[Source, ...]) -> None:
    slot.caption(
        bullets(f"{numbered(s.number)}{safe.link(s.title or s.url, s.url)} – {safe.label(s.site)}" for s in sources)
    )


def _claims(slot: DeltaGenerator, claims: tuple[Claim, ...]) -> None:
    slot.caption(bullets(f"{SIGNS[c.verdict]} {safe.label(c.text)}{further(c.why)}" for c in claims))


def _notes(slot: DeltaGenerator, notes: tuple[str, ...]) -> None:
    slot.caption(bullets(f"⚠️ {safe.label(note)}" for note in notes))


_PARTS: dict[str, Callable[[DeltaGenerator, Any], None]] = {
    "notes": _notes,
    "thinking": _thinking,
    "asked": _asked,
    "pages": _pages,
    "sources": _sources,
    "claims": _claims,
}
