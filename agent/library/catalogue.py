"""Where a library's files are; lists, filters and forgets its documents."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.errors import LibraryError
from agent.library import schema, vector_cache
from agent.library.rebuild import empty_indexes, reindex_words
from agent.library.record import HASH, SHORTEST, Record
from agent.library.schema import FILE
from agent.text.urls import canonical, host
from agent.types import LibraryFilter, LibraryHit, Passage

# ------------------------------------------------------------------------------------------ shelf

# A library as its owner keeps it: where its parts are, and whether it has grown large.
#
# Knows names of files.  Does not know what is in them.

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class LibraryPaths:
    directory: Path

    @property
    def is_there(self) -> bool:
        return (self.directory / FILE).exists()

    def record(self) -> Record:
        return Record(self.directory / FILE)

    @property
    def indexes(self) -> Path:
        """Where Chroma's are, one directory an embedder."""
        return self.directory / "chroma"

    @property
    def folders(self) -> Path:
        """Where the indexes of local documents are, one file a folder."""
        return self.directory / "folders"

    @property
    def has_folders(self) -> bool:
        return any(self.folders.glob("*.sqlite3"))

    def forget_folders(self) -> None:
        """Their texts go too; a folder that is asked about again is read anew."""
        for path in self.folders.glob("*.sqlite3*"):
            path.unlink(missing_ok=True)

    def bytes(self) -> int:
        """Of all its files, Chroma's among them."""
        return sum(_size(path) for path in self.directory.rglob("*"))


