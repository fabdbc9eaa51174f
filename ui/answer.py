"""The answer on the page: its text, what it rests on, and how each sentence fared.  The draft before it, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from agent.phrases import SIGNS, VERDICTS, phrase
from agent.result import Answer, AnswerSource, check_line, dated, sides, signed
from agent.types import Citation, Claim
from agent.ui import safe
from agent.ui.words import bullets, further, numbered, seconds


def draw_answer(answer: Answer) -> None:
    _draw_status(answer)
    shown = signed(answer)
    _draw_text(shown.answer, _links(shown))
    if told := check_line(answer):
        st.caption(safe.label(told))
    st.caption(_made(answer))
    for warning in answer.warnings:
        st.caption(f"⚠️ {safe.label(warning)}")
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


def _draw_text(text: str, link_of: safe.LinkOf) -> None:
    for language, piece in safe.pieces(text, link_of):
        if language:
            st.code(piece, language)
        elif piece.strip():
            st.markdown(piece)


def _links(answer: Answer) -> safe.LinkOf:
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
    return " · ".join(safe.label(part) for part in parts if part)


# ------------------------------------------------------------------------------------------------ what it rests on


def _draw_conflicts(answer: Answer) -> None:
    """Both sides of each disagreement, with their sources and dates."""
    if answer.conflicts:
        st.markdown(f"#### {phrase('disagree', answer.language)}")
    for conflict in answer.conflicts:
        told = [f"{safe.label(numbers)}: {safe.label(says)}" for numbers, says in sides(conflict, answer)]
        st.markdown(f"{safe.label(conflict.about)}\n\n{bullets(told)}")


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
    title = safe.link(source.title or source.url, source.url)
    date = dated(source, language).replace("-", "\u2011")  # a hyphen that does not break
    return f"{numbered(source.number)}{title} – {safe.label(source.site)}{further(date)}"


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
        f"{SIGNS[claim.verdict]} {safe.label(claim.text)}  ",
        f"*{phrase(claim.verdict, 'en')}*{further(claim.why)}",
    ]
    quotes = [_quote(citation, answer) for citation in claim.citations]
    return "\n\n".join(["\n".join(lines), *quotes])


def _quote(citation: Citation, answer: Answer) -> str:
    number = numbered(citation.source)
    if citation.quote is None:
        return f"> {number}*nothing in this source bears it*"
    page = f", page {citation.page}" if citation.page else ""
    return f"> {number}{safe.label(citation.quote)} {_there(citation, answer, f'open at the quote{page}')}"


def _there(citation: Citation, answer: Answer, words: str) -> str:
    """A link to the quote, if it is one into its own source."""
    urls = [source.url for source in answer.sources if source.number == citation.source]
    return safe.link(words, citation.link) if urls and citation.link.startswith(urls[0]) else ""
