"""Where sentences begin and end, with exact offsets.

Knows abbreviations, initials, ordinals, decimals, versions, addresses, quotes and brackets after the stop, citation
marks after the stop, and scripts that write without spaces.  Does not know grammar: where it cannot tell, it does not
cut, since a sentence too long still bears its claim and half a sentence may lie.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from agent.text.markdown import Block, Kind, blocks, cells_of, is_divider, starts_block
from agent.text.tokens import is_wide
from agent.text.word_lists import anywhere

_CLOSERS = r"[\"'”’“»›)\]}』」）】〉》*_]*"
_WIDE_CLOSERS = r"[\"'”’)\]」』）】〉》*_]*"
_MARKS = r"(?:[ \t]?\[\d{1,4}\])*"  # `R1 is open.[1][2] Next`
_WIDE_STOPS = "。｡！？"
_WIDE_STOP = re.compile(
    rf"[{_WIDE_STOPS}](?:(?<=[。｡])[。｡]*|(?<=[！？])[！？]*(?![”」』》〉]\w))(?:\u2026+)?{_WIDE_CLOSERS}{_MARKS}"
)
_STOPS = ".!?\u2026\u061f\u06d4\u0964"
_STOP = re.compile(rf"(?P<stop>[{_STOPS}]+){_CLOSERS}(?P<marks>{_MARKS})(?=\s|$|(?=[\u4e00-\u9fff]))")
_MARKED_STOP = re.compile(r"[ \t]?(?:\[\d{1,4}\][ \t]?)+[.!?。]")
_LINE = re.compile(r"\n+")
_BEFORE = re.compile(r"(?<![\w.&'’/-])[\w.&'’/-]+$")
_DOTTED = re.compile(r"(?:\w\.)+\w")
_NO_LETTER = re.compile(r"\W")
_AFTER = re.compile(r"\s*(?:[\"'“”‘’«»„(\[{*_¿¡-]|\s)*")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_ABBREVIATIONS = _words("""
    rev hon sgt capt lt jr sr messrs v al viz etc ed eds trans cit ibid inc ltd co corp dept univ assn bros ft jan feb
    mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun a.m p.m u.s u.k u.n ph.d m.d b.a m.a d.c incl
    excl max min avg tel ext usw u.a o.ä s.o s.u inkl exkl mio mrd tsd hrsg jh jhd str geb gest zzgl allg dipl ing
    engl frz i.d.r u.u v.a n.chr v.chr med kath ev ej ud uds ee.uu dña d a.c lic cra env éd sté boul c.-à-d ecc es
    bijv nl m.b.t o.a d.w.z blz т.е т.д т.п т.к и.о др г гг им напр руб млн млрд тыс стр рис
""")
# These need what follows them: no sentence ends with one.
_TITLES = _words("""
    mr mrs ms dr prof vs e.g i.e eg ie cf z.b bzw d.h vgl sra srta dott sig sigg hr fr ggf bspw evtl sog bzgl p.ej
    aprox resp mme mlle mm mgr avv gen sen gov col dhr mevr z.t dir amm st mt av
""")
# Nor with one of these before a number.
_BEFORE_NUMBER = _words("""
    no nos nr n° fig figs eq eqs sec secs ch chap pp p para vol vols art abs ca approx est pág núm párrf tel ext lun ago
""")
_MONTHS = _words("""
        january february march april may june july august september october november december januar februar märz
        mai juni juli oktober dezember januari februari maart mei juni juli augusti oktober januar februar marts maj
        leden ledna února března dubna května června července srpna září října listopadu prosince stycznia lutego
        marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
    """)
_BEFORE_ORDINAL = _words("""
    der die das dem den des ein eine einem einen einer im am zum zur vom beim ins jede jeder jedes jedem jeden dieser
    diese dieses seine seinen seiner ihre ihren ihrer
""")
_SHORT = 4  # letters: a word as short, before a stop and a number, is an abbreviation
_ROMAN = re.compile(r"[IVXLC]{2,}\b")
_AFTER_ORDINAL = _MONTHS | _words("jahrhundert jahrhunderts quartal platz klasse mal lebensjahr stock jh")
_TITLE_LINE = 60  # characters: a shorter line without a stop is a line of its own
_WIDE_TITLE_LINE = 20  # likewise in Chinese, Japanese and Korean


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text[start:end]`; `kind` is the block it stands in."""

    start: int
    end: int
    kind: Kind = "prose"


def sentences(text: str) -> list[Sentence]:
    """Every sentence of a Markdown text, code left out; a heading, or a table's cell, is one or more of its own."""
    return [sentence for block in blocks(text) for sentence in in_block(text, block)]


def in_block(text: str, block: Block) -> Iterator[Sentence]:
    if block.kind in ("code", "rule") or is_divider(text, block):
        return
    stretches = cells_of(text, block) if block.kind == "row" else [(block.start, block.end)]
    for start, end in stretches:
        for first, last in split(text, start, end):
            yield Sentence(first, last, block.kind)


