"""Plain text: taken as it is."""

from __future__ import annotations

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.text_cleanup import clean_text, decoded, file_name
from agent.text.language import detect


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    words = words_of(body, hints)
    return ExtractedText(words, file_name(hints.url), detect(words))


def words_of(body: bytes, hints: FormatInput) -> str:
    """Raises `ExtractFailed` where there are none."""
    words = clean_text(decoded(body, hints.charset))
    if not words:
        raise ExtractFailed("empty page")
    return words
