"""Cases for a judge, and the verdicts that its judgements give.

A judge sees each source that a claim cites as the writer saw it.  Its judgement counts only with deciding words that
stand, in order, in the stored text of one of these sources; where they stand nowhere the claim is asked once more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from agent.services import Slices
from agent.text import dates, numbers
from agent.text.citations import without_marks
from agent.text.dates import Date
from agent.text.frame import excerpt
from agent.text.numbers import Quantity
from agent.text.urls import text_fragment
from agent.text.words import is_small, tokens
from agent.types import Case, Citation, Claim, Exhibit, Judgement, Source, Verdict
from agent.verify.clauses import Value, plain, values
from agent.verify.figures import Figure, figures_of
from agent.verify.quotes import Quotable, Quote, quotable

Sources = Mapping[int, tuple[Source, str]]  # number -> the source and its stored text
_JUDGED_AS: dict[str, Verdict] = {"cannot tell": "unchecked"}  # all others keep their names
_WHY = {
    "supported": "the model that checks reads it in the source: {words}",
    "partial": "the source says a part of it only: {words}",
    "unsupported": "the sources cited do not say it, as the model that checks reads them",
    "refuted": "the source says otherwise: {words}",
    "cannot tell": "neither the rules nor the model that checks can tell",
}
_UNSAID = "; not said: {part}"
_SILENT = "the rules cannot tell, and the model that checks gave no verdict"
_MADE_UP = "the model that checks named words that are not in the source"
_NUMBERLESS = "the model that checks says it is supported, but “{figure}” is not in its sources"
_AGAINST = "the rules and the model that checks disagree: {why}; yet the model reads support"
_NO_WORDS = "it gave no words of the webpages that decide"
_NOWHERE = "the words {words} stand nowhere on its webpages; copy them letter for letter"
_SHORT = 2  # quotes of a source that are shown where the writer's own slices are too long or not known
_GAP = re.compile(r"\s*(?:\[…\]|…|\.{3,})\s*")
_SPREAD, _SLACK = 1.5, 6  # deciding words may be spread over so many times their number, and so many words more
_DIGIT = re.compile(r"\d")
_ROUNDED = 0.8  # of the greater: a number in words that a judge finds supported may be as far from the source's


# ------------------------------------------------------------------------------------------------- cases


def judge_case(
    claim: Claim, sources: Sources, seen: Slices, quotes: Mapping[int, Sequence[Quote]], *, failed: str = ""
) -> Case | None:
    """The claim with each source that it cites; None where there is none to show.

    `seen`: what the writer saw of each source.  `quotes`: what is shown of a source of which that is not known.
    """
    cited = [c.source for c in claim.citations if c.source in sources and not sources[c.source][0].suspect]
    exhibits = [_exhibit(claim, *sources[n], seen.get(n, ()), quotes.get(n, ())) for n in cited]
    shown = tuple(exhibit for exhibit in exhibits if exhibit.text)
    said = " ".join(without_marks(claim.text).split())
    if not shown:
        return None
    return Case(said, shown, claim.about or "", claim.context or "", claim.missing, failed)


def _exhibit(
    claim: Claim, source: Source, text: str, slices: Sequence[tuple[int, int]], quotes: Sequence[Quote]
) -> Exhibit:
    ready, said = quotable(source, text), without_marks(claim.text)
    near = list(quotes[:_SHORT]) or ready.best(f"{claim.about or ''} {said}", _SHORT, sources=0)
    other = ready.other_figures(said, near)
    short = excerpt(text, [_with_head(ready, quote) for quote in [*near, *([other] if other else [])]]) if near else ""
    shown = excerpt(text, slices) if slices else short
    return Exhibit(source.number, shown, source.title, source.published, source.site, short)


def _with_head(ready: Quotable, quote: Quote) -> tuple[int, int]:
    """The quote with the sentences around it; a row of a table from the head of the table on."""
    start, end = ready.around(quote)
    return min(start, ready.head_of(quote)), end


# ------------------------------------------------------------------------------------------------- verdicts


def needs_another_look(judgement: Judgement, case: Case, sources: Sources) -> str:
    """What is wrong with the deciding words, for the judge to read; empty where they stand in a source of the case."""
    if judgement.outcome not in ("supported", "partial", "refuted"):
        return ""
    if not judgement.words:
        return _NO_WORDS
    cited = [sources[exhibit.source][1] for exhibit in case.exhibits]
    nowhere = [words for words in judgement.words if not any(find_words(words, text) for text in cited)]
    return _NOWHERE.format(words=_listed(nowhere)) if nowhere else ""


def verdict_of(
    claim: Claim, by_rules: Literal["refuted", "cannot tell"], judgement: Judgement | None, case: Case, sources: Sources
) -> tuple[Verdict, str]:
    """The verdict on a claim and why, by the rules and a judge together; None: the judge gave no judgement on it.

    What the rules refuted stays refuted, unless the judge reads support: then nobody knows.
    """
    if judgement is None:
        return (claim.verdict, claim.why) if by_rules == "refuted" else ("unchecked", _SILENT)
    made_up = bool(needs_another_look(judgement, case, sources))
    if by_rules == "refuted":
        against = judgement.outcome in ("supported", "partial") and not made_up
        return ("unchecked", _AGAINST.format(why=claim.why)) if against else ("refuted", claim.why)
    if made_up:
        return "unchecked", _MADE_UP
    figure = _unexplained(claim, judgement) if judgement.outcome == "supported" else ""
    if figure:
        return "unchecked", _NUMBERLESS.format(figure=figure)
    why = _WHY[judgement.outcome].format(words=_listed(judgement.words))
    unsaid = _UNSAID.format(part=judgement.unsaid) if judgement.unsaid else ""
    return _JUDGED_AS.get(judgement.outcome) or _as_verdict(judgement), f"{why}{unsaid}"


def _as_verdict(judgement: Judgement) -> Verdict:
    verdicts: tuple[Verdict, ...] = ("supported", "partial", "unsupported", "refuted")
    return next(verdict for verdict in verdicts if verdict == judgement.outcome)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"“{' '.join(each.split())}”" for each in words)


def _unexplained(claim: Claim, judgement: Judgement) -> str:
    """A figure of the claim that its sources do not have and that follows from none in the deciding words.

    A model may overlook that a number differs.  In digits it may be rounded or converted; in words it may be near.
    """
    known = values(plain(" ; ".join(judgement.words)))
    for figure in figures_of(claim.text):
        missing = figure.text in claim.missing and figure.value
        if missing and not any(_follows(figure, value) for value in known):
            return figure.text
    return ""


def _follows(figure: Figure, value: Value) -> bool:
    mine = figure.value
    if isinstance(mine, Quantity) and isinstance(value, Quantity):
        near = any(_ROUNDED * b <= a <= b / _ROUNDED for a in mine.values for b in value.values)
        return bool(numbers.agree(mine, value)) or (near and not _DIGIT.search(figure.text))
    return isinstance(mine, Date) and isinstance(value, Date) and dates.agree(mine, value) is not False


# ------------------------------------------------------------------------------------------------- deciding words


def find_words(words: str, text: str) -> tuple[int, int] | None:
    """Where the words stand in a text, in order and close together, whatever the spelling; None: nowhere.

    Dots in them leave something out: then each part is looked for by itself, and the first one's place is given.
    """
    parts = [[token.word for token in tokens(part)] for part in _GAP.split(plain(words))]
    parts = [part for part in parts if part]
    if not any(not is_small(word) for part in parts for word in part):
        return None
    places = [_place(part, text) for part in parts]
    return places[0] if all(places) else None


def _place(part: Sequence[str], text: str) -> tuple[int, int] | None:
    spelt, starts, ends = _spelt(text)
    for first in _places(text).get(part[0], ()):
        last = _run_from(first, part, spelt)
        if last is not None:
            return starts[first], ends[last]
    return None


def _run_from(first: int, part: Sequence[str], spelt: Sequence[str]) -> int | None:
    """The place of the part's last word, if all follow the first one in order within the spread allowed."""
    at, end = first, first + int(_SPREAD * len(part)) + _SLACK
    for word in part[1:]:
        at = next((place for place in range(at + 1, min(end, len(spelt))) if spelt[place] == word), -1)
        if at < 0:
            return None
    return at


