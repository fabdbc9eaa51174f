"""What the library holds, as its owner asks for it: which texts, from which addresses, read when and by which runs.

Knows the record's rows and how they are chosen by address, host, age, run and folder.  Does not know how it is shown,
or how anything is found by its words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.errors import LibraryError
from agent.library.record import HASH, SHORTEST, Record
from agent.text.urls import canonical, host

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
class Entry:
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
class Address:
    entry: Entry
    sightings: tuple[Sighting, ...]  # newest first


@dataclass(frozen=True, slots=True)
class Text:
    """A stored text and everywhere it was had from, the newest address first."""

    snapshot: str
    characters: int
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    documents: int
    addresses: int
    texts: int
    passages: int
    vectors: int
    runs: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which documents are meant: those that fulfil all that is given."""

    keys: tuple[str, ...] = ()  # addresses, paths of local files, or snapshots (or how they begin): any of these
    hosts: tuple[str, ...] = ()  # any of these, and their subdomains
    run_id: str | None = None
    before: datetime | None = None  # last fetched before …
    since: datetime | None = None  # … or at or after
    folder: Path | None = None  # local documents below it


def entries(record: Record, choice: Choice | None = None) -> list[Entry]:
    """The newest first."""
    found = [Entry(tuple(json.loads(runs)), *told) for runs, *told in record.rows(_ENTRIES)]
    return found if choice is None else _chosen(found, choice)


def totals(record: Record) -> Totals:
    return Totals(*record.rows(_TOTALS)[0])


def texts(record: Record, key: str) -> list[Text]:
    """What was had from an address, or the text with that hash; with all addresses of each.  Raises `LibraryError`."""
    everything = entries(record)
    wanted = dict.fromkeys(entry.snapshot for entry in _chosen(everything, Choice(keys=(key,))))
    if not wanted:
        raise LibraryError(f"the library {record.path} has nothing from {key!r}: `library list` shows what it holds")
    return [_text(record, snapshot, [e for e in everything if e.snapshot == snapshot]) for snapshot in wanted]


def exported(record: Record, chosen: Iterable[Entry], *, with_text: bool = True) -> Iterator[dict[str, Any]]:
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


def _text(record: Record, snapshot: str, had: list[Entry]) -> Text:
    addresses = tuple(Address(entry, tuple(_sightings(record, entry))) for entry in had)
    return Text(snapshot, len(record.text(snapshot)), addresses)


def _sightings(record: Record, entry: Entry) -> list[Sighting]:
    return [Sighting(*row) for row in record.rows(_SIGHTINGS, entry.row)]


# ------------------------------------------------------------------------------------------------- choosing


def _chosen(found: Iterable[Entry], choice: Choice) -> list[Entry]:
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
