"""Local documents as a search provider: text, Markdown, HTML, PDF and DOCX below one directory.

Walks the directory at each search, reads what is new, and ranks by words in names and texts.  What was read once is not
read again by a later command, nor parsed again under another name: texts are kept by the hash of their file's bytes.
Plain text is read here; all else is parsed by the `read` it is given.  Symbolic links are resolved, and what they lead
to outside the directory is not there.  Hits are `file:` URLs.  Hidden files and directories are left out.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import sqlite3
import stat
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from agent.errors import AgentError, SearchBroken, SettingsError
from agent.protocols import SearchProvider
from agent.search.folder_index import FolderIndex, FolderMatch, IndexedFile
from agent.search.provider_base import Provider, ProviderContext, ReadFile
from agent.search.provider_http import plain
from agent.types import Query, SearchHit

_PLAIN = {".txt", ".md", ".markdown"}
_FILES = 5_000  # past them, in the order of their names, the folder needs an index of its own
_WALKED = 200_000  # names looked at: somebody will name the root of a disk
_FILE_BYTES = 20 << 20  # of a file that is read at all
_FILE_CHARACTERS = 200_000  # of its text that are indexed: about 70 pages
_TOTAL_CHARACTERS = 20_000_000  # of all texts: 20,000 pages, in an index of about 80 MB
_READERS = 4  # files read at once
SETTLED = 2.0  # seconds for which a file has to be unchanged before its size and time can vouch for what is in it
_UNKNOWN = IndexedFile("", "", "")


@dataclass(frozen=True, slots=True)
class _File:
    path: Path  # links resolved
    name: str  # below the directory, as a person would look for it
    size: int
    changed: int  # nanoseconds; of its content or of what the file system knows of it, whichever is later

    @property
    def url(self) -> str:
        return self.path.as_uri()

    @property
    def stamp(self) -> str:
        return f"{self.size} {self.changed}"


def build(parts: ProviderContext) -> SearchProvider:
    if parts.folder is None:
        raise SettingsError("the search provider 'folder' needs a directory: set AGENT_FOLDER (--folder)")
    return Folder(parts.folder, parts.read, seconds=parts.seconds, index=parts.folder_index, endings=parts.endings)


PROVIDER = Provider("folder", build, hint="look at AGENT_FOLDER (--folder)")


class Folder:
    name = "folder"

    def __init__(
        self,
        root: Path,
        read: ReadFile | None = None,
        *,
        seconds: float = 8.0,
        index: FolderIndex | None = None,
        endings: Collection[str] = (".html", ".pdf"),
        now: Callable[[], float] = time.time,
    ) -> None:
        """`seconds`: for reading new files in one search; what is not read then is found by its name, and read next.

        `index`: of this directory alone; None: one in memory.  `endings`: of files that `read` can read.
        """
        if not root.is_dir():
            raise SettingsError(f"AGENT_FOLDER={str(root)!r} is not a directory")
        self._root = root
        self._read = read
        self._endings = _PLAIN.union(endings)
        self._seconds = seconds
        self._now = now
        self._index = index or FolderIndex()
        self._left: dict[str, str] = {}  # by URL, the stamps of what could not be read: not tried again by this process
        self._characters = 0  # of all texts in the index
        self._reading = asyncio.Lock()

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Files by how well name and text fit.  Raises `SearchBroken` where the directory is gone."""
        try:
            found = await self._found(query.text, limit)
        except sqlite3.Error as e:  # a damaged file, a full disk, one that nobody may write: it goes without
            await asyncio.to_thread(self._do_without_file, e)
            found = await self._found(query.text, limit)
        return [self._hit(file, rank) for rank, file in enumerate(found, start=1)]

    async def _found(self, question: str, limit: int) -> list[FolderMatch]:
        async with self._reading:
            await self._catch_up()
        return await asyncio.to_thread(self._index.find, question, limit)

    def _do_without_file(self, error: sqlite3.Error) -> None:
        """What is damaged is made anew by the next command; what only cannot be used just now stays."""
        if isinstance(error, sqlite3.OperationalError):
            self._index.close()
        else:
            self._index.discard()
        self._index = FolderIndex()

    def _hit(self, found: FolderMatch, rank: int) -> SearchHit:
        return SearchHit(found.url, found.name, plain(found.excerpt), rank, self.name)

    async def _catch_up(self) -> None:
        """Bring the index to what is on disk now, as far as the time allows."""
        new = await asyncio.to_thread(self._compare)
        if await self._read_in_time(deque(new)):
            await asyncio.to_thread(self._index.prune)

    def _compare(self) -> list[tuple[_File, IndexedFile]]:
        """Take note of what is gone and of the names of what is new; the files to read, with what is known of them."""
        files, known = _walk(self._root, self._endings), self._index.known()
        here = {file.url for file in files}
        self._index.drop([url for url in known if url not in here])
        new = [
            (file, of_it)
            for file in files
            if (of_it := known.get(file.url, _UNKNOWN)).stamp != file.stamp and self._left.get(file.url) != file.stamp
        ]
        # A file without a stamp has probably not changed; it is looked at, and found meanwhile by what is known of it.
        self._index.name([(f.url, f.name, of_it.stamp) for f, of_it in new if of_it.stamp or f.url not in known])
        self._characters = self._index.characters()
        return sorted(new, key=_turn)

    async def _read_in_time(self, files: deque[tuple[_File, IndexedFile]]) -> bool:
        """Is every file read?  Each reader reads one whatever the time, so that every search gets on."""
        until = time.monotonic() + self._seconds

        async def reader() -> None:
            while files:
                await self._take(*files.popleft())
                if time.monotonic() > until:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(_READERS):
                group.create_task(reader())
        return not files

    async def _take(self, file: _File, of_it: IndexedFile) -> None:
        """Have a file found by its text; by its name alone where it cannot be read."""
        try:
            body = await asyncio.to_thread(_bytes, file)
            digest = f"{sha256(body).hexdigest()}{file.path.suffix.lower()}"  # the same bytes are read by their kind
            stamp = file.stamp if self._now() - file.changed / 1e9 > SETTLED else ""
            if of_it.digest == digest and not of_it.stamp:
                await asyncio.to_thread(self._index.confirm, file.url, stamp)
                return
            text = await asyncio.to_thread(self._index.text, digest)
            if text is None:
                text = await self._text(file, body)
        except (AgentError, OSError):
            self._left[file.url] = file.stamp
            await asyncio.to_thread(self._index.fail, file.url, file.name, file.stamp)
            return
        self._characters += len(text)
        await asyncio.to_thread(self._index.put, file.url, file.name, text, stamp=stamp, digest=digest)

    async def _text(self, file: _File, body: bytes) -> str:
        """Its text, as far as it is indexed.  Raises `AgentError` and `OSError`."""
        room = min(_FILE_CHARACTERS, _TOTAL_CHARACTERS - self._characters)
        if room <= 0:
            raise OSError("the folder's texts are more than are indexed")
        if file.path.suffix.lower() in _PLAIN:
            return (await asyncio.to_thread(_decoded, body))[:room]
        if self._read is None:
            raise OSError("nothing is there to read it")
        return (await self._read(file.path))[:room]


