"""One embedder's vectors in a file beside the record, as they are held in memory: mapped, they are there at once.

Knows the file's form, who may write it, and when it has to go.  Does not know the record's rows: whoever maps the file
has to see whether it still fits them.  It may be deleted at any time.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.library.held import BLOCK, Block, Held
from agent.library.place import alone
from agent.library.record import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROWN = (
    2_000  # vectors more than the file has are worth writing it anew: to read them takes 8 ms at each first question
)
_FORM = b"R1HELD01"
_HEAD = struct.Struct("<8s32sQQ8x")  # the form, `over`, vectors, dimension; what follows begins at a multiple of eight
_COLUMNS = (("marks", "<i8"), ("passages", "<i8"), ("documents", "<i8"), ("scales", "<f4"))  # then the numbers


def path_of(record: Path, embedder: int) -> Path:
    return record.with_name(f"vectors-{embedder}.held")


def mapped(path: Path, over: str) -> Held | None:
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
    return Held(over, tuple(Block(marks[p], passages[p], documents[p], numbers[p], scales[p]) for p in parts))


def write(held: Held, record: Record, embedder: int) -> None:
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
