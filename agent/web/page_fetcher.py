"""Fetches one page or file: redirects, size, pauses between requests to one host."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from agent.errors import FetchFailed
from agent.extract import media_types
from agent.extract.format_registry import format_of
from agent.protocols import Clock
from agent.text.urls import canonical, host
from agent.types import Document, Page
from agent.web.http_client import metered
from agent.web.http_exchange import HttpExchange, HttpReply

if TYPE_CHECKING:
    import httpx2

    from agent.web.http_client import Reach
    from agent.web.robots import Robots


# ------------------------------------------------------------------------------------------ pacing

# When the next request to a host may go out: a moment after the last one, and not before it asked us to come back.
#
# Knows hosts and seconds; knows nothing of URLs or replies.

BETWEEN = 0.5  # seconds between two pages of one host; crawlers take 1 to 10, but a run reads three of a host


@dataclass(frozen=True, slots=True)
class Timer:
    """How time is read and waited for; a test brings its own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


REAL_TIME = Timer()


class HostPauses:
    """One run's; used on one event loop."""

    def __init__(self, between: float = BETWEEN, timer: Timer = REAL_TIME) -> None:
        self._between = between
        self._timer = timer
        self._free: dict[str, float] = {}  # host → when a request may go out, by the timer
        self._asked: dict[str, str] = {}  # host → what it said when it asked us to wait

    async def turn(self, host: str, *, until: float) -> None:
        """Wait for the host's next turn, and take it.  Raises `FetchFailed` where that is later than `until`."""
        while (at := self._free.get(host, 0.0)) > (now := self._timer.now()):
            if at >= until:
                raise FetchFailed(self._asked.get(host) or "timed out")
            await self._timer.sleep(at - now)
        self._asked.pop(host, None)
        self._free[host] = self._timer.now() + self._between

    def hold(self, host: str, seconds: float, why: str) -> None:
        """The host asks for a pause."""
        self._free[host] = max(self._free.get(host, 0.0), self._timer.now() + seconds)
        self._asked[host] = why


# ------------------------------------------------------------------------------------------ sizes

# How much of a page is taken.

TEXT_BYTES = 2_000_000  # a text is cut here: its beginning is worth reading, and 5 MB of HTML take 4.5 s to extract
WHOLE_BYTES = 20_000_000  # a PDF has its table of contents at the end: half of one is nothing, so larger ones are left


def is_cut(media_type: str) -> bool:
    """May a page of this kind be cut?  Else it is taken whole or not at all."""
    known = format_of(media_type)
    return known is None or not known.whole


def check_size(size: int, url: str) -> None:
    """Raises `FetchFailed`."""
    if size > WHOLE_BYTES:
        raise FetchFailed(f"too large (over {WHOLE_BYTES // 1_000_000} MB)", url)


# ------------------------------------------------------------------------------------------ files

# From a `file:` URL below one directory to a page's bytes, or to what the library has made of the same bytes.
#
# Knows nothing of what stands in it.

Recall = Callable[[str], Awaitable[Document | None]]
"""What the library has of a file, with the hash that the file had as its ETag."""

_FILE_TYPES = {".html": "text/html", ".htm": "text/html", ".md": "text/markdown", ".txt": "text/plain"}


class FolderFetcher:
    """Reads `file:` URLs of regular files below `root`, after links are resolved."""

    def __init__(self, root: Path, clock: Clock, *, recall: Recall | None = None) -> None:
        """`recall`: for not parsing again what has not changed; None: everything is."""
        self._root = root.resolve()
        self._clock = clock
        self._recall = recall

    async def fetch(self, url: str) -> Page:
        """A file's bytes; or what the library made of the same bytes (`kept`)."""
        page = await asyncio.to_thread(self._read, url)
        known = await self._recall(url) if self._recall else None
        if known and known.etag == page.etag and known.media_type == page.media_type:
            return replace(page, body=b"", kept=known)
        return page

    def _read(self, url: str) -> Page:
        path = self._path(url)
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                body = file.read(WHOLE_BYTES + 1)
        except OSError as e:
            raise FetchFailed(os.strerror(e.errno).lower() if e.errno else "cannot be read", url) from e
        kind = media_types.media_type(body, declared=_FILE_TYPES.get(path.suffix.lower(), ""), url=url)
        if is_cut(kind):
            body = body[:TEXT_BYTES]
        else:
            check_size(size, url)
        now = self._clock.now().isoformat(timespec="seconds")
        return Page(url, body, kind, now, etag=sha256(body).hexdigest())

    def _path(self, url: str) -> Path:
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
            raise FetchFailed("not a file address", url)
        try:
            path = Path(unquote(parts.path)).resolve(strict=True)
        except FileNotFoundError as e:
            raise FetchFailed("no such file", url) from e
        except (OSError, ValueError, RuntimeError) as e:  # a loop of links, a NUL, a name too long
            raise FetchFailed("not a file", url) from e
        if not path.is_relative_to(self._root):
            raise FetchFailed("outside the folder", url)
        if not path.is_file():
            raise FetchFailed("not a file", url)
        return path


# ------------------------------------------------------------------------------------------ fetch

# From a URL to a page's bytes: redirects, size, time and kind, each bounded; every failure has a short plain reason.
#
# Polite on the way: robots.txt, a pause between two pages of a host, the pause that a busy server asks for, and no
# second download of what the library has and the server says is unchanged.  Knows nothing of what stands in a page.

_REDIRECTS = 5
_PATIENCE = 0.75  # of a page's time may go into waiting: what is left must be enough to read it
_WHOLE = frozenset({200, 203, 204, 205})  # 202 comes with challenges to robots, 206 with a part of a page
_LONGEST_VALIDATOR = 500  # characters of an ETag or a date that are sent back

