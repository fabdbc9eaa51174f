"""Markdown: taken as it is, but for comments."""

from __future__ import annotations

import re

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.formats.plain_text import words_of
from agent.extract.text_cleanup import clean_text, file_name, one_line
from agent.text.language import detect

_UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|^\[[^\]\n]*\]:\s*(?:#|<>)[ \t]*[\"'(][^\n]*$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,2}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    words = clean_text(_shown(words_of(body, hints)))
    if not words:
        raise ExtractFailed("empty page")
    heading = _HEADING.search(words)
    return ExtractedText(words, one_line(heading[1]) if heading else file_name(hints.url), detect(words))


def _shown(words: str) -> str:
    """Without comments, which nobody sees who reads it rendered: `<!-- … -->` and `[//]: # (…)`, but in code."""
    return "".join(piece if n % 2 else _UNSHOWN.sub("", piece) for n, piece in enumerate(_FENCE.split(words)))
