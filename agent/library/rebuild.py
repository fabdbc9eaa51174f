"""What can be made anew from the record's texts: the index of words, and Chroma's indexes.

Knows how the new takes the place of the old while others read and write.  Does not know what is wrong, or why.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

from agent.errors import LibraryError
from agent.library import schema
from agent.library.chroma_store import IndexDirectory, alone
from agent.library.record import Record

_NEXT = "words_next"
_BATCH = 10  # documents a transaction: others may write after some tenths of a second


def reindex_words(record: Record, tell: Callable[[int, int], None] = lambda _, __: None) -> int:
    """Make the index of words anew from the stored texts, beside the old one; how many passages are in it.

    `tell` hears how many documents are done, and of how many.  What others store meanwhile is in it too, what they
    forget is not; two that make it wait for one another.  A document whose text is damaged is left out.  A kill on the
    way leaves the old index.
    """
    with alone(_lock(record), wait=True):
        return _reindexed(record, tell)


def refresh_words(record: Record) -> bool:
    """Where another version of this program has made the index of words, make it anew; False where nothing was done.

    Until then texts are found by those words only that both versions see alike.
    """
    if not record.path.exists():
        return False
    with record.reading() as connection:
        if schema.is_current(connection):
            return False
    with alone(_lock(record), wait=False) as is_mine:
        if is_mine:
            _reindexed(record)
        return is_mine


def _lock(record: Record) -> Path:
    return record.path.with_name("words.lock")


def _reindexed(record: Record, tell: Callable[[int, int], None] = lambda _, __: None) -> int:
    while True:
        over = record.id
        newest, documents = _begin(record)
        count = 0
        for done in range(0, len(documents), _BATCH):
            with record.writing() as connection:
                count += _add(connection, record, documents[done : done + _BATCH], range(newest + 1))
            tell(min(done + _BATCH, len(documents)), len(documents))
        with record.writing() as connection:
            if record.id == over:  # else something was forgotten: its words must not come back
                return count + _take_over(connection, record, newest)


def _begin(record: Record) -> tuple[int, list[int]]:
    """The newest passage there is now, and the documents up to it."""
    with record.writing() as connection:
        connection.execute(f"DROP TABLE IF EXISTS {_NEXT}")
        schema.create(connection, _NEXT)
        newest = connection.execute("SELECT coalesce(max(row), 0) FROM passages").fetchone()[0]
        return newest, [row for (row,) in connection.execute("SELECT DISTINCT document FROM passages ORDER BY 1")]


def _take_over(connection: sqlite3.Connection, record: Record, newest: int) -> int:
    """The new index, with what came meanwhile, becomes the index; how many passages that were."""
    came = connection.execute("SELECT DISTINCT document FROM passages WHERE row > ?", (newest,)).fetchall()
    last = connection.execute("SELECT coalesce(max(row), 0) FROM passages").fetchone()[0]
    count = _add(connection, record, [row for (row,) in came], range(newest + 1, last + 1))
    connection.execute("DROP TABLE words")
    connection.execute(f"ALTER TABLE {_NEXT} RENAME TO words")
    schema.mark_current(connection)
    return count


def _add(connection: sqlite3.Connection, record: Record, documents: Collection[int], passages: range) -> int:
    """Of these documents those passages whose rows are in the range."""
    count = 0
    for document in documents:
        try:
            found = list(schema.of_document(connection, document, record.text))
        except LibraryError:
            continue
        for row, terms in found:
            if row in passages:
                schema.add(connection, row, terms, _NEXT)
                count += 1
    return count


def empty_indexes(home: Path, wanted: Collection[str] | None = None) -> list[Path]:
    """Remove Chroma's indexes, which are made anew when they are used next; those that somebody is using just now.

    `wanted`: the names of those to be removed; None: all.
    """
    there = [path for path in sorted(home.glob("*")) if path.is_dir() and (wanted is None or path.name in wanted)]
    return [path for path in there if not _emptied(path)]


def _emptied(path: Path) -> bool:
    place = IndexDirectory(path)
    if not place.take():
        return False
    try:
        place.clear_next()
        shutil.rmtree(place.now, ignore_errors=True)
    finally:
        place.give_back()
    return True