"""What the library has of a URL, if anything."""


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """How politely a run asks."""

    between: float = BETWEEN  # seconds from one page of a host to the next
    robots: Robots | None = None  # None asks no site for its rules
    timer: Timer = REAL_TIME


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    url: str


@dataclass(frozen=True, slots=True)
class _Later:
    seconds: float
    why: str


class HttpFetcher:
    """Fetches with one run's client.  `seconds`: for one page, all its redirects and its one second try together."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        reach: Reach,
        clock: Clock,
        *,
        seconds: float,
        manners: FetchPolicy | None = None,
        recall: Recall | None = None,
    ) -> None:
        """`recall`: for asking whether a page has changed since."""
        self._line = HttpExchange(client, reach, seconds=seconds)
        self._clock = clock
        self._seconds = seconds
        manners = manners or FetchPolicy()
        self._robots = manners.robots
        self._timer = manners.timer
        self._pace = HostPauses(manners.between, manners.timer)
        self._recall = recall
        self._owners: dict[str, str] = {}  # every address asked for → the page that it was asked for

    async def fetch(self, url: str) -> Page:
        """A page's bytes; or what the library has of it (`kept`), where the server says that this is still so."""
        until = self._timer.now() + _PATIENCE * self._seconds
        try:
            with metered():
                async with asyncio.timeout(self._seconds):
                    return await self._follow(url, until)
        except TimeoutError as e:
            raise FetchFailed("timed out", url) from e

    async def _follow(self, url: str, until: float) -> Page:
        """Redirects by hand, so that each address is checked; a busy server is asked once more."""
        hop, redirects, waited = self._line.spelled(url), 0, False
        await self._may_ask(hop, url)
        await self._turn(hop, until)
        while redirects <= _REDIRECTS:
            reply = await self._ask(hop)
            if isinstance(reply, Page):
                return reply
            if isinstance(reply, _Later):
                self._pace.hold(host(hop), reply.seconds, reply.why)
                if waited:
                    raise FetchFailed(reply.why, url)
                waited = True
                await self._turn(hop, until)
            else:
                hop, redirects = reply.url, redirects + 1
                await self._may_ask(hop, url)
        raise FetchFailed("too many redirects", url)

    async def _may_ask(self, hop: str, url: str) -> None:
        """Raises `PageError` where we may not, or where another page of this run is the same."""
        self._line.check(hop)
        owner = self._owners.setdefault(canonical(hop), url)
        if owner != url:
            raise FetchFailed(f"same page as {owner}", url)
        if self._robots and not self._is_ours(hop):
            await self._robots.check(hop, self._line)

    async def _turn(self, hop: str, until: float) -> None:
        if not self._is_ours(hop):
            await self._pace.turn(host(hop), until=until)

    def _is_ours(self, url: str) -> bool:
        """The built-in sample web: its server is this very program."""
        return host(url) in self._line.reach.own_hosts

    async def _ask(self, url: str) -> Page | _Elsewhere | _Later:
        known = await self._recall(url) if self._recall else None
        async with self._line.open(url, _conditions(known)) as reply:
            if (elsewhere := reply.elsewhere) is not None:
                return _Elsewhere(elsewhere)
            if reply.status in {429, 503} and (seconds := _pause(reply)) is not None:
                return _Later(seconds, f"{reply.status}{_told(seconds)}")
            if reply.status == 304 and known:
                return Page(reply.url, b"", known.media_type, self._now(), kept=known)
            if reply.status not in _WHOLE:
                raise FetchFailed(str(reply.status), url)
            return await self._page(reply)

    async def _page(self, reply: HttpReply) -> Page:
        body, kind = await _bounded(reply)
        return Page(
            url=reply.url,
            body=body,
            media_type=kind,
            fetched_at=self._now(),
            charset=reply.charset,
            etag=reply.header("etag") or None,
            last_modified=reply.header("last-modified") or None,
        )

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")


async def _bounded(reply: HttpReply) -> tuple[bytes, str]:
    """The unpacked body up to its kind's cap, and the kind.  The rest is never downloaded."""
    body, kind = bytearray(), ""
    declared = reply.header("content-type")
    async with aclosing(reply.pieces()) as pieces:
        async for piece in pieces:
            body += piece
            if not kind and len(body) >= media_types.ENOUGH:
                kind = media_types.media_type(bytes(body[: media_types.ENOUGH]), declared=declared, url=reply.url)
            if kind and not is_cut(kind):
                check_size(max(len(body), _announced(reply)), reply.url)
            elif len(body) > TEXT_BYTES:
                break
    kind = kind or media_types.media_type(bytes(body), declared=declared, url=reply.url)
    return bytes(body[:TEXT_BYTES] if is_cut(kind) else body), kind


def _announced(reply: HttpReply) -> int:
    length = reply.header("content-length")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else 0


def _conditions(known: Document | None) -> dict[str, str]:
    """For a server to say 304.  A server's own words go back to it only where a header can carry them."""
    told = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified} if known else {}
    return {
        name: value
        for name, value in told.items()
        if value and value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR
    }


def _told(seconds: float) -> str:
    return f" (asks to wait {seconds:.0f} s)" if seconds >= 1 else ""


def _pause(reply: HttpReply) -> float | None:
    """Seconds that a busy server asks for; None where it asks for none."""
    wish = reply.header("retry-after").strip()
    try:
        if re.fullmatch("[0-9]{1,9}", wish):
            return float(wish)
        asked = parsedate_to_datetime(wish).timestamp() - parsedate_to_datetime(reply.header("date")).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(asked, 0.0)  # by the server's own clock, which need not be ours
