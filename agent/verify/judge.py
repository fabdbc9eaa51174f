"""What a judge is shown of a claim, and what becomes of its verdict.

A verdict counts only with words that stand in the passages it was given on; what rules refuted stays refuted unless the
judge holds against it; whoever is silent, late or wrong in form has decided nothing.  Knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.text import dates, numbers
from agent.text.citations import without_marks
from agent.text.dates import Date
from agent.text.numbers import Quantity
from agent.text.prose import prose
from agent.text.urls import text_fragment
from agent.text.words import is_small, tokens
from agent.types import Case, Citation, Claim, Exhibit, Judgement, Source, Verdict
from agent.verify.framing import introduction
from agent.verify.pieces import pieces
from agent.verify.quotes import Quotable, Quote
from agent.verify.rules import Outcome

JUDGED_AS: dict[str, Verdict] = {
    "supported": "supported",
    "partial": "partial",
    "unsupported": "unsupported",
    "refuted": "refuted",
    "cannot tell": "unchecked",
}
_WHY = {
    "supported": "the model that checks reads it in the source: {words}",
    "partial": "the source says a part of it only: {words}",
    "unsupported": "the passages cited do not say it, as the model that checks reads them",
    "refuted": "the source says otherwise: {words}",
    "cannot tell": "neither the rules nor the model that checks can tell",
}
_SILENT = "the rules cannot tell, and the model that checks gave no verdict"
_MADE_UP = "the model that checks named words that are not in the source"
_NUMBERLESS = "the model that checks says it is {verdict}, but “{figure}” is not in the passages"
_AGAINST = "the rules and the model that checks disagree: {why}; yet the model reads support"
_SHOWN = 2  # passages of a source …
_SHOWN_OF_MANY = 1  # … and where this many are cited, one of each
_MANY = 3
_ROOM = 5_000  # characters of a source in another language than the claim
_IN_DIGITS = re.compile(r"\d")  # a number in words is read as words are, and rounded: "six in ten" of 62 %
_ROUNDED = 0.8  # of the greater, a number in words may be as small as this
_GAP = re.compile(r"\s*(?:\[…\]|…|\.{3,})\s*")


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` of the source from `start` to `end`, as a judge sees it: a row of a table with its head."""

    source: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A claim laid beside its sources: located, with the rules' verdict; `outcome` is what the rules said."""

    claim: Claim
    outcome: Outcome
    shown: tuple[Shown, ...] = ()

    @property
    def is_doubtful(self) -> bool:
        return bool(self.shown) and self.outcome != "supported"


def shown_of(
    said: str, found: Mapping[int, Sequence[Quote]], ready: Mapping[int, Quotable], *, introduced: bool = False
) -> tuple[Shown, ...]:
    """The best passages of each source with the sentences around them, none twice, and one for figures not in these.

    `introduced`: also with what introduces them on the page, as far above as it may stand.
    """
    limit = _SHOWN if len(found) < _MANY else _SHOWN_OF_MANY
    shown: list[Shown] = []
    for n, quotes in found.items():
        other = ready[n].other_figures(said, quotes[:limit])
        shown += _of_source(n, [*quotes[:limit], *([other] if other else [])], ready)
    return tuple(_with_introduction(one, ready[one.source].text) for one in shown) if introduced else tuple(shown)


def whole(number: int, slices: Sequence[tuple[int, int]], ready: Mapping[int, Quotable]) -> list[Shown]:
    """These slices of a source, as far as there is room for them."""
    shown, room = [], _ROOM
    for start, end in slices:
        text = ready[number].text[start : min(end, start + room)].strip()
        if text:
            shown.append(Shown(number, start, end, text))
        room -= len(text)
    return shown


def _with_introduction(shown: Shown, text: str) -> Shown:
    above = introduction(text, shown.start)
    return replace(shown, text=f"{above}\n[…]\n{shown.text}") if above and above not in shown.text else shown


def _of_source(number: int, quotes: Sequence[Quote], ready: Mapping[int, Quotable]) -> Iterator[Shown]:
    end_of_last = -1
    for quote in sorted(quotes):
        quotable = ready[number]
        start, end = quotable.around(quote)
        start = max(start, end_of_last + 1)
        if start < end:
            row = quotable.row(quote)
            head = f"| {' | '.join(row.heads)} |\n" if row else ""
            yield Shown(number, start, end, head + quotable.text[start:end].strip())
            end_of_last = end


def case_of(laid: Laid, sources: Mapping[int, tuple[Source, str]]) -> Case:
    exhibits = []
    for shown in laid.shown:
        source = sources[shown.source][0]
        exhibits.append(Exhibit(shown.source, shown.text, source.title, source.published, source.site))
    said = " ".join(without_marks(laid.claim.text).split())
    return Case(said, tuple(exhibits), laid.claim.about or "", laid.claim.context or "")


# ------------------------------------------------------------------------------------------------- verdicts


