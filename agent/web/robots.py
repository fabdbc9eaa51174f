"""What sites ask of robots, as RFC 9309 has it: read once a run and once a day, and never waited for long.

4xx means that there are no rules; a server that fails or does not answer keeps us out, unless an older copy tells more.
Knows robots.txt; what is fetched, and when, is the fetcher's.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.errors import FetchFailed, PageError
from agent.protocols import Clock
from agent.web.http_exchange import NOT_REACHED

if TYPE_CHECKING:
    from agent.web.http_exchange import HttpExchange, HttpReply

_BYTES = 512_000  # that count; RFC 9309, 2.5: at least 500 KiB
_SECONDS = 3.0  # a site whose robots.txt takes longer is not worth a page's time
_REDIRECTS = 5  # RFC 9309, 2.3.1.2
_FRESH = 86_400.0  # seconds; RFC 9309, 2.4
_OLDEST = 30 * _FRESH  # a copy of that age may still stand in for a server that fails; 2.3.1.4
FORBIDDEN = "kept out by robots.txt"


@dataclass(frozen=True, slots=True)
class _Rules:
    parsed: Any = None  # protego's; None with `unread`
    unread: str = ""  # why nothing is known, which keeps us out


class Robots:
    """One run's.  `agent`: our name in robots.txt; `home`: the directory of the copies, None for no copies."""

    def __init__(self, agent: str, clock: Clock, home: Path | None = None, *, seconds: float = _SECONDS) -> None:
        self._agent = agent
        self._clock = clock
        self._copies = _Copies(home, clock) if home else None
        self._seconds = seconds
        self._known: dict[str, _Rules] = {}
        self._learning: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, url: str, line: HttpExchange) -> None:
        """Raises `PageError` where the site's rules keep us out, or cannot be known."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        async with self._learning[origin]:
            if origin not in self._known:
                self._known[origin] = await self._learn(origin, line)
        rules = self._known[origin]
        if rules.unread:
            raise FetchFailed(rules.unread, url)
        if not rules.parsed.can_fetch(url, self._agent):
            raise FetchFailed(FORBIDDEN, url)

    async def _learn(self, origin: str, line: HttpExchange) -> _Rules:
        copy = await asyncio.to_thread(self._copies.read, origin) if self._copies else None
        if copy and copy.age < _FRESH:
            return await _parsed(copy.text)
        try:
            async with asyncio.timeout(self._seconds):
                text = await _fetched(f"{origin}/robots.txt", line)
        except TimeoutError:
            return await _parsed(copy.text) if copy else _Rules(unread="its robots.txt does not answer")
        except PageError as e:
            return await _parsed(copy.text) if copy else _Rules(unread=e.reason)
        if self._copies:
            await asyncio.to_thread(self._copies.write, origin, text)
        return await _parsed(text)


async def _parsed(text: str) -> _Rules:
    from protego import Protego  # type: ignore[import-untyped, unused-ignore]

    return _Rules(await asyncio.to_thread(Protego.parse, text))  # 20,000 rules take 0.3 s


async def _fetched(url: str, line: HttpExchange) -> str:
    """The rules; none where the site has none.  Raises `PageError`: its reason is that of every page there."""
    for hop in range(_REDIRECTS + 1):
        try:
            async with line.open(url) as reply:
                if (elsewhere := reply.elsewhere) is None:
                    return await _rules(reply)
                url = elsewhere
        except PageError as e:
            if hop == 0 and (e.reason in NOT_REACHED or not isinstance(e, FetchFailed)):
                raise  # no reply at all: the page itself would fare no better
            raise FetchFailed(f"its robots.txt cannot be read ({e.reason})", url) from e
    return ""


async def _rules(reply: HttpReply) -> str:
    if 400 <= reply.status < 500:
        return ""
    if not reply.is_success:
        raise FetchFailed(str(reply.status), reply.url)
    body = bytearray()
    async for piece in reply.pieces():
        body += piece
        if len(body) >= _BYTES:
            break
    return bytes(body[:_BYTES]).decode("utf-8-sig", "replace")


# ------------------------------------------------------------------------------------------------- on disk


@dataclass(frozen=True, slots=True)
class _Copy:
    text: str
    age: float  # seconds


class _Copies:
    """Blocking.  A copy that cannot be read or written is none: nothing depends on them."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._swept = False

    def read(self, origin: str) -> _Copy | None:
        try:
            kept = json.loads(self._path(origin).read_text("utf-8"))
            age = self._clock.now().timestamp() - float(kept["at"])
            text = kept["text"] if kept["origin"] == origin else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return _Copy(text, age) if isinstance(text, str) and 0 <= age < _OLDEST else None

    def write(self, origin: str, text: str) -> None:
        path = self._path(origin)
        kept = json.dumps({"origin": origin, "at": self._clock.now().timestamp(), "text": text})
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_text(kept, "utf-8")
            unfinished.replace(path)
            self._sweep()

    def _sweep(self) -> None:
        """Once a run: what is too old to be of use."""
        if self._swept:
            return
        self._swept = True
        for path in self._home.iterdir():
            if self._clock.now().timestamp() - path.stat().st_mtime > _OLDEST:
                path.unlink(missing_ok=True)

    def _path(self, origin: str) -> Path:
        return self._home / f"{sha256(origin.encode()).hexdigest()[:32]}.json"
