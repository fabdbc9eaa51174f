"""A scripted model server: OpenAI-compatible, real HTTP on loopback, with no model behind it.

    with ModelServer(["<think>Hm.</think>Hello."]) as server:          # also `async with`
        ChatR1(model="r1", base_url=server.url).invoke("Hi")
    assert server.requests[0].body["temperature"] == 0.6

What it says is given as one reply for all requests, as a list of replies for one request each, or as a function of the
request; a reply is a `Said`, or a text in which the reasoning stands between think tags.  With nothing given it is the
R1 of `tests.scripted_r1`, which plans, answers from the prompt's webpages with citations, and revises, by rules.

How it says it:

    dialect   where the reasoning goes: see DIALECTS
    pace      tokens a second; 0: at once
    cut       characters a chunk; 0: a word

`Said` also scripts what goes wrong.  `server.requests` are the requests in order, `server.hung_up` counts the clients
that left before the end.  By hand, for the whole product:

    python -m tests.model_server --port 8210 --dialect think --pace 45
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Json = dict[str, Any]
Fault = Literal["", "hang", "hang midway", "cut", "no finish", "error event", "not json"]

DIALECTS: dict[str, str] = {
    "reasoning_content": "DeepSeek, SGLang, llama.cpp: a field, with content null beside it",
    "reasoning": "vLLM from 0.17, Ollama: a field of that name, content empty",
    "reasoning_details": "OpenRouter: only the list of details",
    "openrouter": "OpenRouter: reasoning and details, finish reason and model name sent twice",
    "both": "vLLM 0.11 to 0.15: both fields, with the same text",
    "null": "reasoning_content present and null, the text in reasoning",
    "always": "SGLang: reasoning_content in every delta, null where there is none",
    "legacy": "llama.cpp deepseek-legacy: in the field and again in tags",
    "think": "Together, LM Studio: tags in the content",
    "bare": "a chat template that opened the tag: the content begins inside it",
    "misfiled": "a parser that takes the whole reply for reasoning: content null",
}
_IN_CONTENT = ("think", "bare", "legacy")
_WORD = re.compile(r"\s*\S+|\s+")
_THINK = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)


@dataclass(frozen=True)
class Said:
    """One reply, and what goes wrong with it."""

    text: str = ""
    reasoning: str = ""
    dialect: str | None = None  # None: the server's
    finish: str | None = "stop"
    usage: bool = True
    fault: Fault = ""  # "cut": the connection breaks in the middle; "no finish": a clean end without a finish reason
    status: int = 200  # other than 200: an error, with `body` and `headers`
    body: Json | str | None = None  # sent as it is, instead of a reply
    headers: Json = field(default_factory=dict)
    wait_s: float = 0.0  # before the first byte of the reply, after the headers
    keep_alive_s: float = 0.0  # between comments in a stream, or blank lines before JSON, while it waits; 0: silence


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]  # names in lower case
    body: Json

    @property
    def prompt(self) -> str:
        """The text of all messages."""
        return "\n".join(str(m.get("content") or "") for m in self.body.get("messages", []))


Reply = Said | str
Script = Reply | Sequence[Reply] | Callable[[Request], Reply]


class ModelServer:
    """Serves from entering to leaving; `url` is the base URL, with /v1."""

    def __init__(
        self, script: Script | None = None, *, dialect: str = "reasoning_content", pace: float = 0, cut: int = 0
    ) -> None:
        assert dialect in DIALECTS, f"{dialect!r} is not one of {sorted(DIALECTS)}"
        self.dialect, self.pace, self.cut = dialect, pace, cut
        self.requests: list[Request] = []
        self.hung_up = 0
        self.ending = threading.Event()
        self._script = _rule_based() if script is None else script
        self._lock = threading.Lock()

    def start(self, port: int = 0) -> str:
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.model = self
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self.url

    def stop(self) -> None:
        self.ending.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: Request) -> Said:
        with self._lock:
            self.requests.append(request)
            said = self._script
            if not isinstance(said, Said | str) and not callable(said):
                number = len(self.requests)
                said = said[number - 1] if number <= len(said) else _exhausted(number)
        said = said(request) if callable(said) else said
        said = _apart(said) if isinstance(said, str) else said
        return replace(said, dialect=said.dialect or self.dialect)

    def hang_up(self) -> None:
        with self._lock:
            self.hung_up += 1


def _rule_based() -> Script:
    from tests.scripted_r1 import rule_based

    return rule_based


def _exhausted(number: int) -> Said:
    return Said(status=400, body={"error": {"message": f"the script has no reply for request {number}"}})


def _apart(text: str) -> Said:
    found = _THINK.match(text)
    return Said(text[found.end() :], found[1].strip()) if found else Said(text)


# ------------------------------------------------------------------------------------------------- on the wire


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ModelServer


class _HungUp(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

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
        if said.status != 200 or said.body is not None:
            return self._send(said.status, said.body or {"error": {"message": "scripted"}}, said.headers)
        try:
            self._reply(said, body)
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

    def _reply(self, said: Said, body: Json) -> None:
        streaming = bool(body.get("stream"))
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streaming else "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        self._wait(said, b": keep-alive\n\n" if streaming else b"\n")
        if not streaming:
            self._put(json.dumps(_completion(said, body)).encode())
        elif not self._stream(said, body):
            return
        self.wfile.write(b"0\r\n\r\n")

    def _wait(self, said: Said, beat: bytes) -> None:
        ends = time.monotonic() + (1e9 if said.fault == "hang" else said.wait_s)
        next_beat = time.monotonic() + said.keep_alive_s
        while (now := time.monotonic()) < ends:
            self._pause(min(0.02, ends - now))
            if said.keep_alive_s and time.monotonic() >= next_beat:
                next_beat += said.keep_alive_s
                self._put(beat)

    def _pause(self, seconds: float) -> None:
        """Raises _HungUp where the client has left, or the server ends."""
        if self.server.model.ending.wait(seconds):
            raise _HungUp
        readable, _, _ = select.select([self.connection], [], [], 0)
        if readable and not self.connection.recv(1, socket.MSG_PEEK):
            raise _HungUp

    def _put(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _event(self, value: Json | str) -> None:
        self._put(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())

    def _stream(self, said: Said, body: Json) -> bool:
        """Whether the stream came to a clean end."""
        model, deltas = self.server.model, list(_deltas(said, self.server.model.cut))
        half = len(deltas) // 2 if said.fault else -1
        for i, delta in enumerate(deltas):
            if i == half and not self._break(said.fault):
                return False
            self._event(_chunk(body, delta))
            if model.pace:
                self._pause(1 / model.pace)
        if said.fault == "no finish":
            return True
        times = 2 if said.dialect == "openrouter" else 1
        for _ in range(times):
            self._event(_chunk(body, {}, said.finish))
        if said.usage and (body.get("stream_options") or {}).get("include_usage"):
            self._event(_chunk(body, None) | {"usage": _usage(said, body)})
        self._event("[DONE]")
        return True

    def _break(self, fault: Fault) -> bool:
        """What goes wrong in the middle; whether the stream goes on."""
        if fault == "hang midway":
            while True:
                self._pause(0.02)
        if fault == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        if fault == "error event":
            self._event({"error": {"message": "scripted failure", "code": 502}})
        if fault == "not json":
            self._event("<html>Bad gateway</html>")
        return fault == "no finish"


def _envelope(body: Json, kind: str) -> Json:
    return {"id": "scripted", "object": kind, "created": 0, "model": body.get("model", "scripted-r1")}


def _chunk(body: Json, delta: Json | None, finish: str | None = None) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return _envelope(body, "chat.completion.chunk") | {"choices": choices}


def _completion(said: Said, body: Json) -> Json:
    message: Json = {"role": "assistant", "content": _content(said)}
    for delta in _deltas(replace(said, text=""), cut=10**9):
        message |= {name: value for name, value in delta.items() if name not in ("content", "role")}
    if said.dialect == "misfiled":
        message |= {"content": None, "reasoning_content": f"{said.reasoning}\n\n{said.text}"}
    choice = {"index": 0, "message": message, "finish_reason": said.finish}
    usage = {"usage": _usage(said, body)} if said.usage else {}
    return _envelope(body, "chat.completion") | {"choices": [choice]} | usage


def _usage(said: Said, body: Json) -> Json:
    prompt = len(_WORD.findall(json.dumps(body.get("messages"))))
    thought, told = len(_WORD.findall(said.reasoning)), len(_WORD.findall(said.text))
    details = {"completion_tokens_details": {"reasoning_tokens": thought}}
    counts = {"prompt_tokens": prompt, "completion_tokens": thought + told, "total_tokens": prompt + thought + told}
    return counts | details


def _content(said: Said) -> str:
    """The content field of a whole reply."""
    if said.dialect not in _IN_CONTENT or not said.reasoning:
        return said.text
    opening = "" if said.dialect == "bare" else "<think>\n"
    return f"{opening}{said.reasoning}\n</think>\n\n{said.text}"


def _deltas(said: Said, cut: int) -> Iterator[Json]:
    first: Json = {"role": "assistant", "content": ""}
    yield first | ({"content": None, "reasoning_content": ""} if said.dialect == "reasoning_content" else {})
    reasoning, content = said.reasoning, _content(said)
    if said.dialect == "misfiled":
        reasoning, content = f"{said.reasoning}\n\n{said.text}", ""
    if said.dialect not in ("think", "bare"):
        for piece in _pieces(reasoning, cut):
            yield _thought(said.dialect or "", piece)
    for piece in _pieces(content, cut):
        beside = {"reasoning_content": None} if said.dialect in ("reasoning_content", "always", "null") else {}
        yield {"content": piece} | beside


def _thought(dialect: str, piece: str) -> Json:
    details = [{"type": "reasoning.text", "text": piece, "index": 0}]
    return {
        "reasoning": {"content": "", "reasoning": piece},
        "reasoning_details": {"content": "", "reasoning_details": details},
        "openrouter": {"content": "", "reasoning": piece, "reasoning_details": details},
        "both": {"reasoning": piece, "reasoning_content": piece},
        "null": {"reasoning_content": None, "reasoning": piece},
        "always": {"content": "", "reasoning_content": piece},
    }.get(dialect, {"content": None, "reasoning_content": piece})


def _pieces(text: str, cut: int) -> list[str]:
    return [text[i : i + cut] for i in range(0, len(text), cut)] if cut else _WORD.findall(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted R1: answers from the prompt's webpages by rules.")
    parser.add_argument("--port", type=int, default=8210)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="reasoning_content")
    parser.add_argument("--pace", type=float, default=45, help="tokens a second; 0: at once")
    chosen = parser.parse_args()
    server = ModelServer(dialect=chosen.dialect, pace=chosen.pace)
    print(f"AGENT_BASE_URL={server.start(chosen.port)} AGENT_MODEL=scripted-r1", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
