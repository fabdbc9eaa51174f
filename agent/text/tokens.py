"""A text as words in one spelling, so that the same word is found again however it is written.

Knows letters (ligatures, accents, full width, soft and line-break hyphens), scripts without spaces, and the commonest
endings of European languages.  Does not know meaning: `not` is a word like any other here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from operator import add
from typing import NamedTuple

from agent.text.language import LANGUAGES, function_words
from agent.types import Query

WIDE = (  # for a character class: Thai, Lao, Burmese, Khmer, kana, Han, Hangul
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff"
)
_NARROW = r"\d+(?:[.,]\d+)+(?:[^\W\d_{0}]+)?|[^\W_{0}]+(?:(?:\u00ad|-\n[ \t]*(?=[a-z])|['’](?=\w))[^\W_{0}]+)*"
_TOKEN = re.compile(rf"[{WIDE}]|{_NARROW.format(WIDE)}")
_NARROW_TOKEN = re.compile(_NARROW.format(""))  # the same, a fifth faster, for a text without wide characters
_ELIDED = re.compile(r"^(?:l|d|qu|n|s|j|m|t|c|dell|nell|all|dall|sull|un|quell)['](?=\w{2})")
_HYPHENS = re.compile(r"\u00ad|-\n[ \t]*")
_WIDE_CHAR = re.compile(f"[{WIDE}]")
_WIDE_RUN = re.compile(f"[{WIDE}]{{2,}}")
_MAIN = ("en", "de", "es", "fr", "it", "pt", "nl")
_WIDE_SMALL = frozenset("的了是在和与及也而有这那其之于於以从把被就都还并等着过们吗呢はがをにのともでへや")


class Token(NamedTuple):
    """`text[start:end]` is the word as it stands, `word` its one spelling."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Every word in order; in scripts without spaces every character."""
    form = _TOKEN if is_wide(text) else _NARROW_TOKEN
    return [Token(stem(m[0]), m.start(), m.end()) for m in form.finditer(text)]


def written(text: str) -> list[str]:
    """The words as they stand, without offsets; in scripts without spaces every character."""
    return (_TOKEN if is_wide(text) else _NARROW_TOKEN).findall(text)


