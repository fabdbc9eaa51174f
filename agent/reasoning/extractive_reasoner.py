"""The reasoner that needs no model: it plans by splitting the question and writes by quoting the evidence.

Fulfils `services.Reasoner`.  For each part of a question it quotes the stretches of the evidence that score best.  How
far they are to be trusted decides what stands above them: the best sentence, "no page read answers this directly", or,
for a part or for all, that nothing was found.  Understands nothing, and says so in its first line.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan

from agent.errors import LibraryError
from agent.phrases import phrase
from agent.text.question_parts import Part, keywords, parts
from agent.text.sentence_scoring import (
    ANSWERS,
    NEAR,
    Cosines,
    QuestionWeights,
    Stretch,
    TextLine,
    leans,
    lines,
    stretches,
    worth_comparing,
)
from agent.text.sentences import split
from agent.types import Brief, Delta, Evidence, FailedClaim, Query, ReasonerEvent, Source, WriteDecision

# Cosines of each of the first texts to each of the second, a row for each of the first; NaN where an embedder cannot
# compare the two.  Raises `LibraryError`.
Compare = Callable[[Sequence[str], Sequence[str]], Awaitable[Sequence[Sequence[float]]]]

_STRETCHES = 3  # for one part, at most
_ELSEWHERE = 0.15  # of a stretch's score, where it is the best one of another part, and better there
_STEP = 0.15  # of trust: what the other stretches may be below the best, or below what answers
_MARKUP = re.compile(r"[*_\[\]`<>|#]+")
_ALIKE = 0.5  # of all words of two queries
_COMPARED = 60  # texts: some .6 s of a processor's time for the built-in embedder; with 150 no set fared better
_COMPARE_SECONDS = 2.0  # after that the words alone decide


@dataclass(frozen=True, slots=True)
class Section:
    """What the evidence says about one part of the question: the best stretch first; none: nothing."""

    part: Part
    stretches: tuple[Stretch, ...]

    @property
    def trust(self) -> float:
        return self.stretches[0].trust if self.stretches else 0.0


class ExtractiveReasoner:
    """`because`: why no model wrote, where one should have.  `compare`: None where there is no embedder."""

    def __init__(
        self, because: str = "", compare: Compare | None = None, *, compare_seconds: float = _COMPARE_SECONDS
    ) -> None:
        self._because = " ".join(because.split())
        self._compare = compare
        self._compare_seconds = compare_seconds

    async def plan(self, brief: Brief) -> AsyncIterator[ReasonerEvent]:
        for query in _queries(brief):
            yield query

    async def write(self, brief: Brief, evidence: Sequence[Evidence]) -> AsyncIterator[ReasonerEvent]:
        sections = await self._sections(parts(brief.question), evidence)
        more = _reworded(brief, sections) if brief.may_search else []
        best = max(section.trust for section in sections)
        if more:
            yield WriteDecision("search more")
            for query in more:
                yield query
        elif best < NEAR:
            yield WriteDecision("no answer")
        else:
            yield WriteDecision("answer" if best >= ANSWERS else "nearest")
            sources = {one.source.number: one.source for one in evidence}
            for text in self._paragraphs(brief.language, sections, sources):
                yield Delta(text=f"{text}\n\n")

    async def _sections(self, asked: Sequence[Part], evidence: Sequence[Evidence]) -> list[Section]:
        """Some tenths of a second for a large evidence, so off the loop."""
        found = await asyncio.to_thread(lines, evidence)
        cosines = await self._cosines(asked, found)
        return await asyncio.to_thread(_sections, asked, found, cosines)

    async def _cosines(self, asked: Sequence[Part], found: Sequence[TextLine]) -> list[Cosines]:
        if self._compare is None or not found:
            return [{} for _ in asked]
        by_words = [QuestionWeights(part.about, found) for part in asked]
        texts = await asyncio.to_thread(worth_comparing, by_words, found, _COMPARED)
        try:
            async with asyncio.timeout(self._compare_seconds):
                rows = await self._compare([part.about for part in asked], texts)
        except (LibraryError, TimeoutError):
            return [{} for _ in asked]
        known = [{text: cosine for text, cosine in zip(texts, row, strict=True) if not isnan(cosine)} for row in rows]
        return [row if len(row) >= len(texts) / 2 else {} for row in known]  # else most is in another language

    async def revise(
        self, brief: Brief, findings: Sequence[FailedClaim], evidence: Sequence[Evidence]
    ) -> AsyncIterator[ReasonerEvent]:
        """What failed is dropped: there is nobody to write it anew."""
        for number, _ in enumerate(findings, start=1):
            yield Delta(text=f"{number}: drop\n")

    def _paragraphs(self, language: str, sections: Sequence[Section], sources: dict[int, Source]) -> Iterator[str]:
        yield f"*{self._first_line(language)}*"
        for section in sections:
            if len(sections) > 1:
                yield f"## {section.part.text[:1].upper()}{section.part.text[1:]}"
            if section.trust >= ANSWERS:
                yield from _answer(section.stretches, sources)
            elif section.trust >= NEAR:
                yield f"*{phrase('nearest', language)}*"
                yield from _under_names([(stretch, None) for stretch in section.stretches], sources)
            else:
                yield f"*{phrase('part_unanswered', language, part=section.part.text)}*"

    def _first_line(self, language: str) -> str:
        if self._because:
            return phrase("model_failed", language, because=self._because)
        return phrase("no_model", language)


# ------------------------------------------------------------------------------------------------- choosing


def _sections(asked: Sequence[Part], found: Sequence[TextLine], cosines: Sequence[Cosines]) -> list[Section]:
    """What answers another part better falls back; what is that part's best is not among the rest of this one."""
    chosen = [
        stretches(QuestionWeights(part.about, found, row), found, 2 * _STRETCHES)
        for part, row in zip(asked, cosines, strict=True)
    ]
    best = {line.place: mine[0] for mine in sorted(chosen, key=_score) if mine for line in mine[0].lines}
    ranked = [sorted(mine, key=lambda one: -one.score + _ELSEWHERE * _is_better(best, one)) for mine in chosen]
    first = [{line.place for stretch in mine[:1] for line in stretch.lines} for mine in ranked]
    sections = []
    for at, (part, mine) in enumerate(zip(asked, ranked, strict=True)):
        elsewhere = set[tuple[int, int, int]]().union(*(places for each, places in enumerate(first) if each != at))
        least = ANSWERS - _STEP if mine and mine[0].trust >= ANSWERS else NEAR
        rest = [s for s in mine[1:] if s.trust >= least and not any(line.place in elsewhere for line in s.lines)]
        sections.append(Section(part, (*mine[:1], *rest[: _STRETCHES - 1])))
    return sections


