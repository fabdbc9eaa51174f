"""Finds what is damaged in a library, its index and its caches."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from agent.errors import LibraryError, WorkerError
from agent.library import schema, vector_cache
from agent.library.chroma_index import BUILD_SECONDS, SERVED_SECONDS, place_of
from agent.library.chroma_store import POINTER, ChromaServer, pointer, trouble
from agent.library.rebuild import empty_indexes
from agent.library.record import Record
from agent.library.vector_cache import VectorCache
from agent.library.vectors import Vectors
from agent.worker_pool import Header, WorkerPool

# ------------------------------------------------------------------------------------------ verifying

# Is the library what it should be?  Every text against its hash, every offset, every word, vector and index.
#
# Knows what can be wrong and how it is found.  Changes nothing in the record; mending is `agent.library.repair`'s.

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
class IntegrityReport:
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


def verify(record: Record) -> Iterator[IntegrityReport]:
    """Part after part, as one moment has them: others may write meanwhile.  Raises `LibraryError` where none opens."""
    faults = file_faults(record)
    yield IntegrityReport("file", "SQLite's own check", tuple(faults))
    if faults:
        return  # what a damaged file says of the rest means nothing
    with closing(schema.connect(record.path)) as connection, schema.plain_message(record.path):
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


def _rows(connection: sqlite3.Connection) -> IntegrityReport:
    faults = tuple(f"{count} rows of {table} that belong to nothing" for table, count in orphans(connection).items())
    return IntegrityReport("rows", f"{_count(connection, 'documents'):,} documents", faults)


def orphans(connection: sqlite3.Connection) -> dict[str, int]:
    """By table, rows that refer to what is not there."""
    found: dict[str, int] = {}
    for table, *_ in connection.execute("PRAGMA main.foreign_key_check"):
        found[table] = found.get(table, 0) + 1
    return found


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours


# ------------------------------------------------------------------------------------------------- texts


def _texts(connection: sqlite3.Connection) -> Iterator[IntegrityReport]:
    found = text_faults(connection)
    yield IntegrityReport("texts", f"{found.texts:,} against their hashes", _named("damaged", found.damaged))
    wrong = _named("passages do not fit the text of", [url for _, url in found.ill_cut])
    yield IntegrityReport("passages", f"{found.passages:,} against their texts", wrong)


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


def _words(connection: sqlite3.Connection, record: Record) -> IntegrityReport:
    return IntegrityReport(
        "words", f"{_count(connection, 'words_docsize'):,} passages, each word", tuple(word_faults(connection, record))
    )


def word_faults(connection: sqlite3.Connection, record: Record) -> list[str]:
    """`connection`: with an empty database attached as `fresh`; there the index is made anew and compared."""
    if not schema.is_current(connection):
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
    schema.create(connection, "fresh.words")
    for (document,) in connection.execute("SELECT row FROM documents").fetchall():
        for row, terms in schema.of_document(connection, document, record.text):
            schema.add(connection, row, terms, "fresh.words")
    connection.execute("CREATE VIRTUAL TABLE temp.here USING fts5vocab(main, words, col)")
    connection.execute("CREATE VIRTUAL TABLE temp.made USING fts5vocab(fresh, words, col)")
    return int(connection.execute(_MISCOUNTED).fetchone()[0])


# ------------------------------------------------------------------------------------------------- vectors


def _vectors(connection: sqlite3.Connection) -> IntegrityReport:
    wrong = missized(connection)
    faults = (f"{len(wrong):,} of another size than their embedder's",) if wrong else ()
    return IntegrityReport("vectors", f"{_count(connection, 'vectors'):,} by their size", faults)


def missized(connection: sqlite3.Connection) -> list[int]:
    return [row for (row,) in connection.execute(_MISSIZED)]


# ------------------------------------------------------------------------------------------ indexes

# Chroma's indexes as an upkeep sees them: does each find what it holds, and how is one made anew from the record?
#
# Knows where they are and what their worker (`agent.library.chroma_worker`) answers.  Does not know Chroma.

TRIED = (
    100  # vectors of an index, evenly over it: each must find itself.  Chroma's own list of ids shows lost ones, too
)
NEIGHBOURS = 20  # among which a vector must be; it need not be the first where a document says a thing twice
SECONDS = 60.0  # to open one, or for a search
_INDEX_NAME = re.compile(r"embedder-(\d+)")


def verify_indexes(record: Record, home: Path, server: ChromaServer | None = None) -> Iterator[IntegrityReport]:
    """One after the other.  Vectors that one has not yet are no fault: they follow with the next question.

    `server`: a Chroma server that has the indexes; None: they are in `home`.
    """
    for path, number in _there(record, home, server):
        if number is None:
            yield IntegrityReport("index", path.name, ("it belongs to no embedder of this library",))
        else:
            yield _verified(_Where(record, path, number, server))


def repair_indexes(record: Record, home: Path, server: ChromaServer | None = None) -> Iterator[str]:
    """Make anew from the record what `verify_indexes` finds wrong, and say so once it is done."""
    if server and (why := trouble(server)):
        yield f"{why}: what it has is not looked at, and made anew where it is missing, once the server is there"
        return
    for path, number in _there(record, home, server):
        if number is None:
            drop_served(path, server)
            empty_indexes(home, {path.name})
            shutil.rmtree(path, ignore_errors=True)
            yield f"the index {path} belonged to no embedder of this library: it is out"
        else:
            where = _Where(record, path, number, server)
            if faults := _verified(where).faults:
                yield f"the index {path} was damaged ({faults[0]}): {_made_anew(where)}"


def drop_served(path: Path, server: ChromaServer | None) -> str:
    """Have the server forget the index whose directory is `path`; why that cannot be done, or "" where it is done."""
    kept = pointer(path)
    if kept is None:
        return ""
    if server is None:
        return (
            f"the Chroma server {kept['url']} has vectors of it ({kept['now']}): set AGENT_CHROMA_URL, and forget again"
        )
    crew = WorkerPool("agent.library.chroma_worker")
    try:
        told, _ = crew.call({"do": "drop", **place_of(path, server)}, seconds=SECONDS)
    except WorkerError as e:
        return f"the Chroma server {server.url} did not forget it ({e}): it does when it is used next"
    finally:
        crew.close()
    if told["state"] == "locked":
        return f"another program is using {path} just now: it forgets when it is opened next"
    return "" if told["state"] == "closed" else f"{told.get('why')}: it forgets when it is used next"


def _there(record: Record, home: Path, server: ChromaServer | None) -> list[tuple[Path, int | None]]:
    known = {int(row) for (row,) in record.rows("SELECT row FROM embedders")}
    sign = POINTER if server else "now"
    paths = [path for path in sorted(home.glob("*")) if path.is_dir() and (path / sign).exists()]
    names = [(path, _INDEX_NAME.fullmatch(path.name)) for path in paths]
    return [(path, int(name[1]) if name and int(name[1]) in known else None) for path, name in names]


@dataclass(frozen=True, slots=True)
class _Where:
    record: Record
    path: Path
    number: int  # of the embedder
    server: ChromaServer | None


def _verified(where: _Where) -> IntegrityReport:
    record, path, number = where.record, where.path, where.number
    crew = WorkerPool("agent.library.chroma_worker")
    try:
        told = _open(crew, where, anew=False)
        if told["state"] in ("locked", "away"):
            why = told.get("why", "another program has it open")
            return IntegrityReport("index", f"{path.name}: not looked at, {why}")
        if told["state"] != "open":
            return IntegrityReport("index", path.name, (f"it cannot be used: {told.get('why', told['state'])}",))
        lost, tried = _lost(crew, record, number, int(told["mark"]))
        crew.call({"do": "close"}, seconds=SECONDS)
    except WorkerError as e:
        return IntegrityReport("index", path.name, (f"it cannot be used: {e}",))
    finally:
        crew.close()
    missing = f", {told['missing']:,} to come" if told["missing"] else ""
    faults = (f"{lost} of {tried} vectors are not found",) if lost else ()
    return IntegrityReport(
        "index", f"{path.name}: {tried} of {told['count'] - told['missing']:,} vectors{missing}", faults
    )


def _lost(crew: WorkerPool, record: Record, number: int, mark: int) -> tuple[int, int]:
    """How many vectors do not find themselves, of how many that were tried."""
    vectors, lost = Vectors(record), 0
    batches = [vectors.after(mark * n // TRIED, number, 1) for n in range(TRIED)]
    tried = {batch.marks[0]: batch for batch in batches if batch.marks and batch.marks[0] <= mark}
    for batch in tried.values():
        header = {"do": "search", "queries": 1, "limit": NEIGHBOURS, "documents": batch.documents}
        found, _ = crew.call(header, batch.matrix.astype("float32").tobytes(), seconds=SECONDS)
        if found["state"] != "open":
            raise WorkerError(found.get("why", found["state"]))
        lost += batch.passages[0] not in found["rows"][0]
    return lost, len(tried)


def _made_anew(where: _Where) -> str:
    crew = WorkerPool("agent.library.chroma_worker")
    try:
        told = _open(crew, where, anew=True)
        if told["state"] == "locked":
            return "another program has it open: end it, then repair again"
        if told["state"] != "open":
            return f"it cannot be made anew: {told.get('why', told['state'])}"
        crew.call({"do": "close"}, seconds=SECONDS)
    except WorkerError as e:
        return f"it cannot be made anew: {e}"
    finally:
        crew.close()
    return f"it is made anew, with {told['count']:,} vectors"


def _open(crew: WorkerPool, where: _Where, *, anew: bool) -> Header:
    place = {"record": str(where.record.path.absolute()), "embedder": where.number, "anew": anew}
    a_vector = SERVED_SECONDS if where.server else BUILD_SECONDS
    seconds = SECONDS + a_vector * Vectors(where.record).count(where.number, 0)[1]
    return crew.call({"do": "open", **place_of(where.path, where.server), **place}, seconds=seconds)[0]


# ------------------------------------------------------------------------------------------ aside

# The files beside the record that anybody may delete, as an upkeep sees them: vectors in a file, indexes of folders.
#
# Knows how each is compared with what it was made of, or by SQLite with itself.  Does not know what a folder's index
# is for: a damaged one goes, and is made anew when the folder is asked about.

_VECTORS_NAME = re.compile(r"vectors-(\d+)\.held")


def verify_cache_files(record: Record, folders: Path) -> Iterator[IntegrityReport]:
    """One after the other.  `folders`: where the indexes of folders are."""
    for path, embedder in _held(record):
        yield _compared(record, path, embedder)
    for path in sorted(folders.glob("*.sqlite3")):
        yield IntegrityReport("folder", path.name, _cache_faults(path))


def repair_cache_files(record: Record, folders: Path) -> Iterator[str]:
    """Remove what `verify_cache_files` finds wrong, and say so."""
    for path, embedder in _held(record):
        if faults := _compared(record, path, embedder).faults:
            path.unlink(missing_ok=True)
            yield f"the file {path} was damaged ({faults[0]}): it is out, and is made anew by the next run"
    for path in sorted(folders.glob("*.sqlite3")):
        if faults := _cache_faults(path):
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink(missing_ok=True)
            yield f"the folder index {path} was damaged ({faults[0]}): it is out, and is made anew when it is asked"


def _held(record: Record) -> list[tuple[Path, int]]:
    names = [(path, _VECTORS_NAME.fullmatch(path.name)) for path in sorted(record.path.parent.glob("vectors-*.held"))]
    return [(path, int(name[1])) for path, name in names if name]


def _compared(record: Record, path: Path, embedder: int) -> IntegrityReport:
    held = vector_cache.mapped(path, record.id)
    if held is None:
        return IntegrityReport("held", f"{path.name}: not used, it is over another record")
    wrong, before = 0, 0
    for block in held.blocks:
        there = VectorCache("").grown(Vectors(record).rows_after(before, embedder, len(block)))
        before = int(block.marks[-1])
        wrong += len(block) if not there else block.differing(there.blocks[0])
    faults = (f"{wrong:,} vectors are not the record's",) if wrong else ()
    return IntegrityReport("held", f"{path.name}: {len(held):,} vectors", faults)


def _cache_faults(path: Path) -> tuple[str, ...]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as e:
        told = [str(e)]
    return () if told == ["ok"] else tuple(told)
