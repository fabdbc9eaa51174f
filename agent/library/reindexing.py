"""Vectors for all that is stored, at once: after an embedder was set up or exchanged, and for what was never asked for.

Knows which passages have no vector of the embedder's yet, and in which order they get one.  Does not know who watches.
Runs may use the library meanwhile; broken off, it goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import count

from agent.library.dense import Dense
from agent.library.embed import Embedder
from agent.library.index import FAILED_SECONDS
from agent.library.server import ChromaServer
from agent.library.shelf import Shelf
from agent.library.threads import Lane

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
    shelf: Shelf, embedder: Embedder, server: ChromaServer | None = None
) -> AsyncGenerator[Reindexed, None]:
    """At least one, the last with `index`.  Raises `LibraryError`, also where the embedder fails on the way."""
    record, lane = shelf.record(), Lane("reindex", 2)
    dense = Dense(record, shelf.indexes, embedder, lane, server)
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


async def _in_step(dense: Dense, seconds: float) -> str:
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
