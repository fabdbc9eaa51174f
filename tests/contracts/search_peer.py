"""A real server on loopback that plays a search service: it answers as a test says and remembers what it was asked.

Plain HTTP/1.1.  `TlsPeer` is a proxy that takes CONNECT for any host and ends the TLS itself, for a provider whose
address cannot be set.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import trustme


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0  # seconds before the first byte
    breaks_off: bool = False  # half the body, then the end
    endless: bool = False  # the body again and again


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode("ascii"), keep_blank_values=True).items()}


class Peer:
    def __init__(self) -> None:
        self.answer = Answer()
        self.seen: list[Seen] = []
        self.open = 0  # connections
        self.sent = 0  # bytes of bodies
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self.wait_until_closed()

    async def wait_until_closed(self) -> None:
        """Every connection is closed, within two seconds."""
        async with asyncio.timeout(2):
            while self.open:
                await asyncio.sleep(0.005)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self._writers.add(writer)
        try:
            while seen := await self._read(reader, writer):
                self.seen.append(seen)
                if not await self._reply(reader, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()
            self._writers.discard(writer)
            self.open -= 1

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Seen | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Seen(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        answer = self.answer
        if answer.wait:
            gone = asyncio.ensure_future(reader.read(1))
            await asyncio.wait([gone], timeout=answer.wait)  # a client that leaves ends the wait
            gone.cancel()
        length = 1 << 40 if answer.endless else len(answer.body)
        lines = [f"HTTP/1.1 {answer.status} -", f"Content-Type: {answer.type}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        while answer.endless:
            writer.write(answer.body)
            self.sent += len(answer.body)
            await writer.drain()
        writer.write(answer.body[: len(answer.body) // 2] if answer.breaks_off else answer.body)
        await writer.drain()
        return not answer.breaks_off


@cache
def authority() -> trustme.CA:
    return trustme.CA()


class TlsPeer(Peer):
    """A proxy that answers for every host itself."""

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Seen | None:
        seen = await super()._read(reader, writer)
        if seen is None or seen.method != "CONNECT":
            return seen
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert(seen.target.partition(":")[0]).configure_cert(tls)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.start_tls(tls)
        return await super()._read(reader, writer)
