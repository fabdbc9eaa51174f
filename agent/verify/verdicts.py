"""The verdicts on an answer's claims: rules first, then a judge where there is one, each claim with its quotes.

`RULES` are tried in order on each source that a claim cites; a source that supports outweighs one that refutes.  What
they cannot tell a judge decides, else it stays `unchecked`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.protocols import AskJudge, ShownRanges
from agent.text.citation_marks import without_marks
from agent.text.urls import text_fragment
from agent.types import Citation, Claim, Conflict, JudgeCase, JudgeVerdict, Verdict
from agent.verify.claims import DIVIDER, UNCITED, cited_parts
from agent.verify.conflicts import conflicts
from agent.verify.figures import missing_and_found, said_instead
from agent.verify.judge import Sources, judge_case, needs_another_look, requoted, verdict_of
from agent.verify.quotes import Quote, SourceIndex, quotable
from agent.verify.verbatim import CANNOT_TELL, Outcome, Ruling, rule_on_cell, rule_on_source

VERDICTS: dict[Outcome, Verdict] = {"supported": "supported", "refuted": "refuted", "cannot tell": "unchecked"}
_CANDIDATES = 4  # passages of a source that the rules look at
_SMALL = 20_000  # characters of sources: less is worked through on the loop, in a few milliseconds

_NOT_CHECKED = "not checked"
_NO_QUOTE = "no passage of the sources cited bears this"
_HIDDEN = "the page cited hides most of its text from its readers, so it supports nothing"
_MISSING = "{figures} {stand} in none of the cited pages"
_INSTEAD = "; they have {instead}"

Rule = Callable[[Claim, SourceIndex, Sequence[Quote]], Ruling]
RULES: dict[str, Rule] = {"sentence": rule_on_source, "cell": rule_on_cell}


@dataclass(frozen=True, slots=True)
class _Located:
    """A claim with its citations located and the rules' outcome."""

    claim: Claim
    outcome: Outcome
    quotes: Mapping[int, Sequence[Quote]]


class NoChecker:
    """For `--check none`: every citation located, no verdict but for claims that cite nothing."""

    async def check(
        self,
        claims: Sequence[Claim],
        sources: Sources,
        examine: AskJudge | None = None,
        seen: ShownRanges | None = None,
    ) -> list[Claim]:
        return [located.claim for located in await _located(claims, sources, by_rules=False)]

    async def conflicts(self, claims: Sequence[Claim], sources: Sources) -> list[Conflict]:
        return []


class RuleChecker:
    """Verdicts by rules, and by a judge where there is one and the rules do not support."""

    async def check(
        self,
        claims: Sequence[Claim],
        sources: Sources,
        examine: AskJudge | None = None,
        seen: ShownRanges | None = None,
    ) -> list[Claim]:
        located = await _located(claims, sources, by_rules=True)
        if examine is None:
            return [one.claim for one in located]
        return await _JudgeQueue(located, sources, seen or {}, examine).decide()

    async def conflicts(self, claims: Sequence[Claim], sources: Sources) -> list[Conflict]:
        ready = {n: quotable(source, text) for n, (source, text) in sources.items()}
        return await asyncio.to_thread(conflicts, claims, sources, ready)


# ------------------------------------------------------------------------------------------------- by rules


async def _located(claims: Sequence[Claim], sources: Sources, *, by_rules: bool) -> list[_Located]:
    if sum(len(text) for _, text in sources.values()) < _SMALL:
        return _all(claims, sources, by_rules)
    return await asyncio.to_thread(_all, claims, sources, by_rules)


def _all(claims: Sequence[Claim], sources: Sources, by_rules: bool) -> list[_Located]:
    return [_one(claim, sources, by_rules=by_rules) for claim in claims]


def _one(claim: Claim, sources: Sources, *, by_rules: bool) -> _Located:
    if not claim.citations:
        return _Located(replace(claim, verdict="unsupported", why=UNCITED), "cannot tell", {})
    cited = [citation.source for citation in claim.citations if citation.source in sources]
    ready = {n: quotable(*sources[n]) for n in cited}
    found = {n: _found(claim, ready[n], len(claim.citations)) for n in cited}
    citations = tuple(_citation(c, found.get(c.source, []), sources) for c in claim.citations)
    claim = replace(claim, citations=citations)
    if not by_rules:
        return _Located(replace(claim, verdict="unchecked", why=_NOT_CHECKED), "cannot tell", found)
    is_open = {n: quotes for n, quotes in found.items() if not sources[n][0].suspect}
    ruling = _ruling(claim, is_open, ready)
    if not any(is_open.values()):
        ruling = Ruling("cannot tell", _HIDDEN if any(found.values()) else _NO_QUOTE)
    claim = _with_figures(replace(claim, verdict=VERDICTS[ruling.outcome], why=ruling.why), sources)
    return _Located(claim, ruling.outcome, found)


def _ruling(claim: Claim, found: Mapping[int, Sequence[Quote]], ready: Mapping[int, SourceIndex]) -> Ruling:
    """One source that supports is enough; else one that refutes; else the clauses, each by what it cites itself."""
    rule = RULES["cell" if claim.about is not None else "sentence"]
    rulings = [rule(claim, ready[n], quotes) for n, quotes in found.items()]
    return _first_decided([*rulings, _by_parts(claim, found.keys(), ready)])


