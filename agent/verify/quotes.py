"""The passage of a source that bears a claim best, verbatim.

Knows words, quantities, dates and sentences, in one spelling each, so that a quote is found across line breaks,
ligatures, typographic quotes and full-width digits, and, by its numbers and names, across languages.  Does not know
whether the passage says that the claim is true: that is for the rules.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from agent.text.citation_marks import without_marks
from agent.text.dates import Date, dates
from agent.text.language import is_cjk
from agent.text.markdown import Block, Kind, TableRow, blocks, is_divider, rows
from agent.text.numbers import Quantity, values
from agent.text.sentences import split
from agent.text.tokens import is_small, is_wide, stem, tokens, wide_pairs, written
from agent.types import Source

ENOUGH = 0.4  # of a claim's weight: below it the passage shares a topic with the claim at most (see tests/verify)
ENOUGH_ACROSS = 0.5  # of the weight of its numbers and names, where claim and source share no script
_LONGEST = 600  # characters: a longer sentence is a list or a page without stops, and is cut where it can be
_WINDOW = 3  # sentences in a quote, at most
_GAIN = 0.12  # of the claim's weight: what one more sentence must add to be taken into the quote
_HEADED = 0.5  # of the words in a head: from here on a row has it
_FIGURE = 2.0  # what a number, date or name counts against a plain word
_SMALL = 0.1  # likewise a word without subject matter
_CUT = re.compile(r"[;；\n]\s*|,\s+|[，、]|\s+")
_NUMBER = re.compile(r"[\d.,]+(?:k|m|b|t|bn|mn|km|kg|g|s|ms|gb|mb|tb)?")  # found by its value
_LABEL = 2  # words: a shorter line with a colon before a paragraph is a speaker's name, a date or the like
STOP = re.compile(r"[.!…。！۔।][\"'”’»」』)）*_\s]*$|[.!。！][\"'”’»」』)）]*\s*(?:\[\d{1,4}\]\s*)+$")
_BLANK_LINE = 2  # line ends
_ENDED = re.compile(rf"{STOP.pattern}|[?？؟][\"'”’»」』)）*_\s]*$")
_COLON = re.compile(r"[:：][*_\s]*$")
# What a paragraph retells as a plot or a myth it does not say of the world.  The one list of words that matter, as no
# form shows it; it only makes the rules silent.
_FRAME = re.compile(
    r"""\b(?: fictional | fictitious | imaginary | plot\b | synopsis | fairy\stale | legend | myth | folklore
    | superstition | hypothetical | fiktiv | erfunden | handlung\b | märchen | legende | aberglaube | ficci[oó]n
    | fictici | trama\b | leyenda | mito | fictive? | intrigue | légende | mythe | immaginari | leggenda | lenda
    | вымышл | сюжет | сказк | легенд | миф | خيالي | أسطورة | أساطير )
    | 虚构 | 虛構 | 剧情 | 劇情 | 传说 | 傳說 | 神话 | 架空 | あらすじ | 伝説 | 神話""",
    re.VERBOSE | re.IGNORECASE,
)
_ENCLOSING = re.compile(r"[\"“”„«»「」『』()\[\]（）]")
_BEFORE_WORD = ("(", "[", "¿", "¡", "…", "'", "‘", "$", "€")  # may stand between an opening mark and a word
_OPENING, _CLOSING = "([（「『", ")]）」』"
_NAMELIKE = re.compile(r"[A-Z\d]")


class Quote(NamedTuple):
    """`text[start:end]`; `score` is the share of the claim's weight that it bears, 0..1."""

    start: int
    end: int
    score: float


class Span(NamedTuple):
    """A sentence, item or row of a text.  `row`: of a table with a head."""

    start: int
    end: int
    row: TableRow | None = None
    kind: Kind = "prose"
    is_whole: bool = True  # not a piece of a sentence that was too long, nor one within a quotation or in brackets
    lead_in: str = ""  # the line without a stop right above it, and of a list's item also the heading
    is_framed: bool = False  # does the paragraph speak of a film, a myth or the like before it?


class _ClaimWords(NamedTuple):
    """A claim as its terms, with what each counts; `figures` are those that mean the same in every language."""

    weights: dict[str, float]
    figures: frozenset[str]
    wide: bool


