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
    wire      how the bytes are sent: see Wire

`Said` also scripts what goes wrong.  `server.requests` are the requests in order, `server.hung_up` counts the clients
that left before the end.  By hand, for the whole product:

    python -m tests.model_server --port 8210 --dialect think --pace 45
"""

from __future__ import annotations

import argparse
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

from tests.model_replies import DIALECTS, Said
from tests.model_wire import PLAIN, Handler, Request, Server, Wire, with_defaults

__all__ = ["DIALECTS", "ModelServer", "Reply", "Request", "Said", "Script", "Wire"]

Json = dict[str, Any]
Reply = Said | str
Script = Reply | Sequence[Reply] | Callable[[Request], Reply]

_THINK = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)


class ModelServer:
    """Serves from entering to leaving; `url` is the base URL, with /v1."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        dialect: str = "reasoning_content",
        pace: float = 0,
        cut: int = 0,
        wire: Wire = PLAIN,
    ) -> None:
        assert dialect in DIALECTS, f"{dialect!r} is not one of {sorted(DIALECTS)}"
        self.pace, self.cut, self.wire = pace, cut, wire
        self.error: Json = {"error": {"message": "scripted failure", "code": 502}}  # what an error event says
        self.requests: list[Request] = []
        self.hung_up = 0
        self.ending = threading.Event()
        self._lock = threading.Lock()
        self.says(script, dialect)

    def says(self, script: Script | None, dialect: str) -> None:
        """Begin anew with another script; None: the rules."""
        self.requests.clear()
        self.dialect, self._script = dialect, _rule_based() if script is None else script

    def start(self, port: int = 0) -> str:
        self._http = Server(("127.0.0.1", port), Handler)
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
        return with_defaults(said, self.dialect, self.wire)

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
