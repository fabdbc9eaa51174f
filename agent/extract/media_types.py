"""What kind of page these bytes are, judged by the bytes; the header is heard only where they leave it open.

Pure.  A kind that the extractors cannot read is refused here, by its plain name, before the rest is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from agent.errors import FetchFailed
from agent.extract.format_registry import FORMATS, Format

ENOUGH = 4096  # bytes that decide
JSON = "application/json"
_MAGIC = {
    b"\x89PNG\r\n": "image/png",
    b"GIF8": "image/gif",
    b"\xff\xd8\xff": "image/jpeg",
    b"PK\x03\x04": "a ZIP or Office file",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"7z\xbc\xaf": "a 7z file",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"wOFF": "a font",
    b"wOF2": "a font",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"SQLite format 3": "a database",
}
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\f\r\x1b"))  # no text has more than a few; escape: ISO-2022-JP
_UNICODE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_MARKUP = re.compile(
    rb"<(?:!doctype\s+html|!--|html|head|body|title|meta|link|script|style|main|article|section|header|nav|div|p|a|h[1-6]"
    rb"|span|table|ul|ol|br|center|font)\b",
    re.IGNORECASE,
)
_XML = re.compile(rb"\s*<(?:\?xml|rss|rdf:RDF|feed|urlset|svg)\b", re.IGNORECASE)
_RSS = re.compile(rb"<(?:rss|rdf:RDF)[\s>]", re.IGNORECASE)
_ATOM = re.compile(rb"<(?:\w+:)?feed[\s>]", re.IGNORECASE)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]\dtfn-])")
_XHTML = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_NOT_PAGES = ("image/", "audio/", "video/", "font/", "application/javascript", "text/javascript", "text/css")


def media_type(start: bytes, *, declared: str = "", url: str = "", formats: Sequence[Format] = FORMATS) -> str:
    """The media type of one of the formats, from a page's first bytes.

    `declared`: the Content-Type header.  Raises `FetchFailed` ("not text (image/png)").
    """
    start = start[:ENOUGH]
    if not start.strip():
        raise FetchFailed("empty page", url)
    declared = declared.partition(";")[0].strip().lower()
    for one in formats:
        if one.recognises(start, declared, _ending(url)):
            return one.media_types[0]
    if binary := _binary(start):
        raise FetchFailed(f"not text ({binary})", url)
    if declared.startswith(_NOT_PAGES):
        raise FetchFailed(f"not a page ({declared})", url)
    endings = {ending: one.media_types[0] for one in formats if not one.magic for ending in one.endings}
    return _text_kind(start.replace(b"\0", b""), declared, url, endings)


def _text_kind(start: bytes, declared: str, url: str, endings: Mapping[str, str]) -> str:
    ending = endings.get(_ending(url), "")
    if _JSON.match(start) and ("json" in declared or _ending(url) == ".json"):
        return JSON
    if declared in endings.values():
        return ending or declared
    if _XML.match(start) and not _XHTML.search(start):
        return _xml_kind(start, url)
    if "json" in declared:
        raise FetchFailed(f"not a page ({declared})", url)
    if ending and "html" not in declared:
        return ending
    if _MARKUP.search(start) or ("html" in declared and b"<" in start):
        return "text/html"
    return ending or "text/plain"


def _xml_kind(start: bytes, url: str) -> str:
    if _RSS.search(start):
        return "application/rss+xml"
    if _ATOM.search(start):
        return "application/atom+xml"
    raise FetchFailed("not a page (XML)", url)


def _ending(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).suffix.lower()


def _binary(start: bytes) -> str | None:
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    if start[:4] == b"RIFF" or start[4:8] == b"ftyp":
        return "video or audio"
    if start.startswith(_UNICODE_MARKS):
        return None
    zeros = start.count(0)
    if zeros and _is_utf16(start, zeros):
        return None
    strange = len(start) - len(start.translate(None, _CONTROLS))
    return "binary data" if strange * 20 > len(start) else None


def _is_utf16(start: bytes, zeros: int) -> bool:
    """Latin text in UTF-16 without a mark: nearly all zeros stand on the same side of each pair."""
    even = start[::2].count(0)
    return zeros * 4 > len(start) and max(even, zeros - even) * 10 > zeros * 9