class SourceIndex:
    """A stored text, made ready once to be searched for many claims.

    `page_starts`: where each page of a PDF begins; a quote never runs over the end of a page.
    """

    def __init__(self, text: str, page_starts: Sequence[int] = ()) -> None:
        self.text = text
        self._pages = tuple(page_starts)
        self.units = list(_spans(text))
        self.spans = [(unit.start, unit.end) for unit in self.units]
        self._rows = {index: unit.row for index, unit in enumerate(self.units) if unit.row}
        self._starts = [start for start, _ in self.spans]
        self._places: dict[str, list[int]] = defaultdict(list)
        for index, (start, end, row, *_) in enumerate(self.units):
            for term in _words(" ".join((text[start:end], *row.heads)) if row else text[start:end]):
                self._places[term].append(index)
        self.dates = dates(text)
        self.numbers = values(text, self.dates)
        for term, offset in _figures(self.dates, self.numbers):
            self._place(term, offset)
        self.wide = is_cjk(text)

    def _place(self, figure: str, offset: int) -> None:
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or self.spans[index][1] <= offset:
            return  # it numbers an item
        places = self._places[figure]
        if not places or places[-1] != index:
            places.append(index)

    def page_of(self, offset: int) -> int | None:
        """From 1; None for a text without pages."""
        return bisect_right(self._pages, offset) if self._pages else None

    def best(self, claim: str, limit: int, *, sources: int = 1, heads: Sequence[str] = ()) -> list[Quote]:
        """The passages of one to three sentences that bear most of the claim, best first; `[]` if none bears enough.

        `sources`: how many the claim cites; the more, the less each need bear; 0: whatever they bear.
        `heads`: of a table's cell, the row's and the column's; a table's rows count only if they have one.
        """
        asked = _asked(claim)
        weights = self._weighed(asked)
        total = sum(weights.values())
        if max(asked.weights.values(), default=0.0) < 1:  # nothing but small words
            return []
        held = self._held(weights)
        if heads:
            held = self._of_row(held, heads)
        borne = {index: sum(map(weights.__getitem__, terms)) for index, terms in held.items()}
        ranked = sorted(held, key=lambda index: -borne[index])[: 3 * limit]
        windows = {
            self._widened(index, held, weights, total, most=1 if heads and index in self._rows else _WINDOW)
            for index in ranked
        }
        best = sorted(windows, key=lambda quote: (-quote.score, quote.end - quote.start))[:limit]
        least = ENOUGH_ACROSS if asked.wide != self.wide else ENOUGH
        return [quote for quote in best if quote.score >= (least / min(sources, 2) if sources else 0)]

    def other_figures(self, claim: str, known: Sequence[Quote]) -> Quote | None:
        """Where most of the claim's figures stand that none of the `known` passages has; None where none does."""
        figures = {term for term in _asked(claim).figures if term.startswith("#")}
        have = {term for term in figures for at in self._places.get(term, ()) if self._is_within(at, known)}
        held = self._held(dict.fromkeys(figures - have, 1.0))
        if not known or not held:
            return None
        best = max(held, key=lambda index: (len(held[index]), -index))
        return Quote(*self.spans[best], 0.0)

    def _is_within(self, index: int, quotes: Sequence[Quote]) -> bool:
        start, end = self.spans[index]
        return any(quote.start <= start and end <= quote.end for quote in quotes)

    def within(self, quote: Quote) -> list[int]:
        """The places in `units` of what a quote is made of."""
        first = bisect_right(self._starts, quote.start) - 1
        return list(range(first, bisect_right(self._starts, quote.end - 1)))

    def head_of(self, quote: Quote) -> int:
        """Where the table begins that a quote stands in; the quote's own start where it is no row."""
        at = bisect_right(self._starts, quote.start) - 1
        while at > 0 and at in self._rows and self.units[at - 1].kind == "row":
            at -= 1
        return self._starts[at] if at >= 0 and self.units[at].kind == "row" else quote.start

    def passage(self, quote: Quote) -> str:
        """The quote's text; for a row of a table, below the table's head."""
        row = self.row(quote)
        return f"{' '.join(row.heads) if row else ''} {self.text[quote.start : quote.end]}".strip()

    def row(self, quote: Quote) -> TableRow | None:
        """The row of a table with a head that the quote begins with."""
        return self._rows.get(bisect_right(self._starts, quote.start) - 1)

    def around(self, quote: Quote) -> tuple[int, int]:
        """The quote with the sentence before and the one after it, which may say who "they" are; a row alone."""
        first, last = bisect_right(self._starts, quote.start) - 1, bisect_right(self._starts, quote.end - 1) - 1
        page = self.page_of(quote.start)
        if first in self._rows or last in self._rows:
            return quote.start, quote.end
        before, after = self.spans[max(0, first - 1)], self.spans[min(len(self.spans) - 1, last + 1)]
        start = before[0] if self._is_near(before, quote.start, page) else quote.start
        return start, after[1] if self._is_near(after, quote.end, page) else quote.end

    def _is_near(self, span: tuple[int, int], offset: int, page: int | None) -> bool:
        return self.page_of(span[0]) == page and abs(span[0] - offset) <= _LONGEST

    def _of_row(self, held: dict[int, set[str]], heads: Sequence[str]) -> dict[int, set[str]]:
        """Without the rows of tables that are about something else than the claim's row, or, turned, its column."""
        rows_held = {i: set(map(stem, written(self.text[slice(*self.spans[i])]))) for i in held if i in self._rows}
        kept: set[int] = set()
        for head in heads:
            terms = {token.word for token in tokens(head) if not is_small(token.word)}
            shares = {i: len(terms & found) / (len(terms) or 1) for i, found in rows_held.items()}
            most = max(shares.values(), default=0.0)
            kept |= {i for i, share in shares.items() if share == most >= _HEADED}
        return {i: found for i, found in held.items() if i in kept or i not in rows_held or not kept}

    def _weighed(self, asked: _ClaimWords) -> dict[str, float]:
        """What each term of the claim counts here: the rarer in this text, the more; what is not in it counts too."""
        across = asked.wide != self.wide and asked.figures
        wanted = {t: w for t, w in asked.weights.items() if not across or t in asked.figures}
        count = len(self.spans) + 1
        return {t: w * math.log(1 + count / (0.5 + len(self._places.get(t, "1")))) for t, w in wanted.items()}

    def _held(self, weights: dict[str, float]) -> dict[int, set[str]]:
        """Sentence -> the claim's terms that it holds."""
        held: dict[int, set[str]] = {}
        for term in weights:
            for index in self._places.get(term, ()):
                held.setdefault(index, set()).add(term)
        return held

    def _widened(
        self, index: int, held: dict[int, set[str]], weights: dict[str, float], total: float, most: int
    ) -> Quote:
        first = last = index
        have = set(held[index])
        while last - first + 1 < most:
            gains = [
                (sum(weights[t] for t in held.get(i, set()) - have) / total, i)
                for i in (first - 1, last + 1)
                if 0 <= i < len(self.spans) and self.page_of(self.spans[i][0]) == self.page_of(self.spans[index][0])
            ]
            gain, taken = max(gains, default=(0.0, index))
            if gain < _GAIN:
                break
            have |= held[taken]
            first, last = min(first, taken), max(last, taken)
        score = sum(weights[term] for term in have) / total
        return Quote(self.spans[first][0], self.spans[last][1], round(score, 4))


