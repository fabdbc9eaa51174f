"""Checkers: claims with their quotes found and their verdicts given.

`RuleChecker` decides by rules; what they cannot tell it puts before a judge, if it is given one, else it stays
`unchecked`.  `NoChecker` finds the quotes only.  Knows stored texts; does not fetch, and knows no model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from agent.services import Examine, Slices
from agent.text.citations import without_marks
from agent.text.language import detect
from agent.text.urls import text_fragment
from agent.types import Case, Citation, Claim, Conflict, Judgement, Source
from agent.verify.cells import Told, heads_of, rule_on_cell
from agent.verify.claims import UNCITED, cited_parts, leans
from agent.verify.conflicts import conflicts
from agent.verify.framing import bare, introduced
from agent.verify.judge import Laid, Shown, case_of, decided, requoted, shown_of, whole
from agent.verify.quotes import Quotable, Quote
from agent.verify.rules import VERDICTS, Ruling, first_decided, rule_on

_CANDIDATES = 4  # passages of a source that the rules look at
_SMALL = 20_000  # characters of sources: less is worked through on the loop, in a few milliseconds

_NOT_CHECKED = "not checked"
_NO_QUOTE = "no passage of the sources cited bears this"
_ALONE = "its words stand in the source, but not what introduces them here"
_HIDDEN = "the page cited hides most of its text from its readers, so it supports nothing"


Sources = Mapping[int, tuple[Source, str]]  # number -> the source and its stored text


class NoChecker:
    """For `--check none`: every citation located, no verdict but for claims that cite nothing."""

    async def check(
        self, claims: Sequence[Claim], sources: Sources, examine: Examine | None = None, seen: Slices | None = None
    ) -> list[Claim]:
        return [laid.claim for laid in await _laid(claims, sources, by_rules=False)]

    async def conflicts(self, claims: Sequence[Claim], sources: Sources) -> list[Conflict]:
        return []


class RuleChecker:
    """Verdicts by rules in code, and by a judge where there is one and the rules do not support."""

    async def check(
        self, claims: Sequence[Claim], sources: Sources, examine: Examine | None = None, seen: Slices | None = None
    ) -> list[Claim]:
        laid = await _laid(claims, sources, by_rules=True)
        if examine is None:
            return [one.claim for one in laid]
        ready = {n: _ready(source, text) for n, (source, text) in sources.items()}
        laid = [_widely(one, ready, sources, seen or {}) for one in laid]
        doubtful = [(at, case_of(one, sources)) for at, one in enumerate(laid) if one.is_doubtful]
        judgements = await examine([case for _, case in doubtful]) if doubtful else ()
        by_case = {judgement.case: judgement for judgement in judgements}
        checked = [one.claim for one in laid]
        for number, (at, case) in enumerate(doubtful):
            checked[at] = _judged(laid[at], by_case.get(number), case, sources)
        return checked

    async def conflicts(self, claims: Sequence[Claim], sources: Sources) -> list[Conflict]:
        return await asyncio.to_thread(_conflicts, claims, sources)


def _conflicts(claims: Sequence[Claim], sources: Sources) -> list[Conflict]:
    return conflicts(claims, sources, {n: _ready(source, text) for n, (source, text) in sources.items()})


def _judged(laid: Laid, judgement: Judgement | None, case: Case, sources: Sources) -> Claim:
    verdict, why = decided(laid, judgement, case)
    ready = {shown.source: _ready(*sources[shown.source]) for shown in laid.shown}
    told = judgement if verdict in ("supported", "partial", "refuted") else None
    return replace(laid.claim, verdict=verdict, why=why, citations=requoted(laid, told, ready, sources))


async def _laid(claims: Sequence[Claim], sources: Sources, *, by_rules: bool) -> list[Laid]:
    if sum(len(text) for _, text in sources.values()) < _SMALL:
        return _all(claims, sources, by_rules)
    return await asyncio.to_thread(_all, claims, sources, by_rules)


def _all(claims: Sequence[Claim], sources: Sources, by_rules: bool) -> list[Laid]:
    cited = {citation.source for claim in claims for citation in claim.citations}
    ready = {n: _ready(source, text) for n, (source, text) in sources.items() if n in cited}
    return [_one(claim, sources, ready, by_rules=by_rules) for claim in claims]


def _ready(source: Source, text: str) -> Quotable:
    return _quotable(text, source.page_starts)


@lru_cache(
    maxsize=64
)  # an answer is checked more than once; a text of 50,000 characters takes 75 ms and half a megabyte
def _quotable(text: str, page_starts: tuple[int, ...]) -> Quotable:
    return Quotable(text, page_starts)


def _one(claim: Claim, sources: Sources, ready: Mapping[int, Quotable], *, by_rules: bool) -> Laid:
    if not claim.citations:
        return Laid(replace(claim, verdict="unsupported", why=UNCITED), "cannot tell")
    cited = [citation.source for citation in claim.citations]
    found = {n: _found(claim, ready[n], len(cited)) if n in ready else [] for n in cited}
    open_to_all = {n: quotes for n, quotes in found.items() if n in ready and not sources[n][0].suspect}
    ruling = _ruling(claim, open_to_all, ready, sources) if by_rules else Ruling("cannot tell", _NOT_CHECKED)
    if by_rules and not any(open_to_all.values()):
        ruling = Ruling("cannot tell", _HIDDEN if any(found.values()) else _NO_QUOTE)
    if ruling.outcome == "supported" and leans(claim) and not _introduced(claim, open_to_all, ready):
        ruling = Ruling("cannot tell", _ALONE)
    citations = tuple(_located(c, found[c.source], sources, ready) for c in claim.citations)
    located = replace(claim, citations=citations, verdict=VERDICTS[ruling.outcome], why=ruling.why)
    if not by_rules or ruling.outcome == "supported":
        return Laid(located, ruling.outcome)
    faint = {n: quotes or _found(claim, ready[n], 0) for n, quotes in open_to_all.items()}
    return Laid(located, ruling.outcome, shown_of(without_marks(claim.text), faint, ready, introduced=leans(claim)))


def _widely(laid: Laid, ready: Mapping[int, Quotable], sources: Sources, seen: Slices) -> Laid:
    """The claim with what the writer saw of a source, for the judge, where passages cannot be found by their words:
    in a source in another language, and in all of them where none shares a word with the claim."""
    if laid.outcome == "supported":
        return laid
    language = detect(without_marks(laid.claim.text))
    shown: list[Shown] = []
    for number in [citation.source for citation in laid.claim.citations]:
        open_to_all = number in seen and not sources[number][0].suspect
        wordless = not laid.shown or (open_to_all and detect(sources[number][1]) != language)
        shown += (
            whole(number, seen[number], ready)
            if open_to_all and wordless
            else [one for one in laid.shown if one.source == number]
        )
    return replace(laid, shown=tuple(shown))


def _found(claim: Claim, quotable: Quotable, sources: int, limit: int = _CANDIDATES) -> list[Quote]:
    """The passages that bear the claim; a table's cell is looked for with its heads, for it says nothing alone."""
    said = without_marks(claim.text)
    if claim.about is None:
        return quotable.best(said, limit, sources=sources)
    return quotable.best(f"{claim.about}: {said}", limit, sources=sources, heads=heads_of(claim))


