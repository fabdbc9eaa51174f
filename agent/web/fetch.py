"""From a URL to a page's bytes: redirects, size, time and kind, each bounded; every failure has a short plain reason.

`HttpFetcher` for the web, `FolderFetcher` for files below one directory.  Knows nothing of what stands in a page.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from agent.errors import FetchFailed
from agent.services import Clock
from agent.types import Page
from agent.web import sniff
from agent.web.addresses import check_url

if TYPE_CHECKING:
    import httpx2

    from agent.web.client import Reach

_REDIRECTS = 5
_PATIENCE = 3.0  # seconds of Retry-After that are worth waiting for
_PDF_BYTES = 20_000_000  # a PDF has its table of contents at the end: half of one is nothing, so larger ones are left
_TEXT_BYTES = 2_000_000  # a text is cut here: its beginning is worth reading, and 5 MB of HTML take 4.5 s to extract


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A reply that sends the reader on: to a URL, or to the same one after a pause."""

    url: str
    pause: float = 0.0


class HttpFetcher:
    """Fetches with one run's client.  `seconds`: for one page, all its redirects and its one second try together."""

    def __init__(self, client: httpx2.AsyncClient, reach: Reach, clock: Clock, *, seconds: float) -> None:
        self._client = client
        self._reach = reach
        self._clock = clock
        self._seconds = seconds

    async def fetch(self, url: str) -> Page:
        try:
            with _plain_reasons(url):
                async with asyncio.timeout(self._seconds):
                    return await self._follow(url)
        except TimeoutError as e:
            raise FetchFailed("timed out", url) from e

    async def _follow(self, url: str) -> Page:
        """Redirects by hand, so that each address is checked; a busy server is asked once more."""
        redirects, waited = 0, False
        while True:
            reply = await self._get(url, may_wait=not waited)
            if isinstance(reply, Page):
                return reply
            if reply.pause:
                waited = True
                await asyncio.sleep(reply.pause)
                continue
            redirects += 1
            if redirects > _REDIRECTS:
                raise FetchFailed("too many redirects", url)
            url = reply.url

    async def _get(self, url: str, *, may_wait: bool) -> Page | _Elsewhere:
        url = url.partition("#")[0]
        proxied = self._reach.proxy_for(url) is not None
        check_url(url, allow_private=self._reach.allow_private, by_name=proxied)
        async with self._client.stream("GET", url) as response:
            if response.has_redirect_location:
                return _Elsewhere(str(response.url.join(response.headers["location"])))
            pause = _pause(response)
            if pause is not None and may_wait:
                return _Elsewhere(url, pause)
            if not response.is_success:
                raise FetchFailed(str(response.status_code), url)
            return await self._page(response)

    async def _page(self, response: httpx2.Response) -> Page:
        url, headers = str(response.url), response.headers
        body, kind = await _bounded(response, url)
        return Page(
            url=url,
            body=body,
            media_type=kind,
            fetched_at=self._clock.now().isoformat(timespec="seconds"),
            charset=response.charset_encoding,
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
        )


async def _bounded(response: httpx2.Response, url: str) -> tuple[bytes, str]:
    """The decompressed body up to its kind's cap, and the kind.  The rest is never downloaded."""
    body, kind = bytearray(), ""
    declared = response.headers.get("content-type", "")
    async for piece in response.aiter_bytes():
        body += piece
        if not kind and len(body) >= sniff.ENOUGH:
            kind = sniff.media_type(bytes(body[: sniff.ENOUGH]), declared=declared, url=url)
        if kind == "application/pdf":
            _check_size(max(len(body), _announced(response)), url)
        elif len(body) > _TEXT_BYTES:
            break
    kind = kind or sniff.media_type(bytes(body), declared=declared, url=url)
    return bytes(body if kind == "application/pdf" else body[:_TEXT_BYTES]), kind


def _announced(response: httpx2.Response) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else 0


def _check_size(size: int, url: str) -> None:
    if size > _PDF_BYTES:
        raise FetchFailed(f"too large (over {_PDF_BYTES // 1_000_000} MB)", url)


def _pause(response: httpx2.Response) -> float | None:
    """Seconds that a busy server asks for, where they are worth waiting."""
    wish = response.headers.get("retry-after", "").strip()
    if response.status_code not in {429, 503} or not wish:
        return None
    try:
        seconds = (
            float(wish) if re.fullmatch("[0-9]+", wish) else parsedate_to_datetime(wish).timestamp() - _now(response)
        )
    except (ValueError, OverflowError):
        return None
    return max(seconds, 0.1) if seconds <= _PATIENCE else None


def _now(response: httpx2.Response) -> float:
    """The server's own time, so that its clock need not be ours."""
    return parsedate_to_datetime(response.headers.get("date", "")).timestamp()


@contextmanager
def _plain_reasons(url: str) -> Iterator[None]:
    """Whatever the network and the HTTP libraries raise, as `FetchFailed` with a reason for a reader."""
    import httpcore2
    import httpx2

    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
        httpx2.HTTPError,
        httpx2.InvalidURL,
        httpx2.StreamError,
        ssl.SSLError,
    ) as e:
        raise FetchFailed(_reason(e), url) from e


_REASONS = {  # by the name of the error's class or a base of it: the two libraries share their names
    "TimeoutException": "timed out",
    "ConnectError": "no connection",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "not an http(s) address",
    "DecodingError": "garbled encoding",
    "InvalidURL": "not an address",
}


def _reason(error: Exception) -> str:
    if _certificate(error):
        return "bad certificate"
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((_REASONS[name] for name in names if name in _REASONS), "the connection broke off")


def _certificate(error: BaseException | None) -> bool:
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


# ------------------------------------------------------------------------------------------------- files

_FILE_TYPES = {".html": "text/html", ".htm": "text/html", ".md": "text/markdown", ".txt": "text/plain"}


class FolderFetcher:
    """Reads `file:` URLs of regular files below `root`, after links are resolved."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root.resolve()
        self._clock = clock

    async def fetch(self, url: str) -> Page:
        return await asyncio.to_thread(self._read, url)

    def _read(self, url: str) -> Page:
        path = self._path(url)
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                body = file.read(_PDF_BYTES + 1)
        except OSError as e:
            raise FetchFailed(os.strerror(e.errno).lower() if e.errno else "cannot be read", url) from e
        kind = sniff.media_type(body, declared=_FILE_TYPES.get(path.suffix.lower(), ""), url=url)
        if kind == "application/pdf":
            _check_size(size, url)
        else:
            body = body[:_TEXT_BYTES]
        return Page(url, body, kind, self._clock.now().isoformat(timespec="seconds"))

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
