"""The figures, dates, names and quoted words of a claim that stand in none of its cited sources.

A sign beside the verdict: it says what is not there, in whatever notation, not what follows from that.  So it
is generous in what it finds: a number may be rounded or in another unit's notation, of a name one word is enough.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from agent.text import dates, numbers
from agent.text.citation_marks import without_marks
from agent.text.dates import Date
from agent.text.language import detect
from agent.text.number_words import MAGNITUDES
from agent.text.numbers import Quantity
from agent.text.tokens import is_small, is_wide, stem, tokens, written
from agent.types import Source
from agent.verify.clauses import Atom, TimeOfDay, Value, clocks_in, is_label, plain, values
from agent.verify.quotes import SourceIndex, quotable

_QUOTED = re.compile(
    r"[“„«「『](?P<words>[^\"“”„«»「」『』]{3,})[”“»」』]|(?<!\w)\"(?=\S)(?P<straight>[^\"“”]{3,}?)(?<=\S)\"(?!\w)"
)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_OPENS = re.compile(r"(?:^|[.!?:;。！？：；\n]|[\"“„«(]|\|)\s*\Z")
_QUOTES = '“„«「『"'
_RUN_OF_NAMES = re.compile(r"[A-Z][\w.]*(?: (?:of |and |the |for |de |und |y |et )?[A-Z][\w.]*)+")
_WORD_OF_NAME = re.compile(r"[A-Z][\w.]*")
_QUARTERS = frozenset(stem(word) for word in ("quarter", "quarterly", "quartal", "quartals", "trimestre", "季"))
_PREFIX = 4  # letters: `German` stands where `Germany` does
_ARTICLES = frozenset(stem(word) for word in ("the", "a", "an", "der", "die", "das", "el", "la", "le", "les", "il"))
_LONGEST_LINK = 4  # letters of the words that have no capital in titles
_SHOWN_INSTEAD = 2


class Figure(NamedTuple):
    """`text` as the claim has it; `value` is None for a name or quoted words."""

    text: str
    start: int
    value: Value | None = None


class Stock:
    """What a source has of figures, names and words: its stored text, title, site and dates."""

    def __init__(self, text: str, about: str = "", ready: SourceIndex | None = None) -> None:
        """`about`: what is said of the source beside its text.  `ready`: the text, where it was read already."""
        self._text = plain_text(f"{text}\n{about}")
        self._about = about
        self._ready = ready if text.isascii() else None  # digits of other scripts are no digits to it

    @cached_property
    def _values(self) -> list[Value]:
        if self._ready is None:
            return values(self._text)
        return [*clocks_in(self._text), *self._ready.dates, *self._ready.numbers, *values(self._about)]

    @cached_property
    def _numbers(self) -> list[float]:
        """All readings of all numbers, in order; the parts of dates count as numbers, too."""
        of_dates = [float(part) for v in self._values if isinstance(v, Date) for part in (v.year, v.day) if part]
        quantities = [number for v in self._values if isinstance(v, Quantity) for number in v.values]
        return sorted([*of_dates, *quantities])

    @cached_property
    def _written(self) -> frozenset[str]:
        return frozenset(_DIGITS.findall(self._text))

    @cached_property
    def _words(self) -> frozenset[str]:
        found = {stem(word) for word in set(written(self._text))}
        return frozenset(found | {word[:_PREFIX] for word in found})

    @cached_property
    def _line(self) -> str:
        return _spelt(plain.__wrapped__(self._text))

    @cached_property
    def _initials(self) -> frozenset[str]:
        """Of runs of words with capitals: `nasm` for the National Air and Space Museum."""
        runs = (_WORD_OF_NAME.findall(run) for run in _RUN_OF_NAMES.findall(self._text))
        return frozenset("".join(word[0] for word in run).lower() for run in runs if len(run) > 1)

    def has(self, figure: Figure) -> bool:
        match figure.value:
            case Quantity():
                return self._has_number(figure, figure.value)
            case Date():
                return self._has_date(figure.value)
            case TimeOfDay():
                return any(_is_time(figure.value, other) for other in self._values)
        if figure.text[:1] in _QUOTES:
            return _spelt(figure.text) in self._line or (_is_title(figure.text) and self._has_name(figure.text))
        return figure.text in self._text if is_wide(figure.text) else self._has_name(figure.text)

    def _has_name(self, name: str) -> bool:
        """One of its words stands there, or its initials do, or a name of which it is the initials."""
        words = [token.word for token in tokens(name)]
        if any(word in self._words or word[:_PREFIX] in self._words for word in words):
            return True
        initials = "".join(word[0] for word in words)
        return name.replace(".", "").lower() in self._initials | self._words or initials in self._words - {initials[:1]}

    def _has_number(self, figure: Figure, wanted: Quantity) -> bool:
        written = _DIGITS.findall(figure.text)
        has_magnitude = any(word.lower() in MAGNITUDES for word in _LETTERS.findall(figure.text))
        if written and set(written) <= self._written and not has_magnitude:
            return True
        if is_label(Atom("", figure.text, 0, 0, wanted)):
            return False
        return any(self._is_near(value, wanted.step) for value in wanted.values) or any(
            numbers.agree(wanted, told) for told in self._values if isinstance(told, Quantity)
        )

    def _is_near(self, value: float, step: float) -> bool:
        """Is there a number that rounds to it?"""
        off = 0.5 * step if abs(value) >= 10 * step else 1e-9 * abs(value)  # 5 is no rounding of 4.6
        at = bisect_left(self._numbers, value - off)
        return at < len(self._numbers) and self._numbers[at] <= value + off

    def _has_date(self, wanted: Date) -> bool:
        told = [date for date in self._values if isinstance(date, Date)]
        if any(dates.agree(wanted, date) for date in told):
            return True
        year = any(date.year == wanted.year for date in told) or str(wanted.year) in self._written
        if wanted.decade:
            return any(date.year // 10 == wanted.year // 10 for date in told)
        if wanted.month < 0:  # a quarter is written in many ways
            return year and (not self._words.isdisjoint(_QUARTERS) or f"q{-wanted.month}" in self._words)
        if not wanted.month:
            return year
        day = any(dates.agree(wanted._replace(year=0), date) for date in told)
        return day and (year or not wanted.year)


def _spelt(text: str) -> str:
    """The words in one spelling, each between spaces; a title's article goes."""
    words = [token.word for token in tokens(text)]
    return f" {' '.join(words[1:] if len(words) > 1 and words[0] in _ARTICLES else words)} "