@lru_cache(maxsize=64)
def _spelt(text: str) -> tuple[list[str], list[int], list[int]]:
    found = tokens(text)
    return [t.word for t in found], [t.start for t in found], [t.end for t in found]


@lru_cache(maxsize=64)
def _places(text: str) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for at, word in enumerate(_spelt(text)[0]):
        places.setdefault(word, []).append(at)
    return places


def requoted(claim: Claim, judgement: Judgement | None, sources: Sources) -> tuple[Citation, ...]:
    """The citations, each with the sentences that have the deciding words where its own quote does not have them."""
    words = judgement.words if judgement else ()
    return tuple(_requoted(citation, words, sources) for citation in claim.citations)


def _requoted(citation: Citation, words: Sequence[str], sources: Sources) -> Citation:
    if citation.source not in sources or (citation.quote and any(find_words(w, citation.quote) for w in words)):
        return citation
    source, text = sources[citation.source]
    place = next((found for each in words if (found := find_words(each, text))), None)
    if place is None:
        return citation
    ready = quotable(source, text)
    start, end = _whole_sentences(ready, *place)
    quote = text[start:end]
    return replace(
        citation, quote=quote, start=start, end=end, page=ready.page_of(start), link=text_fragment(source.url, quote)
    )


def _whole_sentences(ready: Quotable, start: int, end: int) -> tuple[int, int]:
    starts = [span[0] for span in ready.spans]
    first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
    return min(start, ready.spans[max(first, 0)][0]), max(end, ready.spans[max(last, 0)][1])
