"""Plain text and Markdown: taken as they are, but for Markdown's comments."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from agent.errors import ExtractFailed
from agent.extract.format_base import Extracted, Hints
from agent.extract.text_cleanup import decoded, one_line, tidy
from agent.text.language import detect

_UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|^\[[^\]\n]*\]:\s*(?:#|<>)[ \t]*[\"'(][^\n]*$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,2}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


def text(body: bytes, hints: Hints) -> Extracted:
    words = _words(body, hints)
    return Extracted(words, file_name(hints.url), detect(words))


def markdown(body: bytes, hints: Hints) -> Extracted:
    words = tidy(_shown(_words(body, hints)))
    if not words:
        raise ExtractFailed("empty page")
    heading = _HEADING.search(words)
    return Extracted(words, one_line(heading[1]) if heading else file_name(hints.url), detect(words))


def _words(body: bytes, hints: Hints) -> str:
    words = tidy(decoded(body, hints.charset))
    if not words:
        raise ExtractFailed("empty page")
    return words


def _shown(words: str) -> str:
    """Without comments, which nobody sees who reads it rendered: `<!-- … -->` and `[//]: # (…)`, but in code."""
    return "".join(piece if n % 2 else _UNSHOWN.sub("", piece) for n, piece in enumerate(_FENCE.split(words)))


def file_name(url: str) -> str:
    parts = urlsplit(url)
    return one_line(PurePosixPath(unquote(parts.path)).name or parts.netloc)