def _is_title(quoted: str) -> bool:
    """Is it the name of a work: does each longer word have a capital?"""
    words = [word for word in _LETTERS.findall(quoted) if len(word) > _LONGEST_LINK]
    return bool(words) and all(word[0].isupper() for word in words)


def stock_of(source: Source, text: str) -> Stock:
    about = (source.title, source.site, source.url, source.published or "", source.author)
    return _stock(text, "\n".join(about), source)


@lru_cache(maxsize=64)
def _stock(text: str, about: str, source: Source) -> Stock:
    return Stock(text, about, quotable(source, text))


def plain_text(text: str) -> str:
    """A stored text with its digits as 0 to 9, length for length."""
    return text if text.isascii() else text.translate(_DIGITS_OF_ALL)


class _Digits(dict[int, int]):
    def __missing__(self, code: int) -> int:
        char = chr(code)
        self[code] = ord("0") + int(char) if char.isdecimal() else code
        return self[code]


_DIGITS_OF_ALL = _Digits()


def missing_and_found(claim: str, sources: Sequence[tuple[Source, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The claim's figures, dates, names and quoted words that stand in none of its sources, and the others."""
    stocks = [stock_of(source, text) for source, text in sources]
    missing: dict[str, None] = {}
    found: dict[str, None] = {}
    for figure in figures_of(claim):
        there = any(each.has(figure) for each in stocks)
        (found if there else missing)[figure.text] = None
    return tuple(missing), tuple(text for text in found if text not in missing)


def said_instead(missing: Sequence[str], passage: str) -> list[str]:
    """The values of a passage that are of the kind of a missing one: one or two, where there are no more."""
    gone = [figure.value for text in missing for figure in figures_of(text) if figure.value]
    told = plain(passage)
    theirs = dict.fromkeys(told[v.start : v.end] for v in values(told) if any(_is_alike(v, one) for one in gone))
    return list(theirs) if len(theirs) <= _SHOWN_INSTEAD else []


def _is_alike(one: Value, other: Value) -> bool:
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return one.dimension == other.dimension
    return type(one) is type(other)


def _is_time(wanted: TimeOfDay, other: Value) -> bool:
    if not isinstance(other, TimeOfDay):
        return False
    unsure = not (wanted.half and other.half)
    return wanted.minutes == other.minutes or (unsure and (wanted.minutes - other.minutes) % 720 == 0)


# ------------------------------------------------------------------------------------------------- of a claim


@lru_cache(maxsize=1_024)
def figures_of(claim: str) -> tuple[Figure, ...]:
    """In order; a number in words only where it has a unit or a magnitude, for "two of them" may be counted."""
    told = plain(without_marks(claim))
    found = [Figure(told[v.start : v.end], v.start, v) for v in values(told) if _is_figure(told, v)]
    found += [Figure(match[0], match.start()) for match in _QUOTED.finditer(told)]
    taken = bytearray(len(told) + 1)
    for figure in found:
        taken[figure.start : figure.start + len(figure.text)] = b"\1" * len(figure.text)
    found += [name for name in _names(told) if not any(taken[name.start : name.start + len(name.text)])]
    return tuple(sorted(found, key=lambda figure: figure.start))


def _is_figure(told: str, value: Value) -> bool:
    written = told[value.start : value.end]
    return not isinstance(value, Quantity) or any(c.isdigit() for c in written) or " " in written


def _names(told: str) -> Iterator[Figure]:
    """Runs of words with a capital; one that opens a sentence only before another.  Of German, where every noun has a
    capital, only words with a digit or more than one capital."""
    german = detect(told) == "de"
    words = [match for match in _WORD.finditer(told) if _has_capital(match[0], german=german)]
    runs: list[list[re.Match[str]]] = []
    for match in words:
        if runs and told[runs[-1][-1].end() : match.start()] == " ":
            runs[-1].append(match)
        else:
            runs.append([match])
    for run in runs:
        if (
            len(run) > 1
            or any(c.isupper() or c.isdigit() for c in run[0][0][1:])
            or not _opens_sentence(told, run[0].start())
        ):
            yield Figure(told[run[0].start() : run[-1].end()], run[0].start())


def _opens_sentence(told: str, at: int) -> bool:
    return bool(_OPENS.search(told, max(0, at - 3), at))


def _has_capital(word: str, *, german: bool) -> bool:
    if is_wide(word) or is_small(word.casefold()):
        return False
    if word[0].isdigit():
        return False  # `4Q`
    inside = any(c.isupper() for c in word[1:]) or (word[0].isupper() and any(c.isdigit() for c in word))
    return inside or (word[0].isupper() and not german)