def _by_parts(claim: Claim, is_open: Iterable[int], ready: Mapping[int, SourceIndex]) -> Ruling:
    """Of a sentence that cites for each of its clauses: supported if all are, refuted if one is."""
    parts = list(cited_parts(claim.text)) if claim.about is None else []
    if len(parts) < 2:
        return CANNOT_TELL
    rulings = []
    for text, numbers in parts:
        part = replace(claim, text=text, context=None)
        own = [n for n in numbers if n in is_open]
        rulings.append(_first_decided([rule_on_source(part, ready[n], _found(part, ready[n], 1)) for n in own]))
    outcomes = {ruling.outcome for ruling in rulings}
    if outcomes == {"supported"} and claim.text.rstrip().endswith(("]", "].", "]。")):
        return rulings[0]
    return next((ruling for ruling in rulings if ruling.outcome == "refuted"), CANNOT_TELL)


def _first_decided(rulings: Sequence[Ruling]) -> Ruling:
    for outcome in ("supported", "refuted"):
        found = next((ruling for ruling in rulings if ruling.outcome == outcome), None)
        if found:
            return found
    return CANNOT_TELL


def _with_figures(claim: Claim, sources: Sources) -> Claim:
    """The claim with what of its figures and names is missing from its sources, and what they have instead."""
    cited = [sources[citation.source] for citation in claim.citations if citation.source in sources]
    missing, found = missing_and_found(claim.text, cited)
    return replace(claim, missing=missing, found=found, why=f"{claim.why}{_missing_line(claim, missing)}")


def _missing_line(claim: Claim, missing: Sequence[str]) -> str:
    if not missing or claim.verdict == "refuted":
        return ""
    told = _MISSING.format(figures=_listed(missing), stand="stands" if len(missing) == 1 else "stand")
    instead = said_instead(missing, " ".join(c.quote or "" for c in claim.citations))
    return f"; {told}{_INSTEAD.format(instead=_listed(instead))}" if instead else f"; {told}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)


def _found(claim: Claim, source: SourceIndex, sources: int) -> list[Quote]:
    """The passages that bear the claim; a table's cell is looked for with its heads, for it says nothing alone."""
    said = without_marks(claim.text)
    if claim.about is None:
        return source.best(said, _CANDIDATES, sources=sources)
    return source.best(f"{claim.about}: {said}", _CANDIDATES, sources=sources, heads=claim.about.split(DIVIDER))


def _citation(citation: Citation, quotes: Sequence[Quote], sources: Sources) -> Citation:
    """The citation with its best quote, and a link that opens there."""
    if citation.source not in sources:
        return citation
    source, text = sources[citation.source]
    if not quotes:
        return replace(citation, quote=None, start=None, end=None, page=None, link=source.url)
    best = quotes[0]
    quote, page = text[best.start : best.end], quotable(source, text).page_of(best.start)
    return Citation(citation.source, quote, best.start, best.end, page, text_fragment(source.url, quote))


# ------------------------------------------------------------------------------------------------- by a judge


@dataclass
class _JudgeQueue:
    """What the rules left open, put before a judge: once, and once more where its words stand nowhere."""

    located: Sequence[_Located]
    sources: Sources
    seen: ShownRanges
    examine: AskJudge

    async def decide(self) -> list[Claim]:
        doubtful = [at for at, one in enumerate(self.located) if one.outcome != "supported" and one.claim.citations]
        cases = {at: case for at in doubtful if (case := self._case(at))}
        judgements = await self._ask(cases)
        rejected = {at: needs_another_look(judgement, cases[at], self.sources) for at, judgement in judgements.items()}
        judgements |= await self._ask({at: replace(cases[at], failed=why) for at, why in rejected.items() if why})
        return [
            self._decided(one, judgements.get(at), cases[at]) if at in cases else one.claim
            for at, one in enumerate(self.located)
        ]

    def _case(self, at: int) -> JudgeCase | None:
        one = self.located[at]
        return judge_case(one.claim, self.sources, self.seen, one.quotes)

    async def _ask(self, cases: Mapping[int, JudgeCase]) -> dict[int, JudgeVerdict]:
        places = list(cases)
        judgements = await self.examine([cases[at] for at in places]) if places else ()
        return {places[judgement.case]: judgement for judgement in judgements}

    def _decided(self, one: _Located, judgement: JudgeVerdict | None, case: JudgeCase) -> Claim:
        by_rules: Literal["refuted", "cannot tell"] = "refuted" if one.outcome == "refuted" else "cannot tell"
        verdict, why = verdict_of(one.claim, by_rules, judgement, case, self.sources)
        decisive = judgement if verdict in ("supported", "partial", "refuted") else None
        claim = replace(one.claim, verdict=verdict, citations=requoted(one.claim, decisive, self.sources))
        return replace(claim, why=f"{why}{_missing_line(claim, claim.missing)}" if why != one.claim.why else why)
