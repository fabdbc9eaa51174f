"""Which files fit a question, best first: SQLite's FTS5 over names and texts, in a file of its own for each folder.

Knows names, texts, the hashes of what the texts were read from, and questions.  Reads no document.  It can be thrown
away at any time.  Its methods block for some milliseconds, may be called from any thread, and raise `sqlite3.Error`.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.text.search_terms import index_terms, match, telling_terms

_FORM = 1  # of the tables and of how texts are turned into words: another one is made anew
_BUSY = 5.0  # seconds; a write lasts milliseconds
_NAME_WEIGHT = 3.0  # a file's name and title say more of it than its text does
_EXCERPT = 300  # characters
# files: `stamp` is size and time at which `hash` was the file's, empty where somebody has to look again; `hash` is of
# what its text was read from, empty where it is found by its name alone; at `failed` it could not be read.
_TABLES = (
    """CREATE TABLE files (row INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        stamp TEXT NOT NULL, hash TEXT NOT NULL, failed TEXT NOT NULL)""",
    "CREATE TABLE texts (hash TEXT PRIMARY KEY, text BLOB NOT NULL, length INTEGER NOT NULL)",
    "CREATE VIRTUAL TABLE words USING fts5(naming, body, tokenize='porter')",
)


@dataclass(frozen=True, slots=True)
class FolderMatch:
    url: str
    name: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """What is known of a file from the last time that somebody looked."""

    stamp: str
    digest: str
    failed: str


def file_of(home: Path, folder: Path) -> Path:
    """Where a folder's index lies: no two folders share one, so nothing of one can come up in the other's answers."""
    return home / f"{sha256(str(folder.resolve()).encode('utf-8', 'replace')).hexdigest()[:24]}.sqlite3"


class FolderIndex:
    def __init__(self, path: Path | None = None, *, made_by: str = "") -> None:
        """`path`: None keeps it in memory.  `made_by`: what reads documents; texts that another one made are dropped.

        Nothing is opened or made before it is needed.
        """
        self._path = path
        self._made_by = f"{_FORM} {made_by}"
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None

    # --------------------------------------------------------------------------------------------- writing

    def name(self, files: Sequence[tuple[str, str, str]]) -> None:
        """Have files (URL, every word that names it, stamp that is known of it) found by their names alone.

        What another command has read of one meanwhile stays.
        """
        with self._writing() as tables:
            for url, name, stamp in files:
                now = tables.execute("SELECT stamp FROM files WHERE url = ?", (url,)).fetchone()
                if now is None or (stamp and now == (stamp,)):
                    _put(tables, url, name, "", "", "")

    def put(self, url: str, name: str, text: str, *, stamp: str = "", digest: str = "") -> None:
        """Index a file anew.  Another one with that digest has the same text."""
        blob = zlib.compress(text.encode("utf-8", "surrogatepass"))
        with self._writing() as tables:
            if digest:
                tables.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", (digest, blob, len(text)))
            _put(tables, url, name, text, stamp, digest)

    def confirm(self, url: str, stamp: str) -> None:
        """What is known of this file is so."""
        with self._writing() as tables:
            tables.execute("UPDATE files SET stamp = ? WHERE url = ?", (stamp, url))

    def fail(self, url: str, name: str, stamp: str) -> None:
        """This file could not be read as it is, and is found by its name alone."""
        with self._writing() as tables:
            _put(tables, url, name, "", "", "")
            tables.execute("UPDATE files SET failed = ? WHERE url = ?", (stamp, url))

    def drop(self, urls: Collection[str]) -> None:
        with self._writing() as tables:
            for url in urls:
                _delete(tables, url)

    def prune(self) -> None:
        """Keep no text that no file has."""
        unused = "FROM texts WHERE hash NOT IN (SELECT hash FROM files)"
        if self._rows(f"SELECT 1 {unused} LIMIT 1"):
            with self._writing() as tables:
                tables.execute(f"DELETE {unused}")

    # --------------------------------------------------------------------------------------------- reading

    def known(self) -> dict[str, IndexedFile]:
        return {url: IndexedFile(*told) for url, *told in self._rows("SELECT url, stamp, hash, failed FROM files")}

    def characters(self) -> int:
        """Of the texts of all files."""
        return int(self._rows("SELECT coalesce(sum(length), 0) FROM files JOIN texts USING (hash)")[0][0])

    def text(self, digest: str) -> str | None:
        """What was read from a file with that digest, if there was one."""
        found = self._rows("SELECT text FROM texts WHERE hash = ?", digest)
        return zlib.decompress(found[0][0]).decode("utf-8", "surrogatepass") if found else None

    def find(self, question: str, limit: int) -> list[FolderMatch]:
        """At most `limit` files that share a word with the question."""
        wanted = match(question)
        if not wanted:
            return []
        best = """SELECT url, name, hash FROM words JOIN files ON files.row = words.rowid
            WHERE words MATCH ? ORDER BY bm25(words, ?, 1.0), url LIMIT ?"""
        rows = self._rows(best, wanted, _NAME_WEIGHT, limit)
        telling = telling_terms(question)
        return [FolderMatch(url, name, _excerpt(self.text(digest) or "", telling)) for url, name, digest in rows]

    # --------------------------------------------------------------------------------------------- the file

    def discard(self) -> None:
        """Have it made anew by whoever opens it next."""
        with self._lock:
            self._close()
            if self._path:
                for ending in ("", "-wal", "-shm"):
                    with suppress(OSError):
                        self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._tables().execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _transaction(self._tables()) as tables:
            yield tables

    def _tables(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = _opened(self._path, self._made_by)
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        with self._lock:
            self._close()


@contextmanager
def _transaction(tables: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    tables.execute("BEGIN IMMEDIATE")
    try:
        yield tables
    except BaseException:
        if tables.in_transaction:
            tables.execute("ROLLBACK")
        raise
    tables.execute("COMMIT")


def _opened(path: Path | None, made_by: str) -> sqlite3.Connection:
    """The tables, made anew where there are none, or those of another form."""
    if path is None:
        return _filled(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False), made_by)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise sqlite3.OperationalError(str(e)) from e
    connect: Callable[[], sqlite3.Connection] = partial(
        sqlite3.connect, path, timeout=_BUSY, isolation_level=None, check_same_thread=False
    )
    tables = connect()
    try:
        tables.execute("PRAGMA journal_mode = WAL")
        tables.execute("PRAGMA synchronous = NORMAL")
        tables.execute("PRAGMA secure_delete = ON")  # what somebody deletes from the folder is not to be read here
        return _filled(tables, made_by)
    except BaseException:
        tables.close()
        raise


def _filled(tables: sqlite3.Connection, made_by: str) -> sqlite3.Connection:
    with _transaction(tables):
        tables.execute("CREATE TABLE IF NOT EXISTS about (made_by TEXT NOT NULL)")
        if tables.execute("SELECT made_by FROM about").fetchall() == [(made_by,)]:
            return tables
        for old in ("files", "texts", "words"):
            tables.execute(f"DROP TABLE IF EXISTS {old}")
        for statement in _TABLES:
            tables.execute(statement)
        tables.execute("DELETE FROM about")
        tables.execute("INSERT INTO about VALUES (?)", (made_by,))
    return tables


def _put(tables: sqlite3.Connection, url: str, name: str, text: str, stamp: str, digest: str) -> None:
    _delete(tables, url)
    added = tables.execute("INSERT INTO files VALUES (NULL, ?, ?, ?, ?, '')", (url, name, stamp, digest)).lastrowid
    row = (added, index_terms(name), index_terms(text))
    tables.execute("INSERT INTO words (rowid, naming, body) VALUES (?, ?, ?)", row)


def _delete(tables: sqlite3.Connection, url: str) -> None:
    for (row,) in tables.execute("SELECT row FROM files WHERE url = ?", (url,)).fetchall():
        tables.execute("DELETE FROM words WHERE rowid = ?", (row,))
        tables.execute("DELETE FROM files WHERE row = ?", (row,))


def _excerpt(text: str, words: list[str]) -> str:
    """The line that shares most words with the question, cut to size around the first of them."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    best = max(lines, key=lambda line: sum(word in line.casefold() for word in words))
    places = [at for word in words if (at := best.casefold().find(word)) >= 0]
    start = max(min(places, default=0) - _EXCERPT // 3, 0)
    return best[start : start + _EXCERPT]
