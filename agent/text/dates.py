"""The dates in a text, in the forms that people write, and whether two of them agree.

Knows the calendar's words in a few languages.  Does not know what happened on a date.  What a date leaves open (the
day, the month) it does not claim; `05/06/2025` has two readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from agent.text.word_lists import any_of, anywhere, places, spellings

_MONTHS = {
    1: "january januar enero janvier gennaio janeiro januari stycznia января jan ene janv",
    2: "february februar febrero février fevrier febbraio fevereiro februari lutego февраля feb févr fév",
    3: "march märz marz marzo mars março maart marca марта mar mrz",
    4: "april abril avril aprile kwietnia апреля apr abr avr",
    5: "may mai mayo maggio maio mei maja мая",
    6: "june juni junio juin giugno junho czerwca июня jun giu",
    7: "july juli julio juillet luglio julho lipca июля jul juil lug",
    8: "august agosto août aout augustus sierpnia августа aug",
    9: "september septiembre setiembre septembre settembre setembro września сентября sep sept",
    10: "october oktober octubre octobre ottobre outubro października октября oct okt ott",
    11: "november noviembre novembre novembro listopada ноября nov",
    12: "december dezember diciembre décembre decembre dicembre dezembro grudnia декабря dec dez dic déc",
}
_NUMBER_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}
_CAPITAL_ONLY = ("may", "march", "mar", "mai", "nov")  # in small letters they are other words
_MONTH = rf"(?:{any_of(_NUMBER_OF)})\b\.?"
_YEAR = r"(?:1\d|20)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_OF = r"(?:\s++(?:de|del|of|di)\s++|\s*+,?\s*+)"  # taken whole: else a month and 20,000 spaces take ten seconds
_ENDINGS = ("st", "nd", "rd", "th", "er", "º")
_AFTER_NUMBER = rf"(?:{'|'.join(_ENDINGS)}|\.)?"

_MONTHS_ALONE = spellings(_NUMBER_OF)
_MONTHS_WRITTEN = _MONTHS_ALONE | {f"{ending}{month}" for ending in spellings(_ENDINGS) for month in _MONTHS_ALONE}
_YEAR_WRITTEN = re.compile(_YEAR)
_QUARTERS = tuple(f"{letter}{number}" for letter in "Qq" for number in "1234")
_TENS = tuple(f"0{apostrophe}{letter}" for apostrophe in ("", "'", "’") for letter in "sS")
_NO_DAY = r"(?![.,:]\d|\s*(?:%|percent|million))"  # after a number that something else is counted by
# Of each form: a sign that no such date is without, how many characters before the sign the date may begin, and the
# whole.
_FORMS = (
    (
        "year",
        0,
        rf"(?<![\d.])(?P<y>{_YEAR})(?P<sign>[-/.])(?P<m>1[0-2]|0?[1-9])(?P=sign)(?P<d>{_DAY})(?![\d%])",
    ),
    (
        "年",
        6,
        rf"(?P<y>{_YEAR})\s?[年년](?:\s?(?P<m>1[0-2]|0?[1-9])\s?[月월](?:\s?(?P<d>{_DAY})\s?[日號号일])?)?(?!代)",
    ),
    ("月", 4, rf"(?<!\d)(?P<m>1[0-2]|[1-9])\s?[月월](?:\s?(?P<d>{_DAY})\s?[日號号일])(?!\d)"),
    ("year", 6, rf"(?<![\d.,/-])(?P<one>{_DAY})(?P<sign>[./-])(?P<two>{_DAY})(?P=sign)(?P<y>{_YEAR})(?![\d%])"),
    ("month", 20, rf"(?<![\d.,])(?P<d>{_DAY}){_AFTER_NUMBER}{_OF}(?P<month>{_MONTH})(?:{_OF}(?P<y>{_YEAR})\b)?"),
    ("month", 0, rf"\b(?P<month>{_MONTH})\s*(?P<d>{_DAY})(?:st|nd|rd|th)?\b{_NO_DAY}(?:,?\s*(?P<y>{_YEAR})\b)?"),
    ("month", 0, rf"\b(?P<month>{_MONTH}){_OF}(?P<y>{_YEAR})\b"),
    ("quarter", 0, rf"\bQ(?P<quarter>[1-4])\s*(?:of\s*|/)?(?P<y>{_YEAR})\b"),
    ("year", 0, rf"(?<![\w.,$€£¥-])(?P<y>{_YEAR})(?P<decade>['’]?s\b|er\b(?=\s+Jahre)|年代)"),
    ("tens", 2, r"(?<![\w.,$€£¥-])['’]?(?P<tens>[2-9]0)(?P<decade>['’]?s)\b"),
    ("year", 0, rf"(?<![\w.,$€£¥-])(?P<y>{_YEAR})[-–/](?P<next>\d\d)(?![\w%.,:/–-])"),
    ("year", 0, r"(?<![\w.,/$€£¥#+-])(?P<y>(?:1[5-9]|20)\d\d)(?![\w%$€£¥°]|[.,:]\d)"),
)
_PATTERNS = [(sign, before, re.compile(form, re.IGNORECASE)) for sign, before, form in _FORMS]
_BEGINNING = frozenset("0123456789'’")  # of a date that begins before its sign
_BARE_YEAR = _PATTERNS[-1][2]
# A bare number of four digits is a year after one of these, or where no word follows that it could count.
_IN_A_YEAR = """
    in since until till during year circa early late mid jahr jahre im seit en desde hasta año depuis vers nel dal em
    sinds spring summer autumn fall winter ended fiscal fy
