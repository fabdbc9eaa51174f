"""What a format's extractor is given, and what it gives.  Plain values; used on the worker's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.types import DateCertainty


@dataclass(frozen=True, slots=True)
class FormatInput:
    """What is known of a page beside its bytes."""

    url: str
    charset: str | None = None  # as the header declared it


@dataclass(frozen=True, slots=True)
class ExtractedText:
    text: str  # Markdown, clean: see `tidy`
    title: str = ""
    language: str | None = None  # BCP 47
    published: str | None = None  # YYYY-MM-DD
    page_starts: tuple[int, ...] = ()  # of a PDF: where each page begins in `text`
    author: str = ""
    modified: str | None = None  # YYYY-MM-DD
    date_certainty: DateCertainty = ""  # of `published`
    declares: str = ""  # the address that the page says is its own; anybody may say anything
    suspect: bool = False  # the page shows little and hides more; what it hides is in `text`


Extract = Callable[[bytes, FormatInput], ExtractedText]
"""From bytes to text.  Raises `ExtractFailed` with a plain reason where there is none to be had."""
