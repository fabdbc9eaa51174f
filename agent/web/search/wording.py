"""A query as a search engine takes it: with the sites in its operators, and within what it accepts.  Pure."""

from __future__ import annotations

from agent.text.bounds import Bounds, operators
from agent.web.search.hits import within

_FOR_OPERATORS = 0.6  # of a query's length; with more sites than that the hits are filtered, and the words stay


def worded(text: str, bounds: Bounds, *, characters: int, words: int = 1_000) -> str:
    """The text, cut at a word where it must be, with `site:` and `-site:` behind it, whole or not at all."""
    last = operators(bounds)
    if len(last) > _FOR_OPERATORS * characters or len(last.split()) > _FOR_OPERATORS * words:
        last = ""
    kept = text.split(" ")[: words - len(last.split())]
    room = characters - len(last) - bool(last)
    return f"{within(' '.join(kept), room)} {last}".rstrip() if last else within(" ".join(kept), room)