def _turn(new: tuple[_File, IndexedFile]) -> int:
    """What has to be read comes first, what failed as it is comes last; between them what has probably not changed."""
    file, of_it = new
    if of_it.failed == file.stamp:
        return 2
    return 1 if of_it.digest and not of_it.stamp else 0


def _bytes(file: _File) -> bytes:
    if file.size > _FILE_BYTES:
        raise OSError("too large")
    with file.path.open("rb") as opened:
        return opened.read(_FILE_BYTES)


def _decoded(body: bytes) -> str:
    raw = body[: 4 * _FILE_CHARACTERS]  # UTF-8's longest; a character cut in two at the end is left out
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return codecs.getincrementaldecoder("utf-16")("replace").decode(raw)
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(raw)
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")  # what is not UTF-8 on a desk was mostly written by Windows


# ------------------------------------------------------------------------------------------------- the directory


def _walk(root: Path, endings: Collection[str]) -> list[_File]:
    """The files that may be searched, each once, at most `_FILES`.  Raises `SearchBroken`."""
    try:
        home = root.resolve(strict=True)
    except OSError as e:
        raise SearchBroken(f"AGENT_FOLDER={str(root)!r} cannot be read: {e.strerror}") from e
    files: dict[Path, _File] = {}
    for path in _paths(home, endings):
        file = _checked(path, home, endings)
        if file:
            files.setdefault(file.path, file)
        if len(files) >= _FILES:
            break
    return list(files.values())


def _paths(home: Path, endings: Collection[str]) -> Iterator[Path]:
    """Every path with a fitting name, in order; linked directories are not entered: their targets are, if inside."""
    walked = 0
    for directory, below, names in os.walk(home):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(directory, name) for name in sorted(names) if _fits(name, endings))
        walked += len(names) + len(below)
        if walked > _WALKED:
            return


def _fits(name: str, endings: Collection[str]) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in endings


def _checked(path: Path, home: Path, endings: Collection[str]) -> _File | None:
    """The file behind the path, if it is a regular one below the directory and not a hidden one by another name."""
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except OSError:  # a link to nowhere, or gone meanwhile
        return None
    if not real.is_relative_to(home) or not stat.S_ISREG(status.st_mode):
        return None
    below = real.relative_to(home)
    if not _fits(real.name, endings) or any(part.startswith(".") for part in below.parts):
        return None
    name = str(below).encode("utf-8", "replace").decode()  # a name need not be UTF-8 on disk; SQLite's texts are
    changed = max(status.st_mtime_ns, status.st_ctime_ns)  # who copies a file may keep its time
    return _File(real, name, status.st_size, changed)
