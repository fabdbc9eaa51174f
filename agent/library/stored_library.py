"""What was read stays read: the library that the steps and the page pool call.

Knows how words and meaning are fused into one order, and keeps every blocking call off the event loop.  Does not know
tables, Chroma or what embeds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

from agent.errors import LibraryError
from agent.library.catalogue import documents_within, hits
from agent.library.chroma_store import ChromaServer
from agent.library.dense_search import DenseSearch
from agent.library.embedder import NO_EMBEDDER, Embedder
from agent.library.rebuild import refresh_words
from agent.library.record import Record
from agent.library.schema import FILE
from agent.text.ranking import blended
from agent.text.search_terms import match
from agent.types import Document, LibraryFilter, LibraryHit, Passage, RankedPassage
from agent.worker_pool import BlockingExecutor

_LANE = BlockingExecutor("library", 4)  # for all libraries of the process: more threads would only wait for the disk
DEPTH = 50  # passages a ranking: fusing more changes nothing in the first twenty …
WORDS = 100  # … but what words find is compared by meaning, too, and gets a vector for it where it has none
PASSAGES_PER_DOCUMENT = 5  # looked at where documents are asked for: of a long one many passages may fit
ANYWHERE = LibraryFilter()
NOTHING: Mapping[int, float] = {}


class StoredLibrary:
    """Fulfils `services.Library`, in one directory that several processes may use at once."""

    def __init__(self, directory: Path, embedder: Embedder | None = None, server: ChromaServer | None = None) -> None:
        """Nothing is opened or made before it is needed.  `server`: a Chroma server instead of the embedded Chroma."""
        self._record = Record(directory / FILE)
        self._dense = DenseSearch(self._record, directory / "chroma", embedder, _LANE, server) if embedder else None

    @property
    def note(self) -> str:
        """One line for the user where passages are found by their words alone; else ""."""
        return self._dense.trouble if self._dense else NO_EMBEDDER

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """For as long as a run goes on.

        Chroma is opened beside it, and given back when no run is left; the record's connections go with each run.
        """
        threading.Thread(target=_refresh, args=(self._record.path,), name="library-words", daemon=True).start()
        try:
            async with self._dense.in_use() if self._dense else nullcontext():
                yield
        finally:
            await _LANE.run(self._record.close)

    async def store(self, document: Document, *, run_id: str) -> int:
        """Keep a document and its passages; their number.  Storing twice is storing once."""
        return await _LANE.run(self._record.store, document, run_id)

    async def embed(self, document_id: str, *, run_id: str) -> None:
        """Give the document's passages vectors, where an embedder is there; else nothing.

        A run that reads very much gets them for its first passages only, and for what words find.
        """
        if self._dense:
            await self._dense.embed(document_id, run_id)

    async def find(self, texts: Sequence[str], *, documents: Collection[str], limit: int) -> list[RankedPassage]:
        """The best passages of these documents for any of the texts, best first.

        A score is 1 where both words and meaning put the passage first for one of the texts.
        """
        rows = await _LANE.run(self._record.rows_of, documents)
        order = (await self._order(texts, rows, DEPTH))[:limit]
        passages = await _LANE.run(self._record.passages, [row for row, _ in order])
        return [RankedPassage(passages[row], score) for row, score in order if row in passages]

    async def search(self, texts: Sequence[str], *, within: LibraryFilter = ANYWHERE, limit: int) -> list[LibraryHit]:
        """The best documents for any of the texts, best first, each with its best passage."""
        rows = await _LANE.run(documents_within, self._record, within)
        order = await self._order(texts, rows, max(DEPTH, PASSAGES_PER_DOCUMENT * limit))
        return await _LANE.run(self._hits, order, limit)

    def _hits(self, order: Sequence[tuple[int, float]], limit: int) -> list[LibraryHit]:
        """Blocks: of each document the first of its passages.

        Texts are unpacked for those alone, and for as many more as are damaged: all would be most of a search's time.
        """
        owners = self._record.owners([row for row, _ in order])
        first: dict[int, tuple[int, float]] = {}
        for row, score in order:
            if row in owners:
                first.setdefault(owners[row], (row, score))
        best = iter(first.values())
        found: list[tuple[Passage, float]] = []
        while more := list(islice(best, limit - len(found))):
            passages = self._record.passages([row for row, _ in more])
            found += [(passages[row], score) for row, score in more if row in passages]
        return hits(self._record, found)

    async def _order(self, texts: Sequence[str], documents: Sequence[int], depth: int) -> list[tuple[int, float]]:
        """Rows of the documents' passages with their scores, best first; words and meaning at the same time."""
        most = max(depth, WORDS) if self._dense else depth
        words = asyncio.gather(*(_LANE.run(self._record.with_words, match(text), documents, most) for text in texts))
        if self._dense is None:
            return _together([blended(scores, NOTHING) for scores in await words])
        found = await asyncio.gather(words, self._dense.rankings(texts, documents, words, depth))
        return _together([blended(*scores) for scores in zip(*found, strict=True)])

    async def text(self, snapshot: str) -> str:
        """A stored text, as it was when it was cited."""
        return await _LANE.run(self._record.text, snapshot)

    async def whole(self, beginning: str) -> str:
        """The hash of the one text whose hash begins so; what was given where there is none.  Raises `LibraryError`."""
        return await _LANE.run(self._record.whole, beginning)

    async def recall(self, url: str, *, since: datetime) -> Document | None:
        """The document read from this URL at or after `since`, if there is one."""
        return await _LANE.run(self._record.recall, url, since)


def _refresh(path: Path) -> None:
    """Blocks, once after each change of how texts are turned into words; nobody waits for it."""
    record = Record(path)
    with suppress(LibraryError, OSError):  # whoever asks something of the library hears of it
        refresh_words(record)
    record.close()


def _together(found: Sequence[Mapping[int, float]]) -> list[tuple[int, float]]:
    """One order from the scores for each text.

    A passage counts with its best score, so that what answers one of the texts well stands before what touches all of
    them; where that is equal, with the sum.  What neither its words nor its meaning speaks for is left out.
    """
    best: dict[int, float] = {}
    total: dict[int, float] = {}
    for scores in found:
        for row, score in scores.items():
            best[row] = max(best.get(row, 0.0), score)
            total[row] = total.get(row, 0.0) + score
    return sorted(
        ((row, score) for row, score in best.items() if score > 0), key=lambda item: (-item[1], -total[item[0]])
    )
