"""Keeps the vectors of a library in memory or in a mapped file, and finds the nearest ones exactly."""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.library.chroma_store import alone
from agent.library.record import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray


# ------------------------------------------------------------------------------------------ held

# One embedder's vectors held in memory, a byte a dimension, so that all of them can be compared in milliseconds.
#
# Knows blocks of vectors and the order of likeness.  Does not know the record that they come from, or when to come
# back to it.  Everything is frozen: what has grown is a new value that shares the old one's blocks, and needs no
# lock.

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Rows = NDArray[np.int64]
    Choice = NDArray[np.bool_]

BLOCK = 8_192  # vectors
LAST = 512  # likewise: what comes is added to a last block that is no longer, and copied for it; 8,000 take 1 ms
# As float32 at once, in the same place again: in a new place each time it takes five times as long.  A product of more,
# or of several queries, OpenBLAS 0.3.31 shares among threads that then wait for one another: on a busy machine a block
# took 40 to 1,500 ms for three queries, one after the other 2.
STEP = 400_000  # numbers


@dataclass(frozen=True, slots=True)
class VectorBlock:
    marks: Rows  # rising
    passages: Rows
    documents: Rows
    numbers: NDArray[np.int8]  # (vectors, dimension)
    scales: Matrix  # (vectors,): times the numbers they are unit vectors

    def __len__(self) -> int:
        return len(self.marks)

    def differing(self, other: VectorBlock) -> int:
        """How many of the vectors are not the other's at the same places."""
        import numpy as np

        count = min(len(self), len(other))
        same = (self.numbers[:count] == other.numbers[:count]).all(axis=1)
        for name in ("marks", "passages", "documents", "scales"):
            same &= getattr(self, name)[:count] == getattr(other, name)[:count]
        return len(self) - int(np.count_nonzero(same))


@dataclass(frozen=True, slots=True)
class VectorCache:
    over: str  # the record's id: another one's rows are other rows
    blocks: tuple[VectorBlock, ...] = ()

    @property
    def mark(self) -> int:
        return int(self.blocks[-1].marks[-1]) if self.blocks else 0

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def grown(self, rows: Sequence[tuple[int, int, int, bytes]]) -> VectorCache:
        """With these (mark, passage, document, vector) after the others."""
        if not rows:
            return self
        blocks, added = self.blocks, block(rows)
        if blocks and len(blocks[-1]) + len(added) <= LAST:
            return VectorCache(self.over, (*blocks[:-1], _joined(blocks[-1], added)))
        if len(blocks) > 1 and len(blocks[-2]) + len(blocks[-1]) <= BLOCK:
            blocks = (*blocks[:-2], _joined(*blocks[-2:]))
        return VectorCache(self.over, (*blocks, added))

    def is_all_of(self, documents: Sequence[int]) -> bool:
        """Is every vector one of these documents'?"""
        table = _table(documents)
        return all(bool(_among(each.documents, table).all()) for each in self.blocks)

    def newest(self, documents: Sequence[int]) -> int:
        """The mark of the documents' vector that came last; 0 where there is none."""
        table = _table(documents)
        for each in reversed(self.blocks):
            wanted = _among(each.documents, table)
            if wanted.any():
                return int(each.marks[wanted].max())
        return 0

    def of(self, passages: Sequence[int]) -> tuple[Rows, Matrix]:
        """Those of the passages that have a vector here, in the order of their coming, and their unit vectors."""
        import numpy as np

        table, rows, found = _table(passages), [np.zeros(0, np.int64)], []
        for each in self.blocks:
            at = np.flatnonzero(_among(each.passages, table))
            rows.append(each.passages[at])
            found.append(each.numbers[at] * each.scales[at, None])
        return np.concatenate(rows), np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    def nearest(self, queries: Matrix, documents: Sequence[int], limit: int) -> list[list[int]]:
        """For each query the rows of the documents' passages that are most like it, best first: all are compared."""
        import numpy as np

        table = _table(documents)
        found: list[list[tuple[Rows, Matrix]]] = [[(np.zeros(0, np.int64), np.zeros(0, np.float32))] for _ in queries]
        for each in self.blocks:
            chosen = np.flatnonzero(_among(each.documents, table))
            if len(chosen):
                passages, likeness = _compared(queries, each, None if len(chosen) == len(each) else chosen)
                for best, line in zip(found, likeness, strict=True):
                    best.append(_best(passages, line, limit))
        return [_in_order(best, limit) for best in found]


def block(rows: Sequence[tuple[int, int, int, bytes]]) -> VectorBlock:
    import numpy as np

    marks, passages, documents = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    numbers = np.frombuffer(b"".join(row[3] for row in rows), np.int8).reshape(len(rows), -1)
    lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers, dtype=np.float32))
    return VectorBlock(marks, passages, documents, numbers, np.float32(1) / np.maximum(lengths, 1e-12))


def _joined(one: VectorBlock, other: VectorBlock) -> VectorBlock:
    import numpy as np

    def both(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(one, name), getattr(other, name)])

    return VectorBlock(*(both(name) for name in ("marks", "passages", "documents", "numbers", "scales")))  # type: ignore[arg-type]


