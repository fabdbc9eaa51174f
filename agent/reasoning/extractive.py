"""The reasoner that needs no model: it plans by splitting the question and writes by quoting the evidence.

Fulfils `services.Reasoner`.  Knows questions, and which sentences of the evidence cover them.  Understands nothing, and
says so in its first line: what it cannot find in so many words, it says the sources do not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from math import isnan

from agent.errors import LibraryError
from agent.phrases import phrase
from agent.reasoning.candidates import Candidate, Taken, candidates
from agent.reasoning.digest import Alike, Section, digest, worth_comparing
from agent.text.questions import Part, keywords, parts
from agent.types import Brief, Delta, Evidence, Finding, Query, Stance, Thought

# Cosines of each of the first texts to each of the second, a row for each of the first; NaN where an embedder cannot
# compare the two.  Raises `LibraryError`.
Compare = Callable[[Sequence[str], Sequence[str]], Awaitable[Sequence[Sequence[float]]]]

_ALIKE = 0.5  # of all words of two queries
_COMPARED = 240  # sentences: a second's work for the built-in embedder
_COMPARE_SECONDS = 2.0  # after that the words alone decide


class ExtractiveReasoner:
    """`because`: why no model wrote, where one should have.  `compare`: None where there is no embedder."""

    def __init__(self, because: str = "", compare: Compare | None = None) -> None:
        self._because = " ".join(because.split())
        self._compare = compare

    async def plan(self, brief: Brief) -> AsyncIterator[Thought]:
        for query in _queries(brief):
            yield query

    async def write(self, brief: Brief, evidence: Sequence[Evidence]) -> AsyncIterator[Thought]:
        sections = await self._sections(parts(brief.question), evidence)
        more = _reworded(brief, sections) if brief.may_search else []
        if more:
            yield Stance("search more")
            for query in more:
                yield query
        elif any(section.taken for section in sections):
            yield Stance("answer")
            for line in self._lines(brief, sections):
                yield Delta(text=line)
        else:
            yield Stance("no answer")

    async def _sections(self, asked: Sequence[Part], evidence: Sequence[Evidence]) -> list[Section]:
        """Some tenths of a second for a large evidence, so off the loop."""
        found = await asyncio.to_thread(candidates, evidence)
        alike = await self._alike(asked, found)
        return await asyncio.to_thread(digest, asked, found, alike)

    async def _alike(self, asked: Sequence[Part], found: Sequence[Candidate]) -> list[Alike]:
        if self._compare is None:
            return []
        told = await asyncio.to_thread(worth_comparing, asked, found, _COMPARED)
        try:
            async with asyncio.timeout(_COMPARE_SECONDS):
                rows = await self._compare([part.text for part in asked], told) if told else []
        except (LibraryError, TimeoutError):
            return []
        return [{text: cosine for text, cosine in zip(told, row, strict=True) if not isnan(cosine)} for row in rows]

    async def revise(
        self, brief: Brief, findings: Sequence[Finding], evidence: Sequence[Evidence]
    ) -> AsyncIterator[Thought]:
        """What failed is dropped: there is nobody to write it anew."""
        for number, _ in enumerate(findings, start=1):
            yield Delta(text=f"{number}: drop\n")

    def _lines(self, brief: Brief, sections: Sequence[Section]) -> Iterator[str]:
        yield f"*{self._first_line(brief.language)}*\n\n"
        for section in sections:
            if len(sections) > 1 and section.taken:
                yield f"## {section.part.text[:1].upper()}{section.part.text[1:]}\n\n"
            if section.taken:
                yield from (f"- {_cited(told)}\n" for told in section.taken)
            else:
                yield f"*{phrase('part_unanswered', brief.language, part=section.part.text)}*\n"
            yield "\n"

    def _first_line(self, language: str) -> str:
        if self._because:
            return phrase("model_failed", language, because=self._because)
        return phrase("no_model", language)


def _cited(told: Sequence[Taken]) -> str:
    return " ".join(f"{taken.text} [citation:{taken.source}]" for taken in told)


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
        if not section.taken:
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
