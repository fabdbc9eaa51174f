"""The quantities in a text: value, unit, how exactly they are told, and whether two of them agree.

Knows digits in the spellings of several languages, number words, magnitudes, currencies, percentages and units of
measure.  Does not know what is counted.  Where a spelling has two readings (`1.500`), both are kept: two quantities
agree if any of their readings do, and differ only if none do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

from agent.text.dates import Date, dates
from agent.text.language import detect
from agent.text.number_words import CASED_UNITS, CURRENCIES, MAGNITUDES, NUMBER_WORDS, UNITS, wide_number
from agent.text.word_lists import any_of, has_any, in_any_case, places, spellings

_COMMA_LANGUAGES = frozenset(
    ("de", "es", "fr", "it", "pt", "nl", "ru", "uk", "pl", "cs", "sv", "da", "no", "fi", "tr", "ro")
)
_SPACE = "[ \u00a0\u202f\u2009]"
_DIGITS = rf"\d{{1,3}}(?:(?P<group>[,.'’]|{_SPACE})\d{{3}})(?:(?P=group)\d{{3}})*(?!\d)(?:[.,]\d+)?|\d+(?:[.,·]\d+)?"
_CURRENCY = r"US\$|A\$|C\$|HK\$|[$€£¥₹₩￥]|USD|EUR|GBP|CNY|RMB|JPY|INR|CHF"
_ASCII = re.compile(r"[\x00-\u024f]*")


_MAGNITUDE = any_of(word for word in MAGNITUDES if _ASCII.fullmatch(word))
_UNIT = any_of(word for word in UNITS if _ASCII.fullmatch(word))
_WIDE_UNIT = any_of(word for word in UNITS if not _ASCII.fullmatch(word))
_WORD = any_of(NUMBER_WORDS)
_WIDE = "[零〇一二两三四五六七八九十百千万亿兆億萬]"
_WIDE_TIMES = "百千万萬亿億兆천만억조"
_TIMES_SPELT = f"[{_WIDE_TIMES}]|백(?=[천만억조])"  # alone 백 is as likely the beginning of a word: `19 백신`
_COUNTER = "[倍成个個名位次年天小分美元%项項款种種家人台篇]"
_QUANTITY = re.compile(
    rf"(?P<currency>(?=[UACHEGRJI$€£¥₹₩￥])(?:{_CURRENCY}){_SPACE}?)?"
    r"(?P<sign>(?<![\w)])[-−+])?"
    rf"(?:(?P<digits>(?<![A-Za-z0-9_.])(?:{_DIGITS}))|(?P<word>\b(?:{_WORD})(?:-(?:{_WORD}))?\b)"
    rf"|(?P<wide>{_WIDE}{{2,}}|{_WIDE}(?={_COUNTER})))"
    rf"(?P<half>{_SPACE}?[½¼¾])?"
    rf"(?P<times>(?:(?:{_SPACE}|-){{0,3}}(?:{_MAGNITUDE})(?![^\W_])\.?|{_SPACE}?(?:{_TIMES_SPELT})+){{1,2}})?"
    rf"(?:(?:{_SPACE}|-)?(?P<unit>(?:{_UNIT})(?![^\W_])|(?:{_WIDE_UNIT})))?",
    re.IGNORECASE,
)
_TIMES = re.compile(rf"[{_WIDE_TIMES}백]+|[^\W\d_{_WIDE_TIMES}백]+")
# What a quantity has at its heart, and what may stand before that: the whole form is tried nowhere else.
_DIGIT_HEART = re.compile(rf"[\d{_WIDE[1:-1]}](?:(?<=\d)\d+)?")
_WORD_HEARTS = spellings(NUMBER_WORDS)
_NEXT_HEART = 40  # characters: in one number no two of them are further apart; between them are two magnitudes at most
_LEAD = re.compile(rf"(?:(?:{_CURRENCY}){_SPACE}?)?[-−+]?\Z", re.IGNORECASE)
_LONGEST_LEAD = 5  # characters
_LEAD_ENDS = re.compile(rf"[-−+$€£¥₹₩￥DRPYBFdrpybf]{_SPACE}?")
_HYPHENED = re.compile(r"(?<![\w.])[^\W\d_][\w.]*(?:[-_/][\w.]+)*[-_/]\Z")  # before a number: `Qwen2.5-`7B, `GPT-`4
_EITHER = re.compile(r"\d{1,3}[.,]\d{3}")  # thousands or a fraction: that depends on the language
_GROUPS = re.compile(rf"{_SPACE}|['’]")  # what stands between thousands
_JOINTS = ("-", "_", "/")
_BARE = re.compile(rf"(?:{_CURRENCY})?{_SPACE}?\d+(?:[.,]\d+)?", re.IGNORECASE)
_PER_CENT = re.compile(rf"百分之(?P<digits>\d+(?:\.\d+)?|{_WIDE}+)")
# Looked for from what joins the two numbers: an alternation of all number words at every word would be slow.
_SLASHED = re.compile(r"/\s?(?P<bottom>\d{1,4})(?![\w/%])")
_ABOVE = re.compile(r"(?<![\w/.])\d{1,3}(?=\s?$)")
_OUT_OF = re.compile(rf" (?:in|out of|von|de cada|sur) (?P<of>\d+|{_WORD})\b(?!-|[.,]\d|\s*(?:{_MAGNITUDE})\b)")
_TOP = re.compile(rf"(?<![\w.,/])(?:\d+|one|uno|un|einer|eine|ein|{_WORD})$", re.IGNORECASE)
_LONGEST_TOP = 16  # characters
_PARTS_OF = {  # what a whole is cut into: `two thirds`, `drei Viertel`, `dos tercios`, `三分之二`
    word: parts
    for parts, words in {
        3: "third thirds drittel dritteln tercio tercios",
        4: "quarter quarters viertel vierteln cuarto cuartos",
        5: "fifth fifths fünftel fünfteln quinto quintos",
        6: "sixth sixths sechstel sechsteln",
        8: "eighth eighths achtel achteln octavo octavos",
        10: "tenth tenths zehntel zehnteln décimo décimos",
    }.items()
    for word in words.split()
}
_PARTS_WRITTEN = spellings(_PARTS_OF)
_PART = re.compile(
    rf"[ -](?P<parts>{any_of(_PARTS_OF)}|{any_of(word.title() for word in _PARTS_OF)})\b"
    r"(?P<of>\s+(?:of|der|des|von|de|del)\b)?"
)
_WIDE_PART = re.compile(rf"(?P<parts>\d+|{_WIDE}+)分之(?P<top>\d+|{_WIDE}+)")
_NO_SHARE = ("quarter", "quarters", "cuarto", "quinto", "third", "fifth", "sixth", "eighth", "tenth")  # also: ordinals
_HALVES = ("half a", "half an", "medio", "eine halbe", "einer halben")
_HALVED = spellings(("million", "billion", "millón", "milliarde"))
_HALF = re.compile(rf"(?:{any_of(in_any_case(_HALVES))}) (?P<many>[Mm]illion|billion|millón|Milliarde)\b")
_ENDINGS = ("st", "nd", "rd", "th", "ª", "º", "ème")
_ORDINAL = re.compile(rf"(?P<digits>\d{{1,4}}+)(?:{any_of(in_any_case(_ENDINGS))})\b")
_WIDE_ORDINAL = re.compile(r"第(?P<digits>\d+|[一二三四五六七八九十百]+)")
_ROUNDED = 0.05  # of the value: more than that apart is another number, whatever its zeros
_RANGE = re.compile(r"\s?(?:-|–|—|~|～|至|到)\s?|\s(?:to|bis|a|à|and|und|y|et)\s", re.IGNORECASE)
_WIDEST_RANGE = 5  # characters
_SIGN = r"\s*(?:(?:US)?[$€£¥])?\s*$"
_ABOUT = re.compile(
    r"(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|circa|ca\.|close to|estimated|~|≈|"
    r"etwa|rund|ungefähr|fast|knapp|gut|unos|unas|cerca de|casi|alrededor de|aproximadamente|environ|près de|quasi|"
    rf"约|約|大约|大約|近|将近){_SIGN}",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:over|more than|above|exceeding|exceeds?|at least|no less than|upwards of|a minimum of|>|≥|>=|mehr als|über|"
    r"mindestens|más de|al menos|por lo menos|como mínimo|plus de|au moins|超过|超過|至少|多于|不少于|逾)" + _SIGN,
    re.IGNORECASE,
)
_LESS = re.compile(
    r"(?:under|less than|fewer than|below|up to|at most|no more than|a maximum of|<|≤|<=|weniger als|unter|höchstens|"
    r"maximal|bis zu|menos de|hasta|como máximo|a lo sumo|moins de|au plus|jusqu'à|不到|少于|低于|不超过|至多|最多)"
    + _SIGN,
    re.IGNORECASE,
)
_PLUS = re.compile(r"\s?(?:\+|or more|oder mehr|o más|ou plus|以上)(?!\w)")


class Quantity(NamedTuple):
    """`text[start:end]`.  `values`: its readings in the base unit of `dimension` (`` where the unit is none we know).

    `step`: what its last digit stands for.  `bound`: `>` for "more than", `<` for "up to"; `about`: told as inexact.
    """

    values: tuple[float, ...]
    dimension: str
    step: float
    start: int
    end: int
    bound: str = ""
    about: bool = False
    in_range: bool = False


class _Form(NamedTuple):
    """The parts of a match of `_QUANTITY`, as written; None for what is not there."""

    currency: str | None
    sign: str | None
    digits: str | None
    word: str | None
    wide: str | None
    half: str | None
    times: str | None
    unit: str | None


def quantities(text: str, known: Sequence[Date] | None = None) -> list[Quantity]:
    """The quantities in order.  Dates, versions and numbers that belong to a name (`R1`, `GPT-4`) are left out.

    `known`: the text's dates, where they were read already.
    """
    return [_told(text, quantity) for quantity in values(text, known)]


def values(text: str, known: Sequence[Date] | None = None) -> list[Quantity]:
    """The same without looking at how exactly each is told, in half the time."""
    taken = bytearray(len(text))
    for date in dates(text) if known is None else known:
        _take(taken, date.start, date.end)
    hearts = _outside(taken, _hearts(text))
    found: list[Quantity] = []
    kinds = _per_cents(text), _fractions(text), _halves(text), _ordinals(text, hearts), _plain(text, hearts, taken)
    for kind in kinds:
        for quantity in kind:
            if _is_free(taken, quantity.start, quantity.end):
                found.append(quantity)
                _take(taken, quantity.start, quantity.end)
    found.sort(key=lambda q: q.start)
    return list(_ranged(text, found))


def _take(taken: bytearray, start: int, end: int) -> None:
    taken[start:end] = b"\1" * (end - start)


def _is_free(taken: bytearray, start: int, end: int) -> bool:
    return taken.find(1, start, end) < 0


def _outside(taken: bytearray, hearts: list[int]) -> list[int]:
    """Without those in dates; the last one in a date stays where its number may go on behind the date."""
    return [at for at, after in pairwise([*hearts, len(taken)]) if not taken[at] or _goes_beyond(taken, at, after)]


def _goes_beyond(taken: bytearray, at: int, after: int) -> bool:
    return after - at <= _NEXT_HEART and after < len(taken) and not taken[after]


@lru_cache(maxsize=4_096)  # a claim is laid beside many passages, in several arrangements
def agree(claimed: Quantity, told: Quantity) -> bool | None:
    """True: what is claimed follows from what is told, rounding allowed.  False: they differ.  None: not comparable."""
    if claimed.dimension and told.dimension and claimed.dimension != told.dimension:
        return None
    pairs = list(product(claimed.values, told.values))
    if claimed.bound or told.bound:
        verdicts = {_bounds_agree(claimed, told, mine, theirs) for mine, theirs in pairs}
    else:
        verdicts = {_are_close(claimed, told, mine, theirs) for mine, theirs in pairs}
    if True in verdicts:
        return True if claimed.in_range or not told.in_range else None
    unsure = told.in_range != claimed.in_range or bool(claimed.dimension) != bool(told.dimension)
    near = told.about and any(abs(mine - theirs) <= 2 * _ROUNDED * abs(theirs) for mine, theirs in pairs)
    return None if None in verdicts or unsure or near else False


def _are_close(claimed: Quantity, told: Quantity, mine: float, theirs: float) -> bool | None:
    """Equal, or what is told rounded to as many digits as are claimed.  None: rounded, but more than a reader likes."""
    away = abs(mine - theirs) - 1e-9 * max(abs(mine), abs(theirs))
    digit = claimed.step if claimed.step > told.step else 0.0
    allowed = _ROUNDED * abs(theirs)
    if away <= (allowed if claimed.about and _digits(mine) < _digits(theirs) else min(0.500001 * digit, allowed)):
        return True
    return None if away <= digit else False  # cut off rather than rounded: 5.5 of 5.576


def _digits(value: float) -> int:
    """How many digits a value is told with: 1 for 900, 3 for 907."""
    return len(f"{value:.12g}".replace(".", "").replace("-", "").strip("0")) or 1


def _bounds_agree(claimed: Quantity, told: Quantity, mine: float, theirs: float) -> bool | None:
    equal = _are_close(claimed, told, mine, theirs)
    if claimed.bound == told.bound:
        return bool(equal)
    if not claimed.bound:  # the source says "over 500": it gives no number, but it excludes some
        excluded = mine < theirs if told.bound == ">" else mine > theirs
        return False if excluded and not equal else None
    if told.bound:
        return None
    inside = theirs >= mine if claimed.bound == ">" else theirs <= mine
    if not inside:
        return False
    return True if 0.5 * mine <= theirs <= 2 * mine else None  # "over 500" of 5,000 is true and says the wrong thing


def _plain(text: str, hearts: Sequence[int], taken: bytearray) -> Iterator[Quantity]:
    comma = None
    for match in _matches(text, hearts):
        start, end = match.span()
        if not _is_free(taken, start, end) or _is_part_of_a_name(text, match):
            continue
        if comma is None and _EITHER.fullmatch(match["digits"] or ""):
            comma = detect(text) in _COMMA_LANGUAGES
        numbers, dimension, step = _read(_form(match), comma=bool(comma))
        yield Quantity(numbers, dimension, step, start, end)


def _hearts(text: str) -> list[int]:
    """Where digits, or a word for a number, begin, in order; some are none."""
    return sorted([*(digits.start() for digits in _DIGIT_HEART.finditer(text)), *places(text, _WORD_HEARTS)])


def _matches(text: str, hearts: Sequence[int]) -> Iterator[re.Match[str]]:
    """All matches of `_QUANTITY` that have one of these at heart, from left to right."""
    end = 0
    for at in hearts:
        if at < end:
            continue
        start = at
        if _LEAD_ENDS.search(text, max(end, at - 2), at) and (
            lead := _LEAD.search(text, max(end, at - _LONGEST_LEAD), at)
        ):
            start = lead.start()
        match = _QUANTITY.match(text, start)
        while match is None and start < at:
            start += 1
            match = _QUANTITY.match(text, start)
        if match:
            end = match.end()
            yield match


def _form(match: re.Match[str]) -> _Form:
    return _Form(*match.group(*_Form._fields))


@lru_cache(maxsize=10_000)
def _read(form: _Form, *, comma: bool) -> tuple[tuple[float, ...], str, float]:
    """The readings, the dimension, and what the last digit stands for."""
    numbers, step = _readings(form, comma=comma)
    dimension, factor = _unit(form)
    factor *= _times(form)
    sign = -1.0 if form.sign in ("-", "−") else 1.0
    return tuple(sign * number * factor for number in numbers), dimension, step * factor


def _is_part_of_a_name(text: str, match: re.Match[str]) -> bool:
    start, end = match.start(), match.end()
    hyphened = text[max(0, start - 1) : start] in _JOINTS and bool(_HYPHENED.search(text, max(0, start - 40), start))
    if (hyphened and not match["currency"]) or (match["word"] and not _is_number_word(text, match)):
        return True
    following = text[end : end + 1]
    return match["digits"] is not None and following.isascii() and following.isalpha()


def _is_number_word(text: str, match: re.Match[str]) -> bool:
    """`Two` may open a sentence; elsewhere `Seven` may be a film."""
    word, start = match["word"], match.start("word")
    return word.islower() or (word.istitle() and (start == 0 or text[max(0, start - 2)] in ".!?\n"))


def _readings(form: _Form, *, comma: bool) -> tuple[list[float], float]:
    """What the number may be, before magnitude and unit, and the value of one of its last digit."""
    if form.word:
        return [sum(NUMBER_WORDS[part] for part in form.word.lower().split("-"))], 1.0
    if form.wide:
        return [wide_number(form.wide)], 1.0
    digits = _GROUPS.sub("", form.digits or "").replace("·", ".")
    half = {"½": 0.5, "¼": 0.25, "¾": 0.75}.get((form.half or "").strip(), 0.0)
    spellings = _decimals(digits, comma=comma)
    return [float(spelling) + half for spelling in spellings], 0.25 if half else _step(spellings[0])


def _step(spelling: str) -> float:
    """`1.50` is told to 0.01, a whole number to 1: `2000` is no rounding of 1,800."""
    return float(10 ** -len(spelling.partition(".")[2]))


def _decimals(digits: str, *, comma: bool) -> list[str]:
    """A number's spellings with a point; two where the separator may be either.  `comma`: is it the decimal sign?"""
    signs = re.findall(r"[.,]", digits)
    if not signs:
        return [digits]
    if len(set(signs)) == 2:
        last = max(digits.rfind("."), digits.rfind(","))
        return [re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :]]
    whole, _, fraction = digits.rpartition(signs[0])
    if len(signs) > 1:
        return [re.sub(r"[.,]", "", digits)]
    if len(fraction) != 3 or not whole.strip("0") or len(whole) > 3:
        return [f"{whole}.{fraction}"]
    if signs[0] == ",":
        return [f"{whole}.{fraction}", whole + fraction] if comma else [whole + fraction]
    return [whole + fraction, f"{whole}.{fraction}"] if comma else [f"{whole}.{fraction}"]