def _compared(queries: Matrix, block: VectorBlock, chosen: Rows | None) -> tuple[Rows, Matrix]:
    """Passages (vectors,) and cosines (queries, vectors) of the `chosen`, by their places in the block; None: all."""
    import numpy as np

    passages, scales = block.passages, block.scales
    if chosen is not None:
        passages, scales = passages[chosen], scales[chosen]
    found = np.empty((len(queries), len(passages)), np.float32)
    taken, place = _PLACES.of(queries.shape[1])
    for start in range(0, len(passages), len(place)):
        part = slice(start, min(start + len(place), len(passages)))
        count = part.stop - start
        if chosen is None:
            step = block.numbers[part]
        else:  # "clip" takes them without a copy; none is out of bounds
            step = np.take(block.numbers, chosen[part], axis=0, out=taken[:count], mode="clip")
        np.copyto(place[:count], step)
        for line, query in zip(found, queries, strict=True):
            np.matmul(place[:count], query, out=line[part])
    found *= scales
    return passages, found


class _Places(threading.local):
    """Where a thread has its steps, the same for each question.

    Where a virtual machine gives memory anew, each 4 KB cost 4 µs: a third of the time that comparing took.
    """

    def __init__(self) -> None:
        self._made: tuple[NDArray[np.int8], Matrix] | None = None

    def of(self, dimension: int) -> tuple[NDArray[np.int8], Matrix]:
        """Both (vectors, dimension): as they are kept, and as they are compared."""
        import numpy as np

        if self._made is None or self._made[0].shape[1] != dimension:
            shape = max(1, STEP // dimension), dimension
            self._made = np.empty(shape, np.int8), np.empty(shape, np.float32)
        return self._made


_PLACES = _Places()


def _table(rows: Sequence[int]) -> Choice:
    """For each row of a document or passage whether it is one of these; the last entry stands for all rows beyond."""
    import numpy as np

    chosen = np.array(rows, np.int64)
    table = np.zeros(int(chosen.max(initial=0)) + 2, np.bool_)
    table[chosen] = True
    return table


def _among(rows: Rows, table: Choice) -> Choice:
    """Looked up in one step; `numpy.isin` took 0.4 ms a block, 12 ms a question over 100,000 vectors."""
    import numpy as np

    wanted: Choice = table[np.minimum(rows, len(table) - 1)]
    return wanted


def _best(rows: Rows, likeness: Matrix, limit: int) -> tuple[Rows, Matrix]:
    """The most alike, in no order."""
    import numpy as np

    if len(rows) <= limit:
        return rows, likeness
    chosen = np.argpartition(-likeness, limit)[:limit]
    return rows[chosen], likeness[chosen]


def _in_order(parts: Sequence[tuple[Rows, Matrix]], limit: int) -> list[int]:
    """The rows that are most alike of all parts' best, best first."""
    import numpy as np

    all_rows, all_likeness = np.concatenate([rows for rows, _ in parts]), np.concatenate([each for _, each in parts])
    rows, likeness = _best(all_rows, all_likeness, limit)
    return [int(row) for row in rows[np.lexsort((rows, -likeness))]]


# ------------------------------------------------------------------------------------------ mapped

# One embedder's vectors in a file beside the record, as they are held in memory: mapped, they are there at once.
#
# Knows the file's form, who may write it, and when it has to go.  Does not know the record's rows: whoever maps the
# file has to see whether it still fits them.  It may be deleted at any time.

GROWN = (
    2_000  # vectors more than the file has are worth writing it anew: to read them takes 8 ms at each first question
)
_FORM = b"R1HELD01"
_HEAD = struct.Struct("<8s32sQQ8x")  # the form, `over`, vectors, dimension; what follows begins at a multiple of eight
_COLUMNS = (("marks", "<i8"), ("passages", "<i8"), ("documents", "<i8"), ("scales", "<f4"))  # then the numbers


def path_of(record: Path, embedder: int) -> Path:
    return record.with_name(f"vectors-{embedder}.held")


def mapped(path: Path, over: str) -> VectorCache | None:
    """What was written, a page of the file at a time as it is used; None where that was over another record."""
    import numpy as np

    try:
        with path.open("rb") as file:
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        form, of, count, dimension = _HEAD.unpack_from(whole)
    except (OSError, ValueError, struct.error):  # the second: it is empty
        return None
    if (form, of) != (_FORM, over.encode()) or len(whole) != _HEAD.size + count * _bytes_each(dimension):
        return None
    start = _HEAD.size
    columns: list[NDArray[Any]] = []
    for _, kind in _COLUMNS:
        columns.append(np.frombuffer(whole, kind, count, start))
        start += columns[-1].nbytes
    marks, passages, documents, scales = columns
    numbers = np.frombuffer(whole, np.int8, offset=start).reshape(count, dimension)
    parts = [slice(first, first + BLOCK) for first in range(0, count, BLOCK)]
    return VectorCache(
        over, tuple(VectorBlock(marks[p], passages[p], documents[p], numbers[p], scales[p]) for p in parts)
    )


def write(held: VectorCache, record: Record, embedder: int) -> None:
    """All of it or nothing; nothing while another process does the same, or where the disk refuses it."""
    path = path_of(record.path, embedder)
    with suppress(OSError), alone(_lock(record.path), wait=False) as is_mine:
        if not is_mine or held.over != record.id:  # what was forgotten must not come back
            return
        draft = path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(_HEAD.pack(_FORM, held.over.encode(), len(held), held.blocks[0].numbers.shape[1]))
            for name in (*(name for name, _ in _COLUMNS), "numbers"):
                for block in held.blocks:
                    file.write(getattr(block, name).data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def forget(record: Path) -> None:
    """The files go, with what a write left that was killed."""
    with alone(_lock(record), wait=True):
        for path in [*record.parent.glob("vectors-*.held"), *record.parent.glob("vectors-*.new")]:
            path.unlink(missing_ok=True)


def _lock(record: Path) -> Path:
    return record.with_name("vectors.lock")


def _bytes_each(dimension: int) -> int:
    return 3 * 8 + 4 + dimension
