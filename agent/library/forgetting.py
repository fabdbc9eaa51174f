"""Taking documents out of the library for good: their text, passages, words, vectors, and what Chroma has of them.

Knows what goes together, and in which order it goes.  Does not know who cites what: it is told.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import LibraryError
from agent.library import mapped, words
from agent.library.catalogue import Choice, Entry
from agent.library.mending import empty_indexes, reindex_words
from agent.library.record import Record

BATCH = 50  # documents a transaction: others may write after some tenths of a second
FREE_SHARE = 0.1  # of the file that is empty; from then on it is worth writing it anew

_PASSAGES_OF = "(SELECT row FROM passages WHERE document IN (SELECT value FROM json_each(?)))"
_ROWS = (  # in the order in which they refer to one another
    f"DELETE FROM vectors WHERE passage IN {_PASSAGES_OF}",  # noqa: S608 - ours alone
    "DELETE FROM passages WHERE document IN (SELECT value FROM json_each(?))",
    "DELETE FROM run_documents WHERE document IN (SELECT value FROM json_each(?))",
    "DELETE FROM sightings WHERE document IN (SELECT value FROM json_each(?))",
    "DELETE FROM documents WHERE row IN (SELECT value FROM json_each(?))",
)
_TEXTS = """
    DELETE FROM snapshots WHERE hash IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.snapshot = hash)"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What forgetting would do with the documents that were chosen."""

    goes: tuple[Entry, ...]
    cited: tuple[Entry, ...] = ()  # stay: an answer's quotes point into them
    shared: tuple[Entry, ...] = ()  # stay: other runs have read them too; that this run has is forgotten
    run_id: str | None = None

    @property
    def texts(self) -> int:
        """Different ones among what goes."""
        return len({entry.snapshot for entry in self.goes})

    @property
    def bytes(self) -> int:
        """Of those texts, compressed; their words and vectors come on top."""
        return sum({entry.snapshot: entry.bytes for entry in self.goes}.values())


def plan(
    chosen: Sequence[Entry], choice: Choice, citing: Mapping[str, Collection[str]], *, cited_too: bool = False
) -> Plan:
    """`citing`: by snapshot, the runs whose answers cite it.

    What is chosen by a run stays where another run has read it, or cites it; the run's own answer holds nothing back.
    """
    own = {choice.run_id} if choice.run_id else set()
    goes, cited, shared = [], [], []
    for entry in chosen:
        if own and set(entry.runs) - own:
            shared.append(entry)
        elif not cited_too and set(citing.get(entry.snapshot, ())) - own:
            cited.append(entry)
        else:
            goes.append(entry)
    return Plan(tuple(goes), tuple(cited), tuple(shared), choice.run_id)


def forget(record: Record, planned: Plan, indexes: Path) -> list[Path]:
    """Do it; those of the indexes that another program has open just now: they follow when they are opened next.

    `indexes`: the directory of Chroma's indexes.  A kill on the way leaves a whole library that has forgotten a part.
    """
    record.rows("PRAGMA secure_delete = ON")  # what is forgotten is not to be read from the file either
    for i in range(0, len(planned.goes), BATCH):
        take_out(record, planned.goes[i : i + BATCH])
    if planned.run_id:
        with record.writing() as connection:
            connection.execute("DELETE FROM run_documents WHERE run_id = ?", (planned.run_id,))
    if not planned.goes:
        return []
    record.text.cache_clear()
    _clean_up(record)
    mapped.forget(record.path)
    return empty_indexes(indexes)


def take_out(record: Record, entries: Sequence[Entry]) -> None:
    """Some documents, all of each or nothing."""
    documents = json.dumps([entry.row for entry in entries])
    texts = json.dumps(sorted({entry.snapshot for entry in entries}))
    with record.writing() as connection:
        _take_words_out(connection, record, [entry.row for entry in entries])
        for statement in _ROWS:
            connection.execute(statement, (documents,))
        connection.execute(_TEXTS, (texts,))
        rename(connection)


def rename(connection: sqlite3.Connection) -> None:
    """An index over rows that are gone is one over another record: who opens it makes it anew."""
    connection.execute("UPDATE about SET value = ? WHERE key = 'id'", (uuid.uuid4().hex,))


def _take_words_out(connection: sqlite3.Connection, record: Record, documents: Sequence[int]) -> None:
    """A text that cannot be read any more leaves its words behind, until the whole index is made anew."""
    if not words.is_current(connection):
        return
    try:
        found = [each for row in documents for each in words.of_document(connection, row, record.text)]
    except LibraryError:
        words.doubted(connection)
        return
    for row, terms in found:
        words.take_out(connection, row, terms)


def _clean_up(record: Record) -> None:
    """Leave no trace in the file, and give space back where that is much."""
    with record.writing() as connection:
        is_current = words.is_current(connection)
        if is_current:
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")  # drops what was only marked as gone
    if not is_current:
        reindex_words(record)
    free, pages = (record.rows(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_count"))
    with suppress(LibraryError):  # a disk that is full, another program at work: the next time will do
        if free > FREE_SHARE * pages:
            record.rows("VACUUM")
        record.rows("PRAGMA wal_checkpoint(TRUNCATE)")
