"""Files of every older program open, keep what they held, and have the form of a new one."""

from __future__ import annotations

import sqlite3
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.library import schema
from agent.library.record import Record
from agent.library.schema import VERSION, bring_up
from agent.text.search_terms import match
from tests.library.conftest import document

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
PAGE = document("A page about apples.", etag='"e"', extraction="html 1")


def old_file(path: Path, version: int) -> None:
    """As the program of that version left it, with one page in the columns that the first program knew."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    bring_up(db, 0, version)
    db.execute("INSERT INTO about VALUES ('id', 'old')")
    db.execute("INSERT INTO snapshots (hash, text) VALUES (?, ?)", (PAGE.snapshot, zlib.compress(PAGE.text.encode())))
    columns = ("id", "snapshot", "url", "title", "site", "media_type", "fetched_at", "etag", "extraction")
    values = [getattr(PAGE, column) for column in columns]
    named, places = ", ".join(columns), ", ".join("?" * len(columns))
    seconds = datetime.fromisoformat(PAGE.fetched_at).timestamp()
    db.execute(
        f"INSERT INTO documents (row, {named}, fetched, page_starts) VALUES (1, {places}, ?, '[]')",
        (*values, seconds),
    )
    db.execute("INSERT INTO run_documents (run_id, document) VALUES ('run', 1)")
    db.execute(
        """INSERT INTO passages (row, document, start, "end", heading) VALUES (1, 1, 0, ?, '')""", (len(PAGE.text),)
    )
    db.execute("INSERT INTO words (rowid, text, head) VALUES (1, 'a page about apples', 'a page')")
    db.execute(f"PRAGMA application_id = {schema.APPLICATION}")
    db.execute("COMMIT")
    db.close()


def form(path: Path) -> list[tuple[str, str]]:
    db = sqlite3.connect(path)
    told = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    db.close()
    return told


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_an_older_file_keeps_what_it_held_and_takes_the_new_form(tmp_path, version):
    old_file(tmp_path / "old", version)
    old, new = Record(tmp_path / "old"), Record(tmp_path / "new")
    assert old.recall(PAGE.url, LONG_AGO) == PAGE
    rows = old.with_words(match("apples"), old.rows_of([PAGE.id]), 10)
    assert [passage.text for passage in old.passages(rows).values()] == [PAGE.text]
    later = document(PAGE.text, fetched_at="2026-03-02T10:00:00+00:00", suspect=True, author="A. Writer")
    for record in (old, new):
        record.store(later, "run")
        assert record.recall(PAGE.url, LONG_AGO) == later
        record.close()
    assert form(tmp_path / "old") == form(tmp_path / "new")


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path):
    old_file(tmp_path / "old", 1)
    db = sqlite3.connect(tmp_path / "old")
    db.execute("ALTER TABLE documents ADD COLUMN modified TEXT")  # the step meets it half-way
    db.commit()
    db.close()
    before = form(tmp_path / "old")
    with pytest.raises(schema.LibraryError, match="duplicate column"):
        Record(tmp_path / "old").rows("SELECT 1")
    assert form(tmp_path / "old") == before