def _times(form: _Form) -> float:
    times = 1.0
    for word in _TIMES.findall(form.times or ""):
        if not _is_unit_letter(word, form):
            times *= MAGNITUDES.get(word.lower()) or wide_number(word)
    return times


def _is_unit_letter(word: str, form: _Form) -> bool:
    """`5m` is metres, `$5m` and `5M` are millions."""
    return word in ("m", "t") and not form.currency


def _unit(form: _Form) -> tuple[str, float]:
    """The dimension and what one of the unit is in its base."""
    letter = (form.times or "").strip()
    unit = " ".join((form.unit or "").lower().split())
    if _is_unit_letter(letter, form):
        return UNITS["m" if letter == "m" else "tonne"]
    if form.currency:
        return CURRENCIES[form.currency.strip().lower()], 1.0
    if len(unit) == 1 and (form.unit or "").isupper():
        return "", 1.0  # `5 C`, `8 G`: a name's letter as likely as a unit
    if unit in CASED_UNITS and form.unit not in CASED_UNITS[unit]:
        return "", 1.0
    return UNITS.get(unit, ("", 1.0))


def _per_cents(text: str) -> Iterator[Quantity]:
    for match in _PER_CENT.finditer(text):
        yield Quantity((_plain_number(match["digits"]),), "%", 1.0, match.start(), match.end())


