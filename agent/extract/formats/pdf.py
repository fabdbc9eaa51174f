"""PDF to text, page by page, so that a citation can name the page.

PDFium reads; lines that the typesetter broke are joined again.  Scans without text are refused: nothing here reads
pictures.
"""

from __future__ import annotations

import re
from typing import Any

import pypdfium2

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.text_cleanup import clean_text, file_name, one_line
from agent.text.language import detect

_PAGES = 200  # of one document; a book of 117 pages took 0.16 s
_CHARACTERS = 2_000_000
_FULL_LINE = 0.6  # of what most lines on the page have: a shorter one ends its paragraph
_BREAK = "\n\n"
_NO_TITLE = re.compile(  # what programs write where nobody gave a title
    r"(?:untitled|microsoft word|powerpoint|slide \d|document\d*|\S+\.(?:docx?|pptx?|tex|dvi|pdf|indd|qxd))\b",
    re.IGNORECASE,
)


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    """Raises `ExtractFailed` for a PDF that is broken, locked or without text."""
    document = _opened(body)
    try:
        pages = [clean_text(_reflowed(_page_text(document, n))) for n in range(min(len(document), _PAGES))]
        named = one_line(str(document.get_metadata_dict().get("Title", "")))
    finally:
        document.close()
    text, starts = _joined(pages)
    if not text.strip():
        raise ExtractFailed("no text in the PDF (scanned pages?)")
    title = named if named and not _NO_TITLE.match(named) else _first_line(text) or file_name(hints.url)
    return ExtractedText(text, title, detect(text), page_starts=starts)


def _opened(body: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as e:
        reason = "PDF with a password" if "password" in str(e).lower() else "broken PDF"
        raise ExtractFailed(reason) from e


def _page_text(document: Any, number: int) -> str:
    """The empty string for a page that PDFium cannot load: the others are worth having."""
    try:
        page = document[number]
        text: str = page.get_textpage().get_text_bounded()
        page.close()
    except pypdfium2.PdfiumError:
        return ""
    return text


def _joined(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """One text, and where each page begins in it."""
    starts, length = [], 0
    for page in pages:
        starts.append(length)
        length += len(page) + len(_BREAK)
    text = _BREAK.join(pages)[:_CHARACTERS].rstrip()
    return text, tuple(min(start, len(text)) for start in starts)


def _reflowed(page: str) -> str:
    """Paragraphs from lines: a full line goes on in the next one, and a word that was divided is whole again.

    Paragraphs stand apart; short lines that follow each other (a table's, a title page's) stay together.
    """
    lines = [line.strip() for line in page.replace("\r\n", "\n").replace("\ufffe", "-").split("\n") if line.strip()]
    full = _FULL_LINE * sorted(map(len, lines))[len(lines) * 3 // 4] if lines else 0
    flowed = ""
    ended, was_long = True, False  # of the line before
    for line in lines:
        is_long = len(line) >= full
        if not flowed:
            flowed = line
        elif not ended:
            flowed = _continued(flowed, line)
        else:
            flowed += ("\n\n" if is_long or was_long else "\n") + line
        was_long = is_long or not ended
        ended = not (is_long or line.endswith("-")) or line.endswith((".", ":", "。"))
    return flowed


def _continued(before: str, line: str) -> str:
    if re.search(r"[a-zà-ÿ]-$", before) and re.match(r"[a-zà-ÿ]", line):
        return before[:-1] + line
    glue = "" if re.search(r"[\u2e80-\u9fff-]$", before) else " "
    return f"{before}{glue}{line.lstrip()}"


def _first_line(text: str) -> str:
    return one_line(next((line for line in text.split("\n") if len(line.split()) > 1 or len(line) > 8), ""), 150)
