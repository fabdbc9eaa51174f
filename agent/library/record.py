"""The record: every page as it was, its passages, and the words in them, in one SQLite file that is always right.

Knows tables and rows.  Does not know embedders, Chroma or event loops: every call blocks for some milliseconds, and may
be made from any thread and any process.  Vectors are kept in the same file by `agent.library.vectors`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.errors import LibraryError
from agent.library import schema
from agent.text.chunking import Slice, passage_id, slices
from agent.types import Document, Passage

# A text that was damaged on the disk is put right when its page is read again.
_ADD_TEXT = """
    INSERT INTO snapshots (hash, text) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET text = excluded.text WHERE text <> excluded.text"""
_ADD_DOCUMENT = """
    INSERT INTO documents (id, snapshot, url, title, site, media_type, language, published, fetched_at, fetched, etag,
        last_modified, extraction, page_starts, author, modified, date_certainty, suspect, declares)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_RENEW_DOCUMENT = """
    UPDATE documents SET media_type = ?, language = ?, published = ?, fetched_at = ?, fetched = ?, etag = ?,
        last_modified = ?, extraction = ?, page_starts = ?, author = ?, modified = ?, date_certainty = ?, suspect = ?,
        declares = ?
    WHERE row = ? AND fetched <= ?"""
_ADD_PASSAGE = 'INSERT INTO passages (document, start, "end", heading) VALUES (?, ?, ?, ?)'
_ADD_SIGHTING = """
    INSERT OR IGNORE INTO sightings (document, fetched, fetched_at, media_type, etag, last_modified, extraction)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_RECALL = """
    SELECT id, snapshot, url, title, site, media_type, fetched_at, published, language, page_starts, etag,
        last_modified, extraction, author, modified, date_certainty, suspect, declares
    FROM documents WHERE url = ? AND fetched >= ? ORDER BY fetched DESC LIMIT 1"""
# `+rowid` makes SQLite ask FTS5 once and then look whose passage each is.  The other way round, which it would choose,
# FTS5 counts every word anew for every passage: 1,400 ms instead of 9 at 100,000 passages, 240 of them asked for.
# A word in the title or a heading counts as one in the passage: with half of that, nDCG@10 was 0.925 instead of 0.935
# on ClapNQ's development questions.
#
# BM25 is less than 0, the best first; with another sign in the result it would be counted twice.
_WITH_WORDS = """
    SELECT rowid, bm25(words) AS score FROM words WHERE words MATCH ? AND +rowid IN
        (SELECT row FROM passages WHERE document IN (SELECT value FROM json_each(?)))
    ORDER BY score LIMIT ?"""
_WITH_WORDS_ANYWHERE = "SELECT rowid, bm25(words) AS score FROM words WHERE words MATCH ? ORDER BY score LIMIT ?"
_WITH_WORDS_AND_OWNERS = f"""
    SELECT w.rowid, w.score, p.document FROM ({_WITH_WORDS_ANYWHERE}) w LEFT JOIN passages p ON p.row = w.rowid
    ORDER BY w.score, w.rowid"""  # noqa: S608 - ours alone
_MUCH = 0.25  # of all documents: to look up which passages are theirs took 30 ms at 100,000, to leave out others 1
_SPARE = 2  # times as many are then asked for as would do if what is wanted were spread evenly
WEIGHED = 6_000  # passages, at most: BM25 takes 2 µs each, and words that stand in more of them tell little
# One look-up an id; with IN, SQLite puts the ids in order first, which is half as much again.
_ROWS_OF = "SELECT d.row FROM json_each(?) wanted CROSS JOIN documents d ON d.id = wanted.value"
_HOW_MANY = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
_PASSAGES = """
    SELECT p.row, p.start, p."end", d.id, d.snapshot FROM passages p JOIN documents d ON d.row = p.document
    WHERE p.row IN (SELECT value FROM json_each(?))"""

HASH = 64  # characters of a snapshot; a user may give the first SHORTEST of them
SHORTEST = 8


class Record:
    """One file; a connection for each call, kept for the next.  Raises `LibraryError`."""

    def __init__(self, path: Path, *, weighed: int = WEIGHED) -> None:
        self.path = path
        self._weighed = weighed
        self._free: dict[int, list[sqlite3.Connection]] = {}  # by process
        self.text = lru_cache(maxsize=64)(self._read_text)  # texts never change under their hash

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """One that nobody else uses meanwhile.

        After a fork the parent's are neither used nor closed: SQLite forbids both.
        """
        free = self._free.setdefault(os.getpid(), [])
        try:
            connection = free.pop()
        except IndexError:
            connection = schema.connect(self.path)
        try:
            yield connection
        finally:
            free.append(connection)

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Everything that a SELECT finds."""
        with self.reading() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For several questions to the same connection."""
        with schema.plain_message(self.path), self._connection() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """For what is to be written together or not at all."""
        with schema.plain_message(self.path), self._connection() as connection, schema.transaction(connection):
            yield connection

    def close(self) -> None:
        """Give back what no call needs just now; a later call opens the file again."""
        self.text.cache_clear()
        free = self._free.get(os.getpid(), [])
        while free:
            free.pop().close()

    @property
    def id(self) -> str:
        """Made with the file: an index that was built for another file's rows is told by it."""
        return str(self.rows("SELECT value FROM about WHERE key = 'id'")[0][0])

    # --------------------------------------------------------------------------------------------- writing

    def store(self, document: Document, run_id: str) -> int:
        """Keep a document and its passages; their number.  Storing again renews what is known of it, and no more."""
        pieces, title = slices(document.text), _storable(document.title)
        told = [schema.terms(document.text[p.start : p.end], title, _storable(p.heading)) for p in pieces]
        blob = zlib.compress(document.text.encode("utf-8", "surrogatepass"), 6)
        with self.writing() as connection:
            connection.execute(_ADD_TEXT, (document.snapshot, blob))
            row = _renewed(connection, document)
            if row is None:
                row = _added(connection, _ADD_DOCUMENT, _values(document))
                for passage, terms in zip(cut(connection, row, pieces), told, strict=True):
                    schema.add(connection, passage, terms)
            connection.execute(_ADD_SIGHTING, (row, *_sighting(document)))
            connection.execute("INSERT OR IGNORE INTO run_documents (run_id, document) VALUES (?, ?)", (run_id, row))
        return len(pieces)

    # --------------------------------------------------------------------------------------------- reading

    def _read_text(self, snapshot: str) -> str:
        """A stored text, code point for code point."""
        found = self.rows("SELECT text FROM snapshots WHERE hash = ?", snapshot)
        if not found:
            raise LibraryError(f"the library {self.path} holds no text {snapshot!r}: a result's `snapshot` names one")
        try:
            return zlib.decompress(found[0][0]).decode("utf-8", "surrogatepass")
        except (zlib.error, UnicodeDecodeError) as e:
            raise LibraryError(f"the text {snapshot} in the library {self.path} is damaged: fetch its page anew") from e

    def whole(self, beginning: str) -> str:
        """The hash of the one text whose hash begins so; what was given where there is none."""
        if len(beginning) < SHORTEST or len(beginning) >= HASH:
            return beginning
        like = "SELECT hash FROM snapshots WHERE substr(hash, 1, ?) = ?"
        found = self.rows(like, len(beginning), beginning.lower())
        if len(found) > 1:
            raise LibraryError(
                f"{len(found)} texts in the library {self.path} begin with {beginning!r}: give more of it"
            )
        return str(found[0][0]) if found else beginning

    def recall(self, url: str, since: datetime) -> Document | None:
        """What was read from this URL at or after `since`; the newest where there are several."""
        found = self.rows(_RECALL, url, since.timestamp())
        try:
            return self._document(*found[0]) if found else None
        except LibraryError:  # its text is damaged: who reads the page again puts it right
            return None

    def _document(self, identity: str, snapshot: str, *rest: Any) -> Document:
        url, title, site, media_type, fetched_at, published, language, page_starts, *more, suspect, declares = rest
        told = (media_type, fetched_at, published, language, tuple(json.loads(page_starts)))
        return Document(
            *(identity, snapshot, url, title, site, self.text(snapshot), *told, *more, bool(suspect), declares)
        )

    def rows_of(self, documents: Collection[str]) -> list[int]:
        """The rows of those documents that are here."""
        found = self.rows(_ROWS_OF, json.dumps(list(dict.fromkeys(documents))))
        return [row for (row,) in found]

    def with_words(self, match: str, documents: Sequence[int], limit: int) -> dict[int, float]:
        """Rows of the documents' passages with any of the words, best first, with their BM25, which is over 0.

        `match`: an FTS5 expression.
        """
        if not match:
            return {}
        stored = self.rows("SELECT count(*) FROM documents")[0][0]
        if len(documents) == stored:
            return _scored(self.rows(_WITH_WORDS_ANYWHERE, self._telling(match), limit))
        if len(documents) >= _MUCH * stored:
            asked = _SPARE * limit * stored // len(documents)
            found, wanted = self.rows(_WITH_WORDS_AND_OWNERS, self._telling(match), asked), set(documents)
            kept = [(row, score) for row, score, owner in found if owner in wanted][:limit]
            if len(kept) == limit or len(found) < asked:
                return _scored(kept)
        return _scored(self.rows(_WITH_WORDS, match, json.dumps(documents), limit))

    def _telling(self, match: str) -> str:
        """The expression without its most common words, where too many passages have any of them."""
        terms = match.split(" OR ")
        counts = sorted((self._having(term), term) for term in terms)
        if not self._are_too_many(match, [count for count, _ in counts]):
            return match
        if counts[0][0] > self._weighed:
            counts = sorted((self._having(term, to_the_end=True), term) for term in terms)
        kept, total = [], 0
        for count, term in counts:
            if total and total + count > self._weighed:
                break
            kept.append(term)
            total += count
        return " OR ".join(kept)

    def _are_too_many(self, match: str, counts: Sequence[int]) -> bool:
        """Would more passages have to be weighed than may be?  `counts`: of each term; mostly they tell it alone."""
        if max(counts) > self._weighed or sum(counts) <= self._weighed:
            return max(counts) > self._weighed
        return self._having(match) > self._weighed

    def _having(self, match: str, *, to_the_end: bool = False) -> int:
        """Passages with any of the words; past the number that may be weighed they are not counted on."""
        return int(self.rows(_HOW_MANY, match, -1 if to_the_end else self._weighed + 1)[0][0])

    def owners(self, passages: Sequence[int]) -> dict[int, int]:
        """The rows of the passages' documents; without those that are gone."""
        asked = "SELECT row, document FROM passages WHERE row IN (SELECT value FROM json_each(?))"
        return dict(self.rows(asked, json.dumps(passages)))

    def passages(self, rows: Iterable[int]) -> dict[int, Passage]:
        """The passages in these rows, with their text; without those that are gone, or whose text is damaged."""
        found = {}
        for row, start, end, document, snapshot in self.rows(_PASSAGES, json.dumps(list(rows))):
            with suppress(LibraryError):
                text = self.text(snapshot)[start:end]
                found[row] = Passage(passage_id(document, start, end), document, start, end, text)
        return found


