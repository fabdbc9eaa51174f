"""The document formats, one line each: their media types, and how their bytes are recognised.

A new format is a file in `formats/` with `extract(body, hints)`, and a line here.  Its module is imported when a page
of that format is read, in the worker process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from agent.extract.format_base import Extract


@dataclass(frozen=True, slots=True)
class Format:
    module: str  # in `agent.extract.formats`
    media_types: tuple[str, ...]
    endings: tuple[str, ...] = ()  # of addresses
    magic: bytes = b""  # what a file begins with; b"": it is text
    within: int = 0  # characters that may come before the magic
    part: bytes = b""  # of an archive: a name that tells it from other archives
    whole: bool = False  # is half of a file useless?

    def recognises(self, start: bytes, declared: str, ending: str) -> bool:
        """Are these the first bytes of such a file?  For an archive, its `part`, the header or the address decides."""
        if not self.magic or self.magic not in start[: self.within + len(self.magic)]:
            return False
        return not self.part or declared in self.media_types or ending in self.endings or self.part in start


FORMATS: tuple[Format, ...] = (
    Format("pdf", ("application/pdf",), endings=(".pdf",), magic=b"%PDF-", within=1024, whole=True),
    Format(
        "docx",
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
        endings=(".docx",),
        magic=b"PK\x03\x04",
        part=b"word/",
        whole=True,
    ),
    Format("html", ("text/html",)),
    Format("feed", ("application/rss+xml", "application/atom+xml")),
    Format("json_text", ("application/json",)),
    Format("markdown", ("text/markdown",), endings=(".md", ".markdown")),
    Format("plain_text", ("text/plain",), endings=(".txt", ".text")),
)


# Of names: files that are offered to be read.  HTML is known by its marks, since servers send it under any ending.
ENDINGS = frozenset({".html", ".htm"}).union(*(one.endings for one in FORMATS))


def format_of(media_type: str, formats: Sequence[Format] = FORMATS) -> Format | None:
    return next((one for one in formats if media_type in one.media_types), None)


def extract_function(media_type: str, formats: Sequence[Format] = FORMATS) -> Extract:
    """Raises `KeyError` for a media type that no format reads."""
    found = format_of(media_type, formats)
    if found is None:
        raise KeyError(media_type)
    extract: Extract = import_module(f"agent.extract.formats.{found.module}").extract
    return extract
