"""Is the library what it should be?  Every text against its hash, every offset, every word, vector and index.

Knows what can be wrong and how it is found.  Changes nothing in the record; mending is `agent.library.repairing`'s.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from agent.errors import LibraryError
from agent.library import schema, words
from agent.library.record import Record

SHOWN = 5  # faults of a kind that are told one by one

_TEXTS = "SELECT hash, text FROM snapshots"
_DOCUMENTS = "SELECT row, url FROM documents WHERE snapshot = ?"
_PASSAGES = 'SELECT start, "end" FROM passages WHERE document = ? ORDER BY start'
_WORDLESS = "SELECT count(*) FROM (SELECT row FROM passages EXCEPT SELECT id FROM words_docsize)"
_STRAY_WORDS = "SELECT count(*) FROM (SELECT id FROM words_docsize EXCEPT SELECT row FROM passages)"
_MISCOUNTED = """
    SELECT count(*) FROM (SELECT * FROM (SELECT * FROM temp.here EXCEPT SELECT * FROM temp.made)
        UNION SELECT * FROM (SELECT * FROM temp.made EXCEPT SELECT * FROM temp.here))"""
_MISSIZED = """
    SELECT v.row FROM vectors v JOIN embedders e ON e.row = v.embedder WHERE length(v.vector) <> length(e.probe)"""


@dataclass(frozen=True, slots=True)
class Checked:
    """One part of the library, and what is wrong with it, one line each; nothing where it is right."""

    part: str
    looked_at: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextFaults:
    """Of the stored texts: those that are not what their hash says, and documents whose passages do not fit theirs."""

    texts: int
    passages: int
    damaged: tuple[str, ...]  # hashes
    ill_cut: tuple[tuple[int, str], ...]  # rows of documents, and their addresses


def verify(record: Record) -> Iterator[Checked]:
    """Part after part, as one moment has them: others may write meanwhile.  Raises `LibraryError` where none opens."""
    faults = file_faults(record)
    yield Checked("file", "SQLite's own check", tuple(faults))
    if faults:
        return  # what a damaged file says of the rest means nothing
    with closing(schema.connect(record.path)) as connection, schema.told_plainly(record.path):
        connection.execute("ATTACH '' AS fresh")  # a file that SQLite removes by itself
        connection.execute("BEGIN")
        yield _rows(connection)
        yield from _texts(connection)
        yield _words(connection, record)
        yield _vectors(connection)


def file_faults(record: Record) -> list[str]:
    """What SQLite itself finds.  Raises `LibraryError` where the file is not ours, in use, or cannot be read."""
    try:
        with closing(schema.connect(record.path)) as connection:
            return _faults(connection)
    except LibraryError as e:
        if type(e.__cause__) is not sqlite3.DatabaseError:  # its subclasses: in use, read-only, no space
            raise
        return [str(e.__cause__)]


def _faults(connection: sqlite3.Connection) -> list[str]:
    try:
        told = [str(row[0]) for row in connection.execute(f"PRAGMA main.integrity_check({SHOWN})")]
    except sqlite3.DatabaseError as e:
        return [str(e)]
    return [] if told == ["ok"] else [line for text in told for line in text.splitlines() if line.strip("* ")]


# ------------------------------------------------------------------------------------------------- rows


def _rows(connection: sqlite3.Connection) -> Checked:
    faults = tuple(f"{count} rows of {table} that belong to nothing" for table, count in orphans(connection).items())
    return Checked("rows", f"{_count(connection, 'documents'):,} documents", faults)


def orphans(connection: sqlite3.Connection) -> dict[str, int]:
    """By table, rows that refer to what is not there."""
    found: dict[str, int] = {}
    for table, *_ in connection.execute("PRAGMA main.foreign_key_check"):
        found[table] = found.get(table, 0) + 1
    return found


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours


# ------------------------------------------------------------------------------------------------- texts


def _texts(connection: sqlite3.Connection) -> Iterator[Checked]:
    found = text_faults(connection)
    yield Checked("texts", f"{found.texts:,} against their hashes", _named("damaged", found.damaged))
    wrong = _named("passages do not fit the text of", [url for _, url in found.ill_cut])
    yield Checked("passages", f"{found.passages:,} against their texts", wrong)


def _named(what: str, each: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    lines = tuple(f"{what} {one}" for one in each[:SHOWN])
    return (*lines, f"and {len(each) - SHOWN:,} more") if len(each) > SHOWN else lines


def text_faults(connection: sqlite3.Connection) -> TextFaults:
    texts = passages = 0
    damaged, ill_cut = [], []
    for told, blob in connection.execute(_TEXTS):
        texts += 1
        text = intact(told, blob)
        if text is None:
            damaged.append(told)
            continue
        for row, url in connection.execute(_DOCUMENTS, (told,)).fetchall():
            cuts = connection.execute(_PASSAGES, (row,)).fetchall()
            passages += len(cuts)
            if not fits(text, cuts):
                ill_cut.append((row, url))
    return TextFaults(texts, passages, tuple(damaged), tuple(ill_cut))


def intact(told: str, blob: bytes) -> str | None:
    """The text, if it is the one with that hash."""
    try:
        raw = zlib.decompress(blob)
        return raw.decode("utf-8", "surrogatepass") if hashlib.sha256(raw).hexdigest() == told else None
    except (zlib.error, UnicodeDecodeError, TypeError):
        return None


def fits(text: str, cuts: list[tuple[int, int]]) -> bool:
    """Do the passages lie in the text, one after the other, with nothing between them but white space?"""
    edges = [(0, 0), *cuts, (len(text), len(text))]
    return all(before[1] <= after[0] and not text[before[1] : after[0]].strip() for before, after in pairwise(edges))


# ------------------------------------------------------------------------------------------------- words


def _words(connection: sqlite3.Connection, record: Record) -> Checked:
    return Checked(
        "words", f"{_count(connection, 'words_docsize'):,} passages, each word", tuple(word_faults(connection, record))
    )


def word_faults(connection: sqlite3.Connection, record: Record) -> list[str]:
    """`connection`: with an empty database attached as `fresh`; there the index is made anew and compared."""
    if not words.is_current(connection):
        return ["the index of words was made by another version of this program: it finds less than it could"]
    wordless, stray = (connection.execute(q).fetchone()[0] for q in (_WORDLESS, _STRAY_WORDS))
    faults = [f"{wordless:,} passages whose words are not in the index"] if wordless else []
    faults += [f"words of {stray:,} passages that are gone"] if stray else []
    if faults:
        return faults
    try:
        miscounted = _miscounted(connection, record)
    except LibraryError:  # a text is damaged, which is told where texts are
        return []
    return [f"{miscounted:,} words that are counted wrongly"] if miscounted else []


def _miscounted(connection: sqlite3.Connection, record: Record) -> int:
    words.create(connection, "fresh.words")
    for (document,) in connection.execute("SELECT row FROM documents").fetchall():
        for row, terms in words.of_document(connection, document, record.text):
            words.add(connection, row, terms, "fresh.words")
    connection.execute("CREATE VIRTUAL TABLE temp.here USING fts5vocab(main, words, col)")
    connection.execute("CREATE VIRTUAL TABLE temp.made USING fts5vocab(fresh, words, col)")
    return int(connection.execute(_MISCOUNTED).fetchone()[0])


# ------------------------------------------------------------------------------------------------- vectors


def _vectors(connection: sqlite3.Connection) -> Checked:
    wrong = missized(connection)
    faults = (f"{len(wrong):,} of another size than their embedder's",) if wrong else ()
    return Checked("vectors", f"{_count(connection, 'vectors'):,} by their size", faults)


def missized(connection: sqlite3.Connection) -> list[int]:
    return [row for (row,) in connection.execute(_MISSIZED)]