def _ruling(
    claim: Claim, found: Mapping[int, Sequence[Quote]], ready: Mapping[int, Quotable], sources: Sources
) -> Ruling:
    """One source that supports is enough; else the passages of all together; else one that contradicts."""
    if claim.about is not None:
        return first_decided([rule_on_cell(claim, [_told(ready[n], q) for q in found[n]]) for n in found])
    said = without_marks(claim.text)
    passages = {n: [text for q in quotes for text in _passages(ready[n], q)] for n, quotes in found.items()}
    rulings = [rule_on(said, texts) for texts in passages.values()]
    if any(ready[n].row(q) for n, quotes in found.items() for q in quotes[:1]):
        rulings = [r for r in rulings if r.outcome == "supported"]  # a row beside it is about something else
    framed = [(bare(said, sources[n][0].published), texts) for n, texts in passages.items()]
    rulings += [rule_on(one, texts) for one, texts in framed if one != said]
    together = [" ".join(texts[0] for texts in passages.values() if texts)] if len(passages) > 1 else []
    rulings += [ruling for ruling in [rule_on(said, together)] if ruling.outcome == "supported"]
    rulings += [ruling for ruling in _by_parts(claim, ready, sources) if ruling.outcome == "refuted"]
    return first_decided(rulings)


def _passages(quotable: Quotable, quote: Quote) -> list[str]:
    """What a quote says: each row of a table by itself, for it says nothing together with the next one."""
    if "|" not in quotable.text[quote.start : quote.end]:
        return [quotable.passage(quote)]
    within = [Quote(*span, quote.score) for span in quotable.spans if quote.start <= span[0] < quote.end]
    prose = [quotable.text[each.start : each.end] for each in within if not quotable.row(each)]
    return [quotable.passage(each) for each in within if quotable.row(each)] + [" ".join(prose)] * bool(prose)


def _by_parts(claim: Claim, ready: Mapping[int, Quotable], sources: Sources) -> Iterator[Ruling]:
    """Of a sentence that cites for each of its clauses, each clause by what it cites: one that is refuted is enough."""
    parts = list(cited_parts(claim.text))
    for text, numbers in parts if len(parts) > 1 else ():
        own = [n for n in numbers if n in ready and not sources[n][0].suspect]
        yield from (rule_on(text, [ready[n].passage(q) for q in ready[n].best(text, _CANDIDATES)]) for n in own)


def _introduced(claim: Claim, found: Mapping[int, Sequence[Quote]], ready: Mapping[int, Quotable]) -> bool:
    """Does a source that has the item's words introduce them as the answer does?"""
    said = without_marks(claim.text)
    places = [(ready[n], start) for n, quotes in found.items() for start in _starts(said, quotes[:1], ready[n])]
    return any(introduced(claim.context or "", quotable.text, start) for quotable, start in places)


def _starts(said: str, quotes: Sequence[Quote], quotable: Quotable) -> list[int]:
    """Where the item itself begins: a quote may begin with what introduces it."""
    within = [span for quote in quotes for span in quotable.spans if quote.start <= span[0] < quote.end]
    own = [start for start, end in within if rule_on(said, [quotable.text[start:end]]).outcome == "supported"]
    return own or [quote.start for quote in quotes]


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
