"""The pages and what is said of them in `pages/sample.json`.

Knows files and their form.  Does not know how they are served or found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

PAGES = Path(__file__).parent / "pages"
_HTML = "text/html; charset=utf-8"
_UNREAD = {"script", "style", "noscript", "footer", "nav"}  # what a search engine would not index


@dataclass(frozen=True, slots=True)
class Entry:
    """One address of the sample web."""

    url: str
    title: str = ""
    summary: str = ""  # what the search shows of it, and for what is no HTML what the search knows of it
    file: str = ""  # below `pages`; empty for a redirect
    published: str | None = None  # YYYY-MM-DD
    language: str = "en"
    type: str = _HTML
    status: int = 200
    location: str = ""  # of a redirect
    contradicts: str = ""  # the URL of a page that says otherwise
    planted: bool = False  # holds instructions to machines that read it
    blocked: bool = False  # a wall in the place of a page, whatever its status says


@dataclass(frozen=True, slots=True)
class Stored:
    """An address with the body it is served with."""

    entry: Entry
    body: bytes

    @property
    def text(self) -> str:
        """What the search knows of it."""
        readable = self.entry.status == 200 and not self.entry.blocked and self.entry.type == _HTML
        return _readable(self.body.decode()) if readable else self.entry.summary


def load() -> list[Stored]:
    """Every address, in the manifest's order.  Reads files: about 5 ms."""
    rows = json.loads((PAGES / "sample.json").read_text(encoding="utf-8"))
    return [Stored(entry, _body(entry)) for entry in (Entry(**row) for row in rows)]


def _body(entry: Entry) -> bytes:
    return (PAGES / entry.file).read_bytes() if entry.file else b""


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.pieces.append(data)


def _readable(html: str) -> str:
    parser = _Text()
    parser.feed(html)
    parser.close()
    return " ".join(" ".join(parser.pieces).split())
