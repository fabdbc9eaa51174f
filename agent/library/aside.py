"""The files beside the record that anybody may delete, as an upkeep sees them: vectors in a file, indexes of folders.

Knows how each is compared with what it was made of, or by SQLite with itself.  Does not know what a folder's index is
for: a damaged one goes, and is made anew when the folder is asked about.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agent.library import mapped
from agent.library.held import Held
from agent.library.record import Record
from agent.library.vectors import Vectors
from agent.library.verifying import Checked

_NAME = re.compile(r"vectors-(\d+)\.held")


def verify_aside(record: Record, folders: Path) -> Iterator[Checked]:
    """One after the other.  `folders`: where the indexes of folders are."""
    for path, embedder in _held(record):
        yield _compared(record, path, embedder)
    for path in sorted(folders.glob("*.sqlite3")):
        yield Checked("folder", path.name, _faults(path))


def repair_aside(record: Record, folders: Path) -> Iterator[str]:
    """Remove what `verify_aside` finds wrong, and say so."""
    for path, embedder in _held(record):
        if faults := _compared(record, path, embedder).faults:
            path.unlink(missing_ok=True)
            yield f"the file {path} was damaged ({faults[0]}): it is out, and is made anew by the next run"
    for path in sorted(folders.glob("*.sqlite3")):
        if faults := _faults(path):
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink(missing_ok=True)
            yield f"the folder index {path} was damaged ({faults[0]}): it is out, and is made anew when it is asked"


def _held(record: Record) -> list[tuple[Path, int]]:
    names = [(path, _NAME.fullmatch(path.name)) for path in sorted(record.path.parent.glob("vectors-*.held"))]
    return [(path, int(name[1])) for path, name in names if name]


def _compared(record: Record, path: Path, embedder: int) -> Checked:
    held = mapped.mapped(path, record.id)
    if held is None:
        return Checked("held", f"{path.name}: not used, it is over another record")
    wrong, before = 0, 0
    for block in held.blocks:
        there = Held("").grown(Vectors(record).rows_after(before, embedder, len(block)))
        before = int(block.marks[-1])
        wrong += len(block) if not there else block.differing(there.blocks[0])
    faults = (f"{wrong:,} vectors are not the record's",) if wrong else ()
    return Checked("held", f"{path.name}: {len(held):,} vectors", faults)


def _faults(path: Path) -> tuple[str, ...]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as e:
        told = [str(e)]
    return () if told == ["ok"] else tuple(told)
