"""Chroma's indexes as an upkeep sees them: does each find what it holds, and how is one made anew from the record?

Knows where they are and what their worker (`agent.library.chroma_worker`) answers.  Does not know Chroma.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agent.child import Crew, Header
from agent.errors import ChildError
from agent.library.mending import empty_indexes
from agent.library.record import Record
from agent.library.vectors import Vectors
from agent.library.verifying import Checked

TRIED = (
    100  # vectors of an index, evenly over it: each must find itself.  Chroma's own list of ids shows lost ones, too
)
NEIGHBOURS = 20  # among which a vector must be; it need not be the first where a document says a thing twice
SECONDS = 60.0  # to open one, or for a search …
BUILD_SECONDS = 0.005  # … and this for each vector of one that is made anew: thirty times what it takes
_NAME = re.compile(r"embedder-(\d+)")


def verify_indexes(record: Record, home: Path) -> Iterator[Checked]:
    """One after the other.  Vectors that one has not yet are no fault: they follow with the next question."""
    for path, number in _there(record, home):
        if number is None:
            yield Checked("index", path.name, ("it belongs to no embedder of this library",))
        else:
            yield _verified(record, path, number)


def repair_indexes(record: Record, home: Path) -> Iterator[str]:
    """Make anew from the record what `verify_indexes` finds wrong, and say so once it is done."""
    for path, number in _there(record, home):
        if number is None:
            empty_indexes(home, {path.name})
            path.joinpath("lock").unlink(missing_ok=True)
            path.rmdir()
            yield f"the index {path} belonged to no embedder of this library: it is out"
        elif faults := _verified(record, path, number).faults:
            yield f"the index {path} was damaged ({faults[0]}): {_made_anew(record, path, number)}"


def _there(record: Record, home: Path) -> list[tuple[Path, int | None]]:
    known = {int(row) for (row,) in record.rows("SELECT row FROM embedders")}
    paths = [path for path in sorted(home.glob("*")) if path.is_dir() and (path / "now").exists()]
    names = [(path, _NAME.fullmatch(path.name)) for path in paths]
    return [(path, int(name[1]) if name and int(name[1]) in known else None) for path, name in names]


def _verified(record: Record, path: Path, number: int) -> Checked:
    crew = Crew("agent.library.chroma_worker")
    try:
        told = _open(crew, record, path, number, anew=False)
        if told["state"] == "locked":
            return Checked("index", f"{path.name}: not looked at, another program has it open")
        lost, tried = _lost(crew, record, number, int(told["mark"]))
        crew.call({"do": "close"}, seconds=SECONDS)
    except ChildError as e:
        return Checked("index", path.name, (f"it cannot be used: {e}",))
    finally:
        crew.close()
    missing = f", {told['missing']:,} to come" if told["missing"] else ""
    faults = (f"{lost} of {tried} vectors are not found",) if lost else ()
    return Checked("index", f"{path.name}: {tried} of {told['count'] - told['missing']:,} vectors{missing}", faults)


def _lost(crew: Crew, record: Record, number: int, mark: int) -> tuple[int, int]:
    """How many vectors do not find themselves, of how many that were tried."""
    vectors, lost = Vectors(record), 0
    batches = [vectors.after(mark * n // TRIED, number, 1) for n in range(TRIED)]
    tried = {batch.marks[0]: batch for batch in batches if batch.marks and batch.marks[0] <= mark}
    for batch in tried.values():
        header = {"do": "search", "queries": 1, "limit": NEIGHBOURS, "documents": batch.documents}
        found, _ = crew.call(header, batch.matrix.astype("float32").tobytes(), seconds=SECONDS)
        lost += batch.passages[0] not in found["rows"][0]
    return lost, len(tried)


def _made_anew(record: Record, path: Path, number: int) -> str:
    crew = Crew("agent.library.chroma_worker")
    try:
        told = _open(crew, record, path, number, anew=True)
        if told["state"] == "locked":
            return "another program has it open: end it, then repair again"
        crew.call({"do": "close"}, seconds=SECONDS)
    except ChildError as e:
        return f"it cannot be made anew: {e}"
    finally:
        crew.close()
    return f"it is made anew, with {told['count']:,} vectors"


def _open(crew: Crew, record: Record, path: Path, number: int, *, anew: bool) -> Header:
    where = {"home": str(path.absolute()), "record": str(record.path.absolute()), "embedder": number}
    seconds = SECONDS + BUILD_SECONDS * Vectors(record).count(number, 0)[1]
    return crew.call({"do": "open", **where, "anew": anew}, seconds=seconds)[0]
