"""The record's tables, and how its file is opened.

Knows SQL for creating, pragmas, versions and SQLite's errors.  Does not know what is asked of the record.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import LibraryError

FILE = "library.sqlite3"
VERSION = 2  # of the tables below; a change adds a step that brings an older file up to it
APPLICATION = 0x52314C42  # "R1LB": tells our file from any other SQLite database
BUSY_SECONDS = 15.0  # a write lasts milliseconds; whoever holds the file longer than this is stuck

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshots (
    hash TEXT PRIMARY KEY, text BLOB NOT NULL                                  -- zlib over UTF-8
);
CREATE TABLE documents (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, snapshot TEXT NOT NULL REFERENCES snapshots (hash),
    url TEXT NOT NULL, title TEXT NOT NULL, site TEXT NOT NULL, media_type TEXT NOT NULL, language TEXT, published TEXT,
    fetched_at TEXT NOT NULL, fetched REAL NOT NULL,                           -- the same time, in seconds since 1970
    etag TEXT, last_modified TEXT, extraction TEXT NOT NULL, page_starts TEXT NOT NULL, author TEXT NOT NULL DEFAULT '',
    modified TEXT, date_certainty TEXT NOT NULL DEFAULT '', suspect INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX documents_by_url ON documents (url, fetched);
CREATE INDEX documents_by_snapshot ON documents (snapshot);
CREATE TABLE run_documents (
    run_id TEXT NOT NULL, document INTEGER NOT NULL REFERENCES documents (row), PRIMARY KEY (run_id, document)
) WITHOUT ROWID;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents (row),
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, heading TEXT NOT NULL, UNIQUE (document, start, "end")
);
CREATE VIRTUAL TABLE words USING fts5 (                                        -- rowid: the passage's row
    text, head, content = '', tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TABLE embedders (row INTEGER PRIMARY KEY, name TEXT NOT NULL, probe BLOB NOT NULL);
CREATE TABLE vectors (                                                         -- row: the order of their coming
    row INTEGER PRIMARY KEY AUTOINCREMENT, passage INTEGER NOT NULL REFERENCES passages (row),
    embedder INTEGER NOT NULL REFERENCES embedders (row), vector BLOB NOT NULL, UNIQUE (passage, embedder)
);
"""
_FROM_1 = (
    "ALTER TABLE documents ADD COLUMN author TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE documents ADD COLUMN modified TEXT",
    "ALTER TABLE documents ADD COLUMN date_certainty TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE documents ADD COLUMN suspect INTEGER NOT NULL DEFAULT 0",
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the record, which is made where there is none.  Raises `LibraryError`.

    It commits by itself; what belongs together stands between BEGIN IMMEDIATE and COMMIT.
    """
    with told_plainly(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise LibraryError(f"no library can be made at {path.parent}: {e.strerror}; {_WAY_OUT}") from e
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """SQLite's errors as one line for a person."""
    try:
        yield
    except sqlite3.Error as e:
        raise LibraryError(f"the library {path} cannot be used: {e}; {_way_out(e)}") from e


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; takes the write lock at once, so that row numbers follow the order of commits."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


_WAY_OUT = "choose another directory with AGENT_DATA_DIR (--data-dir)"


def _way_out(error: sqlite3.Error) -> str:
    told = str(error)
    if "locked" in told or "busy" in told:
        return f"another program has held it for more than {BUSY_SECONDS:.0f} s: end that one, then try again"
    if "full" in told:
        return "free some space on that disk"
    return _WAY_OUT


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "application_id") == 0 and _is_empty(connection):
        _create(connection)
    version = _number(connection, "user_version")
    if _number(connection, "application_id") != APPLICATION:
        raise LibraryError(f"{path} is not a library of this program: move it away, or {_WAY_OUT}")
    if version > VERSION:
        raise LibraryError(
            f"the library {path} was written by a newer version of this program (its form is {version}, this program "
            f"knows {VERSION}): update the program, or {_WAY_OUT}"
        )
    if version < VERSION:
        _bring_up(connection)
    connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: a kill loses nothing, a power cut the last writes
    connection.execute("PRAGMA foreign_keys = ON")


def _bring_up(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        if _number(connection, "user_version") == VERSION:  # another process was quicker
            return
        for statement in _FROM_1:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def _create(connection: sqlite3.Connection) -> None:
    _use_wal(connection)
    with transaction(connection):
        if not _is_empty(connection):  # another process was quicker
            return
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("INSERT INTO about VALUES ('id', ?)", (uuid.uuid4().hex,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and a writer side by side.  SQLite does not wait by itself while another process does the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as e:
            if "locked" not in str(e) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