def _fractions(text: str) -> Iterator[Quantity]:
    for match in _SLASHED.finditer(text):
        top, bottom = _ABOVE.search(text, max(0, match.start() - _LONGEST_TOP), match.start()), float(match["bottom"])
        if top and bottom:
            yield _share(float(top[0]), bottom, top.start(), match.end())
    for match in _OUT_OF.finditer(text):
        top, bottom = _top(text, match.start()), _counted(match["of"])
        if top and bottom:
            yield _share(_counted(top[0]), bottom, top.start(), match.end())
    for match in _PART.finditer(text) if has_any(text, _PARTS_WRITTEN) else ():
        top, parts = _top(text, match.start()), match["parts"].lower()
        is_share = parts not in _NO_SHARE or match["of"] or match[0].startswith("-")
        if top and is_share and _counted(top[0]) < _PARTS_OF[parts]:
            told = _share(_counted(top[0]), _PARTS_OF[parts], top.start(), match.end())
            yield told._replace(step=1.0, about=True)
    for match in _WIDE_PART.finditer(text) if "分之" in text else ():
        top_of, parts_of = _plain_number(match["top"]), _plain_number(match["parts"])
        if 0 < top_of < parts_of:
            yield _share(top_of, parts_of, match.start(), match.end())._replace(step=1.0, about=True)


