"""Local documents as a search provider: text, Markdown, HTML and PDF below one directory.

Walks the directory at each search, reads what is new, and ranks by words in names and texts.  Plain text is read here;
PDF and HTML are parsed by the `read` it is given.  Symbolic links are resolved, and what they lead to outside the
directory is not there.  Hits are `file:` URLs.  Hidden files and directories are left out.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import AgentError, SearchBroken, SettingsError
from agent.services import SearchProvider
from agent.types import Query, SearchHit
from agent.web.search.folder_index import FolderIndex, Found
from agent.web.search.hits import plain
from agent.web.search.parts import ProviderParts, ReadFile

_PLAIN = {".txt", ".md", ".markdown"}
_PARSED = {".html", ".htm", ".pdf"}
_FILES = 5_000  # past them, in the order of their names, the folder needs an index of its own
_WALKED = 200_000  # names looked at: somebody will name the root of a disk
_FILE_BYTES = 20 << 20  # of a file that is read at all
_FILE_CHARACTERS = 200_000  # of its text that are indexed: about 70 pages
_TOTAL_CHARACTERS = 20_000_000  # of all texts: 20,000 pages, held in about 80 MB
_READERS = 4  # files read at once


@dataclass(frozen=True, slots=True)
class _File:
    path: Path  # links resolved
    name: str  # below the directory, as a person would look for it
    size: int
    changed: int  # nanoseconds


def build(parts: ProviderParts) -> SearchProvider:
    if parts.folder is None:
        raise SettingsError("the search provider 'folder' needs a directory: set AGENT_FOLDER (--folder)")
    return Folder(parts.folder, parts.read, seconds=parts.seconds)


class Folder:
    name = "folder"

    def __init__(self, root: Path, read: ReadFile | None = None, *, seconds: float = 8.0) -> None:
        """`seconds`: for reading new files in one search; what is not read then is found by its name, and read next."""
        if not root.is_dir():
            raise SettingsError(f"AGENT_FOLDER={str(root)!r} is not a directory")
        self._root = root
        self._read = read
        self._seconds = seconds
        self._index = FolderIndex()
        self._known: dict[Path, _File] = {}  # as they were when they were read
        self._lengths: dict[Path, int] = {}  # of their texts, as far as they are indexed
        self._reading = asyncio.Lock()

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Files by how well name and text fit.  Raises `SearchBroken` where the directory is gone."""
        async with self._reading:
            await self._catch_up()
        found = await asyncio.to_thread(self._index.find, query.text, limit)
        return [self._hit(file, rank) for rank, file in enumerate(found, start=1)]

    def _hit(self, found: Found, rank: int) -> SearchHit:
        return SearchHit(found.url, found.name, plain(found.excerpt), rank, self.name)

    async def _catch_up(self) -> None:
        """Bring the index to what is on disk now, as far as the time allows."""
        new = await asyncio.to_thread(self._compare)
        await self._read_in_time(iter(new))

    def _compare(self) -> list[_File]:
        """Take note of what is gone and of the names of what is new; the files to read."""
        files = _walk(self._root)
        for gone in self._known.keys() - {file.path for file in files}:
            del self._known[gone]
            self._lengths.pop(gone, None)
            self._index.drop(gone.as_uri())
        new = [file for file in files if self._known.get(file.path) != file]
        for file in new:
            self._index.put(file.path.as_uri(), file.name, "")
        return new

    async def _read_in_time(self, files: Iterator[_File]) -> None:
        until = time.monotonic() + self._seconds

        async def reader() -> None:
            for file in files:  # shared: each reader takes the next one
                if time.monotonic() > until:
                    return
                await self._take(file)

        async with asyncio.TaskGroup() as group:
            for _ in range(_READERS):
                group.create_task(reader())

    async def _take(self, file: _File) -> None:
        text = await self._text(file)
        self._lengths[file.path] = len(text)
        if text:
            await asyncio.to_thread(self._index.put, file.path.as_uri(), file.name, text)
        self._known[file.path] = file

    async def _text(self, file: _File) -> str:
        """Its text, as far as it is indexed; the empty one where it cannot be read, so that its name still counts."""
        room = min(_FILE_CHARACTERS, _TOTAL_CHARACTERS - sum(self._lengths.values()))
        if room <= 0 or file.size > _FILE_BYTES:
            return ""
        try:
            if file.path.suffix.lower() in _PLAIN:
                return (await asyncio.to_thread(_decoded, file.path))[:room]
            return (await self._read(file.path))[:room] if self._read else ""
        except (AgentError, OSError):
            return ""


def _decoded(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(4 * _FILE_CHARACTERS)  # UTF-8's longest; a character cut in two at the end is left out
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return codecs.getincrementaldecoder("utf-16")("replace").decode(raw)
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(raw)
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")  # what is not UTF-8 on a desk was mostly written by Windows


# ------------------------------------------------------------------------------------------------- the directory


def _walk(root: Path) -> list[_File]:
    """The files that may be searched, each once, at most `_FILES`.  Raises `SearchBroken`."""
    try:
        home = root.resolve(strict=True)
    except OSError as e:
        raise SearchBroken(f"AGENT_FOLDER={str(root)!r} cannot be read: {e.strerror}") from e
    files: dict[Path, _File] = {}
    for path in _paths(home):
        file = _checked(path, home)
        if file:
            files.setdefault(file.path, file)
        if len(files) >= _FILES:
            break
    return list(files.values())


def _paths(home: Path) -> Iterator[Path]:
    """Every path with a fitting name, in order; linked directories are not entered: their targets are, if inside."""
    walked = 0
    for directory, below, names in os.walk(home):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(directory, name) for name in sorted(names) if _fits(name))
        walked += len(names) + len(below)
        if walked > _WALKED:
            return


def _fits(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in _PLAIN | _PARSED


def _checked(path: Path, home: Path) -> _File | None:
    """The file behind the path, if it is a regular one below the directory and not a hidden one by another name."""
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except OSError:  # a link to nowhere, or gone meanwhile
        return None
    if not real.is_relative_to(home) or not stat.S_ISREG(status.st_mode):
        return None
    below = real.relative_to(home)
    if not _fits(real.name) or any(part.startswith(".") for part in below.parts):
        return None
    name = str(below).encode("utf-8", "replace").decode()  # a name need not be UTF-8 on disk; SQLite's texts are
    return _File(real, name, status.st_size, status.st_mtime_ns)
