"""Search queries as text: when two are the same, and how long one may be.  Pure; knows nothing of search engines."""

from __future__ import annotations

import re
import unicodedata

from agent.types import Query

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
