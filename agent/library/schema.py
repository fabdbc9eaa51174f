"""How the record's file is opened, made, and brought up to date.

Knows pragmas, versions and SQLite's errors.  Does not know the tables (`agent.library.schema`), or what is asked of
them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from agent.errors import LibraryError
from agent.text.search_terms import index_terms

FILE = "library.sqlite3"
APPLICATION = 0x52314C42  # "R1LB": tells our file from any other SQLite database
BUSY_SECONDS = 15.0  # a write lasts milliseconds; whoever holds the file longer than this is stuck


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the record, which is made where there is none.  Raises `LibraryError`.

    It commits by itself; what belongs together stands between BEGIN IMMEDIATE and COMMIT.
    """
    with plain_message(path):
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
def plain_message(path: Path) -> Iterator[None]:
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
    message = str(error)
    if "locked" in message or "busy" in message:
        return f"another program has held it for more than {BUSY_SECONDS:.0f} s: end that one, then try again"
    if "malformed" in message or "not a database" in message:
        return "`library repair` saves what can be read of it"
    if "full" in message or "disk I/O" in message:
        return "free some space on that disk, and see whether it is whole"
    if "readonly" in message:
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
        mark_current(connection)
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


# ------------------------------------------------------------------------------------------ tables

# The record's tables: as they were at first, and each change since, in the order in which they came.
#
# Knows SQL that creates and changes.  Does not know how a file is opened (`agent.library.schema`) or what is asked of
# it. A change appends a step to STEPS and touches nothing before it: a new file is made by the same steps that bring
# an old one up, so the two cannot differ.

Step = tuple[str | Callable[[sqlite3.Connection], None], ...]
"""Statements, or functions of a connection where SQL does not reach; all run in one transaction, also for new files."""

_FIRST: Step = (
    "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE snapshots (
        hash TEXT PRIMARY KEY, text BLOB NOT NULL                              -- zlib over UTF-8
    )""",
    """CREATE TABLE documents (
        row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, snapshot TEXT NOT NULL REFERENCES snapshots (hash),
        url TEXT NOT NULL, title TEXT NOT NULL, site TEXT NOT NULL, media_type TEXT NOT NULL, language TEXT,
        published TEXT, fetched_at TEXT NOT NULL, fetched REAL NOT NULL,       -- the same time, in seconds since 1970
        etag TEXT, last_modified TEXT, extraction TEXT NOT NULL, page_starts TEXT NOT NULL
    )""",
    "CREATE INDEX documents_by_url ON documents (url, fetched)",
    "CREATE INDEX documents_by_snapshot ON documents (snapshot)",
    """CREATE TABLE run_documents (
        run_id TEXT NOT NULL, document INTEGER NOT NULL REFERENCES documents (row), PRIMARY KEY (run_id, document)
    ) WITHOUT ROWID""",
    """CREATE TABLE passages (
        row INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents (row),
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, heading TEXT NOT NULL, UNIQUE (document, start, "end")
    )""",
    """CREATE VIRTUAL TABLE words USING fts5 (                                   -- rowid: the passage's row
        text, head, content = '', tokenize = 'porter unicode61 remove_diacritics 2'
    )""",
    "CREATE TABLE embedders (row INTEGER PRIMARY KEY, name TEXT NOT NULL, probe BLOB NOT NULL)",
    """CREATE TABLE vectors (                                                     -- row: the order of their coming
        row INTEGER PRIMARY KEY AUTOINCREMENT, passage INTEGER NOT NULL REFERENCES passages (row),
        embedder INTEGER NOT NULL REFERENCES embedders (row), vector BLOB NOT NULL, UNIQUE (passage, embedder)
    )""",
)
_AUTHORS_AND_SUSPICION: Step = (
    "ALTER TABLE documents ADD COLUMN author TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE documents ADD COLUMN modified TEXT",
    "ALTER TABLE documents ADD COLUMN date_certainty TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE documents ADD COLUMN suspect INTEGER NOT NULL DEFAULT 0",
)
_SIGHTINGS: Step = (
    """CREATE TABLE sightings (                                                   -- each time a text was had from there
        document INTEGER NOT NULL REFERENCES documents (row), fetched REAL NOT NULL, fetched_at TEXT NOT NULL,
        media_type TEXT NOT NULL, etag TEXT, last_modified TEXT, extraction TEXT NOT NULL,
        PRIMARY KEY (document, fetched)
    ) WITHOUT ROWID""",
    """INSERT INTO sightings SELECT row, fetched, fetched_at, media_type, etag, last_modified, extraction
        FROM documents""",
    "ALTER TABLE documents ADD COLUMN declares TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX run_documents_by_document ON run_documents (document)",
    # The form of the terms until then: see `agent.library.schema`.
    "INSERT INTO about VALUES ('words', '53504034ab384397')",
)

STEPS: tuple[Step, ...] = (_FIRST, _AUTHORS_AND_SUSPICION, _SIGHTINGS)
VERSION = len(STEPS)


def bring_up(connection: sqlite3.Connection, version: int, to: int = VERSION) -> None:
    """From the form of `version` (0: an empty file) to that of `to`, within the caller's transaction."""
    if version >= to:
        return
    for statement in (each for step in STEPS[version:to] for each in step):
        if isinstance(statement, str):
            connection.execute(statement)
        else:
            statement(connection)
    connection.execute(f"PRAGMA user_version = {to}")


