"""What the models of a run said, kept so that a step that runs again after a crash pays nothing.

Two journals: one SQLite file that several processes may use at once, and one in memory for where nothing can be
written.  Knows replies and notes, and nothing of what they mean.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agent.errors import LibraryError
from agent.protocols import ReplyKey, StoredReply

T = TypeVar("T")

_VERSION = 1  # of the tables below; a file with a higher one was written by a newer program
_TABLES = """
CREATE TABLE IF NOT EXISTS replies (
    run_id TEXT, step TEXT, round INTEGER, prompt TEXT, reasoning TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (run_id, step, round, prompt)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (
    run_id TEXT, step TEXT, round INTEGER, reasoning TEXT NOT NULL,
    PRIMARY KEY (run_id, step, round)
) WITHOUT ROWID;
"""
_TRY_S, _WAIT_S = 1.0, 30.0  # for another process's write: one wait of SQLite's, and all of them together


class SqliteJournal:
    """The journal in a file.  All methods raise `LibraryError`.

    Each call opens a connection of its own in a thread: it costs 0.3 ms beside a call of seconds, leaves nothing to
    close, and serves any event loop.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, key: ReplyKey) -> StoredReply | None:
        sql = "SELECT reasoning, text FROM replies WHERE run_id = ? AND step = ? AND round = ? AND prompt = ?"
        rows = await self._call(lambda db: db.execute(sql, _values(key)).fetchall())
        return StoredReply(*rows[0]) if rows else None

    async def keep(self, key: ReplyKey, reply: StoredReply) -> None:
        """Safe from a kill, of the process or the machine, when this returns."""
        sql = "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?)"
        await self._call(lambda db: db.execute(sql, (*_values(key), reply.reasoning, reply.text)))

    async def note(self, run_id: str, step: str, round: int, reasoning: str) -> None:
        sql = "INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?)"
        await self._call(lambda db: db.execute(sql, (run_id, step, round, reasoning)))

    async def notes(self, run_id: str) -> Mapping[tuple[str, int], str]:
        sql = "SELECT step, round, reasoning FROM notes WHERE run_id = ?"
        rows = await self._call(lambda db: db.execute(sql, (run_id,)).fetchall())
        return {(row[0], row[1]): row[2] for row in rows}

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it in one transaction.  Where two processes make the file at once, or one was killed in doing so, SQLite
        gives up without waiting: then all of it is done anew."""
        ends = time.monotonic() + _WAIT_S
        while True:
            try:
                with self._open() as db, db:
                    return work(db)
            except (sqlite3.Error, OSError) as e:
                if _is_busy(e) and time.monotonic() < ends:
                    time.sleep(0.02)
                    continue
                raise LibraryError(
                    f"the journal {self._path} cannot be used ({e}): set AGENT_DATA_DIR elsewhere"
                ) from e

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=_TRY_S)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise LibraryError(f"the journal {self._path} is of a newer version ({version}): update this program")
            if version < _VERSION:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
            yield db
        finally:
            db.close()


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY  # the high bits say why


def _values(key: ReplyKey) -> tuple[str, str, int, str]:
    return key.run_id, key.step, key.round, key.prompt
