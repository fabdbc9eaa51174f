"""The record's tables: as they were at first, and each change since, in the order in which they came.

Knows SQL that creates and changes.  Does not know how a file is opened (`agent.library.schema`) or what is asked of it.
A change appends a step to STEPS and touches nothing before it: a new file is made by the same steps that bring an old
one up, so the two cannot differ.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

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
    # The form of the terms until then: see `agent.library.words`.
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