def wide_pairs(text: str) -> Iterator[str]:
    """Overlapping pairs of characters of scripts without spaces: what stands for their words."""
    for run in _WIDE_RUN.findall(text):
        spelt = unicodedata.normalize("NFKC", run)
        yield from map(add, spelt, spelt[1:])


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The one spelling of a word: NFKC, small letters, no accents, no common ending."""
    spelt = spelling(word)
    return spelt if not spelt.isalpha() or len(spelt) < 4 or is_wide(spelt) else _without_ending(spelt)


@lru_cache(maxsize=100_000)
def spelling(word: str) -> str:
    """Small letters, without accents, hyphens at line ends and elided articles; endings stay."""
    spelt = unicodedata.normalize("NFKC", _HYPHENS.sub("", word)).casefold().replace("’", "'")
    if not spelt.isascii() and not is_wide(spelt):
        spelt = "".join(c for c in unicodedata.normalize("NFD", spelt) if not unicodedata.combining(c))
    spelt = _ELIDED.sub("", spelt)
    return spelt.removesuffix("'s").removesuffix("s'") if "'" in spelt else spelt


def is_wide(text: str) -> bool:
    """Does it have a character of a script that is written without spaces?"""
    return not text.isascii() and bool(_WIDE_CHAR.search(text))


@lru_cache(maxsize=100_000)
def is_small(word: str) -> bool:
    """Is it a word without subject matter, in any of the languages that we know best?  `word`: stemmed or not."""
    return word in _small_words() or (
        len(word) == 1 and (word in _WIDE_SMALL or (word.isalpha() and not is_wide(word)))
    )


@lru_cache(maxsize=1)
def _small_words() -> frozenset[str]:
    words = {word for language in LANGUAGES if language in _MAIN for word in function_words(language)}
    return frozenset(words | {spelling(word) for word in words} | {stem(word) for word in words})


def terms(text: str) -> list[str]:
    """What to look a text up by: its words that have subject matter; in scripts without spaces, pairs of characters."""
    found, before = [], None
    for token in tokens(text):
        wide = is_wide(token.word)
        if not wide and not is_small(spelling(text[token.start : token.end])):  # of "owns" the stem alone is small
            found.append(token.word)
        if wide and before and before.end == token.start:
            found.append(before.word + token.word)
        before = token if wide else None
    return found


def _without_ending(word: str) -> str:
    for ending, least, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: len(word) - len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgmnprt":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] in "eaoiy" else word


# Ending, least length of what is left, what replaces it; the first that fits.  A rough cut, the same for every
# language: two forms of a word should meet, and two words should not.
_ENDINGS = (
    ("ies", 3, "y"),
    ("sses", 2, "ss"),
    ("ings", 4, ""),
    ("ing", 4, ""),
    ("edly", 4, ""),
    ("ied", 3, "y"),
    ("ed", 4, ""),
    ("ches", 3, "ch"),
    ("shes", 3, "sh"),
    ("xes", 3, "x"),
    ("en", 5, ""),
    ("es", 3, ""),
    ("ss", 2, "ss"),
    ("us", 3, "us"),
    ("is", 2, "is"),
    ("s", 3, ""),
)


# ------------------------------------------------------------------------------------------ queries

# Search queries as text: when two are the same, and how long one may be.  Pure; knows nothing of search engines.

_ENDS = " ?!.,;:'\"。？！，"
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]{1,2}|[^\s぀-ヿ㐀-鿿가-힯]+")
_SAYS_NOTHING = frozenset(
    {"the", "a", "an", "of", "in", "on", "for", "and", "is", "are", "was", "were", "do", "does", "did"}
)
# Where one of these stands, the order of the words is a part of what is asked.
_DIRECTS = frozenset(
    {
        "to",
        "from",
        "into",
        "than",
        "before",
        "after",
        "over",
        "under",
        "against",
        "by",
        "not",
        "without",
        "until",
        "since",
    }
)
_EXACT = re.compile(r"[\"“”]|(?:^|\s)-\w|\w:\w")  # quotes and operators mean what they say, to the letter
_JOINT = re.compile(r"(?<=\w)[-‐‑–/_](?=\w)")
_FIXED = 4  # letters: shorter words lose no plural, "news" and "apps" among them


def query_key(text: str) -> str:
    """The same for queries that a search engine would answer alike; empty for a text without a letter or digit.

    They may differ in case, width of letters, order of words, hyphens, plurals, small words and punctuation around
    words.  Punctuation that belongs to a word stays: C, C++ and C# are three languages.  So does the order where it
    says who does what to whom.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(_ENDS)
    if not any(c.isalnum() for c in plain):
        return ""
    if _EXACT.search(plain):
        return plain
    words = [_bare(word) for word in _JOINT.sub(" ", plain).split()]
    telling = [word for word in words if word and word not in _SAYS_NOTHING] or words
    return " ".join(telling if _DIRECTS.intersection(telling) else sorted(set(telling)))


def _bare(word: str) -> str:
    """Without what stands around it, a genitive and a plural's s."""
    word = word.lstrip("'‘(").rstrip(f"{_ENDS})’")
    word = word.removesuffix("'s").removesuffix("’s")
    is_plural = len(word) > _FIXED and word.endswith("s") and not word.endswith(("ss", "us", "is")) and word.isascii()
    return word[:-1] if is_plural else word


def cut_query(query: Query, words: int = 12) -> Query:
    """The query with its first `words` words: too short to carry out what a page has planted in its writer.

    Of a script without spaces two characters count as a word.
    """
    found = list(_WORD.finditer(query.text))
    text = query.text[: found[words - 1].end()] if len(found) > words else query.text
    return Query(" ".join(text.split()), query.purpose)
