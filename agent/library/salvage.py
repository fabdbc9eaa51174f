"""A record whose file is damaged: what can still be read of it goes into a new one, and the old file is kept beside.

Knows how far a damaged table can be read, and how one file takes the place of another.  Does not know what the rows
mean: what no longer belongs together is `agent.library.repairing`'s.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import LibraryError
from agent.library import schema

_TABLES = ("snapshots", "documents", "sightings", "run_documents", "passages", "embedders", "vectors")
_ORDER = {"sightings": "document, fetched", "run_documents": "run_id, document"}  # those without row numbers
_ROWS_A_PAGE = 130  # of the shortest rows there are, about 30 bytes each


@dataclass(frozen=True, slots=True)
class Salvaged:
    kept: Path  # the damaged file, under its new name
    rows: dict[str, int]  # by table: what could be read


def salvage(path: Path) -> Salvaged:
    """Put a new file with all readable rows in the place of the damaged one.  Raises `LibraryError`.

    The index of words is empty then.  A kill on the way leaves the damaged file where it was, until the very end.
    """
    new = path.with_name(f"{path.name}.next")
    for leftover in _family(new):
        leftover.unlink(missing_ok=True)
    with schema.told_plainly(path), closing(_alone(path)) as damaged, closing(schema.connect(new)) as made:
        made.execute("PRAGMA foreign_keys = OFF")
        with schema.transaction(made):
            rows = {table: _copy(damaged, made, table) for table in _TABLES}
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    _swap(path, new, kept)  # after all is closed: SQLite removes what it kept beside a file by its name
    return Salvaged(kept, rows)


def _alone(path: Path) -> sqlite3.Connection:
    """The damaged file, with nobody else at it.  Raises `LibraryError` where somebody is, or where it is not ours."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA writable_schema = ON")  # SQLite then reads on where the file is too short
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as e:
        if "locked" in str(e):
            connection.close()
            raise LibraryError(f"another program is using {path}: end it, then repair again") from e
    return connection


def _copy(damaged: sqlite3.Connection, made: sqlite3.Connection, table: str) -> int:
    """How many rows could be read."""
    try:
        there = {row[1] for row in damaged.execute(f"PRAGMA table_info({table})")}
    except sqlite3.DatabaseError:
        return 0
    columns = [f'"{row[1]}"' for row in made.execute(f"PRAGMA table_info({table})") if row[1] in there]
    if columns:
        _Table(damaged, made, table, columns).copy()
    return int(made.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours


class _Table:
    """One table on its way from the damaged file into the new one."""

    def __init__(
        self, damaged: sqlite3.Connection, made: sqlite3.Connection, table: str, columns: Sequence[str]
    ) -> None:
        self._damaged, self._made, self._table = damaged, made, table
        named = ", ".join(columns)
        self._into = f"INSERT OR IGNORE INTO {table} ({named}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - ours
        self._select = f"SELECT {named} FROM {table}"  # noqa: S608 - ours

    def copy(self) -> None:
        """Forward to where the damage begins; then row by row, or backward to where it ends."""
        order = _ORDER.get(self._table, "rowid")
        if self._all(f"ORDER BY {order}"):
            return
        if self._table in _ORDER:
            self._all(f"ORDER BY {order.replace(', ', ' DESC, ')} DESC")
            return
        pages = self._damaged.execute("PRAGMA page_count").fetchone()[0]
        for number in range(1, _ROWS_A_PAGE * pages):
            self._all(f"WHERE rowid = {number}")

    def _all(self, which: str) -> bool:
        """Could all of these be read?"""
        try:
            for row in self._damaged.execute(f"{self._select} {which}"):
                with contextlib.suppress(sqlite3.IntegrityError):  # NULL where none may be: damaged, too
                    self._made.execute(self._into, row)
        except (sqlite3.DatabaseError, OverflowError, UnicodeDecodeError):
            return False
        return True


def _swap(path: Path, new: Path, kept: Path) -> None:
    """The name always has a file; what the damaged one had not yet taken in goes with it."""
    os.link(path, kept)
    for mine, theirs in zip(_family(path)[1:], _family(kept)[1:], strict=True):
        if mine.exists():
            mine.rename(theirs)
    new.replace(path)


def _family(path: Path) -> list[Path]:
    """The file, and those that SQLite keeps beside it."""
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def set_aside(path: Path) -> Path:
    """A file that is no database at all: out of the way, under a name that says so."""
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    for mine, theirs in zip(_family(path), _family(kept), strict=True):
        if mine.exists():
            mine.rename(theirs)
    return kept