def size_note(directory: Path, warn_mb: int) -> str:
    """One line where the library there has grown beyond `warn_mb`; else, and with 0, the empty string."""
    size = LibraryPaths(directory).bytes() if warn_mb else 0
    if size <= warn_mb * MB:
        return ""
    return (
        f"the library {directory} has grown to {size / MB:,.0f} MB (AGENT_LIBRARY_WARN_MB={warn_mb}): `library list` "
        "shows what is in it, `library forget --older-than 90d` would be one way"
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:  # gone meanwhile
        return 0


# ------------------------------------------------------------------------------------------ within

# Which stored documents a search may look at, and what is told of those that it finds.
#
# Knows bounds and the columns that they bound.  Does not know how anything is found or ranked.

_IN_ORDER = "ORDER BY d.url, d.fetched, d.row"  # an index's: to ask of each for a later one took twice as long
_OF_RUN = "d.row IN (SELECT document FROM run_documents WHERE run_id = ?)"
_HOST = """(
    WITH rest (text) AS (SELECT lower(substr(d.url, instr(d.url, '://') + 3))),
        authority (text) AS (SELECT substr(text, 1, instr(text || '/', '/') - 1) FROM rest)
    SELECT '.' || substr(text, 1, instr(text || ':', ':') - 1) FROM authority)"""  # canonical: no user, a path
_OF_HOSTS = f"EXISTS (SELECT 1 FROM json_each(?) h WHERE substr({_HOST}, -length(h.value)) = h.value)"  # noqa: S608 - ours alone
_IS_FILE = "d.url LIKE 'file:%'"
_TOLD = """
    SELECT id, snapshot, url, title, site, fetched_at, published, language FROM documents
    WHERE id IN (SELECT value FROM json_each(?))"""


def documents_within(record: Record, within: LibraryFilter) -> list[int]:
    """Rows of the documents that a search with these bounds may find.

    Of a page that has changed since it was first read, that is the text that was read last, if it fits: older ones are
    kept for who cites them.  A run's own pages are what that run has read.  Bounds on hosts hold for the web; a file is
    the user's own, and bounded by its folder.
    """
    values: list[object] = []
    fits = _always(within, values)
    place = f"{_web(within, values)} OR {_files(within, values)}"
    found = record.rows(f"SELECT d.url, iif({fits}, d.row, 0) FROM documents d WHERE {place} {_IN_ORDER}", *values)  # noqa: S608 - values are bound
    if within.run_id:
        return [row for _, row in found if row]
    return [row for row in dict(found).values() if row]


def _web(within: LibraryFilter, values: list[object]) -> str:
    """What a page of the web has to fulfil; `values` gets what its question marks stand for."""
    conditions = [f"NOT {_IS_FILE}"]
    if within.hosts:
        conditions.append(_OF_HOSTS)
        values.append(_endings(within.hosts))
    if within.not_hosts:
        conditions.append(f"NOT {_OF_HOSTS}")
        values.append(_endings(within.not_hosts))
    return f"({' AND '.join(conditions)})"


def _endings(hosts: Sequence[str]) -> str:
    """A host and its subdomains end alike, once a dot is put before each."""
    return json.dumps([f".{host.lower().strip('.')}" for host in hosts])


def _files(within: LibraryFilter, values: list[object]) -> str:
    if within.folder is None:
        return "0"
    below = Path(within.folder).as_uri().rstrip("/") + "/"
    values += [len(below), below]
    return f"({_IS_FILE} AND substr(d.url, 1, ?) = ?)"


def _always(within: LibraryFilter, values: list[object]) -> str:
    """What pages and files alike have to fulfil."""
    conditions = ["1"]
    if within.run_id:
        conditions.append(_OF_RUN)
        values.append(within.run_id)
    if within.fetched_since:
        conditions.append("d.fetched >= ?")
        values.append(within.fetched_since.timestamp())
    if within.language:
        conditions.append("(d.language = ? OR substr(d.language, 1, ?) = ?)")
        values += [within.language, len(within.language) + 1, f"{within.language}-"]
    return " AND ".join(conditions)


def hits(record: Record, found: Sequence[tuple[Passage, float]]) -> list[LibraryHit]:
    """Each passage with its document, in the order given."""
    wanted = json.dumps([passage.document_id for passage, _ in found])
    told = {row[0]: row for row in record.rows(_TOLD, wanted)}
    return [
        LibraryHit(*(*told[p.document_id], p.text, p.start, p.end, score))
        for p, score in found
        if p.document_id in told
    ]


# ------------------------------------------------------------------------------------------ catalogue

# What the library holds, as its owner asks for it: which texts, from which addresses, read when and by which runs.
#
# Knows the record's rows and how they are chosen by address, host, age, run and folder.  Does not know how it is
# shown, or how anything is found by its words.

_ENTRIES = """
    SELECT (SELECT json_group_array(run_id) FROM run_documents r WHERE r.document = d.row),
        d.row, d.id, d.snapshot, d.url, d.title, d.site, d.media_type, d.language, d.published, d.author, d.modified,
        d.fetched_at, d.fetched, length(s.text),
        (SELECT count(*) FROM passages p WHERE p.document = d.row)
    FROM documents d JOIN snapshots s ON s.hash = d.snapshot ORDER BY d.fetched DESC, d.row DESC"""
_SIGHTINGS = """
    SELECT fetched_at, media_type, etag, last_modified, extraction FROM sightings WHERE document = ?
    ORDER BY fetched DESC"""
_PASSAGES = 'SELECT start, "end", heading FROM passages WHERE document = ? ORDER BY start'
_PAGE_STARTS = "SELECT page_starts FROM documents WHERE row = ?"
_TOTALS = """
    SELECT (SELECT count(*) FROM documents), (SELECT count(DISTINCT url) FROM documents),
        (SELECT count(*) FROM snapshots), (SELECT count(*) FROM passages), (SELECT count(*) FROM vectors),
        (SELECT count(DISTINCT run_id) FROM run_documents)"""


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document: one text as it was had from one address."""

    runs: tuple[str, ...]  # that have read it
    row: int
    id: str
    snapshot: str
    url: str
    title: str
    site: str
    media_type: str
    language: str | None
    published: str | None
    author: str
    modified: str | None
    fetched_at: str  # the last time that this text was had from there
    fetched: float  # the same, in seconds since 1970
    bytes: int  # of the text as it is stored, compressed; shared with other addresses of the same text
    passages: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """One time that a text was had from an address, with what the server said."""

    fetched_at: str
    media_type: str
    etag: str | None
    last_modified: str | None
    extraction: str


@dataclass(frozen=True, slots=True)
class DocumentAddress:
    entry: DocumentEntry
    sightings: tuple[Sighting, ...]  # newest first


@dataclass(frozen=True, slots=True)
class Text:
    """A stored text and everywhere it was had from, the newest address first."""

    snapshot: str
    characters: int
    addresses: tuple[DocumentAddress, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    documents: int
    addresses: int
    texts: int
    passages: int
    vectors: int
    runs: int


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents are meant: those that fulfil all that is given."""

    keys: tuple[str, ...] = ()  # addresses, paths of local files, or snapshots (or how they begin): any of these
    hosts: tuple[str, ...] = ()  # any of these, and their subdomains
    run_id: str | None = None
    before: datetime | None = None  # last fetched before …
    since: datetime | None = None  # … or at or after
    folder: Path | None = None  # local documents below it


def entries(record: Record, choice: DocumentFilter | None = None) -> list[DocumentEntry]:
    """The newest first."""
    found = [DocumentEntry(tuple(json.loads(runs)), *told) for runs, *told in record.rows(_ENTRIES)]
    return found if choice is None else _chosen(found, choice)


def totals(record: Record) -> Totals:
    return Totals(*record.rows(_TOTALS)[0])


def texts(record: Record, key: str) -> list[Text]:
    """What was had from an address, or the text with that hash; with all addresses of each.  Raises `LibraryError`."""
    everything = entries(record)
    wanted = dict.fromkeys(entry.snapshot for entry in _chosen(everything, DocumentFilter(keys=(key,))))
    if not wanted:
        raise LibraryError(f"the library {record.path} has nothing from {key!r}: `library list` shows what it holds")
    return [_text(record, snapshot, [e for e in everything if e.snapshot == snapshot]) for snapshot in wanted]


def exported(record: Record, chosen: Iterable[DocumentEntry], *, with_text: bool = True) -> Iterator[dict[str, Any]]:
    """One JSON object a document, with all that is known of it; what is forgotten meanwhile is left out."""
    for entry in chosen:
        seen = _sightings(record, entry)
        if not seen:
            continue
        body = {"text": record.text(entry.snapshot)} if with_text else {}
        yield {
            "id": entry.id, "snapshot": entry.snapshot, "url": entry.url, "title": entry.title, "site": entry.site,
            "media_type": entry.media_type, "language": entry.language, "published": entry.published,
            "author": entry.author, "modified": entry.modified, "fetched_at": entry.fetched_at,
            "page_starts": json.loads(record.rows(_PAGE_STARTS, entry.row)[0][0]),
            "fetches": [as_json(one) for one in seen], "runs": list(entry.runs),
            "passages": [dict(zip(("start", "end", "heading"), p, strict=True))
                         for p in record.rows(_PASSAGES, entry.row)],
            **body,
        }  # fmt: skip


def as_json(sighting: Sighting) -> dict[str, Any]:
    return {name: getattr(sighting, name) for name in Sighting.__slots__}


def _text(record: Record, snapshot: str, had: list[DocumentEntry]) -> Text:
    addresses = tuple(DocumentAddress(entry, tuple(_sightings(record, entry))) for entry in had)
    return Text(snapshot, len(record.text(snapshot)), addresses)


def _sightings(record: Record, entry: DocumentEntry) -> list[Sighting]:
    return [Sighting(*row) for row in record.rows(_SIGHTINGS, entry.row)]


# ------------------------------------------------------------------------------------------------- choosing


def _chosen(found: Iterable[DocumentEntry], choice: DocumentFilter) -> list[DocumentEntry]:
    addresses = {spelled for key in choice.keys for spelled in _spellings(key)}
    hashes = tuple(key.lower() for key in choice.keys if _is_hash(key))
    below = f"{_file(choice.folder)}/" if choice.folder else ""
    return [
        entry
        for entry in found
        if (not choice.keys or entry.url in addresses or (hashes and entry.snapshot.startswith(hashes)))
        and (not choice.hosts or _is_of(entry.url, choice.hosts))
        and (choice.run_id is None or choice.run_id in entry.runs)
        and (choice.before is None or entry.fetched < choice.before.timestamp())
        and (choice.since is None or entry.fetched >= choice.since.timestamp())
        and entry.url.startswith(below)
    ]


def _spellings(key: str) -> set[str]:
    """How the record may spell what a person types: with or without a scheme, or as a path."""
    if "://" in key:
        return {key, canonical(key)}
    return {canonical(f"https://{key}"), canonical(f"http://{key}"), _file(Path(key))}


def _file(path: Path) -> str:
    return canonical(path.expanduser().resolve().as_uri()).rstrip("/")


def _is_hash(key: str) -> bool:
    return SHORTEST <= len(key) <= HASH and not set(key.lower()) - set("0123456789abcdef")


def _is_of(url: str, hosts: tuple[str, ...]) -> bool:
    name = host(url)
    return any(name == wanted or name.endswith(f".{wanted}") for wanted in map(_host_name, hosts))


def _host_name(given: str) -> str:
    """Of an address too: who pastes one means its host."""
    return host(given) if "://" in given else host(f"https://{given.strip('.')}")


# ------------------------------------------------------------------------------------------ forgetting

# Taking documents out of the library for good: their text, passages, words, vectors, and what Chroma has of them.
#
# Knows what goes together, and in which order it goes.  Does not know who cites what: it is told.

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
class ForgetPlan:
    """What forgetting would do with the documents that were chosen."""

    goes: tuple[DocumentEntry, ...]
    cited: tuple[DocumentEntry, ...] = ()  # stay: an answer's quotes point into them
    shared: tuple[DocumentEntry, ...] = ()  # stay: other runs have read them too; that this run has is forgotten
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
    chosen: Sequence[DocumentEntry],
    choice: DocumentFilter,
    citing: Mapping[str, Collection[str]],
    *,
    cited_too: bool = False,
) -> ForgetPlan:
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
    return ForgetPlan(tuple(goes), tuple(cited), tuple(shared), choice.run_id)


def forget(record: Record, planned: ForgetPlan, indexes: Path) -> list[Path]:
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
    vector_cache.forget(record.path)
    return empty_indexes(indexes)


def take_out(record: Record, entries: Sequence[DocumentEntry]) -> None:
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
    if not schema.is_current(connection):
        return
    try:
        found = [each for row in documents for each in schema.of_document(connection, row, record.text)]
    except LibraryError:
        schema.doubted(connection)
        return
    for row, terms in found:
        schema.take_out(connection, row, terms)


def _clean_up(record: Record) -> None:
    """Leave no trace in the file, and give space back where that is much."""
    with record.writing() as connection:
        is_current = schema.is_current(connection)
        if is_current:
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")  # drops what was only marked as gone
    if not is_current:
        reindex_words(record)
    free, pages = (record.rows(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_count"))
    with suppress(LibraryError):  # a disk that is full, another program at work: the next time will do
        if free > FREE_SHARE * pages:
            record.rows("VACUUM")
        record.rows("PRAGMA wal_checkpoint(TRUNCATE)")