def _score(found: Sequence[Stretch]) -> float:
    return found[0].score if found else 0.0


def _is_better(best: dict[tuple[int, int, int], Stretch], stretch: Stretch) -> bool:
    """Is it the best one of a part, with a higher score there?"""
    found = best.get(stretch.best.place)
    return found is not None and found.score > stretch.score


# ------------------------------------------------------------------------------------------------- showing


def _answer(found: Sequence[Stretch], sources: dict[int, Source]) -> Iterator[str]:
    """The best sentence, in bold; then what stands around it, and the other stretches, under their sources' names."""
    first = found[0]
    if first.best.opening is None:
        before = [line for line in first.lines if line.place < first.best.place and leans(first.best.text)]
        yield " ".join([*map(_cited, before), f"**{first.best.text}** [citation:{first.best.source}]"])
        rest = [line for line in first.lines if line not in (*before, first.best)]
        yield from _under_names([(first, rest), *((stretch, None) for stretch in found[1:])], sources)
    else:
        yield from _under_names([(stretch, None) for stretch in found], sources)


def _under_names(
    found: Sequence[tuple[Stretch, Sequence[TextLine] | None]], sources: dict[int, Source]
) -> Iterator[str]:
    """Each stretch, or those of its lines that are given, under the name of its source, which stands once."""
    shown = [(stretch.best.source, stretch.lines if some is None else some) for stretch, some in found]
    for number, group in groupby([one for one in shown if one[1]], key=lambda one: one[0]):
        yield f"*{_name(sources[number])}:*"
        for _, stretch in group:
            if stretch[0].opening is None:
                yield " ".join(map(_cited, stretch))
            else:
                if stretch[0].opening:
                    yield f"{stretch[0].opening.rstrip(':：')}:"
                yield "\n".join(f"- {_cited(line)}" for line in stretch)


def _name(source: Source) -> str:
    """Its title and site, as a line that is no claim."""
    title = " ".join(_MARKUP.sub(" ", source.title).split()).strip(" .:")
    return ", ".join(filter(None, [title, source.site]))


def _cited(line: TextLine) -> str:
    """Each sentence with its citation; an item may have several."""
    return " ".join(f"{line.text[start:end]} [citation:{line.source}]" for start, end in split(line.text))


# ------------------------------------------------------------------------------------------------- asking


def _queries(brief: Brief) -> list[Query]:
    """Each part, then the whole question without its asking words, which is on its way as it was asked."""
    found = parts(brief.question)
    if len(found) == 1:
        wanted = [Query(found[0].query, "the question")]
    else:
        wanted = _unlike_first([Query(part.query, part.text) for part in found])
        wanted.append(Query(keywords(brief.question), "the question"))
    return _new(wanted, brief.asked)[: brief.max_queries]


def _unlike_first(queries: Sequence[Query]) -> list[Query]:
    """Two that share most of their words find the same pages, so the later one gives way to those that share few."""
    first: list[Query] = []
    later: list[Query] = []
    for query in queries:
        (later if any(_are_alike(query, other) for other in first) else first).append(query)
    return first + later


def _are_alike(one: Query, other: Query) -> bool:
    words, others = set(one.text.lower().split()), set(other.text.lower().split())
    return len(words & others) > _ALIKE * len(words | others)


def _reworded(brief: Brief, sections: Sequence[Section]) -> list[Query]:
    """For each part without evidence one query that was not asked yet."""
    found = []
    for section in sections:
        if section.trust < ANSWERS:
            found += _new([Query(words, section.part.text) for words in _wordings(section.part)], brief.asked)[:1]
    return _new(found, ())[: brief.max_queries]


def _wordings(part: Part) -> list[str]:
    """Other words for a part: as it was asked, and by its longest words."""
    longest = sorted(part.query.split(), key=len, reverse=True)[:3]
    return [part.text, " ".join(longest), part.query]


def _new(queries: Sequence[Query], asked: Sequence[str]) -> list[Query]:
    seen = {" ".join(text.lower().split()) for text in asked}
    found = []
    for query in queries:
        key = " ".join(query.text.lower().split())
        if key and key not in seen:
            seen.add(key)
            found.append(query)
    return found
