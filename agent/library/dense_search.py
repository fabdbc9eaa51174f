"""Finding by meaning: vectors are made, kept, and searched, in Chroma where it is ready, else exactly.

Knows when to embed what, and what to do when the embedder fails: without it there is less, and no error.  Does not know
how words are found or how the two are fused.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.errors import LibraryError
from agent.library.chroma_index import ChromaIndex, PassagesToIndex, State, index_at
from agent.library.chroma_store import ChromaServer
from agent.library.embedder import Embedder
from agent.library.record import Record
from agent.library.vectors import Vectors
from agent.worker_pool import BlockingExecutor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

PROBE = "The quick brown fox reads 42 papers about reasoning models."  # its vector tells embedders apart; never changes
EAGER = 600  # passages of one run that get vectors before anybody asks: some 12 s of two processors, beside the reading
BATCH = 32  # texts after which vectors are kept and a deadline is looked at: about a quarter of a second
LAZY_SECONDS = 2.0  # for passages that words have found and that have no vector yet: about 300 of them
AFTER_FAILURE = 30.0  # seconds in which a failed embedder is not asked again
RECOGNISED = 600.0  # seconds for which an embedder is taken for the same: a server may change its model meanwhile


class DenseSearch:
    """The vectors of one embedder in one library."""

    def __init__(
        self, record: Record, home: Path, embedder: Embedder, lane: BlockingExecutor, server: ChromaServer | None = None
    ) -> None:
        """`home`: where the indexes are, one directory an embedder.  `lane`: for calls to the record.

        `server`: a Chroma server that has them instead.
        """
        self._record, self._home, self._embedder, self._lane, self._server = record, home, embedder, lane, server
        self._vectors = Vectors(record)
        self._known: tuple[int, ChromaIndex] | None = None
        self._dimension = 0  # of its vectors, while it is known …
        self._known_until = 0.0  # … and when to look again
        self._not_before = 0.0
        self._given: Counter[str] = Counter()  # vectors by run, before anybody asked
        self.trouble = ""  # why there are no vectors just now

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """The index is opened in the background meanwhile; nobody waits for it."""
        async with AsyncExitStack() as stack:
            opening = asyncio.create_task(self._open(stack))
            try:
                yield
            finally:
                opening.cancel()
                await asyncio.gather(opening, return_exceptions=True)

    async def _open(self, stack: AsyncExitStack) -> None:
        if known := await self._index():
            await self._lane.run(self._vectors.keep, known[0])
            await stack.enter_async_context(known[1].in_use())

    async def embed(self, document: str, run_id: str) -> None:
        """Give the document's passages vectors, as far as the run has some left of EAGER."""
        known = await self._index()
        if known:
            passages = await self._lane.run(self._vectors.passages_of, document, EAGER)
            wanted = await self._lane.run(self._to_embed, passages, known[0])
            wanted = wanted[: EAGER - self._given[run_id]]
            self._given[run_id] += len(wanted)
            await self._give(wanted, known, urgent=False)

    async def embed_all(self, passages: Sequence[int]) -> int:
        """Give these passages vectors, in one batch; how many got one.  Raises `LibraryError` where that fails."""
        number = await self.number()
        wanted = await self._lane.run(self._to_embed, passages, number)
        matrix = await self._embedded([text for _, text in wanted])
        if matrix is None:
            raise LibraryError(self.trouble)
        await self._lane.run(self._vectors.add, number, [row for row, _ in wanted], matrix)
        return len(wanted)

    async def number(self) -> int:
        """Under which the embedder's vectors are kept.  Raises `LibraryError` while it fails."""
        known = await self._index()
        if known is None:
            raise LibraryError(self.trouble)
        return known[0]

    def count(self, number: int) -> int:
        """The vectors there are under a number; blocks for a moment."""
        return self._vectors.count(number, 0)[1]

    async def index_state(self) -> State | Literal["complete"]:
        """Of Chroma's index, asked to add what it has not yet; `complete` once it has all."""
        known = await self._index()
        if known is None:
            return "broken"
        known[1].announce()
        return (
            "complete" if known[1].is_complete(await self._lane.run(self._vectors.last, known[0])) else known[1].state
        )

    async def rankings(
        self,
        texts: Sequence[str],
        documents: Sequence[int],
        by_words: Awaitable[Sequence[Collection[int]]],
        limit: int,
    ) -> list[dict[int, float]]:
        """For each text the passages most like it, best first: rows with cosines.

        Nothing for a text that the model cannot read.  `by_words`: what words will have found for each text, which is
        compared too, however unlike it is; what of it has no vector yet gets one now, if time allows.
        """
        readable = [n for n, text in enumerate(texts) if self._embedder.reads(text)]
        found: list[dict[int, float]] = [{} for _ in texts]
        known = await self._index() if readable else None
        queries = await self._embedded([texts[n] for n in readable], query=True) if known else None
        if known is None or queries is None:
            return found
        nearest, words = await asyncio.gather(self._nearest(queries, documents, known, limit), by_words)
        if await self._add_missing(words, known):
            nearest = await self._nearest(queries, documents, known, limit)
        wanted = [list(dict.fromkeys([*rows, *words[n]])) for n, rows in zip(readable, nearest, strict=True)]
        cosines = await self._lane.run(self._vectors.cosines, queries, wanted, known[0])
        for n, row in zip(readable, cosines, strict=True):
            found[n] = row
        return found

    async def _nearest(
        self, queries: Matrix, documents: Sequence[int], known: tuple[int, ChromaIndex], limit: int
    ) -> list[list[int]]:
        number, index = known
        if index.state == "open":
            wanted = await self._lane.run(self._wanted, documents, known)
            found = await index.search(queries, wanted, limit=limit) if wanted else None
            if found is not None:
                return found
        return await self._lane.run(self._vectors.nearest, queries, documents, number, limit)

    def _wanted(self, documents: Sequence[int], known: tuple[int, ChromaIndex]) -> PassagesToIndex | None:
        """Blocks: what the index is to be asked for; None where it is sure not to answer, which is told quickly."""
        number, index = known
        held = self._vectors.in_memory(documents, number)
        if index.is_large and (held is None or held.mark > index.mark):
            return None
        return PassagesToIndex(documents, *self._vectors.reach(documents, number))

    # --------------------------------------------------------------------------------------------- making vectors

    async def _add_missing(self, by_words: Sequence[Collection[int]], known: tuple[int, ChromaIndex]) -> bool:
        """The best of each text first; was any missing?"""
        rows = list(dict.fromkeys(row for row in chain(*zip_longest(*by_words)) if row is not None))
        wanted = await self._lane.run(self._to_embed, rows, known[0])
        with suppress(TimeoutError):
            async with asyncio.timeout(LAZY_SECONDS):
                await self._give(wanted, known, urgent=True)
        return bool(wanted)

    async def _give(self, wanted: Sequence[tuple[int, str]], known: tuple[int, ChromaIndex], *, urgent: bool) -> None:
        number, index = known
        for batch in (wanted[i : i + BATCH] for i in range(0, len(wanted), BATCH)):
            matrix = await self._embedded([text for _, text in batch], urgent=urgent)
            if matrix is None:
                return
            await self._lane.run(self._vectors.add, number, [row for row, _ in batch], matrix)
            index.announce()

    def _to_embed(self, passages: Sequence[int], number: int) -> list[tuple[int, str]]:
        """Blocks: rows and texts of those that have no vector yet and can be read."""
        missing = self._vectors.to_embed(passages, number)
        return [(row, text) for row, text in missing if self._embedder.reads(text)]

    async def _embedded(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> Matrix | None:
        """None where the embedder fails, now or a moment ago."""
        if time.monotonic() < self._not_before:
            return None
        try:
            matrix = await self._embedder.embed(texts, query=query, urgent=urgent)
            self._check(matrix)
        except LibraryError as e:
            self.trouble = f"{e}; passages are found by their words alone meanwhile"
            self._not_before = time.monotonic() + AFTER_FAILURE
            self._known_until = 0.0
            return None
        self.trouble = ""
        return matrix

    def _check(self, matrix: Matrix) -> None:
        if len(matrix) and self._known and matrix.shape[1] != self._dimension:
            told = f"gives {matrix.shape[1]} numbers where it gave {self._dimension}"
            raise LibraryError(f"the embedder {self._embedder.name} {told}")

    async def _index(self) -> tuple[int, ChromaIndex] | None:
        """The number that the embedder's vectors are kept under, and their index; None while it fails.

        It is recognised by its vector of a fixed text, again after a while and after each failure.
        """
        if self._known is None or time.monotonic() > self._known_until:
            self._known = None
            probe = await self._embedded([PROBE], urgent=True)
            if probe is not None:
                number = await self._lane.run(self._vectors.embedder, self._embedder.name, probe)
                self._dimension, self._known_until = probe.shape[1], time.monotonic() + RECOGNISED
                home = self._home / f"embedder-{number}"
                self._known = number, index_at(home, self._record.path, number, self._server)
        return self._known
