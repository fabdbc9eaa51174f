"""The sample web on loopback: every `.example` host of its pages behind one port, and a search of its own.

Plain HTTP/1.1 on the event loop that enters it; pages are told apart by the Host header.  Knows nothing of the agent:
whoever fetches has to bring `hosts` to `port` on 127.0.0.1, and asks the search at `search_url`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from agent.sample.catalogue import Stored, load
from agent.sample.index import Index

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
        self._served: dict[tuple[str, str], Stored] = {}

    async def __aenter__(self) -> Self:
        pages = await asyncio.to_thread(load)
        self._served = {_place(page.entry.url): page for page in pages}
        self._index = await asyncio.to_thread(Index, pages)
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