def split(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The sentences of plain prose, as offsets; white space between them belongs to none."""
    end = len(text) if end is None else end
    first = start
    for edge in [*_edges(text, start, end), end]:
        trimmed = _trimmed(text, first, edge)
        if trimmed and (edge == end or not _is_one_word(text, *trimmed)):
            yield trimmed
            first = edge


def _is_one_word(text: str, start: int, end: int) -> bool:
    """Is it one word of a script with spaces, and a stop?  That is a sentence as seldom as `Yahoo!` or `Op.` are."""
    word, stop = text[start : end - 1], text[end - 1]
    is_name = stop == "!" or (stop == "." and len(word) <= _SHORT)
    return is_name and word.isalpha() and word[0].isupper() and not is_wide(word) and text[end : end + 1] != "\n"


def _edges(text: str, start: int, end: int) -> list[int]:
    found = [m.end() for m in _found(_WIDE_STOP, _WIDE_STOPS, text, start, end)]
    found += [m.end() for m in _found(_STOP, _STOPS, text, start, end) if _is_stop(text, m, start, end)]
    found += [m.start() for m in _found(_LINE, "\n", text, start, end) if _is_line_of_its_own(text, m, start, end)]
    return sorted(found)


def _found(form: re.Pattern[str], first: str, text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """All matches, each of which begins with one of the characters `first`; that is faster than to try every place."""
    places, last = _places(text, first), start
    for at in places[bisect_left(places, start) : bisect_left(places, end)]:
        if at >= last and (match := form.match(text, at, end)):
            last = match.end()
            yield match


@lru_cache(maxsize=12)
def _places(text: str, characters: str) -> list[int]:
    return anywhere(text, characters)


def _is_stop(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    at = _next_word(text, stop.end(), end)
    following = text[at : at + 1] if at < end else ""
    if following and (following.islower() or following in ",;:)]%"):
        return False
    if _MARKED_STOP.match(text, stop.end(), end):
        return False  # `(3.5 per cent.) [1].`: the sentence ends behind its marks
    before = text[max(start, stop.start() - 24) : stop.start()]
    if text[stop.end("stop") : stop.end("stop") + 1] == "]" or (
        before[-1:].isspace() and _leaves_out(before, following)
    ):
        return False
    written = _last_word(before.rstrip())
    if stop["stop"] == "!":
        return not (written[:1].isupper() and _goes_on_with_a_name(text[at : min(end, at + 24)]))  # `Yahoo! Finance`
    if stop["stop"] != ".":
        return True
    word = written.lower()
    if word.isdigit() and stop.start() - len(word) == start:
        return False  # a number that opens the text numbers it
    return _word_ends(written, text[at : min(end, at + 24)], stop, text)


def _leaves_out(before: str, following: str) -> bool:
    """Is a stop behind a space one of `. . .`?  Else it is French (`Quoi ?`), or text that was cut into words."""
    return before.rstrip()[-1:] in tuple(_STOPS) or following in tuple(_STOPS)


def _next_word(text: str, at: int, end: int) -> int:
    """Where what follows begins, past white space and signs that open a quote, a bracket or an emphasis."""
    if text[at : at + 1] == " " and at + 1 < end and text[at + 1].isalnum():
        return at + 1  # as nearly always, and three times as fast
    after = _AFTER.match(text, at, end)
    return after.end() if after else at


def _last_word(before: str) -> str:
    """With the dots and hyphens that are part of it; "" where no word ends there."""
    last = (before.rsplit(None, 1) or [""])[-1]
    if not last.isalnum():
        found = _BEFORE.search(before)
        last = found[0].strip("'’") if found else ""
    return last


def _word_ends(written: str, following: str, stop: re.Match[str], text: str) -> bool:
    """May a sentence end with this word and one stop, given what follows?"""
    word = written.lower()
    if stop["marks"].strip() or not following:
        return True
    if word.isdigit() and len(word) <= 2:
        before = text[: stop.start() - len(word)][-12:].rsplit(None, 1)
        after_article = bool(before) and before[-1].lower() in _BEFORE_ORDINAL  # `Die 3. Liga`
        return not after_article and _first_word(following) not in _AFTER_ORDINAL
    last = re.split(r"['’]", word)[-1]
    if last.isalpha() and len(last) <= _SHORT and (following[0].isdigit() or _ROMAN.match(following)):
        return False  # `art. 5`, `janv. 2024`
    if len(word) == 2 and word.isalpha() and written[0].isupper() and _goes_on_with_a_name(following):
        return False  # `EE. UU.`, `ID. Buzz`
    if len(word) == 1 and word.isalpha():  # an initial, unless it is a word: `Vitamin C. It …`
        return _first_word(following) in _OPENING_WORDS or text[max(0, stop.start() - 2)] == "°"
    bare = word.rstrip(".")
    if bare in _TITLES or (bare in _BEFORE_NUMBER and following[:1].isdigit()):
        return False
    if bare in _ABBREVIATIONS or _is_dotted(bare):
        return _first_word(following) in _OPENING_WORDS
    return True


def _goes_on_with_a_name(following: str) -> bool:
    """Does it begin with a capital, and with none of the words that open sentences?"""
    return following[:1].isupper() and _first_word(following) not in _OPENING_WORDS


def _first_word(text: str) -> str:
    return _NO_LETTER.split(text, maxsplit=1)[0].lower()


def _is_dotted(word: str) -> bool:
    return "." in word and bool(_DOTTED.fullmatch(word))


# After `U.S.` or `Inc.` a sentence begins anew where one of these does.
_OPENING_WORDS = _words("""
        the a an this that these those it its he she they we i you in on at for from with by as if when while after
        before since although though but and so there here however also both each most many some all no not what who
        how why his her their our der die das ein eine es er sie wir im in am dies diese el la los las un una en es
        se le les il elle on
    """)


def _is_line_of_its_own(text: str, newline: re.Match[str], start: int, end: int) -> bool:
    """Does the line before a line's end stand alone: a title, a name, an entry of a menu?"""
    line_start = max(start, text.rfind("\n", start, newline.start()) + 1)
    line = text[line_start : newline.start()].rstrip()
    following = text[newline.end() : newline.end() + 1] if newline.end() < end else ""
    if not line or not following:
        return False
    longest = _WIDE_TITLE_LINE if following >= "\u2e80" else _TITLE_LINE
    return len(line) < longest and starts_block(line, following)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
