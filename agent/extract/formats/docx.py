"""DOCX to Markdown: paragraphs, headings, lists and tables of the main text, without what Word hides or has deleted.

Reads two parts of the archive and no others, each up to a cap as it is unpacked; entities are never resolved.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.text_cleanup import clean_text, file_name, one_line
from agent.text.language import detect

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_UNPACKED = 20_000_000  # bytes of one part; a book of 1,000 pages has 10 MB
_CHARACTERS = 2_000_000
_COLUMNS = 60  # Word itself allows 63
_HEADING = re.compile(r"(?:heading|berschrift|titre|t[ií]tulo|titolo|kop|標題|标题|見出し)\s*([1-6])", re.IGNORECASE)
_TITLE = re.compile(r"title$|^titel$", re.IGNORECASE)
_UNREAD = {f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "pict", "rPrChange", "pPrChange")}
_SPACES = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    """Raises `ExtractFailed` for an archive that is broken, locked, a bomb, or has no text."""
    parts = _parts(body)
    document = parts["word/document.xml"]
    place = document.find(f"{_W}body")
    text = clean_text("\n\n".join(_blocks(place if place is not None else document)))[:_CHARACTERS].rstrip()
    if not text:
        raise ExtractFailed("no text in the document")
    core = parts.get("docProps/core.xml")
    title = _core(core, "title") or one_line(text.split("\n", 1)[0].lstrip("# "), 150) or file_name(hints.url)
    author, created, modified = (_core(core, name) for name in ("creator", "created", "modified"))
    return ExtractedText(
        text,
        title,
        detect(text),
        _day(created),
        author=author,
        modified=_day(modified),
        date_certainty="inferred" if _day(created) else "",  # when the file was begun, not when it appeared
    )


def _parts(body: bytes) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in ("word/document.xml", "docProps/core.xml") if name in archive.NameToInfo]
            if not names or names[0] != "word/document.xml":
                raise ExtractFailed("not a Word document")
            return {name: _tree(_unpacked(archive, name)) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as e:
        reason = "Word document with a password" if "password" in str(e).lower() else "broken Word document"
        raise ExtractFailed(reason) from e


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """Counted as it is unpacked: what the archive says of its size may be a lie."""
    with archive.open(name) as part:
        unpacked = part.read(_UNPACKED + 1)
    if len(unpacked) > _UNPACKED:
        raise ExtractFailed("too large when unpacked")
    return unpacked


def _tree(part: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(part, parser)
    except etree.XMLSyntaxError as e:
        if getattr(e, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from e
        raise ExtractFailed("broken Word document") from e


def _core(core: Any, name: str) -> str:
    found = core.find(f"{{*}}{name}") if core is not None else None
    return one_line(found.text or "") if found is not None else ""


def _day(told: str) -> str | None:
    return told[:10] if re.match(r"(?:19|20)\d\d-\d\d-\d\d", told) else None


# ------------------------------------------------------------------------------------------------- blocks


def _blocks(place: Any) -> Iterator[str]:
    """Of the body or of a table's cell, in order; a list's items stand without a gap."""
    items: list[str] = []
    for block in _shallow(place):
        text, is_item = _table(block) if block.tag == f"{_W}tbl" else _paragraph(block)
        if items and not is_item:
            yield "\n".join(items)
            items = []
        if is_item:
            items.append(text)
        elif text:
            yield text
    if items:
        yield "\n".join(items)


def _shallow(place: Any) -> Iterator[Any]:
    """Paragraphs and tables, also where Word has put them into a content control; not those inside of them."""
    waiting = list(reversed(place))
    while waiting:
        element = waiting.pop()
        if element.tag in {f"{_W}p", f"{_W}tbl"}:
            yield element
        elif element.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"}:
            waiting += reversed(element)


def _paragraph(block: Any) -> tuple[str, bool]:
    """Its Markdown, and whether it is an item of a list."""
    text = "".join(_words(block)).strip()
    style = block.find(f"{_W}pPr/{_W}pStyle")
    name = style.get(f"{_W}val", "") if style is not None else ""
    heading = _HEADING.search(name)
    if not text or heading or _TITLE.search(name):
        level = int(heading[1]) if heading else 1
        return (f"{'#' * level} {' '.join(text.split())}" if text else ""), False
    number = block.find(f"{_W}pPr/{_W}numPr")
    if number is None:
        return text, False
    indent = number.find(f"{_W}ilvl")
    depth = indent.get(f"{_W}val", "0") if indent is not None else "0"
    return f"{'  ' * (int(depth) if depth in '012345678' else 0)}- {text}", True


def _words(block: Any) -> Iterator[str]:
    waiting = [block]
    while waiting:
        element = waiting.pop()
        if element.tag in _UNREAD or (element.tag == f"{_W}r" and _is_vanished(element)):
            continue
        if element.tag == f"{_W}t":
            yield element.text or ""
        elif element.tag in _SPACES and element.getparent().tag == f"{_W}r":
            yield _SPACES[element.tag]
        else:
            waiting += reversed(element)


def _is_vanished(run: Any) -> bool:
    hidden = run.find(f"{_W}rPr/{_W}vanish")
    return hidden is not None and hidden.get(f"{_W}val", "true") not in {"0", "false", "off"}


def _table(block: Any) -> tuple[str, bool]:
    rows = [[_cell(cell) for cell in list(row.iterfind(f"{_W}tc"))[:_COLUMNS]] for row in block.iterfind(f"{_W}tr")]
    rows = [row for row in rows if any(row)]
    if not rows:
        return "", False
    width = max(map(len, rows))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]]), False


def _cell(cell: Any) -> str:
    words = " ".join("".join(_words(paragraph)) for paragraph in cell.iter(f"{_W}p"))
    return " ".join(words.split()).replace("|", "\\|")
