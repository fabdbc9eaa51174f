"""Vectors in the record, and the exact search over them.

Knows how vectors are kept (a byte a dimension), how embedders are told apart and how cosines are computed.  Does not
know what embeds, or Chroma.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.library import vector_cache
from agent.library.record import Record
from agent.library.vector_cache import BLOCK, VectorCache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]  # one unit vector a row

FEW = 50  # documents: some 1,000 vectors are read in 5 ms
HELD = 1_000_000  # vectors: 400 MB of MiniLM's; a library of more is compared from the file, in seconds
SAME_EMBEDDER = 0.98  # cosine of the probe's vectors: another processor's rounding stays above 0.995

_OF_DOCUMENTS = """
    FROM passages p JOIN vectors v ON v.passage = p.row
    WHERE p.document IN (SELECT value FROM json_each(?)) AND v.embedder = ?"""
_VECTORS = "SELECT v.row, v.passage, p.document, v.vector" + _OF_DOCUMENTS
_NEWEST = "SELECT coalesce(max(v.row), 0)" + _OF_DOCUMENTS
_AFTER = """
    SELECT v.row, v.passage, p.document, v.vector FROM vectors v JOIN passages p ON p.row = v.passage
    WHERE v.row > ? AND v.embedder = ? ORDER BY v.row LIMIT ?"""
_OF_PASSAGES = """
    SELECT passage, vector FROM vectors WHERE embedder = ? AND passage IN (SELECT value FROM json_each(?))"""
_COUNT = "SELECT coalesce(sum(row > ?), 0), count(*) FROM vectors WHERE embedder = ?"
_WITHOUT_VECTOR = """
    SELECT p.row, d.title, p.heading FROM passages p JOIN documents d ON d.row = p.document
    WHERE p.row IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.passage = p.row AND v.embedder = ?)"""
_FIRST_PASSAGES = """
    SELECT p.row FROM passages p JOIN documents d ON d.row = p.document WHERE d.id = ? ORDER BY p.row LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Vectors in the order of their coming; `marks[i]` is the place of `matrix[i]` in that order."""

    marks: list[int]
    passages: list[int]  # rows
    documents: list[int]  # rows
    matrix: Matrix


class Vectors:
    """The record's vectors; blocks for some milliseconds a call, like the record.  Raises `LibraryError`."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._held: dict[int, VectorCache] = {}  # by embedder, once they are wanted in numbers

    def embedder(self, name: str, probe: Matrix) -> int:
        """The number under which this embedder's vectors are kept.

        `probe` (1, dimension) is what it makes of a fixed text: a model that was changed under the same name, or gives
        another dimension, gets a number of its own, and no vectors are compared that cannot be.
        """
        with self._record.writing() as connection:
            for row, known in connection.execute("SELECT row, probe FROM embedders WHERE name = ?", (name,)).fetchall():
                if len(known) == probe.shape[1] and float(probe[0] @ unpacked([known])[0]) >= SAME_EMBEDDER:
                    return int(row)
            added = connection.execute("INSERT INTO embedders VALUES (NULL, ?, ?)", (name, packed(probe)[0]))
            assert added.lastrowid is not None
            return added.lastrowid

    def to_embed(self, passages: Sequence[int], embedder: int) -> list[tuple[int, str]]:
        """Those of the passages that have no vector yet, in the order given, with what is to be embedded of each.

        That is the passage below its document's title and its headings, which are not in its text.
        """
        bare = self._record.rows(_WITHOUT_VECTOR, json.dumps(passages), embedder)
        heads = {row: f"{title[:100]} > {heading}" if heading else title[:100] for row, title, heading in bare}
        wanted = [row for row in passages if row in heads]
        found = self._record.passages(wanted)
        return [(row, f"{heads[row]}\n{found[row].text}".lstrip()) for row in wanted]

    def passages_of(self, document: str, limit: int) -> list[int]:
        """The rows of a document's first passages."""
        return [row for (row,) in self._record.rows(_FIRST_PASSAGES, document, limit)]

    def add(self, embedder: int, passages: Sequence[int], matrix: Matrix) -> None:
        """Keep a vector a passage; one that has its vector keeps it."""
        rows = [(passage, embedder, blob) for passage, blob in zip(passages, packed(matrix), strict=True)]
        with self._record.writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (NULL, ?, ?, ?)", rows)

    def reach(self, documents: Sequence[int], embedder: int) -> tuple[int, bool]:
        """The mark of the documents' vector that came last, 0 where there is none; is every vector one of theirs?

        The second is False where it cannot be told quickly.
        """
        if held := self.in_memory(documents, embedder):
            everything = held.is_all_of(documents)
            return held.mark if everything else held.newest(documents), everything
        return int(self._record.rows(_NEWEST, json.dumps(documents), embedder)[0][0]), False

    def hold(self, embedder: int) -> VectorCache | None:
        """All of them in memory, up to date; None where they are too many.

        At first 100,000 take 0.4 s and 40 MB, or some milliseconds where `keep` has written them to a file.
        """
        held, over = self._held.get(embedder), self._record.id
        if held is None or held.over != over:
            if self.last(embedder) > HELD and self.count(embedder, 0)[1] > HELD:
                return None
            held = self._mapped(embedder, over) or VectorCache(over)
        while rows := self.rows_after(held.mark, embedder, BLOCK):
            held = held.grown(rows)
        self._held[embedder] = held
        return held

    def _mapped(self, embedder: int, over: str) -> VectorCache | None:
        """From the file, if its last vector is the record's: the record may be an older copy of itself."""
        held = vector_cache.mapped(vector_cache.path_of(self._record.path, embedder), over)
        if not held:
            return None
        last = self.rows_after(held.mark - 1, embedder, 1)
        end = held.blocks[-1]
        told = [(held.mark, int(end.passages[-1]), int(end.documents[-1]), end.numbers[-1].tobytes())]
        return held if last == told else None

    def keep(self, embedder: int, *, least: int = BLOCK, grown: int = vector_cache.GROWN) -> None:
        """Write them to a file, where that saves the next program much reading.

        `least`: vectors that are worth a file, and `grown`: that have come since and are worth a new one.
        """
        held = self.hold(embedder)
        if held is None or len(held) < least:
            return
        there = self._mapped(embedder, held.over)
        if there is None or len(held) - len(there) >= grown:
            vector_cache.write(held, self._record, embedder)

    def in_memory(self, documents: Sequence[int], embedder: int) -> VectorCache | None:
        """None where it would not be worth it: few documents are read from the file, until somebody wants many."""
        return self.hold(embedder) if len(documents) > FEW or embedder in self._held else None

    def count(self, embedder: int, mark: int) -> tuple[int, int]:
        """The embedder's vectors that came after a mark, and all of them."""
        ((after, count),) = self._record.rows(_COUNT, mark, embedder)
        return int(after), int(count)

    def last(self, embedder: int) -> int:
        """The mark of the vector that came last; 0 where there is none."""
        return int(self._record.rows("SELECT coalesce(max(row), 0) FROM vectors WHERE embedder = ?", embedder)[0][0])

    def rows_after(self, mark: int, embedder: int, limit: int) -> list[tuple[int, int, int, bytes]]:
        """The next (mark, passage, document, vector), as they are kept."""
        return self._record.rows(_AFTER, mark, embedder, limit)

    def after(self, mark: int, embedder: int, limit: int) -> Batch:
        """The next vectors after a mark."""
        rows = self.rows_after(mark, embedder, limit)
        marks, passages, documents = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
        return Batch(marks, passages, documents, unpacked([row[3] for row in rows]))

    def nearest(self, queries: Matrix, documents: Sequence[int], embedder: int, limit: int) -> list[list[int]]:
        """For each query the rows of the documents' passages that are most like it, best first: all are compared."""
        held = self.in_memory(documents, embedder) or VectorCache("").grown(
            self._record.rows(_VECTORS, json.dumps(documents), embedder)
        )
        return held.nearest(queries, documents, limit)

    def cosines(self, queries: Matrix, passages: Sequence[Sequence[int]], embedder: int) -> list[dict[int, float]]:
        """For each query how like it its own passages are, most like it first; those without a vector are left out."""
        rows, matrix = self._of_passages(sorted({row for each in passages for row in each}), embedder)
        found = []
        for query, wanted in zip(queries, passages, strict=True):
            likeness = dict(zip(rows, (matrix @ query).tolist() if rows else (), strict=True))
            known = {row: likeness[row] for row in wanted if row in likeness}
            found.append(dict(sorted(known.items(), key=lambda pair: -pair[1])))
        return found

    def _of_passages(self, passages: Sequence[int], embedder: int) -> tuple[list[int], Matrix]:
        """Those that have a vector, and these: out of memory, if they are held there, since the file takes longer."""
        if embedder in self._held and (held := self.hold(embedder)):
            rows, matrix = held.of(passages)
            return rows.tolist(), matrix
        found = self._record.rows(_OF_PASSAGES, embedder, json.dumps(passages))
        return [row for row, _ in found], unpacked([blob for _, blob in found])


def packed(matrix: Matrix) -> list[bytes]:
    """A byte a dimension, in the vector's own scale (a cosine does not need it): cosine to the original > 0.9999."""
    import numpy as np

    largest = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12)
    return [row.tobytes() for row in np.rint(matrix / largest * 127).astype(np.int8)]


def unpacked(blobs: Sequence[bytes]) -> Matrix:
    """Unit vectors again."""
    import numpy as np

    if not blobs:
        return np.zeros((0, 0), np.float32)
    matrix = np.frombuffer(b"".join(blobs), np.int8).reshape(len(blobs), -1).astype(np.float32)
    length = np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    return np.asarray(matrix / length, np.float32)
