"""A sentence as atoms: words in one spelling, values, and the signs that divide it.

Two sentences say the same word for word if their atoms are equal.  One spelling covers case, typography and Markdown,
and nothing else: no stems, so tense counts, and accents stay (`pagó` is no `pago`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from agent.text.citation_marks import prose
from agent.text.dates import Date, dates
from agent.text.number_words import MAGNITUDES
from agent.text.numbers import Quantity, quantities
from agent.text.tokens import WIDE

PAUSE, QUOTE = ",", '"'
_KEPT = ("<super>", "<sub>", "<fraction>")  # 10⁶ is not 106
INVISIBLE = re.compile(
    "[\u00ad\u0640\u064b-\u0652\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]"
)  # soft hyphen, tatweel, harakat …
_INITIALS = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}")
_ATOM = re.compile(
    rf"(?P<wide>[{WIDE}])|(?P<word>[^\W_{WIDE}]+(?:[.,:](?<=\d.)(?=\d)[^\W_{WIDE}]+)*)"
    r"|(?P<quote>[\"“”„‟«»‹›「」『』]|(?<!\w)['‘’‚](?=\w)|(?<=\w)['’](?!\w))"
    r"|(?P<pause>[,;:()\[\]{}、،؛—|]|[–-](?=\s)|(?<=\s)[–-])"
    r"|(?P<sign>(?<=\d)[–-](?=\d)|…|\.{3}|[^\w\s.!?。！？؟۔।'’‘–-])"
)
_CLOCK = re.compile(
    r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-3])(?:[:.h](?P<minute>[0-5]\d))?\s?(?P<half>[ap])\.?\s?m\b\.?"
    r"|(?<![\w:.,])(?P<hours>[01]?\d|2[0-3])(?::|h(?=\d)|\.(?=\d\d Uhr))(?P<minutes>[0-5]\d)(?![:.]?\d)(?: Uhr)?",
    re.IGNORECASE,
)
_CONTRACTED = re.compile(r"(?<!\w)(?P<verb>\w+)n['’]t\b", re.IGNORECASE)
_FULL_FORM = {"ca": "can", "wo": "will", "sha": "shall"}
_UNIT_LENGTH = 4  # letters: a shorter word behind a number may be a unit, in which case counts
_LETTERS, _DIGIT = re.compile(r"[^\W\d_]+"), re.compile(r"\d")
_POINTED = re.compile(r"\d+(?:\.\d+)+")
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")


class TimeOfDay(NamedTuple):
    """A time of day.  `half`: "a", "p", or "" where 8:15 may be either."""

    minutes: int
    half: str
    start: int
    end: int


Value = Quantity | Date | TimeOfDay


class Atom(NamedTuple):
    """`key` is the one spelling; `start` and `end` count in the sentence as `plain` gives it."""

    key: str
    text: str
    start: int
    end: int
    value: Value | None = None


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """A sentence as a reader sees it, in one typography: no marks, no Markdown, ASCII digits, no full-width letters."""
    told = _CONTRACTED.sub(_full, INVISIBLE.sub("", prose(text)))
    return told if told.isascii() else unicodedata.normalize("NFC", "".join(map(_compatible, told)))


def _full(contracted: re.Match[str]) -> str:
    verb = contracted["verb"]
    return f"{_FULL_FORM.get(verb.lower(), verb)} not"


@lru_cache(maxsize=10_000)
def _compatible(char: str) -> str:
    if char.isascii() or unicodedata.decomposition(char).startswith(_KEPT):
        return char
    digit = unicodedata.digit(char, None) if char.isdecimal() else None
    return str(digit) if digit is not None else unicodedata.normalize("NFKC", char)


@lru_cache(maxsize=8_192)  # a sentence of a page is compared with many claims
def atoms(text: str) -> tuple[Atom, ...]:
    """The atoms of `plain(text)` in order; a value is one atom, whatever words it is written with."""
    told = plain(text)
    found = [Atom(_raw(told, v), told[v.start : v.end], v.start, v.end, v) for v in values(told)]
    taken = {at for atom in found for at in range(atom.start, atom.end)}
    found += [_initials(told, match) for match in _INITIALS.finditer(told) if taken.isdisjoint(range(*match.span()))]
    at = 0
    for start, end in [*sorted((atom.start, atom.end) for atom in found), (len(told), len(told))]:
        found += [Atom(_key(match, told), match[0], *match.span()) for match in _ATOM.finditer(told, at, start)]
        at = end
    return _without_edges(sorted(found, key=lambda atom: atom.start))


def _initials(told: str, match: re.Match[str]) -> Atom:
    """`U.S.` is `US`."""
    return Atom(fold(match[0].replace(".", "")), match[0], *match.span())


def values(told: str) -> list[Value]:
    """Dates, times of day and quantities of a plain text; none overlaps another."""
    clocks = clocks_in(told)
    taken = bytearray(len(told))
    for clock in clocks:
        taken[clock.start : clock.end] = b"\1" * (clock.end - clock.start)
    known = [date for date in dates(told) if taken.find(1, date.start, date.end) < 0]
    return [*clocks, *known, *(q for q in quantities(told, known) if taken.find(1, q.start, q.end) < 0)]


def clocks_in(told: str) -> list[TimeOfDay]:
    return [_clock(match) for match in _CLOCK.finditer(told)]


def _clock(match: re.Match[str]) -> TimeOfDay:
    half = (match["half"] or "").lower()
    hour, minute = int(match["hour"] or match["hours"]), int(match["minute"] or match["minutes"] or 0)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif hour > 12 or hour == 0:
        half = "p" if hour else "a"
    return TimeOfDay(60 * hour + minute, half, match.start(), match.end())


def fold(word: str) -> str:
    """A word without its case; `MB`, `mW` and `US` keep theirs."""
    return word if len(word) < _UNIT_LENGTH and word[1:] != word[1:].lower() else word.casefold()


def _key(match: re.Match[str], told: str) -> str:
    if match["pause"]:
        return PAUSE
    if match["quote"]:
        return QUOTE
    written = match[0]
    if match["sign"]:
        return {"–": "-", "...": "…"}.get(written, written)
    behind_number = told[: match.start()].rstrip()[-1:].isdigit()
    return written if behind_number and len(written) <= _UNIT_LENGTH else fold(written)


def _raw(told: str, value: Value) -> str:
    return "=" + "".join(told[value.start : value.end].split())


def _without_edges(found: list[Atom]) -> tuple[Atom, ...]:
    """Without the pauses at both ends."""
    kept = [at for at, atom in enumerate(found) if atom.key != PAUSE]
    return tuple(found[kept[0] : kept[-1] + 1]) if kept else ()


def same(mine: Atom, theirs: Atom) -> bool:
    """The same word or sign, or the same value, in whatever notation."""
    if mine.key == theirs.key:
        return True
    return bool(mine.value and theirs.value) and _equal(mine, theirs)


def _equal(mine: Atom, theirs: Atom) -> bool:
    one, other = mine.value, theirs.value
    if isinstance(one, Date) and isinstance(other, Date):
        return one[:3] == other[:3] and (one.other, one.decade) == (other.other, other.decade)
    if isinstance(one, TimeOfDay) and isinstance(other, TimeOfDay):
        return bool(one.half and other.half) and one.minutes == other.minutes
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        alike = one.values == other.values and one.dimension == other.dimension
        return alike and not (
            is_label(mine) or is_label(theirs) or _has_unknown_unit(mine) or _has_unknown_unit(theirs)
        )
    return False


def is_label(atom: Atom) -> bool:
    """May it be a version or the number of a section, which are strings: 1.2 is not 1.20?"""
    is_bare = isinstance(atom.value, Quantity) and bool(_POINTED.fullmatch(atom.text))
    return is_bare and not _THOUSANDS.fullmatch(atom.text)


def _has_unknown_unit(atom: Atom) -> bool:
    """Is there a word behind the digits that is neither a magnitude nor a unit we know, such as `Mb`?"""
    if not isinstance(atom.value, Quantity) or atom.value.dimension or not _DIGIT.search(atom.text):
        return False
    return any(word.casefold() not in MAGNITUDES for word in _LETTERS.findall(atom.text))
