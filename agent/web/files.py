"""From a `file:` URL below one directory to a page's bytes, or to what the library has made of the same bytes.

Knows nothing of what stands in it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.errors import FetchFailed
from agent.services import Clock
from agent.types import Document, Page
from agent.web import sniff
from agent.web.sizes import TEXT_BYTES, WHOLE_BYTES, check_size, is_cut

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
        kind = sniff.media_type(body, declared=_FILE_TYPES.get(path.suffix.lower(), ""), url=url)
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
