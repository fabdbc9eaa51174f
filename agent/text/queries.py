"""Search queries as text: when two are the same, and how long one may be.  Pure; knows nothing of search engines."""

from __future__ import annotations

import re
import unicodedata

from agent.types import Query

_ENDS = " ?!.,;:'\"。？！，"
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]{1,2}|[^\s぀-ヿ㐀-鿿가-힯]+")


def query_key(text: str) -> str:
    """The same for queries that differ in case, spaces, width of letters and punctuation at the ends only.

    Punctuation inside stays: C, C++ and C# are three languages.  Empty for a text without a letter or digit.
    """
    key = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(_ENDS)
    return key if any(c.isalnum() for c in key) else ""


def cut_query(query: Query, words: int = 12) -> Query:
    """The query with its first `words` words: too short to carry out what a page has planted in its writer.

    Of a script without spaces two characters count as a word.
    """
    found = list(_WORD.finditer(query.text))
    text = query.text[: found[words - 1].end()] if len(found) > words else query.text
    return Query(" ".join(text.split()), query.purpose)
