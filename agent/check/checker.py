"""Checkers: claims with their quotes found and their verdicts given.

`RuleChecker` decides by rules; what they cannot tell stays `unchecked`.  `NoChecker` finds the quotes only.  Knows
stored texts; does not fetch, and asks no model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from agent.check.cells import Told, heads_of, rule_on_cell
from agent.check.rules import VERDICTS, Ruling, first_decided, rule_on
from agent.services import Examine
from agent.text.citations import without_marks
from agent.text.claims import UNCITED
from agent.text.quotes import Quotable, Quote
from agent.text.urls import text_fragment
from agent.types import Citation, Claim, Source

_CANDIDATES = 4  # passages of a source that the rules look at
_SMALL = 20_000  # characters of sources: less is worked through on the loop, in a few milliseconds

_NOT_CHECKED = "not checked"
_NO_QUOTE = "no passage of the sources cited bears this"


Sources = Mapping[int, tuple[Source, str]]  # number -> the source and its stored text


class NoChecker:
    """For `--check none`: every citation located, no verdict but for claims that cite nothing."""

    async def check(self, claims: Sequence[Claim], sources: Sources, examine: Examine | None = None) -> list[Claim]:
        return await _checked(claims, sources, by_rules=False)


class RuleChecker:
    """Verdicts by rules in code."""

    async def check(self, claims: Sequence[Claim], sources: Sources, examine: Examine | None = None) -> list[Claim]:
        return await _checked(claims, sources, by_rules=True)


async def _checked(claims: Sequence[Claim], sources: Sources, *, by_rules: bool) -> list[Claim]:
    if sum(len(text) for _, text in sources.values()) < _SMALL:
        return _all(claims, sources, by_rules)
    return await asyncio.to_thread(_all, claims, sources, by_rules)


def _all(claims: Sequence[Claim], sources: Sources, by_rules: bool) -> list[Claim]:
    cited = {citation.source for claim in claims for citation in claim.citations}
    ready = {n: _quotable(text, source.page_starts) for n, (source, text) in sources.items() if n in cited}
    return [_one(claim, sources, ready, by_rules=by_rules) for claim in claims]


@lru_cache(
    maxsize=64
)  # an answer is checked more than once; a text of 50,000 characters takes 75 ms and half a megabyte
def _quotable(text: str, page_starts: tuple[int, ...]) -> Quotable:
    return Quotable(text, page_starts)


def _one(claim: Claim, sources: Sources, ready: Mapping[int, Quotable], *, by_rules: bool) -> Claim:
    if not claim.citations:
        return replace(claim, verdict="unsupported", why=UNCITED)
    cited = [citation.source for citation in claim.citations]
    found = {n: _found(claim, ready[n], len(cited)) if n in ready else [] for n in cited}
    ruling = _ruling(claim, found, ready) if by_rules else Ruling("cannot tell", _NOT_CHECKED)
    if by_rules and not any(found.values()):
        ruling = Ruling("cannot tell", _NO_QUOTE)
    citations = tuple(_located(c, found[c.source], sources, ready) for c in claim.citations)
    return replace(claim, citations=citations, verdict=VERDICTS[ruling.outcome], why=ruling.why)


def _found(claim: Claim, quotable: Quotable, sources: int, limit: int = _CANDIDATES) -> list[Quote]:
    """The passages that bear the claim; a table's cell is looked for with its heads, for it says nothing alone."""
    said = without_marks(claim.text)
    if claim.about is None:
        return quotable.best(said, limit, sources=sources)
    return quotable.best(f"{claim.about}: {said}", limit, sources=sources, heads=heads_of(claim))


def _ruling(claim: Claim, found: Mapping[int, Sequence[Quote]], ready: Mapping[int, Quotable]) -> Ruling:
    """One source that supports is enough; else the passages of all together; else one that contradicts."""
    if claim.about is not None:
        return first_decided([rule_on_cell(claim, [_told(ready[n], q) for q in found[n]]) for n in found])
    said = without_marks(claim.text)
    passages = {n: [ready[n].passage(q) for q in quotes] for n, quotes in found.items()}
    rulings = [rule_on(said, texts) for texts in passages.values()]
    together = [" ".join(texts[0] for texts in passages.values() if texts)] if len(passages) > 1 else []
    rulings += [ruling for ruling in [rule_on(said, together)] if ruling.outcome == "supported"]
    return first_decided(rulings)


def _told(quotable: Quotable, quote: Quote) -> Told:
    text = quotable.text[quote.start : quote.end]
    row = quotable.row(quote)
    return Told(text, row.heads, tuple(quotable.text[start:end] for start, end in row.cells)) if row else Told(text)


def _located(citation: Citation, quotes: Sequence[Quote], sources: Sources, ready: Mapping[int, Quotable]) -> Citation:
    """The citation with its best quote, and a link that opens there."""
    url = sources[citation.source][0].url if citation.source in sources else ""
    if not quotes:
        return replace(citation, quote=None, start=None, end=None, page=None, link=url)
    best, quotable = quotes[0], ready[citation.source]
    quote = quotable.text[best.start : best.end]
    page = quotable.page_of(best.start)
    return Citation(citation.source, quote, best.start, best.end, page, text_fragment(url, quote))
