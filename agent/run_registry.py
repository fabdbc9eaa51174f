"""The list of runs: which there were, with which settings, which are unfinished, and who is at work on one.

One SQLite file beside the checkpoints.  Secrets are never in it.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import RunError, SettingsError

BUSY_SECONDS = 30.0
_FILE = "runs.sqlite"
_SCHEMA = """
create table if not exists runs (
    run_id text primary key,
    question text not null,
    settings text not null,
    started_at text not null,
    answer text
)
"""


@dataclass(frozen=True, slots=True)
class KnownRun:
    run_id: str
    question: str
    settings: dict[str, Any]  # as JSON gave them back: what `Settings` takes
    answer: dict[str, Any] | None  # likewise; None: it is not finished


class Runs:
    """Blocking; its callers give it a thread."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def add(self, run_id: str, question: str, settings: str, started_at: str) -> None:
        with self._open() as db:
            db.execute("insert into runs values (?, ?, ?, ?, null)", (run_id, question, settings, started_at))

    def finish(self, run_id: str, answer: str) -> None:
        with self._open() as db:
            db.execute("update runs set answer = ? where run_id = ?", (answer, run_id))

    def remove(self, run_id: str) -> None:
        """Of a question that was none: there is nothing to resume."""
        with self._open() as db:
            db.execute("delete from runs where run_id = ?", (run_id,))

    def find(self, run_id: str | None) -> KnownRun:
        """The run, or the newest unfinished one.  Raises `RunError`."""
        with self._open() as db:
            if run_id:
                row = db.execute("select * from runs where run_id = ?", (run_id,)).fetchone()
            else:
                row = db.execute(
                    "select * from runs where answer is null order by started_at desc, rowid desc limit 1"
                ).fetchone()
        if row is None:
            there = "no unfinished run" if run_id is None else f"no run {run_id!r}"
            raise RunError(f"there is {there} in {self._home}: ask a question, or give its --data-dir")
        answer = json.loads(row["answer"]) if row["answer"] is not None else None
        return KnownRun(row["run_id"], row["question"], json.loads(row["settings"]), answer)

    def citing(self) -> dict[str, set[str]]:
        """By the hash of a text, the runs whose answers cite it."""
        found: dict[str, set[str]] = {}
        if not (self._home / _FILE).exists():
            return found
        with self._open() as db:
            for run_id, answer in db.execute("select run_id, answer from runs where answer is not null"):
                for source in json.loads(answer).get("sources", []):
                    if source.get("cited"):
                        found.setdefault(source["snapshot"], set()).add(run_id)
        return found

    @contextlib.contextmanager
    def at_work(self, run_id: str) -> Iterator[None]:
        """While this process works on the run no other may.  Raises `RunError`.  A dead process holds nothing."""
        import fcntl

        folder = self._home / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{run_id}.lock"
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                raise RunError(f"run {run_id} is being worked on by another process: wait for it or end it") from e
            yield

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._home / _FILE, timeout=BUSY_SECONDS)
        except (OSError, sqlite3.Error) as e:
            raise SettingsError(f"AGENT_DATA_DIR={str(self._home)!r} cannot be used: {e}") from e
        db.row_factory = sqlite3.Row
        try:
            with db:
                db.execute(_SCHEMA)
                yield db
        except sqlite3.Error as e:
            raise SettingsError(f"AGENT_DATA_DIR={str(self._home)!r}: its runs.sqlite cannot be used: {e}") from e
        finally:
            db.close()
