"""RSS and Atom to Markdown: every entry with its title, its date and its words, newest as the feed has it.

Entities are never resolved; the HTML inside an entry is freed of hidden text as a page is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from lxml import etree

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.hidden_text import only_visible
from agent.extract.text_cleanup import clean_text, decoded, file_name, one_line
from agent.text.language import detect

_ENTRIES = 200  # feeds of ten years' posts exist; the newest come first
_LONGEST = 20_000  # characters of one entry
_TITLE = ("title",)
_BODY = ("encoded", "content", "description", "summary", "subtitle")  # the fullest first
_DATE = ("pubDate", "published", "date", "updated", "modified")
_PARAGRAPH = re.compile(r"\s*\n\s*\n\s*")
_BLOCKS = ("p", "div", "li", "br", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol")


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    """Raises `ExtractFailed` for what is no feed, or has no entries."""
    root = _parsed(decoded(body, hints.charset))
    channel = root.find("{*}channel") if root.find("{*}channel") is not None else root
    entries = list(root.iter("{*}item", "{*}entry"))[:_ENTRIES]
    if not entries:
        raise ExtractFailed("a feed without entries")
    title = one_line(_plain(_first(channel, _TITLE))) or file_name(hints.url)
    text = clean_text("\n\n".join([f"# {title}", *(_entry(entry) for entry in entries)]))
    days = [day for entry in entries if (day := _day(_first(entry, _DATE)))]
    return ExtractedText(
        text,
        title,
        _language(channel) or detect(text),
        max(days, default=None),
        date_certainty="stated" if days else "",
    )


def _parsed(text: str) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True, encoding="utf-8"
    )
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"))  # what it says of its encoding held for the bytes
    try:
        root = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise ExtractFailed("broken feed")
    return root


def _entry(entry: Any) -> str:
    day = _day(_first(entry, _DATE))
    words = _plain(_first(entry, _BODY))[:_LONGEST]
    return "\n\n".join(part for part in (f"## {one_line(_plain(_first(entry, _TITLE)))}", day, words) if part)


def _first(place: Any, names: tuple[str, ...]) -> str:
    """The text of the first of these children that has one, markup and all."""
    for name in names:
        for child in place.iterchildren(f"{{*}}{name}"):
            if told := _inner(child):
                return told
    return ""


def _inner(element: Any) -> str:
    """Escaped HTML as it is; XHTML, which stands unescaped, as HTML."""
    if len(element):
        return "".join(etree.tostring(child, encoding="unicode") for child in element)
    return str(element.text or "").strip()


def _plain(html: str) -> str:
    """Without markup; a paragraph stays one."""
    if "<" not in html and "&" not in html:
        return html
    tree = only_visible(f"<html><body>{html}</body></html>")
    if tree is None:
        return ""
    for element in tree.iter(*_BLOCKS):
        element.tail = f"\n\n{element.tail or ''}"
    return "\n\n".join(_paragraphs(tree.text_content()))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in _PARAGRAPH.split(text):
        if words := " ".join(paragraph.split()):
            yield words


def _day(told: str) -> str | None:
    if re.match(r"(?:19|20)\d\d-\d\d-\d\d", told):
        return told[:10]
    try:
        return parsedate_to_datetime(told).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _language(channel: Any) -> str | None:
    told = _first(channel, ("language",)) or channel.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    return told.strip() if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", told.strip()) else None