@lru_cache(maxsize=512)
def _asked(claim: str) -> _ClaimWords:
    said = without_marks(claim)
    weights = {term: _SMALL if is_small(term) else 1.0 for term in _words(said)}
    known = dates(said)
    figures = frozenset([*(term for term, _ in _figures(known, values(said, known))), *_names(said)])
    weights |= dict.fromkeys(figures, _FIGURE)
    return _ClaimWords(weights, figures, is_cjk(said))


def _words(text: str) -> dict[str, None]:
    """Words, each once and in order; of scripts without spaces, pairs of characters."""
    found = dict.fromkeys(map(_word, written(text)))
    found.pop("", None)
    return found | dict.fromkeys(wide_pairs(text)) if is_wide(text) else found


@lru_cache(maxsize=100_000)
def _word(written: str) -> str:
    """The one spelling of a word; "" for a number, and for a character of a script without spaces."""
    spelt = stem(written)
    return "" if is_wide(spelt) or _NUMBER.fullmatch(spelt) else spelt


def _figures(known: Sequence[Date], numbers: Sequence[Quantity]) -> Iterator[tuple[str, int]]:
    """Numbers and dates by their value: `#5500000` for `5.5 million` as for `550万`."""
    for quantity in numbers:
        for value in quantity.values:
            yield f"#{value:.6g}", quantity.start
    for date in known:
        if date.year:
            yield f"#y{date.year}", date.start
        if date.month:
            yield f"#m{date.month}.{date.day}", date.start


