"""Repairs a library: fixes what can be fixed, saves what is readable, gives every passage a vector."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from agent.errors import LibraryError
from agent.library import schema
from agent.library.catalogue import LibraryPaths, entries, rename, take_out
from agent.library.chroma_index import FAILED_SECONDS
from agent.library.chroma_store import ChromaServer
from agent.library.dense_search import DenseSearch
from agent.library.embedder import Embedder
from agent.library.integrity import file_faults, missized, orphans, text_faults, word_faults
from agent.library.rebuild import reindex_words
from agent.library.record import Record, cut
from agent.text.chunking import slices
from agent.worker_pool import BlockingExecutor

# ------------------------------------------------------------------------------------------ repairing

# Mending a library from what is whole in it: its texts are what counts, all else can be made from them.
#
# Knows what is dropped and what is made anew for each kind of damage, and says so.  Finding the damage is
# `agent.library.integrity`'s.

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
        kept = move_away(record.path)
        yield f"the file is no database and nothing can be read from it: the library begins anew; it is kept as {kept}"
        return
    saved = salvage(record.path)
    told = ", ".join(f"{saved.rows[table]:,} {table}" for table in ("documents", "snapshots", "passages", "vectors"))
    yield f"the file is damaged ({faults[0]}): saved {told}; the damaged file is kept as {saved.kept}"


@contextmanager
def _unchecked(record: Record) -> Iterator[sqlite3.Connection]:
    """For rows that refer to nothing, which could not be taken out one after the other."""
    with schema.plain_message(record.path), closing(schema.connect(record.path)) as connection:
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
    with closing(schema.connect(record.path)) as connection, schema.plain_message(record.path):
        connection.execute("ATTACH '' AS fresh")
        connection.execute("BEGIN")
        faults = word_faults(connection, record)
    if faults:
        count = reindex_words(record)
        yield f"{faults[0]}: it is made anew, with {count:,} passages"


# ------------------------------------------------------------------------------------------ salvage

# A record whose file is damaged: what can still be read of it goes into a new one, and the old file is kept beside.
#
# Knows how far a damaged table can be read, and how one file takes the place of another.  Does not know what the rows
# mean: what no longer belongs together is `agent.library.repair`'s.

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
    with schema.plain_message(path), closing(_alone(path)) as damaged, closing(schema.connect(new)) as made:
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


def move_away(path: Path) -> Path:
    """A file that is no database at all: out of the way, under a name that says so."""
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    for mine, theirs in zip(_family(path), _family(kept), strict=True):
        if mine.exists():
            mine.rename(theirs)
    return kept


# ------------------------------------------------------------------------------------------ reindexing

# Vectors for all that is stored, at once: after an embedder was set up or exchanged, and for what was never asked
# for.
#
# Knows which passages have no vector of the embedder's yet, and in which order they get one.  Does not know who
# watches. Runs may use the library meanwhile; broken off, it goes on where it was.

BATCH = 128  # passages: four requests to an endpoint side by side, or two seconds of the built-in embedder
INDEX_SECONDS = 60.0  # for Chroma to come into step, and …
INDEXED_A_SECOND = 500  # … as long again as this makes of the vectors: a quarter of what two busy processors do

_WITHOUT = """
    SELECT p.row FROM passages p WHERE p.row > ? AND NOT EXISTS (
        SELECT 1 FROM vectors v WHERE v.passage = p.row AND v.embedder = ?) ORDER BY p.row LIMIT ?"""
_HOW_MANY = """
    SELECT count(*) FROM passages p WHERE NOT EXISTS (
        SELECT 1 FROM vectors v WHERE v.passage = p.row AND v.embedder = ?)"""


@dataclass(frozen=True, slots=True)
class Reindexed:
    """So far.  `looked_at` of `of` passages that had no vector; those in a language that is not read get none."""

    looked_at: int
    of: int
    embedded: int
    index: str = ""  # once all are embedded: what became of Chroma's, in words


async def reindex(
    shelf: LibraryPaths, embedder: Embedder, server: ChromaServer | None = None
) -> AsyncGenerator[Reindexed, None]:
    """At least one, the last with `index`.  Raises `LibraryError`, also where the embedder fails on the way."""
    record, lane = shelf.record(), BlockingExecutor("reindex", 2)
    dense = DenseSearch(record, shelf.indexes, embedder, lane, server)
    number = await dense.number()
    ((of,),) = await lane.run(record.rows, _HOW_MANY, number)
    looked_at = embedded = last = 0
    try:
        async with dense.in_use():
            yield Reindexed(0, of, 0)
            while rows := [row for (row,) in await lane.run(record.rows, _WITHOUT, last, number, BATCH)]:
                last, looked_at = rows[-1], looked_at + len(rows)
                embedded += await dense.embed_all(rows)
                yield Reindexed(looked_at, max(of, looked_at), embedded)
            told = await _in_step(dense, INDEX_SECONDS + dense.count(number) / INDEXED_A_SECOND)
            yield Reindexed(looked_at, max(of, looked_at), embedded, told)
    finally:
        await lane.run(record.close)


async def _in_step(dense: DenseSearch, seconds: float) -> str:
    """Wait until Chroma has all vectors; in words whether it has."""
    deadline = time.monotonic() + seconds
    for pause in count():
        state = await dense.index_state()
        if state in ("complete", "locked", "away", "broken") or time.monotonic() > deadline:
            break
        await asyncio.sleep(min(FAILED_SECONDS, 0.05 * (pause + 1)))
    match state:
        case "complete":
            return "Chroma has all of them"
        case "locked":
            return "another program has Chroma's index open, and will add them"
        case "away":
            return "the Chroma server is away: an exact search answers meanwhile, and it gets them once it is back"
        case "broken":
            return "Chroma's index cannot be used: an exact search answers; `library repair` makes it anew"
    return "Chroma is still at it: the next question goes on with it"