"""
_BEFORE_YEAR = frozenset(_IN_A_YEAR.split())
_NOT_A_WORD = re.compile(r"\W")
_COUNTED = re.compile(
    r"\s+(?!(?:and|or|to|when|was|were|is|the|a|at|in|on|by|with|und|wurde|war|y|et|che|as|for|it|after|before|he|she|had|"
    r"has|until|through|bis|hasta|edition|season)\b)[^\W\d_]{3}",
    re.IGNORECASE,
)


class Date(NamedTuple):
    """`text[start:end]`; `month` and `day` are 0 where they are left open, and `year` too (`5 May`).

    `other`: the second reading of `05/06/2025` as (month, day); `decade`: it names ten years, not one.
    """

    year: int
    month: int
    day: int
    start: int
    end: int
    other: tuple[int, int] | None = None
    decade: bool = False


def dates(text: str) -> list[Date]:
    """The dates in order; where two forms fit the same place, the fuller one."""
    found: list[Date] = []
    taken = bytearray(len(text))
    for match in _matches(text):
        is_bare_year = match.re is _BARE_YEAR
        start, end = match.span()
        if not any(taken[start:end]) and not (is_bare_year and not _is_year(text, match)):
            found += _date(match)
            taken[start:end] = b"\1" * (end - start)
    return sorted(found, key=lambda date: date.start)


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Form by form, each from left to right."""
    signs = _signs(text)
    for sign, before, form in _PATTERNS:
        end = 0
        for place in signs[sign]:
            if place < end:
                continue
            match = _matched(form, text, max(end, place - before), place) if before else form.match(text, place)
            if match:
                end = match.end()
                yield match


def _matched(form: re.Pattern[str], text: str, first: int, last: int) -> re.Match[str] | None:
    """The match that begins first, between a number and the sign after it."""
    for start in range(first, last + 1):
        if (start == last or text[start] in _BEGINNING) and (match := form.match(text, start)):
            return match
    return None


def _signs(text: str) -> dict[str, list[int]]:
    """Kind of sign -> where such signs stand, in order; each is found fast."""
    return {
        "month": places(text, _MONTHS_WRITTEN),
        "year": [found.start() for found in _YEAR_WRITTEN.finditer(text)],
        "年": anywhere(text, "年년"),
        "月": anywhere(text, "月월"),
        "quarter": anywhere(text, _QUARTERS),
        "tens": anywhere(text, _TENS),
    }


def agree(one: Date, other: Date) -> bool | None:
    """True: `other` says all that `one` says.  False: they differ in what both say.  None: `other` leaves it open."""
    if one.decade or other.decade:
        return _decades_agree(one, other)
    differ = [_parts(one, reading) for reading in (0, 1)]
    verdicts = {_compare(a, b) for a in differ for b in (_parts(other, reading) for reading in (0, 1))}
    return True if True in verdicts else None if None in verdicts else False


def _date(match: re.Match[str]) -> Iterator[Date]:
    group = match.groupdict()
    year, day = int(group.get("y") or 0), int(group.get("d") or 0)
    if group.get("tens"):
        year = 1900 + int(group["tens"])
    if group.get("next"):
        yield from _season(match)
        return
    written = (group.get("month") or "").rstrip(".")
    if written in _CAPITAL_ONLY:
        return
    month = _NUMBER_OF.get(written.lower(), 0) or int(group.get("m") or 0)
    other = None
    if group.get("one"):
        other = _second_reading(int(group["one"]), int(group["two"]))
        day, month = (
            (int(group["one"]), int(group["two"]))
            if int(group["two"]) <= 12
            else (int(group["two"]), int(group["one"]))
        )
    if group.get("quarter"):
        month = -int(group["quarter"])  # a quarter stands as a negative month: it equals itself alone
    if month <= 12:
        yield Date(year, month, day, match.start(), match.end(), other, decade=bool(group.get("decade")))


def _season(match: re.Match[str]) -> Iterator[Date]:
    """`2018–19` as the two years that it runs over; `2018-45` is none."""
    year, last = int(match["y"]), int(match["next"])
    if last == (year + 1) % 100:
        yield Date(year, 0, 0, match.start(), match.end("y"))
        yield Date(year + 1, 0, 0, match.start("next"), match.end())


def _second_reading(one: int, two: int) -> tuple[int, int] | None:
    """Of `one/two` as (month, day), if it can be read with the month first as well as with the day first."""
    return (one, two) if one <= 12 and two <= 12 and one != two else None


def _is_year(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 20) : match.start()]
    word = _NOT_A_WORD.split(before.rstrip())[-1] if before[-1:].isspace() else ""
    return word.lower() in _BEFORE_YEAR or not _COUNTED.match(text, match.end())


def _parts(date: Date, reading: int) -> tuple[int, int, int]:
    if reading and date.other:
        return date.year, date.other[0], date.other[1]
    return date.year, date.month, date.day


def _compare(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool | None:
    is_open = False
    if one[1] < 0 < other[1]:  # a quarter holds the months of its own
        one = (one[0], other[1] if _quarter(other[1]) == -one[1] else one[1], 0)
    elif other[1] < 0 < one[1] and _quarter(one[1]) == -other[1]:
        other = (other[0], 0, 0)
    for mine, theirs in zip(one, other, strict=True):
        if mine and theirs and mine != theirs:
            return False
        is_open = is_open or bool(mine and not theirs)
    return None if is_open else True


def _quarter(month: int) -> int:
    return (month + 2) // 3


def _decades_agree(one: Date, other: Date) -> bool | None:
    if one.decade and other.decade:
        return one.year == other.year
    if not one.year or not other.year:
        return None
    if _is_century(one) or _is_century(other):
        return None if one.year // 100 == other.year // 100 else False
    same = one.year // 10 == other.year // 10
    return (True if one.decade else None) if same else False


def _is_century(date: Date) -> bool:
    """`the 1900s` may be ten years or a hundred."""
    return date.decade and date.year % 100 == 0
