"""The sentences of the evidence that may be quoted, each with what stands around it.

Knows passages, their headings, and which sentence makes clear what `It` begins the next one with.  Does not know the
question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.reasoning.sieve import is_fit, leans_on_context
from agent.text.prose import prose
from agent.text.sentences import Sentence, sentences
from agent.text.words import terms
from agent.types import Evidence, Passage


@dataclass(frozen=True, slots=True)
class Taken:
    """A sentence of the evidence, `text` as read; `place` orders sentences as they stand in their sources."""

    text: str
    source: int
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """`before`: the sentence that this one leans on, where it leans and that one stands by itself."""

    taken: Taken
    terms: frozenset[str]
    title: frozenset[str]
    heading: frozenset[str]
    near: frozenset[str]  # terms of the passage it stands in
    worth: float  # 0..1, of its source
    leans: bool
    before: Candidate | None = None
    last: bool = False  # of a source that hides its text: it speaks where the others are silent


def candidates(evidence: Sequence[Evidence]) -> list[Candidate]:
    """In the order of the evidence."""
    return [found for rank, one in enumerate(evidence) for passage in one.passages for found in _of(one, rank, passage)]


def _of(evidence: Evidence, rank: int, passage: Passage) -> Iterator[Candidate]:
    title, near = frozenset(terms(evidence.source.title)), frozenset(terms(passage.text))
    heading: frozenset[str] = frozenset()
    last: Candidate | None = None  # the sentence just before, if it may be quoted
    for sentence in sentences(passage.text):
        text = prose(passage.text[sentence.start : sentence.end])
        if sentence.kind == "heading":
            heading = frozenset(terms(text))
        if not _may_be_quoted(sentence, text, passage):
            last = None
            continue
        taken = Taken(text, evidence.source.number, (rank, passage.start + sentence.start))
        leans = leans_on_context(text)
        before = (last.before or last) if leans and last and sentence.kind == "prose" else None
        if before and before.leans:
            before = None
        last = Candidate(
            taken, frozenset(terms(text)), title, heading, near, evidence.score, leans, before, evidence.source.suspect
        )
        yield last


def _may_be_quoted(sentence: Sentence, text: str, passage: Passage) -> bool:
    opens_passage = sentence.start == 0 and passage.start > 0
    return sentence.kind in ("prose", "item") and is_fit(text, opens_passage=opens_passage)