def _names(text: str) -> Iterator[str]:
    """Words with a capital or a digit, which look the same in other languages."""
    for token in tokens(text):
        plain = is_wide(token.word) or is_small(token.word) or _NUMBER.fullmatch(token.word)
        if not plain and _NAMELIKE.search(text[token.start : token.end]):
            yield token.word


def _spans(text: str) -> Iterator[Span]:
    """The text's sentences; a row of a table is one, for its cells say nothing by themselves."""
    found = blocks(text)
    tables = rows(text, found)
    lead_in = ""
    for index, block in enumerate(found):
        if index in tables:
            yield Span(block.start, block.end, tables[index] if tables[index].heads else None, block.kind)
        elif block.kind != "rule" and not is_divider(text, block):
            leads = block.kind == "item" or (index > 0 and _leads(text, found[index - 1], block, lead_in))
            yield from _sentences(text, block, lead_in if leads else "")
            lead_in = _introduced(text, block, lead_in)


def _introduced(text: str, block: Block, lead_in: str) -> str:
    """What introduces the block after this one: a heading, or a last line that is no sentence; a list goes on."""
    if block.kind == "item":
        return lead_in
    if block.kind == "heading":
        return text[block.start : block.end]
    *_, (start, end) = split(text, block.start, block.end)
    return "" if STOP.search(text, start, end) else text[start:end]


def _leads(text: str, before: Block, block: Block, lead_in: str) -> bool:
    """Does it introduce a paragraph: with a colon, or on the line above?  Not a speaker's name, a date or the like."""
    is_label = len(lead_in.split()) <= _LABEL and not is_cjk(lead_in)
    is_above = text.count("\n", before.end, block.start) < _BLANK_LINE
    return before.kind != "item" and not is_label and bool(_COLON.search(lead_in) or is_above)


def _sentences(text: str, block: Block, lead_in: str) -> Iterator[Span]:
    depth = 0  # of quotations and brackets that are open
    said = text[block.start : block.end]
    frame = _FRAME.search(text, block.start, block.end)
    framed = frame.start() if frame else block.end
    paired = sum(map(said.count, _OPENING)) == sum(map(said.count, _CLOSING))  # else one is a slip
    for start, end in split(text, block.start, block.end):
        is_open = depth > 0
        for mark in _ENCLOSING.finditer(text, start, end):
            if paired or mark[0] not in _OPENING + _CLOSING:
                depth = max(0, depth + (1 if _opens(text, mark.start(), block.start) else -1))
        if end - start <= _LONGEST:
            yield Span(start, end, None, block.kind, not is_open, lead_in, framed < start)
        else:
            yield from (Span(*piece, None, block.kind, False) for piece in _shortened(text, start, end))
        if block.kind != "item":  # what introduces a list introduces every item, and else one sentence
            lead_in = "" if _ENDED.search(text[start:end]) else text[start:end]


def _opens(text: str, at: int, start: int) -> bool:
    """Does a bracket or quotation mark open something?  Marks of two uses open behind a space and before none;
    French ones have spaces on both sides."""
    if text[at] in _OPENING + _CLOSING:
        return text[at] in _OPENING
    behind_space = at == start or text[at - 1].isspace() or text[at - 1] in _OPENING
    following = text[at + 1 : at + 2]
    return behind_space and (text[at] in "«„" or following.isalnum() or following in _BEFORE_WORD)


def _shortened(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _LONGEST:
        cuts = [m.end() for m in _CUT.finditer(text, start + _LONGEST // 2, start + _LONGEST)]
        cut = cuts[-1] if cuts else start + _LONGEST
        yield start, start + len(text[start:cut].rstrip())
        start = cut
    if text[start:end].strip():
        yield start, end


@lru_cache(
    maxsize=64
)  # an answer is checked more than once; a text of 50,000 characters takes 75 ms and half a megabyte
def _quotable(text: str, page_starts: tuple[int, ...]) -> SourceIndex:
    return SourceIndex(text, page_starts)


def quotable(source: Source, text: str) -> SourceIndex:
    """A source's text, ready to be searched; made once."""
    return _quotable(text, source.page_starts)
