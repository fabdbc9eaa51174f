"""Chroma's indexes as an upkeep sees them: does each find what it holds, and how is one made anew from the record?

Knows where they are and what their worker (`agent.library.chroma_worker`) answers.  Does not know Chroma.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.child import Crew, Header
from agent.errors import ChildError
from agent.library.homes import POINTER, pointer
from agent.library.index import BUILD_SECONDS, SERVED_SECONDS, place_of
from agent.library.mending import empty_indexes
from agent.library.record import Record
from agent.library.server import ChromaServer, trouble
from agent.library.vectors import Vectors
from agent.library.verifying import Checked

TRIED = (
    100  # vectors of an index, evenly over it: each must find itself.  Chroma's own list of ids shows lost ones, too
)
NEIGHBOURS = 20  # among which a vector must be; it need not be the first where a document says a thing twice
SECONDS = 60.0  # to open one, or for a search
_NAME = re.compile(r"embedder-(\d+)")


def verify_indexes(record: Record, home: Path, server: ChromaServer | None = None) -> Iterator[Checked]:
    """One after the other.  Vectors that one has not yet are no fault: they follow with the next question.

    `server`: a Chroma server that has the indexes; None: they are in `home`.
    """
    for path, number in _there(record, home, server):
        if number is None:
            yield Checked("index", path.name, ("it belongs to no embedder of this library",))
        else:
            yield _verified(_Where(record, path, number, server))


def repair_indexes(record: Record, home: Path, server: ChromaServer | None = None) -> Iterator[str]:
    """Make anew from the record what `verify_indexes` finds wrong, and say so once it is done."""
    if server and (why := trouble(server)):
        yield f"{why}: what it has is not looked at, and made anew where it is missing, once the server is there"
        return
    for path, number in _there(record, home, server):
        if number is None:
            drop_served(path, server)
            empty_indexes(home, {path.name})
            shutil.rmtree(path, ignore_errors=True)
            yield f"the index {path} belonged to no embedder of this library: it is out"
        else:
            where = _Where(record, path, number, server)
            if faults := _verified(where).faults:
                yield f"the index {path} was damaged ({faults[0]}): {_made_anew(where)}"


def drop_served(path: Path, server: ChromaServer | None) -> str:
    """Have the server forget the index whose directory is `path`; why that cannot be done, or "" where it is done."""
    kept = pointer(path)
    if kept is None:
        return ""
    if server is None:
        return (
            f"the Chroma server {kept['url']} has vectors of it ({kept['now']}): set AGENT_CHROMA_URL, and forget again"
        )
    crew = Crew("agent.library.chroma_worker")
    try:
        told, _ = crew.call({"do": "drop", **place_of(path, server)}, seconds=SECONDS)
    except ChildError as e:
        return f"the Chroma server {server.url} did not forget it ({e}): it does when it is used next"
    finally:
        crew.close()
    if told["state"] == "locked":
        return f"another program is using {path} just now: it forgets when it is opened next"
    return "" if told["state"] == "closed" else f"{told.get('why')}: it forgets when it is used next"


def _there(record: Record, home: Path, server: ChromaServer | None) -> list[tuple[Path, int | None]]:
    known = {int(row) for (row,) in record.rows("SELECT row FROM embedders")}
    sign = POINTER if server else "now"
    paths = [path for path in sorted(home.glob("*")) if path.is_dir() and (path / sign).exists()]
    names = [(path, _NAME.fullmatch(path.name)) for path in paths]
    return [(path, int(name[1]) if name and int(name[1]) in known else None) for path, name in names]


@dataclass(frozen=True, slots=True)
class _Where:
    record: Record
    path: Path
    number: int  # of the embedder
    server: ChromaServer | None


def _verified(where: _Where) -> Checked:
    record, path, number = where.record, where.path, where.number
    crew = Crew("agent.library.chroma_worker")
    try:
        told = _open(crew, where, anew=False)
        if told["state"] in ("locked", "away"):
            why = told.get("why", "another program has it open")
            return Checked("index", f"{path.name}: not looked at, {why}")
        if told["state"] != "open":
            return Checked("index", path.name, (f"it cannot be used: {told.get('why', told['state'])}",))
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
        if found["state"] != "open":
            raise ChildError(found.get("why", found["state"]))
        lost += batch.passages[0] not in found["rows"][0]
    return lost, len(tried)


def _made_anew(where: _Where) -> str:
    crew = Crew("agent.library.chroma_worker")
    try:
        told = _open(crew, where, anew=True)
        if told["state"] == "locked":
            return "another program has it open: end it, then repair again"
        if told["state"] != "open":
            return f"it cannot be made anew: {told.get('why', told['state'])}"
        crew.call({"do": "close"}, seconds=SECONDS)
    except ChildError as e:
        return f"it cannot be made anew: {e}"
    finally:
        crew.close()
    return f"it is made anew, with {told['count']:,} vectors"


def _open(crew: Crew, where: _Where, *, anew: bool) -> Header:
    place = {"record": str(where.record.path.absolute()), "embedder": where.number, "anew": anew}
    a_vector = SERVED_SECONDS if where.server else BUILD_SECONDS
    seconds = SECONDS + a_vector * Vectors(where.record).count(where.number, 0)[1]
    return crew.call({"do": "open", **place_of(where.path, where.server), **place}, seconds=seconds)[0]
