"""Which stored documents a search may look at, and what is told of those that it finds.

Knows bounds and the columns that they bound.  Does not know how anything is found or ranked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from agent.library.record import Record
from agent.types import LibraryHit, Passage, Within

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


def documents_within(record: Record, within: Within) -> list[int]:
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


def _web(within: Within, values: list[object]) -> str:
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


def _files(within: Within, values: list[object]) -> str:
    if within.folder is None:
        return "0"
    below = Path(within.folder).as_uri().rstrip("/") + "/"
    values += [len(below), below]
    return f"({_IS_FILE} AND substr(d.url, 1, ?) = ?)"


def _always(within: Within, values: list[object]) -> str:
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
