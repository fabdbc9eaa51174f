"""Draws the steps, the draft and the answer of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from agent.events import PageRead, PageSkipped
from agent.phrases import SIGNS, VERDICTS, phrase
from agent.result import Answer, AnswerSource, check_line, dated, sides, signed
from agent.types import Citation, Claim, Search, Source
from agent.ui import streamlit_text
from agent.ui.page_view import QueryView, StepView, View
from agent.ui.streamlit_text import bullets, further, numbered, seconds

# ------------------------------------------------------------------------------------------ draw

# A View on the page.  Every text of a page or model goes through `safe`, or into `st.text`, which formats nothing.
#
# A step that happens is drawn piece by piece: only what has changed is sent to the browser again.

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


def _key(step: StepView) -> Key:
    return step.name, step.round


class _DrawnStep:
    """One step and what is on the page of it."""

    def __init__(self, step: StepView, view: View, now: float) -> None:
        self._told = _told(step, view, now)
        label, state, expanded = self._told
        self._status = st.status(label, type="step", state=state, expanded=expanded)
        self._slots: dict[str, DeltaGenerator] = {}
        self._values: dict[str, object] = {}

    def show(self, step: StepView, view: View, now: float) -> None:
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


def _told(step: StepView, view: View, now: float) -> tuple[str, str, bool]:
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
    box.text(streamlit_text.visible(text))


def _asked(slot: DeltaGenerator, asked: tuple[QueryView, ...]) -> None:
    slot.caption(bullets(f"{streamlit_text.label(one.query.text)}{_fared(one.search)}" for one in asked))


def _fared(search: Search | None) -> str:
    """ "Throttled", "broken" and "nothing" are three different things."""
    if search is None:
        return ""
    who = streamlit_text.label(search.provider)
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
        return f"✖️ {streamlit_text.label(page.url)}{further(page.reason)}"
    how = f"from the library{further(page.note)}" if page.cached else f"{page.bytes / 1000:.0f} kB"
    return f"{streamlit_text.link(page.title or page.url, page.url)} – {streamlit_text.label(page.site)} · {how}"


def _sources(slot: DeltaGenerator, sources: tuple[Source, ...]) -> None:
    slot.caption(
        bullets(
            f"{numbered(s.number)}{streamlit_text.link(s.title or s.url, s.url)} – {streamlit_text.label(s.site)}"
            for s in sources
        )
    )


def _claims(slot: DeltaGenerator, claims: tuple[Claim, ...]) -> None:
    slot.caption(bullets(f"{SIGNS[c.verdict]} {streamlit_text.label(c.text)}{further(c.why)}" for c in claims))


def _notes(slot: DeltaGenerator, notes: tuple[str, ...]) -> None:
    slot.caption(bullets(f"⚠️ {streamlit_text.label(note)}" for note in notes))


_PARTS: dict[str, Callable[[DeltaGenerator, Any], None]] = {
    "notes": _notes,
    "thinking": _thinking,
    "asked": _asked,
    "pages": _pages,
    "sources": _sources,
    "claims": _claims,
}


# ------------------------------------------------------------------------------------------ answer

# The answer on the page: its text, what it rests on, and how each sentence fared.  The draft before it, too.


def draw_answer(answer: Answer) -> None:
    _draw_status(answer)
    shown = signed(answer)
    _draw_text(shown.answer, _links(shown))
    if told := check_line(answer):
        st.caption(streamlit_text.label(told))
    st.caption(_made(answer))
    for warning in answer.warnings:
        st.caption(f"⚠️ {streamlit_text.label(warning)}")
    _draw_conflicts(answer)
    _draw_sources(answer.sources, answer.language)
    _draw_claims(answer)
    st.download_button("Download as Markdown", str(answer), "answer.md", "text/markdown", on_click="ignore")


def draw_draft(draft: str) -> None:
    """What is being written; its marks lead nowhere until it is checked."""
    st.caption("Draft, not checked yet")
    _draw_text(draft, lambda number, place: None)


def _draw_status(answer: Answer) -> None:
    if answer.status == "partial":
        st.warning("This run landed early: the answer rests on what it had by then.", icon="⏱️")
    elif answer.status == "abstained":
        st.info("No answer: the sources found do not bear one.", icon="🤷")
    elif answer.status == "failed":
        st.error("This run failed.", icon="❌")


def _draw_text(text: str, link_of: streamlit_text.LinkOf) -> None:
    for language, piece in streamlit_text.pieces(text, link_of):
        if language:
            st.code(piece, language)
        elif piece.strip():
            st.markdown(piece)


def _links(answer: Answer) -> streamlit_text.LinkOf:
    """A mark leads to the quote that its sentence rests on, else to its source."""
    urls = {source.number: source.url for source in answer.sources}

    def link_of(number: int, place: int) -> str | None:
        if number not in urls:
            return None
        quoted = [c.link for claim in answer.claims if claim.start <= place < claim.end for c in claim.citations
                  if c.source == number and c.link.startswith(urls[number])]  # fmt: skip
        return quoted[0] if quoted else urls[number]

    return link_of


def _made(answer: Answer) -> str:
    made, usage = answer.made_with, answer.usage
    calls = f"{usage.model_calls} model call{'s' if usage.model_calls != 1 else ''}" if usage.model_calls else ""
    cost = f"${usage.usd:.4f}" if usage.usd is not None else ""
    parts = [made.model, ", ".join(made.search), made.depth, seconds(usage.seconds), calls, cost]
    return " · ".join(streamlit_text.label(part) for part in parts if part)


# ------------------------------------------------------------------------------------------------ what it rests on


def _draw_conflicts(answer: Answer) -> None:
    """Both sides of each disagreement, with their sources and dates."""
    if answer.conflicts:
        st.markdown(f"#### {phrase('disagree', answer.language)}")
    for conflict in answer.conflicts:
        told = [
            f"{streamlit_text.label(numbers)}: {streamlit_text.label(says)}"
            for numbers, says in sides(conflict, answer)
        ]
        st.markdown(f"{streamlit_text.label(conflict.about)}\n\n{bullets(told)}")


def _draw_sources(sources: Sequence[AnswerSource], language: str) -> None:
    cited = [source for source in sources if source.cited]
    if cited:
        st.markdown(f"#### {phrase('sources', language)}")
        st.markdown(bullets(_source(source, language) for source in cited))
    others = [source for source in sources if not source.cited]
    if others:
        with st.expander(f"Also read, not cited: {len(others)}"):
            st.markdown(bullets(_source(source, language) for source in others))


def _source(source: AnswerSource, language: str) -> str:
    title = streamlit_text.link(source.title or source.url, source.url)
    date = dated(source, language).replace("-", "\u2011")  # a hyphen that does not break
    return f"{numbered(source.number)}{title} – {streamlit_text.label(source.site)}{further(date)}"


def _draw_claims(answer: Answer) -> None:
    if not answer.claims:
        return
    counts = Counter(claim.verdict for claim in answer.claims)
    told = ", ".join(f"{counts[verdict]} {phrase(verdict, 'en')}" for verdict in VERDICTS if counts[verdict])
    with st.expander(f"How each sentence fared: {told}"):
        for claim in answer.claims:
            st.markdown(_claim(claim, answer))


def _claim(claim: Claim, answer: Answer) -> str:
    """The sentence with its verdict; below it, the words of each source that bear on it."""
    lines = [
        f"{SIGNS[claim.verdict]} {streamlit_text.label(claim.text)}  ",
        f"*{phrase(claim.verdict, 'en')}*{further(claim.why)}",
    ]
    quotes = [_quote(citation, answer) for citation in claim.citations]
    return "\n\n".join(["\n".join(lines), *quotes])


def _quote(citation: Citation, answer: Answer) -> str:
    number = numbered(citation.source)
    if citation.quote is None:
        return f"> {number}*nothing in this source bears it*"
    page = f", page {citation.page}" if citation.page else ""
    return f"> {number}{streamlit_text.label(citation.quote)} {_there(citation, answer, f'open at the quote{page}')}"


def _there(citation: Citation, answer: Answer, words: str) -> str:
    """A link to the quote, if it is one into its own source."""
    urls = [source.url for source in answer.sources if source.number == citation.source]
    return streamlit_text.link(words, citation.link) if urls and citation.link.startswith(urls[0]) else ""
