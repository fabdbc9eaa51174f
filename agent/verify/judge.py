"""Cases for a judge, and the verdicts that its judgements give.

A judge sees each source that a claim cites as the writer saw it.  Its judgement counts only with deciding words that
stand, in order, in the stored text of one of these sources, and support only where they are about the claim.  Else the
claim is asked once more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from agent.protocols import ShownRanges
from agent.text import dates, numbers
from agent.text.citation_marks import without_marks
from agent.text.dates import Date
from agent.text.language import detect
from agent.text.numbers import Quantity
from agent.text.source_blocks import BLANK, excerpt, head_lines
from agent.text.tokens import is_small, terms, tokens
from agent.text.urls import text_fragment
from agent.types import Citation, CitedPassage, Claim, JudgeCase, JudgeVerdict, Source, Verdict
from agent.verify.clauses import INVISIBLE, Value, plain, values
from agent.verify.figures import Figure, figures_of, plain_text
from agent.verify.quotes import Quote, SourceIndex, quotable

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
_UNRELATED = "the model that checks named words of the source that are not about this"
_NUMBERLESS = "the model that checks says it is supported, but “{figure}” is not in its sources"
_AGAINST = "the rules and the model that checks disagree: {why}; yet the model reads support"
_NO_WORDS = "it gave no words of the webpages that decide"
_NOWHERE = "the words {words} stand nowhere on its webpages; copy them letter for letter"
_BESIDE_THE_POINT = "the words {words} are not about the claim; copy those that say what it says"
_SHORT = 2  # quotes of a source that are shown where the writer's own slices are too long or not known
_DOTS = re.compile(r"\[…\]|…|\.{3,}")
_SPREAD, _SLACK = 1.5, 6  # deciding words may be spread over so many times their number, and so many words more
_LEFT_OUT = 40  # words that dots between them may stand for: a clause or two, not the rest of the page
_MOST = 60  # deciding words that are looked for: the prompt asks for twenty at most
_DIGIT = re.compile(r"\d")
_ROUNDED = 0.8  # of the greater: a number in words that a judge finds supported may be as far from the source's


# ------------------------------------------------------------------------------------------------- cases


def judge_case(
    claim: Claim, sources: Sources, seen: ShownRanges, quotes: Mapping[int, Sequence[Quote]], *, failed: str = ""
) -> JudgeCase | None:
    """The claim with each source that it cites; None where there is none to show.

    `seen`: what the writer saw of each source.  `quotes`: what comes nearest to the claim in each, best first; they are
    shown of a source of which it is not known what the writer saw, and the best one also where it was not seen.
    """
    cited = [c.source for c in claim.citations if c.source in sources and not sources[c.source][0].suspect]
    exhibits = [_exhibit(claim, *sources[n], seen.get(n, ()), quotes.get(n, ())) for n in cited]
    shown = tuple(exhibit for exhibit in exhibits if exhibit.text)
    said = " ".join(without_marks(claim.text).split())
    if not shown:
        return None
    return JudgeCase(said, shown, claim.about or "", claim.context or "", claim.missing, failed)


def _exhibit(
    claim: Claim, source: Source, text: str, slices: Sequence[tuple[int, int]], quotes: Sequence[Quote]
) -> CitedPassage:
    ready, said = quotable(source, text), without_marks(claim.text)
    near = list(quotes[:_SHORT]) or ready.best(f"{claim.about or ''} {said}", _SHORT, sources=0)
    other = ready.other_figures(said, near)
    short = excerpt(text, [_with_head(ready, quote) for quote in [*near, *([other] if other else [])]]) if near else ""
    shown = excerpt(text, slices) if slices else short
    unseen = [_with_head(ready, quote) for quote in quotes[:1] if slices and not _is_within(quote, slices)]
    more = excerpt(text, unseen) if unseen else ""
    return CitedPassage(source.number, shown, source.title, source.published, source.site, short, more)


def _is_within(quote: Quote, slices: Sequence[tuple[int, int]]) -> bool:
    """Does the quote lie in the slices, of which one may go on where another ends?"""
    end = quote.start
    for start, stop in sorted(slices):
        end = stop if start <= end + BLANK and stop > end else end
    return end >= quote.end


def _with_head(ready: SourceIndex, quote: Quote) -> tuple[int, int]:
    """The quote with the sentences around it; a row of a table from the head of the table on."""
    start, end = ready.around(quote)
    return min(start, ready.head_of(quote)), end


# ------------------------------------------------------------------------------------------------- verdicts


def needs_another_look(judgement: JudgeVerdict, case: JudgeCase, sources: Sources) -> str:
    """What is wrong with the deciding words, for the judge to read; empty where nothing is."""
    if judgement.outcome not in ("supported", "partial", "refuted"):
        return ""
    if not judgement.words:
        return _NO_WORDS
    if nowhere := _nowhere(judgement, case, sources):
        return _NOWHERE.format(words=_listed(nowhere))
    if judgement.outcome == "supported" and not any(_are_about(case, words, sources) for words in judgement.words):
        return _BESIDE_THE_POINT.format(words=_listed(judgement.words))
    return ""


def _nowhere(judgement: JudgeVerdict, case: JudgeCase, sources: Sources) -> list[str]:
    return [words for words in judgement.words if not any(_has(words, each, sources) for each in case.exhibits)]


def _has(words: str, exhibit: CitedPassage, sources: Sources) -> bool:
    """Do the words stand in the stored text, or in the lines above it that give its title, site and date?"""
    head = head_lines(exhibit.title, exhibit.site, exhibit.published)
    return bool(find_words(words, sources[exhibit.source][1]) or find_words(words, head))


def _are_about(case: JudgeCase, words: str, sources: Sources) -> bool:
    """Has their sentence, or one next to it, a word of the claim?  In another language: were they shown to the judge?

    A model may name words that stand elsewhere on the page.  The sentence alone would reject one that tells the same
    in words of its own ("hurt nobody" for "harmless"), so this is a weak sign, and no proof of support.
    """
    said = f"{case.about} {case.context} {case.claim}"
    wanted = set(terms(said))
    for exhibit in case.exhibits:
        source, text = sources[exhibit.source]
        place = find_words(words, text)
        passage = _passage_at(quotable(source, text), *place) if place else words
        if not wanted.isdisjoint(terms(passage)):
            return True
        if place and detect(said) != detect(text) and find_words(words, f"{exhibit.text}\n{exhibit.more}"):
            return True
    return False


def _passage_at(ready: SourceIndex, start: int, end: int) -> str:
    return ready.text[slice(*ready.around(Quote(*_whole_sentences(ready, start, end), 0.0)))]


def verdict_of(
    claim: Claim,
    by_rules: Literal["refuted", "cannot tell"],
    judgement: JudgeVerdict | None,
    case: JudgeCase,
    sources: Sources,
) -> tuple[Verdict, str]:
    """The verdict on a claim and why, by the rules and a judge together; None: the judge gave no judgement on it.

    What the rules refuted stays refuted, unless the judge reads support: then nobody knows.
    """
    if judgement is None:
        return (claim.verdict, claim.why) if by_rules == "refuted" else ("unchecked", _SILENT)
    counts = not needs_another_look(judgement, case, sources)
    if by_rules == "refuted":
        against = judgement.outcome in ("supported", "partial") and counts
        return ("unchecked", _AGAINST.format(why=claim.why)) if against else ("refuted", claim.why)
    if not counts:
        stand = judgement.words and not _nowhere(judgement, case, sources)
        return "unchecked", _UNRELATED if stand else _MADE_UP
    figure = _unexplained(claim, judgement) if judgement.outcome == "supported" else ""
    if figure:
        return "unchecked", _NUMBERLESS.format(figure=figure)
    why = _WHY[judgement.outcome].format(words=_listed(judgement.words))
    unsaid = _UNSAID.format(part=judgement.unsaid) if judgement.unsaid else ""
    return _JUDGED_AS.get(judgement.outcome) or _as_verdict(judgement), f"{why}{unsaid}"


def _as_verdict(judgement: JudgeVerdict) -> Verdict:
    verdicts: tuple[Verdict, ...] = ("supported", "partial", "unsupported", "refuted")
    return next(verdict for verdict in verdicts if verdict == judgement.outcome)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"“{' '.join(each.split())}”" for each in words)


def _unexplained(claim: Claim, judgement: JudgeVerdict) -> str:
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

    All must lie within 1.5 times their number and 6 words more, and 40 more where dots between them leave something
    out.  Linear in the text's length: from each place of the first word no further is looked.
    """
    parts = [part for part in _DOTS.split(words) if part.strip()]
    wanted = [token.word for token in tokens(_visible(" ".join(parts)))][:_MOST]
    if all(is_small(word) for word in wanted):
        return None
    reach = int(_SPREAD * len(wanted)) + _SLACK + _LEFT_OUT * (len(parts) - 1)
    spelt, starts, ends = _spelt(text)
    for first in _places(text).get(wanted[0], ()):
        last = _last_of(wanted, spelt, first, first + reach)
        if last is not None:
            return starts[first], ends[last]
    return None


