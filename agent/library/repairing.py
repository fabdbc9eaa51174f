"""Mending a library from what is whole in it: its texts are what counts, all else can be made from them.

Knows what is dropped and what is made anew for each kind of damage, and says so.  Finding the damage is
`agent.library.verifying`'s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from agent.library import schema
from agent.library.catalogue import entries
from agent.library.forgetting import rename, take_out
from agent.library.mending import reindex_words
from agent.library.record import Record, cut
from agent.library.salvage import salvage, set_aside
from agent.library.verifying import file_faults, missized, orphans, text_faults, word_faults
from agent.text.chunking import slices

_NO_DATABASE = "file is not a database"
_ORPHANS = (  # in an order in which none makes work for those before it
    "DELETE FROM documents WHERE snapshot NOT IN (SELECT hash FROM snapshots)",
    "DELETE FROM sightings WHERE document NOT IN (SELECT row FROM documents)",
    "DELETE FROM run_documents WHERE document NOT IN (SELECT row FROM documents)",
    "DELETE FROM passages WHERE document NOT IN (SELECT row FROM documents)",
    "DELETE FROM vectors WHERE passage NOT IN (SELECT row FROM passages)",
    "DELETE FROM vectors WHERE embedder NOT IN (SELECT row FROM embedders)",
    "DELETE FROM snapshots WHERE hash NOT IN (SELECT snapshot FROM documents)",
    """INSERT INTO sightings (document, fetched, fetched_at, media_type, etag, last_modified, extraction)
        SELECT row, fetched, fetched_at, media_type, etag, last_modified, extraction FROM documents
        WHERE row NOT IN (SELECT document FROM sightings)""",
)


def repair(record: Record) -> Iterator[str]:
    """Mend what is wrong, and say each time, once it is done, what was; nothing where nothing is.

    Raises `LibraryError` where the file is not ours to mend, or in use.  A kill on the way does no harm: again, then.
    """
    yield from _file(record)
    yield from _rows(record)
    yield from _texts(record)
    yield from _passages(record)
    yield from _vectors(record)
    yield from _words(record)


def _file(record: Record) -> Iterator[str]:
    faults = file_faults(record)
    if not faults:
        return
    record.close()
    if _NO_DATABASE in faults[0]:
        kept = set_aside(record.path)
        yield f"the file is no database and nothing can be read from it: the library begins anew; it is kept as {kept}"
        return
    saved = salvage(record.path)
    told = ", ".join(f"{saved.rows[table]:,} {table}" for table in ("documents", "snapshots", "passages", "vectors"))
    yield f"the file is damaged ({faults[0]}): saved {told}; the damaged file is kept as {saved.kept}"


@contextmanager
def _unchecked(record: Record) -> Iterator[sqlite3.Connection]:
    """For rows that refer to nothing, which could not be taken out one after the other."""
    with schema.told_plainly(record.path), closing(schema.connect(record.path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        with schema.transaction(connection):
            yield connection


def _rows(record: Record) -> Iterator[str]:
    with _unchecked(record) as connection:
        found = orphans(connection)
        count = sum(connection.execute(statement).rowcount for statement in _ORPHANS)
        if count:
            rename(connection)
    if count:
        told = ", ".join(f"{rows:,} {table}" for table, rows in found.items())
        yield f"rows that belonged to nothing are out, and what they left behind{f': {told}' if told else ''}"


def _texts(record: Record) -> Iterator[str]:
    with closing(schema.connect(record.path)) as connection:
        damaged = set(text_faults(connection).damaged)
    lost = [entry for entry in entries(record) if entry.snapshot in damaged]
    if lost:
        take_out(record, lost)
        yield from (f"the text of {entry.url} ({entry.fetched_at}) was damaged: it is out" for entry in lost)


def _passages(record: Record) -> Iterator[str]:
    with closing(schema.connect(record.path)) as connection:
        ill_cut = text_faults(connection).ill_cut
    if not ill_cut:
        return
    with _unchecked(record) as connection:
        for row, _ in ill_cut:
            _cut_anew(connection, record, row)
        rename(connection)
    yield from (f"the passages of {url} did not fit its text: it is cut anew" for _, url in ill_cut)


def _cut_anew(connection: sqlite3.Connection, record: Record, row: int) -> None:
    (snapshot,) = connection.execute("SELECT snapshot FROM documents WHERE row = ?", (row,)).fetchone()
    passages = "SELECT row FROM passages WHERE document = ?"
    connection.execute(f"DELETE FROM vectors WHERE passage IN ({passages})", (row,))  # noqa: S608 - ours
    connection.execute("DELETE FROM passages WHERE document = ?", (row,))
    cut(connection, row, slices(record.text(snapshot)))


def _vectors(record: Record) -> Iterator[str]:
    with record.writing() as connection:
        wrong = missized(connection)
        connection.executemany("DELETE FROM vectors WHERE row = ?", [(row,) for row in wrong])
        if wrong:
            rename(connection)
    if wrong:
        yield f"{len(wrong):,} vectors of a wrong size are out; they are made again when their passages are asked for"


def _words(record: Record) -> Iterator[str]:
    with closing(schema.connect(record.path)) as connection, schema.told_plainly(record.path):
        connection.execute("ATTACH '' AS fresh")
        connection.execute("BEGIN")
        faults = word_faults(connection, record)
    if faults:
        count = reindex_words(record)
        yield f"{faults[0]}: it is made anew, with {count:,} passages"
