"""The built-in sample web: pages, a search, and a server on loopback."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from agent.text.search_terms import index_terms, match

# ------------------------------------------------------------------------------------------ server

# The sample web on loopback: every `.example` host of its pages behind one port, and a search of its own.
#
# Plain HTTP/1.1 on the event loop that enters it; pages are told apart by the Host header.  Knows nothing of the
# agent: whoever fetches has to bring `hosts` to `port` on 127.0.0.1, and asks the search at `search_url`.

SEARCH_HOST = "search.example"
_ADDRESS = "127.0.0.1"
_METHODS = {"GET", "HEAD"}
_HEAD_BYTES = 16_384  # of a request: the stream reader's limit, past which it is refused
_IDLE_SECONDS = 30.0  # between requests on one connection
_HITS = 50  # of a search, at most


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    host: str  # without port
    path: str
    query: str
    keep: bool  # the connection, for another request


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    type: str
    body: bytes
    location: str = ""


class SampleWeb:
    """`async with SampleWeb() as web:` serves until the block ends.  Any number may run at once."""

    def __init__(self) -> None:
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._served: dict[tuple[str, str], SamplePage] = {}

    async def __aenter__(self) -> Self:
        pages = await asyncio.to_thread(load)
        self._served = {_place(page.entry.url): page for page in pages}
        self._index = await asyncio.to_thread(SampleIndex, pages)
        self._server = await asyncio.start_server(self._serve, _ADDRESS, 0, limit=_HEAD_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()  # its task then reads the end; Python 3.11 logs an error for one that is cancelled
        await asyncio.gather(*self._connections)
        await self._server.wait_closed()
        self._index.close()

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def hosts(self) -> frozenset[str]:
        """Every name that this server answers to."""
        return frozenset(host for host, _ in self._served) | {SEARCH_HOST}

    @property
    def search_url(self) -> str:
        """The search, at an address that needs no resolver: `?q=…&limit=…` gives JSON."""
        return f"http://{_ADDRESS}:{self.port}/search"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections[task] = writer
        try:
            while request := await _read(reader):
                writer.write(_written(request, await self._answer(request)))
                await writer.drain()
                if not request.keep:
                    break
        except ConnectionError:
            pass  # the client went away
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            del self._connections[task]

    async def _answer(self, request: _Request) -> _Answer:
        if request.method not in _METHODS:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        if request.path == "/search" and request.host in {SEARCH_HOST, _ADDRESS}:
            return await asyncio.to_thread(self._found, parse_qs(request.query))
        stored = self._served.get((request.host, request.path))
        if stored is None:
            return _plain(HTTPStatus.NOT_FOUND)
        return _Answer(stored.entry.status, stored.entry.type, stored.body, stored.entry.location)

    def _found(self, wanted: Mapping[str, list[str]]) -> _Answer:
        limit = wanted.get("limit", ["10"])[0]
        hits = min(int(limit), _HITS) if limit.isdecimal() else 10
        results = [
            {"url": entry.url, "title": entry.title, "snippet": entry.summary, "published": entry.published}
            for entry in self._index.find(wanted.get("q", [""])[0], hits)
        ]
        return _Answer(200, "application/json", json.dumps({"results": results}, ensure_ascii=False).encode())


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.path


def _plain(status: HTTPStatus) -> _Answer:
    text = f"{status.phrase}. This is the sample web, written for demonstration.\n"
    return _Answer(status, "text/plain; charset=utf-8", text.encode())


# ------------------------------------------------------------------------------------------------- HTTP/1.1


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    """The next request's head; None where the client has no more, or sends what is no request.  Bodies are not read."""
    try:
        async with asyncio.timeout(_IDLE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    match first.split(" "):
        case [method, target, "HTTP/1.1" | "HTTP/1.0" as version]:
            parts = urlsplit(target)
            keep = method in _METHODS and version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
            host = headers.get("host", "").partition(":")[0].lower()
            return _Request(method, host, parts.path or "/", parts.query, keep)
    return None


def _written(request: _Request, answer: _Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.type}",
        f"Content-Length: {len(answer.body)}",
        f"Connection: {'keep-alive' if request.keep else 'close'}",
        *([f"Location: {answer.location}"] if answer.location else []),
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if request.method == "HEAD" else head + answer.body


# ------------------------------------------------------------------------------------------ index

# The sample web's search: which pages fit a question, best first.
#
# SQLite's FTS5 in memory, with its BM25 and English stemming.  Knows titles and texts; nothing of HTTP.

_TITLE_WEIGHT = 3.0  # a title's words say more than a text's; the question tests hold with 2 to 5


class SampleIndex:
    def __init__(self, pages: Iterable[SamplePage]) -> None:
        self._entries: list[SampleEntry] = []
        self._asking = threading.Lock()
        self._tables = sqlite3.connect(":memory:", check_same_thread=False)  # made in one thread, asked in another
        self._tables.execute("CREATE VIRTUAL TABLE page USING fts5(title, body, content='', tokenize='porter')")
        for row, page in enumerate(pages):
            self._entries.append(page.entry)
            terms = (row, index_terms(page.entry.title), index_terms(page.text))
            self._tables.execute("INSERT INTO page(rowid, title, body) VALUES (?, ?, ?)", terms)

    def find(self, question: str, limit: int) -> list[SampleEntry]:
        """At most `limit` entries that share a word with the question, best first."""
        wanted = match(question)
        if not wanted:
            return []
        statement = "SELECT rowid FROM page WHERE page MATCH ? ORDER BY bm25(page, ?, 1.0) LIMIT ?"
        with self._asking:
            rows = self._tables.execute(statement, (wanted, _TITLE_WEIGHT, limit)).fetchall()
        return [self._entries[row] for (row,) in rows]

    def close(self) -> None:
        self._tables.close()


# ------------------------------------------------------------------------------------------ catalogue

# The pages and what is said of them in `pages/sample.json`.
#
# Knows files and their form.  Does not know how they are served or found.

PAGES = Path(__file__).parent / "pages"
_HTML = "text/html; charset=utf-8"
_UNREAD = {"script", "style", "noscript", "footer", "nav"}  # what a search engine would not index


@dataclass(frozen=True, slots=True)
class SampleEntry:
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
class SamplePage:
    """An address with the body it is served with."""

    entry: SampleEntry
    body: bytes

    @property
    def text(self) -> str:
        """What the search knows of it."""
        readable = self.entry.status == 200 and not self.entry.blocked and self.entry.type == _HTML
        return _readable(self.body.decode()) if readable else self.entry.summary


def load() -> list[SamplePage]:
    """Every address, in the manifest's order.  Reads files: about 5 ms."""
    rows = json.loads((PAGES / "sample.json").read_text(encoding="utf-8"))
    return [SamplePage(entry, _body(entry)) for entry in (SampleEntry(**row) for row in rows)]


def _body(entry: SampleEntry) -> bytes:
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