def _last_of(wanted: Sequence[str], spelt: Sequence[str], first: int, end: int) -> int | None:
    """The place of the last of the words, if all follow the first one in order before `end`."""
    at = first
    for word in wanted[1:]:
        at = next((place for place in range(at + 1, min(end, len(spelt))) if spelt[place] == word), -1)
        if at < 0:
            return None
    return at


def _visible(text: str) -> str:
    """The text without characters that a model does not see or copy, its digits as 0 to 9."""
    return INVISIBLE.sub("", plain_text(text))


@lru_cache(maxsize=64)
def _spelt(text: str) -> tuple[list[str], list[int], list[int]]:
    """The words of the visible text, and where each begins and ends in the text as it is stored."""
    found = tokens(_visible(text))
    words, starts, ends = [t.word for t in found], [t.start for t in found], [t.end for t in found]
    unseen = set(INVISIBLE.findall(text))
    if not unseen:
        return words, starts, ends
    places = [at for at, char in enumerate(text) if char not in unseen]
    return words, [places[start] for start in starts], [places[end - 1] + 1 for end in ends]


@lru_cache(maxsize=64)
def _places(text: str) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for at, word in enumerate(_spelt(text)[0]):
        places.setdefault(word, []).append(at)
    return places


def requoted(claim: Claim, judgement: JudgeVerdict | None, sources: Sources) -> tuple[Citation, ...]:
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


def _whole_sentences(ready: SourceIndex, start: int, end: int) -> tuple[int, int]:
    starts = [span[0] for span in ready.spans]
    first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
    return min(start, ready.spans[max(first, 0)][0]), max(end, ready.spans[max(last, 0)][1])