def _scored(found: Iterable[tuple[int, float]]) -> dict[int, float]:
    """With BM25 as it is told to others: over 0."""
    return {row: -score for row, score in found}


def cut(connection: sqlite3.Connection, document: int, pieces: Sequence[Slice]) -> list[int]:
    """The rows of a document's passages, which had none; their words are not indexed yet."""
    return [_added(connection, _ADD_PASSAGE, (document, p.start, p.end, _storable(p.heading))) for p in pieces]


def _renewed(connection: sqlite3.Connection, document: Document) -> int | None:
    """The row of a document that is here already, with what its newest fetch says of it; None for a new one."""
    found = connection.execute("SELECT row FROM documents WHERE id = ?", (document.id,)).fetchone()
    if found is None:
        return None
    connection.execute(_RENEW_DOCUMENT, (*_of_the_page(document), found[0], _seconds(document.fetched_at)))
    return int(found[0])


def _added(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> int:
    row = connection.execute(statement, values).lastrowid
    assert row is not None
    return row


def _values(document: Document) -> tuple[object, ...]:
    """In the order of _ADD_DOCUMENT."""
    url, title, site = _storable(document.url), _storable(document.title), _storable(document.site)
    return (document.id, document.snapshot, url, title, site, *_of_the_page(document))


def _of_the_page(document: Document) -> tuple[object, ...]:
    """What may change while the text stays.  The title is not among it: the index of words holds it as it was first."""
    return (
        document.media_type, document.language, document.published, document.fetched_at,
        _seconds(document.fetched_at), document.etag, document.last_modified, document.extraction,
        json.dumps(document.page_starts), _storable(document.author), document.modified, document.date_certainty,
        document.suspect, _storable(document.declares),
    )  # fmt: skip


def _sighting(document: Document) -> tuple[object, ...]:
    """In the order of _ADD_SIGHTING, without the document."""
    when = (_seconds(document.fetched_at), document.fetched_at)
    return (*when, document.media_type, document.etag, document.last_modified, document.extraction)


def _storable(text: str) -> str:
    """SQLite keeps UTF-8 only: what no encoding has becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _seconds(moment: str) -> float:
    """Of an ISO 8601 time, UTC where it names no zone; 0 where it is none, so that it counts as old."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
