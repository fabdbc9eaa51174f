"""One small question over HTTP, bounded in time and bytes; and several of them at once.

For asking a model's server what it offers, before any client of a run is built.  Knows HTTP through the standard
library, which costs 20 ms to import; knows nothing of models.  Redirects are not followed, so that a key goes to the
host it was given for and nowhere else; servers on this machine and its network are asked without a proxy.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeVar

from agent.text.urls import is_local_host
from agent.version import VERSION

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

MOST_BYTES = 1 << 20  # of a reply; OpenRouter's list of 350 models, the longest there is, takes about half of it
_PIECE = 1 << 16  # bytes read between two looks at the clock
_NONE: Mapping[str, str] = {}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """`json` is None where the body is something else, or longer than `MOST_BYTES`."""

    status: int
    json: object


def ask(
    url: str,
    *,
    seconds: float,
    key: str = "",
    headers: Mapping[str, str] = _NONE,
    question: Mapping[str, object] | None = None,
) -> ProbeReply:
    """The reply, whatever its status; a `question` is sent as JSON.  Raises `OSError` where none comes in `seconds`."""
    from http.client import HTTPException
    from urllib.error import HTTPError

    deadline = time.monotonic() + seconds
    try:
        try:
            with _opener(url).open(
                _request(url, {**_authorization(key), **headers}, question), timeout=seconds
            ) as response:
                return ProbeReply(response.status, _json(response, deadline))
        except HTTPError as e:
            with e:
                return ProbeReply(e.code, _json(e, deadline))
    except (HTTPException, ValueError) as e:  # no HTTP at that port, no URL, or no key: its words would hold the key
        raise ConnectionError(f"no HTTP request could be made, or no HTTP reply came ({type(e).__name__})") from None


def all_at_once(calls: Sequence[Callable[[], T]], *, seconds: float) -> list[T | None]:
    """What each call returns, in order; None for one that raised `OSError` or was not done after `seconds`.

    Nobody waits longer for a call that hangs: its thread ends with its own time limit, or with the process.
    """
    deadline = time.monotonic() + seconds
    replies: list[T | None] = [None] * len(calls)

    def work(place: int) -> None:
        with suppress(OSError):
            replies[place] = calls[place]()

    threads = [threading.Thread(target=work, args=(i,), name="probe", daemon=True) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(replies)


def _authorization(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _request(url: str, more: Mapping[str, str], question: Mapping[str, object] | None) -> Request:
    from urllib.request import Request

    headers = {"Accept": "application/json", "User-Agent": f"r1-research-agent/{VERSION}", **more}
    if question is None:
        return Request(url, headers=headers)  # noqa: S310 - what is configured begins with http, the rest is ours
    body = json.dumps(question).encode()
    return Request(url, body, {**headers, "Content-Type": "application/json"})  # noqa: S310 - likewise


def _opener(url: str) -> OpenerDirector:
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

    class StayHere(HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    return build_opener(StayHere, *([ProxyHandler({})] if is_local_host(url) else []))


def _json(response: IO[bytes], deadline: float) -> object:
    body = bytearray()
    while piece := response.read1(_PIECE):  # type: ignore[attr-defined]  # both kinds of reply have it
        body += piece
        if len(body) > MOST_BYTES:
            return None
        if time.monotonic() > deadline:
            raise TimeoutError("the reply came too slowly")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
