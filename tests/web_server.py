"""A real HTTP server on loopback whose pages behave as a test says: well, slowly, wrongly, for ever.

`async with WebServer({"/a": page("<p>…")}) as web:` serves on the test's own loop; `web.url("/a")` is the address.
A behaviour is any `async (Request, StreamWriter) -> None`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from agent.web.address_guard import Address, Resolver


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]  # names in lower case

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


Behaviour = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WebServer:
    """Behaviours by path, or by `host/path` where hosts matter.  What is not there is a 404."""

    pages: dict[str, Behaviour] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"  # of the loopback network
    requests: list[Request] = field(default_factory=list)
    at_once: int = 0  # requests under way, at most so far
    accepted: int = 0  # connections so far
    _busy: int = 0

    async def __aenter__(self) -> Self:
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server = await asyncio.start_server(self._serve, self.address, 0, ssl=self.tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Open ones now."""
        return len(self._connections)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def url(self, path: str) -> str:
        return f"http{'s' if self.tls else ''}://{self.address}:{self.port}{path}"

    def resolver(self, *hosts: str, private: tuple[str, ...] = ()) -> Resolver:
        """A DNS in which `hosts` are this server, as if it were public, and those in `private` are plain loopback."""

        async def resolve(name: str, port: int) -> list[Address]:
            if name in hosts:
                return [Address("127.0.0.1", self.port, exempt=True)]
            if name in private:
                return [Address("127.0.0.1", self.port)]
            raise OSError(f"{name} is not in this test's DNS")

        return resolve

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections[task] = writer
        self.accepted += 1
        try:
            while request := await _read(reader):
                self.requests.append(request)
                self._busy += 1
                self.at_once = max(self.at_once, self._busy)
                try:
                    await _while_listening(reader, self._behaviour(request)(request, writer))
                    await writer.drain()
                finally:
                    self._busy -= 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            writer.transport.abort()
            del self._connections[task]

    def _behaviour(self, request: Request) -> Behaviour:
        host = request.headers.get("host", "").partition(":")[0]
        return self.pages.get(f"{host}{request.path}") or self.pages.get(request.path) or page("not here", status=404)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    with suppress(asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines if line)
        return Request(method, target, {name.lower(): value.strip() for name, _, value in pairs})
    return None


async def _while_listening(reader: asyncio.StreamReader, behaviour: Awaitable[None]) -> None:
    """A behaviour ends when the client goes away."""
    work = asyncio.ensure_future(behaviour)
    try:
        while not work.done() and not reader.at_eof():
            await asyncio.wait([work], timeout=0.02)
        if work.done():
            work.result()
        else:
            raise ConnectionError
    finally:
        work.cancel()


# ------------------------------------------------------------------------------------------------- behaviours


def page(
    body: str | bytes, *, type: str = "text/html; charset=utf-8", status: int = 200, headers: Mapping[str, str] = {}
) -> Behaviour:
    raw = body.encode() if isinstance(body, str) else body

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, {"Content-Type": type, "Content-Length": str(len(raw)), **headers}) + raw)

    return behave


def article(title: str, *paragraphs: str, more: str = "", etag: str = "") -> Behaviour:
    """An honest page with enough text to be taken for one."""
    return page(html(title, *paragraphs, more=more), headers={"ETag": etag} if etag else {})


def html(title: str, *paragraphs: str, more: str = "") -> str:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title>{more}</head>"
        f"<body><article><h1>{title}</h1>{body}</article></body></html>"
    )


def redirect(location: str, status: int = 302) -> Behaviour:
    return page("", status=status, headers={"Location": location})


def raw(reply: bytes, *, close: bool = True) -> Behaviour:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        if close:
            await writer.drain()
            raise ConnectionError

    return behave


def hang(after: bytes = b"") -> Behaviour:
    """Never answers; or stops for ever after these first bytes."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await asyncio.sleep(3_600)

    return behave


def drip(piece: bytes, *, every: float, type: str = "text/html") -> Behaviour:
    """A piece now and then, for ever."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, {"Content-Type": type, "Connection": "close"}))
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return behave


def endless(piece: bytes, *, type: str = "text/html") -> Behaviour:
    return drip(piece, every=0, type=type)


def slow(behaviour: Behaviour, seconds: float) -> Behaviour:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await behaviour(request, writer)

    return behave


def reset() -> Behaviour:
    """The connection breaks off with a RST."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionError

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Each request the next one; the last one repeats."""
    waiting: Iterator[Behaviour] = iter(behaviours)

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await next(waiting, behaviours[-1])(request, writer)

    return behave


def bomb(megabytes: int, filler: bytes = b"<p>boom</p>") -> bytes:
    """A gzip body that unfolds to so many megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = filler * ((1 << 20) // len(filler))
    return b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Something", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")
