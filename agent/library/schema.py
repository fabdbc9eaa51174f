"""How the record's file is opened, made, and brought up to date.

Knows pragmas, versions and SQLite's errors.  Does not know the tables (`agent.library.tables`), or what is asked of
them.
"""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import LibraryError
from agent.library import words
from agent.library.tables import VERSION, bring_up

FILE = "library.sqlite3"
APPLICATION = 0x52314C42  # "R1LB": tells our file from any other SQLite database
BUSY_SECONDS = 15.0  # a write lasts milliseconds; whoever holds the file longer than this is stuck


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the record, which is made where there is none.  Raises `LibraryError`.

    It commits by itself; what belongs together stands between BEGIN IMMEDIATE and COMMIT.
    """
    with told_plainly(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise LibraryError(f"no library can be made at {path.parent}: {e.strerror}; {_WAY_OUT}") from e
        name, is_uri = _name(path)
        connection = sqlite3.connect(
            name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=is_uri
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _name(path: Path) -> tuple[str, bool]:
    """How SQLite is to open it, and whether that is a URI.

    With a write-ahead log SQLite writes even to read: where the directory forbids that, the file cannot change either.
    """
    log = path.with_name(f"{path.name}-wal")
    if os.access(path.parent, os.W_OK) or not path.exists() or (log.exists() and log.stat().st_size):
        return str(path), False
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1", True


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
    if "malformed" in told or "not a database" in told:
        return "`library repair` saves what can be read of it"
    if "full" in told or "disk I/O" in told:
        return "free some space on that disk, and see whether it is whole"
    if "readonly" in told:
        return f"it can be read where it is (`library list`, `show`, `search`, `export`), not changed: {_WAY_OUT}"
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
        bring_up(connection, _number(connection, "user_version"))  # nothing is left where another process was quicker


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def _create(connection: sqlite3.Connection) -> None:
    _use_wal(connection)
    with transaction(connection):
        if not _is_empty(connection):  # another process was quicker
            return
        bring_up(connection, 0)
        words.told(connection)
        connection.execute("INSERT INTO about VALUES ('id', ?)", (uuid.uuid4().hex,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")


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