def decided(laid: Laid, judgement: Judgement | None, case: Case) -> tuple[Verdict, str]:
    """The verdict on a claim and why, by the rules and a judge together; None: the judge said nothing of it."""
    if judgement is None:
        return (laid.claim.verdict, laid.claim.why if laid.outcome == "refuted" else _SILENT)
    made_up = _needs_words(judgement) and not all(stands(words, case.exhibits) for words in judgement.words or [""])
    if laid.outcome == "refuted":
        against = judgement.outcome in ("supported", "partial") and not made_up
        return ("unchecked", _AGAINST.format(why=laid.claim.why)) if against else ("refuted", laid.claim.why)
    if made_up:
        return "unchecked", _MADE_UP
    figure = _missing_figure(case) if judgement.outcome == "supported" else ""
    if figure:
        return "unchecked", _NUMBERLESS.format(verdict=judgement.outcome, figure=figure)
    words = ", ".join(f"“{' '.join(w.split())}”" for w in judgement.words)
    return JUDGED_AS[judgement.outcome], _WHY[judgement.outcome].format(words=words)


def _needs_words(judgement: Judgement) -> bool:
    return judgement.outcome in ("supported", "partial", "refuted")


def stands(words: str, exhibits: Sequence[Exhibit]) -> bool:
    """Do these words, or where some are left out with dots their parts, stand in a passage, whatever the spelling?"""
    parts = [_spelt(part) for part in _GAP.split(words)]
    parts = [part for part in parts if part]
    telling = any(not is_small(word) for part in parts for word in part)
    return telling and any(all(_within(part, _spelt(exhibit.text)) for part in parts) for exhibit in exhibits)


def _spelt(text: str) -> list[str]:
    return [token.word for token in tokens(prose(text))]


def _within(part: Sequence[str], words: Sequence[str]) -> bool:
    return any(list(words[at : at + len(part)]) == list(part) for at in range(len(words) - len(part) + 1))


def _missing_figure(case: Case) -> str:
    """A number or date of the claim that no passage has: a model may overlook one that differs; empty: none."""
    told = " ; ".join([*(e.text for e in case.exhibits), *(e.published or "" for e in case.exhibits), case.about])
    known = [p.value for p in pieces(prose(told)) if p.value]
    known += [p.value for e in case.exhibits for p in pieces(prose(e.title)) if p.value]
    for piece in pieces(prose(case.claim)):
        in_digits = _IN_DIGITS.search(piece.text)
        if piece.value and not (
            any(_may_be(piece.value, v) for v in known) if in_digits else _is_near(piece.value, known)
        ):
            return piece.text
    return ""


def _is_near(mine: Quantity | Date, known: Sequence[Quantity | Date]) -> bool:
    """A number in words may be a rounded one, or follow from others; "six kilometres" are not 4.2 kilometres."""
    if not isinstance(mine, Quantity) or not mine.dimension:
        return True
    values = [v for one in known if isinstance(one, Quantity) and one.dimension == mine.dimension for v in one.values]
    return not values or any(_ROUNDED * b <= a <= b / _ROUNDED for a in mine.values for b in values)


def _may_be(mine: Quantity | Date, theirs: Quantity | Date) -> bool:
    if isinstance(mine, Quantity) and isinstance(theirs, Quantity):
        agreed = numbers.agree(mine, theirs)
        return agreed is True or (agreed is None and mine.dimension == theirs.dimension)
    if isinstance(mine, Date) and isinstance(theirs, Date):
        return dates.agree(mine, theirs) is not False
    if isinstance(mine, Quantity) and isinstance(theirs, Date):  # "her 2018 account" counts no accounts
        return float(theirs.year) in mine.values
    return False


# ------------------------------------------------------------------------------------------------- quotes


def requoted(
    laid: Laid, judgement: Judgement | None, ready: Mapping[int, Quotable], sources: Mapping[int, tuple[Source, str]]
) -> tuple[Citation, ...]:
    """The citations with the passage that has the deciding words, where it is not the one that was found by rules."""
    words = judgement.words if judgement else ()
    return tuple(_requoted(c, laid.shown, words, ready, sources) for c in laid.claim.citations)


def _requoted(
    citation: Citation,
    shown: Sequence[Shown],
    words: Sequence[str],
    ready: Mapping[int, Quotable],
    sources: Mapping[int, tuple[Source, str]],
) -> Citation:
    if not words or (citation.quote and any(_in(w, citation.quote) for w in words)):
        return citation
    for one in shown:
        if one.source == citation.source and any(_in(w, one.text) for w in words):
            start, end = _bearing(one, words, ready[one.source])
            quote = ready[one.source].text[start:end]
            link = text_fragment(sources[one.source][0].url, quote)
            page = ready[one.source].page_of(start)
            return replace(citation, quote=quote, start=start, end=end, page=page, link=link)
    return citation


def _bearing(one: Shown, words: Sequence[str], quotable: Quotable) -> tuple[int, int]:
    """The sentence that has the words; all that was shown where they run over several."""
    spans = [(start, end) for start, end in quotable.spans if one.start <= start and end <= one.end]
    bearing = (span for span in spans if any(_in(w, quotable.text[slice(*span)]) for w in words))
    return next(bearing, (spans[0][0], spans[-1][1]) if spans else (one.start, one.end))


def _in(words: str, text: str) -> bool:
    return stands(words, [Exhibit(0, text)])
