"""Real HTTP on loopback that answers as a model server of a given kind would, and badly where a test says so.

`with Nearby({"/v1/models": listed("deepseek-r1")}) as server:` serves; `server.url` ends in /v1.  A route is a value
(sent as JSON with 200), a `Sends`, or a function of the request; "*" is for every other path.  `server.asked` has
every request.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Sends:
    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0  # between two bytes
    silent: bool = False  # accepts, and never answers


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: Any


Route = Any


class Nearby:
    def __init__(self, routes: Mapping[str, Route] | Sends) -> None:
        self.routes = routes
        self.asked: list[Asked] = []
        self.ending = threading.Event()

    @property
    def port(self) -> int:
        return self._http.server_port

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def __enter__(self) -> Self:
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.nearby = self
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._http.shutdown()
        self._http.server_close()

    def answer(self, asked: Asked) -> Sends:
        self.asked.append(asked)
        if isinstance(self.routes, Sends):
            return self.routes
        route = self.routes.get(asked.path, self.routes.get("*", Sends(b'{"error":"not found"}', 404)))
        if isinstance(route, Callable):
            route = route(asked)
        return route if isinstance(route, Sends) else Sends(json.dumps(route))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    nearby: Nearby


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, json.loads(body) if body else None)
        sends = self.server.nearby.answer(asked)
        if sends.silent:
            self.server.nearby.ending.wait()
            return
        with contextlib.suppress(OSError):  # the client has left
            self._send(sends)

    def _send(self, sends: Sends) -> None:
        body = sends.body.encode() if isinstance(sends.body, str) else sends.body
        self.send_response(sends.status)
        for name, value in {"Content-Type": "application/json", **sends.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not sends.pause_s:
            self.wfile.write(body)
            return
        for byte in body:
            if self.server.nearby.ending.wait(sends.pause_s):
                return
            self.wfile.write(bytes([byte]))


def closed_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ------------------------------------------------------------------------------------------------- what servers say


def listed(*names: str, **beside: object) -> dict[str, Any]:
    """`GET /v1/models`; `beside` stands in each row."""
    return {"object": "list", "data": [{"id": name, "object": "model", **beside} for name in names]}


def tags(*names: str, **beside: object) -> dict[str, Any]:
    """Ollama's `GET /api/tags`."""
    sizes = {
        "1.5b": "1.8B",
        "7b": "7.6B",
        "8b": "8.2B",
        "14b": "14.8B",
        "32b": "32.8B",
        "70b": "70.6B",
        "671b": "671.0B",
    }
    rows = []
    for name in names:
        tag = name.partition(":")[2] or "latest"
        size = next((told for key, told in sizes.items() if tag.startswith(key)), "8.2B")
        full = name if ":" in name else f"{name}:latest"
        rows.append({"name": full, "model": full, "size": 5_225_376_047, "details": {"parameter_size": size}, **beside})
    return {"models": rows}


def streamed(text: str = "Yes.", *, reasoning: str = "They want one word.", finish: str = "stop") -> Sends:
    """A reply to a chat request, as a stream of events."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": "", "reasoning": reasoning}] if reasoning else []
    deltas += [{"content": text}] if text else []
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks.append({"index": 0, "delta": {}, "finish_reason": finish})
    head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    lines = [f"data: {json.dumps({**head, 'choices': [chunk]})}\n\n" for chunk in chunks]
    return Sends("".join([*lines, "data: [DONE]\n\n"]), headers={"Content-Type": "text/event-stream"})