def _share(top: float, bottom: float, start: int, end: int) -> Quantity:
    return Quantity((100 * top / bottom,), "%", 100 / bottom, start, end)


def _top(text: str, end: int) -> re.Match[str] | None:
    """The number that ends there."""
    return _TOP.search(text, max(0, end - _LONGEST_TOP), end)


def _counted(written: str) -> float:
    return float(written) if written[0].isdigit() else NUMBER_WORDS.get(written.lower(), 1.0)


def _halves(text: str) -> Iterator[Quantity]:
    """`half a million dollars` is 500,000 of them."""
    for match in _HALF.finditer(text) if has_any(text, _HALVED) else ():
        if not _goes_on(text, match.start()):
            whole = _QUANTITY.match(text, match.start("many"))
            dimension, factor = _unit(_form(whole)) if whole else ("", 1.0)
            value = 0.5 * MAGNITUDES[match["many"].lower()] * factor
            yield Quantity((value,), dimension, value / 5, match.start(), whole.end() if whole else match.end())


def _goes_on(text: str, at: int) -> bool:
    """Does a word or number that began before go on there?"""
    before = text[max(0, at - 1) : at]
    return before.isalnum() or before in ("_", ".")


def _ordinals(text: str, hearts: Sequence[int]) -> Iterator[Quantity]:
    numbered = [match for at in hearts if (match := _ORDINAL.match(text, at)) and not _goes_on(text, at)]
    for match in (*numbered, *_WIDE_ORDINAL.finditer(text)):
        yield Quantity((_plain_number(match["digits"]),), "ordinal", 1.0, match.start(), match.end())


