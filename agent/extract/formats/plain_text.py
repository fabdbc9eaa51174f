"""Plain text and Markdown: taken as they are, but for Markdown's comments."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.text_cleanup import clean_text, decoded, one_line
from agent.text.language import detect

_UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|^\[[^\]\n]*\]:\s*(?:#|<>)[ \t]*[\"'(][^\n]*$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,2}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


def text(body: bytes, hints: FormatInput) -> ExtractedText:
    words = _words(body, hints)
    return ExtractedText(words, file_name(hints.url), detect(words))


def markdown(body: bytes, hints: FormatInput) -> ExtractedText:
    words = clean_text(_shown(_words(body, hints)))
    if not words:
        raise ExtractFailed("empty page")
    heading = _HEADING.search(words)
    return ExtractedText(words, one_line(heading[1]) if heading else file_name(hints.url), detect(words))


def _words(body: bytes, hints: FormatInput) -> str:
    words = clean_text(decoded(body, hints.charset))
    if not words:
        raise ExtractFailed("empty page")
    return words


def _shown(words: str) -> str:
    """Without comments, which nobody sees who reads it rendered: `<!-- … -->` and `[//]: # (…)`, but in code."""
    return "".join(piece if n % 2 else _UNSHOWN.sub("", piece) for n, piece in enumerate(_FENCE.split(words)))


def file_name(url: str) -> str:
    parts = urlsplit(url)
    return one_line(PurePosixPath(unquote(parts.path)).name or parts.netloc)
