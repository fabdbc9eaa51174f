"""A real Chroma server on loopback, which can be killed, started again and wiped; and a gate before one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import chromadb
from chromadb.config import Settings

START_SECONDS = 60.0  # it takes one; on a machine that is busy with much else, ten


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class RunningChroma:
    """`chroma run`, as a user would start it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        program = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self.directory)]
        self._process = subprocess.Popen(
            [*program, "--host", "127.0.0.1", "--port", str(self.port)],
            cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.05)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        self.kill()
        shutil.rmtree(self.directory)
        self.start()

    def client(self):
        """As any other user of that server has one."""
        return chromadb.HttpClient(self.url, self.port, settings=Settings(anonymized_telemetry=False))


class Gate:
    """What stands before a server: asks for a header, and takes a path for its own."""

    def __init__(self, behind: str, path: str, headers: dict[str, str]) -> None:
        opener = build_opener(ProxyHandler({}))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.path.startswith(f"{path}/"):
                    self.reply(404, b"")
                elif any(self.headers.get(name) != value for name, value in headers.items()):
                    self.reply(401, b"")
                else:
                    self.pass_on(body)

            do_GET = do_POST = do_PUT = do_DELETE = do

            def pass_on(self, body: bytes) -> None:
                told = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
                request = Request(behind + self.path.removeprefix(path), body or None, told, method=self.command)
                try:
                    with opener.open(request, timeout=30) as response:
                        self.reply(response.status, response.read())
                except HTTPError as e:
                    with e:
                        self.reply(e.code, e.read())

            def reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}{path}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
