"""How the scripted model server puts a reply on the wire, and what can go wrong there.

Knows HTTP, chunked bodies and server-sent events; what is said comes from `tests.model_replies`, which reply is whose
from `tests.model_server`.
"""

from __future__ import annotations

import json
import select
import socket
import time
import zlib
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.model_replies import Said
    from tests.model_server import ModelServer

Json = dict[str, Any]

_STEP_S = 0.02  # between looks whether the client has left


@dataclass(frozen=True)
class Wire:
    """All of it is allowed by the standards, and done by some server or proxy."""

    space: bool = True  # after `data:`
    line_end: str = "\n"
    comment: str = ""  # a comment before every event, such as OpenRouter's
    done: bool = True  # `data: [DONE]` at the end
    piece: int = 0  # bytes of the body in each chunk and each write; 0: one event
    gzip: bool = False

    def event(self, value: Json | str) -> bytes:
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines = [f": {self.comment}", ""] if self.comment else []
        return self.line_end.join([*lines, f"data:{' ' * self.space}{told}", "", ""]).encode()


PLAIN = Wire()


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]  # names in lower case
    body: Json

    @property
    def prompt(self) -> str:
        """The text of all messages."""
        return "\n".join(str(m.get("content") or "") for m in self.body.get("messages", []))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ModelServer


class _HungUp(Exception):
    """The client has left, or the server ends."""


class _Broken(Exception):
    """The script ends the connection here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # pieces leave as they are written
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.rstrip("/").endswith("/models"):
            return self._send(200, {"object": "list", "data": [{"id": "scripted-r1", "object": "model"}]})
        return self._send(404, {"error": {"message": "not found"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if not self.path.endswith("/chat/completions"):
            return self._send(404, {"error": {"message": f"nothing is served at {self.path}"}})
        said = self.server.model.answer(
            Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body),
        )
        try:
            self._wait(said.late_s)
            if said.status != 200 or said.body is not None:
                return self._send(said.status, said.body or {"error": {"message": "scripted"}}, said.headers)
            self._reply(said, body)
        except _Broken:
            self.connection.shutdown(socket.SHUT_RDWR)
        except (_HungUp, OSError):
            self.server.model.hang_up()
        return None

    def _send(self, status: int, value: Json | str, headers: Json | None = None) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self.send_response(status)
        for name, told in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, str(told))
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    # ---------------------------------------------------------------------------------------------- a reply

    def _reply(self, said: Said, asked: Json) -> None:
        streaming = bool(asked.get("stream"))
        self.close_connection = True
        self._wire = said.wire
        self._packed = zlib.compressobj(wbits=31) if said.wire.gzip else None
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streaming else "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        if said.wire.gzip:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self._queue(said, b": keep-alive\n\n" if streaming else b"\n")
        (self._stream if streaming else self._whole)(said, asked)
        if self._packed:
            self._chunk(self._packed.flush())
        self.wfile.write(b"0\r\n\r\n")

    def _whole(self, said: Said, asked: Json) -> None:
        from tests.model_replies import completion

        body = self.server.model.error if said.fault == "error event" else completion(said, asked)
        told = json.dumps(body, ensure_ascii=False).encode()
        half = told[: len(told) // 2]
        if said.fault == "cut":
            self._cut(told)
        if said.fault == "hang midway":
            self._put(half)
            self._wait(float("inf"))
        self._put(half if said.fault == "not json" else told)

    def _stream(self, said: Said, asked: Json) -> None:
        from tests.model_replies import chunks

        model = self.server.model
        said_chunks, ends = chunks(said, asked, model.cut)
        half = len(said_chunks) // 2 if said.fault else -1
        for i, chunk in enumerate(said_chunks):
            if i == half:
                self._break(said, chunk)
            self._put(self._wire.event(chunk))
            if model.pace:
                self._wait(1 / model.pace)
        if said.fault in ("no finish", "error event", "not json"):
            return
        for chunk in ends:
            self._put(self._wire.event(chunk))
        if self._wire.done:
            self._put(self._wire.event("[DONE]"))

    def _break(self, said: Said, next_chunk: Json) -> None:
        """What goes wrong in the middle of a stream."""
        match said.fault:
            case "hang midway":
                self._wait(float("inf"))
            case "cut":
                self._cut(self._wire.event(next_chunk))
            case "error event":
                self._put(self._wire.event(self.server.model.error))
            case "not json":
                self._put(self._wire.event("<html>Bad gateway</html>"))

    # ---------------------------------------------------------------------------------------------- time and bytes

    def _queue(self, said: Said, beat: bytes) -> None:
        """Wait with the headers sent, as a server does whose model is busy."""
        left = float("inf") if said.fault == "hang" else said.wait_s
        while said.keep_alive_s and left > said.keep_alive_s:
            self._wait(said.keep_alive_s)
            left -= said.keep_alive_s
            self._put(beat)
        self._wait(left)

    def _wait(self, seconds: float) -> None:
        """Raises `_HungUp` where the client has left, or the server ends."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            if self.server.model.ending.wait(min(_STEP_S, left)):
                raise _HungUp
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise _HungUp

    def _put(self, body: bytes) -> None:
        if self._packed:
            body = self._packed.compress(body) + self._packed.flush(zlib.Z_SYNC_FLUSH)
        size = self._wire.piece or len(body)
        for start in range(0, len(body), size):
            self._chunk(body[start : start + size])

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def _cut(self, body: bytes) -> None:
        """Half of a chunk that was announced in full, and no more."""
        self.wfile.write(b"%x\r\n%s" % (len(body), body[: len(body) // 2]))
        self.wfile.flush()
        raise _Broken


def with_defaults(said: Said, dialect: str, wire: Wire) -> Said:
    """The reply as the server sends it where the reply itself says nothing of how."""
    return replace(said, dialect=said.dialect or dialect, wire=wire if said.wire is PLAIN else said.wire)
