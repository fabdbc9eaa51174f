"""Markdown as a reader reads it: one line of plain words.

Knows marks, emphasis, links and the borders of cells.  Does not know blocks: one sentence or row at a time.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agent.text.citations import without_marks, without_page_marks

_LINK = re.compile(r"!?\[([^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]\([^()\s]*(?:\s[^()]*)?\)")
_ESCAPED = re.compile(r"\\([_#|>~.!()\[\]-])")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|`+|~~")
_PIPES = re.compile(r"(?:(?<!\s)\s+)?\|\s*")


@lru_cache(maxsize=4_096)  # a passage is laid beside many claims
def prose(text: str) -> str:
    """The text without our marks, the page's own marks, emphasis, link targets, cell borders and line ends."""
    text = _ESCAPED.sub(r"\1", without_page_marks(without_marks(text)))
    return " ".join(_PIPES.sub(" ", _EMPHASIS.sub("", _LINK.sub(r"\1", text))).split())
