"""Regular expressions of many words, written so that Python tries them fast.  Knows no word itself."""

from __future__ import annotations

import re
from collections.abc import Iterable


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
