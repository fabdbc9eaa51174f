"""An OpenAI-compatible embeddings server on loopback: words that begin alike point alike.  It keeps what it was asked.

It behaves as real ones do: batches in a bound, a bound on a text's length, replies in any order, errors in their forms.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np


class EmbeddingsServer:
    """`with EmbeddingsServer() as server: …`; `server.url` ends in /v1."""

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.largest_batch = 1_000
        self.longest = 100_000  # characters of a text
        self.too_long = (400, "This model's maximum context length is 512 tokens")
        self.statuses: list[tuple[int, dict[str, str]]] = []  # given first, one a request, instead of vectors
        self.reply: Any = None  # given instead of vectors, where it is set
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str] = []
        self.delay = threading.Event()
        self.delay.set()

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request["input"]]

    def vector(self, text: str) -> list[float]:
        vector = np.full(self.dimension, 1e-3)
        for word in re.findall(r"[a-z]{4,}", text.lower()):
            seed = int.from_bytes(hashlib.sha256(word[:4].encode()).digest()[:4], "big")
            vector += np.random.default_rng(seed).standard_normal(self.dimension)
        return [float(number) for number in vector]

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        if self.statuses:
            status, headers = self.statuses.pop(0)
            return status, headers, {"error": {"message": "not now"}}
        texts = request["input"]
        if len(texts) > self.largest_batch:
            return 413, {}, {"error": f"batch size {len(texts)} > maximum allowed batch size {self.largest_batch}"}
        if max(map(len, texts)) > self.longest:
            status, told = self.too_long
            return status, {}, {"error": {"message": told}}
        rows = [{"index": i, "embedding": self.vector(text)} for i, text in enumerate(texts)]
        return 200, {}, self.reply if self.reply is not None else {"data": rows[::-1]}

    def __enter__(self) -> EmbeddingsServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.delay.wait(10)
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.requests.append(request)
                outer.paths.append(self.path)
                outer.keys.append(self.headers.get("authorization", ""))
                status, headers, told = outer.answer(request)
                body = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the caller has left
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.delay.set()
        self._server.shutdown()
        self._server.server_close()
