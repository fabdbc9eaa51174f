"""A sentence as the pieces that a rule looks at: words, names, quantities, dates.

Knows what Markdown and a page's own marks look like, and takes them out.  Does not compare anything.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from agent.text.dates import Date, dates
from agent.text.function_words import function_words
from agent.text.language import detect
from agent.text.numbers import Quantity, quantities
from agent.text.words import is_small, is_wide, spelling, tokens
from agent.verify.lexicon import (
    ARTICLES,
    BEHIND,
    CONDITIONS,
    CONJOINED,
    EMPTY,
    EVERY,
    HEDGES,
    LESS_THAN,
    LINKS,
    NEGATORS,
    ONE_FORM,
    ROLES,
    TELLING,
    words_of,
)

_STOPS = re.compile(r"[,;:(（，；：、—–]|\s-\s")
_ENDS = re.compile(r"[.!?]\s|[。！？]")
_OPENING, _CLOSING = re.compile(r"[(（\[]"), re.compile(r"[)）\]]")
_CRITICAL = NEGATORS | HEDGES | EVERY | ROLES | LESS_THAN | CONDITIONS
_BE = words_of("is are was were be been being")
_WIDE_LINKS = re.compile(
    "此外|其中|另外|因此|所以|同时|被称|如今|例如|比如"
)  # say nothing of the matter, and their characters do elsewhere
_AS_WELL = ("well", "as")
_NAMING = frozenset(("called", "named", "known"))
_PLACE = ("in", "aus", "nach", "bei", "von")  # before a German name there is often one of these and no article


class Piece(NamedTuple):  # many are made for each claim: a dataclass takes five times as long
    """`key` is the same for what counts as the same; `text` is what a reader sees; `before` the word before it."""

    key: str
    text: str
    start: int
    end: int
    value: Quantity | Date | None = None
    is_name: bool = False
    is_critical: bool = False
    before: str = ""
    opens_clause: bool = False  # does a comma or the like stand between it and the piece before?
    in_brackets: bool = False
    preposition: str = ""  # that it stands behind, with nothing but an article between
    prefixed: bool = False  # does a hyphen join it to the piece before, as in `bi-monthly`?
    opens_sentence: bool = False
    linked: bool = False  # does a form of "be" or "have" stand between it and the piece before?
    conjoined: bool = False  # likewise an "and" or a "but"


def is_one_name(one: Piece, other: Piece) -> bool:
    """Do they stand side by side, as the parts of a name do?"""
    return one.is_name and other.is_name and other.start - one.end == 1 and not other.opens_clause


@lru_cache(maxsize=2_048)  # a claim is laid beside many passages, and a passage beside many claims
def pieces(text: str) -> tuple[Piece, ...]:
    """The pieces in order; words without subject matter only where they change what is said.  `text`: prose."""
    known = dates(text)
    values: list[Quantity | Date] = [*known, *quantities(text, known)]
    found = [_valued(text, value) for value in values]
    taken = [(value.start, value.end) for value in values]
    taken += [match.span() for match in _WIDE_LINKS.finditer(text)]
    found += _words(text, taken)
    return tuple(_placed(text, sorted(found, key=lambda piece: piece.start)))


def _placed(text: str, found: list[Piece]) -> list[Piece]:
    """The pieces with what punctuation says of them."""
    placed, end, depth = [], 0, 0
    for piece in found:
        gap = text[end : piece.start]
        between = {spelling(word) for word in gap.split()}
        depth = max(0, depth + len(_OPENING.findall(gap)) - len(_CLOSING.findall(gap)))
        placed.append(
            piece._replace(
                opens_clause=bool(_STOPS.search(gap)),
                in_brackets=depth > 0,
                prefixed=gap == "-",
                opens_sentence=bool(_ENDS.search(gap)),
                linked=not LINKS.isdisjoint(between),
                conjoined=not CONJOINED.isdisjoint(between) or (piece.key, piece.before) == _AS_WELL,
            )
        )
        end = piece.end
    return placed


def _valued(text: str, value: Quantity | Date) -> Piece:
    before = [word for word in text[: value.start].split()[-2:] if word.lower() not in ARTICLES][-1:]
    shown = text[value.start : value.end]
    return Piece(f"={shown}", shown, value.start, value.end, value, before=before[0].lower() if before else "")


def _words(text: str, taken: list[tuple[int, int]]) -> list[Piece]:
    found: list[Piece] = []
    language = detect(text)
    in_german = language == "de"
    shouted = text.isupper()
    before = behind = ""
    for token in tokens(text):
        if any(start < token.end and token.start < end for start, end in taken):
            before = behind = ""
            continue
        written = text[token.start : token.end]
        spelt = spelling(written)
        critical = spelt in _CRITICAL
        if critical or _says_something(spelt, written, before, english=language == "en", shouted=shouted):
            named = not critical and _is_name(text, token.start, written, before, in_german=in_german)
            key = token.word if named else ONE_FORM.get(token.word, token.word)
            found.append(Piece(key, written, token.start, token.end, None, named, critical, before, preposition=behind))
            behind = ""
        else:
            behind = spelt if spelt in BEHIND else behind if spelt in ARTICLES else ""
        before = spelt
    return found


def _says_something(spelt: str, written: str, before: str, *, english: bool, shouted: bool) -> bool:
    """Has it subject matter?  `AM`, `IT` and `WHO` are names, whatever `am`, `it` and `who` are."""
    if spelt in TELLING or (len(written) > 1 and written.isupper() and not shouted):
        return True
    if spelt in EMPTY:
        return spelt in _NAMING and before in _BE  # "is called X", not "a man called X"
    return not is_small(spelt) or (english and spelt not in _small_in_english())


@cache
def _small_in_english() -> frozenset[str]:
    """In an English text "car", "war" and "son" are full words, whatever they are in French, German or Spanish."""
    return words_of(" ".join(function_words("en")))


def _is_name(text: str, start: int, written: str, before: str, *, in_german: bool) -> bool:
    if is_wide(written):
        return False
    if any(char.isdigit() for char in written) or any(char.isupper() for char in written[1:]):
        return True
    if not written[0].isupper():
        return False
    if not _inside_sentence(text, start):
        following = text[start + len(written) :].split()[:1]
        return not in_german and bool(following) and following[0][0].isupper()
    return not in_german or before in _PLACE or _beside_capital(text, start, start + len(written))


def _inside_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“”‘’«»„(")
    return bool(before) and before[-1] not in ".!?:;。！？：\n"


def _beside_capital(text: str, start: int, end: int) -> bool:
    """Of German, where every noun has a capital: two in a row are a name (`Angela Merkel`)."""
    before, after = text[:start].split()[-1:], text[end:].split()[:1]
    return any(word[0].isupper() and word[1:].islower() and len(word) > 1 for word in (*before, *after) if word)
