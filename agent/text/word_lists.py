"""Finds the words of a list in a text, with regular expressions that Python tries fast."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

# ------------------------------------------------------------------------------------------ patterns

# Regular expressions of many words, written so that Python tries them fast.  Knows no word itself.


def any_of(words: Iterable[str]) -> str:
    """An alternation that takes the longest word it can.

    Each branch is for one initial, so at most places nothing but first letters is tried; where the whole pattern begins
    with it and does not ignore case, `re` skips those places without trying.
    """
    rests: dict[str, set[str]] = {}
    for word in words:
        rests.setdefault(word[0], set()).add(word[1:])
    return "|".join(f"{re.escape(first)}(?:{_longest_first(those)})" for first, those in sorted(rests.items()))


def in_any_case(words: Iterable[str]) -> list[str]:
    """Each word in small letters, in capitals and with a capital first."""
    return [spelt for word in words for spelt in (word, word.upper(), word[0].upper() + word[1:])]


def _longest_first(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))


# ------------------------------------------------------------------------------------------ occurrences

# Where words of a list stand in a text.  Knows no word itself.
#
# One look at a text's words serves every list: an expression of a hundred words takes as long as all that is done
# with what it finds.

_LETTERS = re.compile(r"[^\W\d_]+")


def spellings(words: Iterable[str]) -> frozenset[str]:
    """The words as they are looked for: in small letters, in capitals, and with a capital first.

    Each is a run of letters: another one (`per cent`) is found by none.
    """
    return frozenset(in_any_case(words))


def has_any(text: str, words: frozenset[str]) -> bool:
    """Does one of the words stand in the text, with no letter beside it?"""
    return not words.isdisjoint(_runs(text))


def places(text: str, words: frozenset[str]) -> list[int]:
    """Where they begin, in order.  A word that stands alone somewhere is told in longer words, too."""
    return anywhere(text, words & _runs(text))


def anywhere(text: str, signs: Iterable[str]) -> list[int]:
    """Where one of the signs stands, in order, whatever is beside it."""
    return sorted(at for sign in signs for at in _places_of(text, sign))


def _places_of(text: str, sign: str) -> list[int]:
    found, at = [], text.find(sign)
    while at >= 0:
        found.append(at)
        at = text.find(sign, at + 1)
    return found


@lru_cache(maxsize=8)  # dates, numbers and shares are looked for in one text after another
def _runs(text: str) -> frozenset[str]:
    """The text's runs of letters, each once."""
    return frozenset(_LETTERS.findall(" ".join(set(text.split()))))