# ------------------------------------------------------------------------------------------ words

# The index of words: what goes into it for a passage, how that comes out again, and how all of it is made anew.
#
# Knows the `words` table, which keeps no text of its own: what was put in must be named exactly to be taken out.
# Does not know how words are looked for (`agent.text.search_terms` makes both sides' terms).

Terms = tuple[str, str]  # of the passage, and of the title and headings above it

KEY = "words"  # in `about`: by which form of the terms the index was made
_PROBE = (
    "R1-Zero, 5.576 million (Übungen) 推論モデル 추론 모델은 ภาษาขนาด don't AT&T ＤｅｅｐＳｅｅｋ snake_case ﬁne Модель"
)
_STORED = """
    SELECT p.row, p.start, p."end", p.heading, d.title, d.snapshot FROM passages p
    JOIN documents d ON d.row = p.document WHERE d.row = ? ORDER BY p.row"""


@cache
def form() -> str:
    """Changes when texts are turned into terms in another way: an index that was made so must be made anew."""
    return hashlib.sha256(index_terms(_PROBE).encode()).hexdigest()[:16]


def terms(passage: str, title: str, heading: str) -> Terms:
    return index_terms(passage), index_terms(f"{title} {heading}")


def add(connection: sqlite3.Connection, row: int, found: Terms, table: str = "words") -> None:
    connection.execute(f"INSERT INTO {table} (rowid, text, head) VALUES (?, ?, ?)", (row, *found))  # noqa: S608 - ours


def take_out(connection: sqlite3.Connection, row: int, found: Terms) -> None:
    """`found`: exactly what was added, or the index counts wrongly from then on."""
    connection.execute("INSERT INTO words (words, rowid, text, head) VALUES ('delete', ?, ?, ?)", (row, *found))


def of_document(
    connection: sqlite3.Connection, document: int, text: Callable[[str], str]
) -> Iterator[tuple[int, Terms]]:
    """Each passage's row, and its terms from the stored text.  `text`: a snapshot's."""
    for row, start, end, heading, title, snapshot in connection.execute(_STORED, (document,)).fetchall():
        yield row, terms(text(snapshot)[start:end], title, heading)


def create(connection: sqlite3.Connection, table: str) -> None:
    """An empty index of the same form as the one that is there."""
    (form,) = connection.execute("SELECT sql FROM main.sqlite_master WHERE name = 'words'").fetchone()
    connection.execute(f"CREATE VIRTUAL TABLE {table} {form[form.index('USING') :]}")


def is_current(connection: sqlite3.Connection) -> bool:
    """Was the index made by this program's form of the terms?"""
    found = connection.execute("SELECT value FROM about WHERE key = ?", (KEY,)).fetchone()
    return bool(found) and found[0] == form()


def mark_current(connection: sqlite3.Connection) -> None:
    """The index is of this program's form."""
    connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (KEY, form()))


def doubted(connection: sqlite3.Connection) -> None:
    """The index holds what cannot be named any more: it is to be made anew."""
    connection.execute("DELETE FROM about WHERE key = ?", (KEY,))