def _plain_number(written: str) -> float:
    return float(written) if written[0].isdigit() else wide_number(written)


def _ranged(text: str, found: list[Quantity]) -> Iterator[Quantity]:
    """The ends of a range (`5–7 million`) share what the second says of unit and magnitude."""
    for index, quantity in enumerate(found):
        before = found[index - 1] if index else None
        after = found[index + 1] if index + 1 < len(found) else None
        if after and _is_range(text, quantity.end, after.start):
            yield _like(text, quantity, after)
        elif before and _is_range(text, before.end, quantity.start):
            yield quantity._replace(in_range=True)
        else:
            yield quantity


def _is_range(text: str, start: int, end: int) -> bool:
    return end - start <= _WIDEST_RANGE and bool(_RANGE.fullmatch(text, start, end))


def _like(text: str, first: Quantity, second: Quantity) -> Quantity:
    told = _QUANTITY.match(text, second.start)
    if told is None or not told["digits"] or not _BARE.fullmatch(text, first.start, first.end):
        return first._replace(in_range=True)
    dimension, factor = ("", 1.0) if first.dimension else _unit(_form(told))
    factor *= _times(_form(told))
    values = tuple(value * factor for value in first.values)
    dimension = first.dimension or dimension
    return first._replace(values=values, dimension=dimension, step=first.step * factor, in_range=True)


def _told(text: str, quantity: Quantity) -> Quantity:
    """How exactly it is told: by the words before it, and a plus after it."""
    before = text[max(0, quantity.start - 24) : quantity.start]
    if _MORE.search(before) or _PLUS.match(text, quantity.end):
        return quantity._replace(bound=">")
    if _LESS.search(before):
        return quantity._replace(bound="<")
    return quantity._replace(about=bool(_ABOUT.search(before)))
