"""The dense index as its users see it: a caretaker keeps Chroma's process in step with the record while runs use it.

Knows when the index is opened, followed, built anew, given back and given up.  Does not know Chroma's calls
(`agent.library.chroma_worker`), or what is done when the index cannot answer: `search` then says None, at once.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.errors import WorkerError
from agent.library.chroma_store import ChromaServer
from agent.worker_pool import Header, WorkerPool, WorkerTimeout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

State = Literal["closed", "opening", "open", "locked", "away", "broken"]
"""`away`: its server is, or is too slow."""

LOG = 2_000  # vectors in Chroma's log, or missing, that are worth building anew: they cost 0.2 s at each opening …
LOG_SHARE = 0.1  # … or this share of all where that is more: building costs 1.4 ms of a processor a vector
FILTERED = (
    5_000  # vectors: of 10,000, Chroma takes 45 ms for half of them and an exact search 7; all of 100,000 takes 3
)
SEARCH_SECONDS = 1.0  # a search takes 2 to 40 ms; past this the exact one would have been the quicker
STEP_SECONDS = 0.25  # of adding vectors at a time; as long may a search find the index busy
GATHER_SECONDS = 1.0  # for what comes along with the news: to add it takes 50 ms of a processor, and 2 more a vector …
MANY = 100  # … of which so many that are missing need not wait for others
OPEN_SECONDS = 60.0
BUILD_SECONDS = 0.03  # a vector: twenty times what it takes, since others come first …
SERVED_SECONDS = 0.05  # … and for a server, which may be far or busy
LOOK_SECONDS = 10.0  # between two looks for vectors that nobody announced; keeps the worker from ending of idleness
LOCKED_SECONDS = 5.0  # between two tries where another process has the index, or its server is away
FAILED_SECONDS = 1.0  # likewise after a failure
FAILURES = 3  # in one time of use: the second makes a damaged index anew, the third leaves it alone
FINISH_SECONDS = 5.0  # at the end of the process, for adding what the last run left


@dataclass(frozen=True, slots=True)
class PassagesToIndex:
    """Which passages a search may find: those of `documents` (rows).

    `newest`: the mark of the documents' last vector.  `everything`: they are all documents that have vectors.
    """

    documents: Sequence[int]
    newest: int
    everything: bool = False


def place_of(home: Path, server: ChromaServer | None) -> Header:
    """As the worker is told of it."""
    told = {"address": server.address, "key": server.key} if server else None
    return {"home": str(home.absolute()), "server": told}


class ChromaIndex:
    """One collection, for one embedder's vectors of one record.  May be used from any thread and event loop."""

    def __init__(self, home: Path, record: Path, embedder: int, server: ChromaServer | None = None) -> None:
        """`home`: a directory of the index's own, also where a server keeps it."""
        self._where = {"do": "open", **place_of(home, server), "record": str(record.absolute()), "embedder": embedder}
        self._is_served = server is not None
        self._crew = WorkerPool("agent.library.chroma_worker")
        self._gather_seconds = GATHER_SECONDS
        self.forget()
        _INDEXES.add(self)

    def forget(self) -> None:
        """As nobody had used it: for a copy of the process, which has neither the caretaker nor the worker."""
        self.state: State = "closed"
        self._told: Header = {}  # what the worker said last of an open index
        self._users = 0
        self._failures = 0
        self._is_damaged = False  # as Chroma says
        self._in_a_hurry = False
        self._lock = threading.Lock()  # over users and caretaker
        self._free = threading.Lock()  # held while the worker is at something
        self._news = threading.Event()
        self._unused = threading.Event()  # the last user has gone: nothing is waited for any more
        self._caretaker: threading.Thread | None = None

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Opened in the background when the first user comes, given back after the last has gone; nobody waits."""
        self._come()
        try:
            yield
        except BaseException:
            self._go(in_a_hurry=True)
            raise
        self._go()

    def announce(self) -> None:
        """There are new vectors in the record."""
        self._news.set()

    def is_complete(self, mark: int) -> bool:
        """Does it have all vectors up to this one's mark?"""
        return self.state == "open" and self.mark >= mark

    @property
    def mark(self) -> int:
        """Of the last vector in the index; 0 where it is not open."""
        return int(self._told.get("mark", 0))

    @property
    def is_large(self) -> bool:
        """Of so many vectors it is asked for all or nothing."""
        return int(self._told.get("count", 0)) > FILTERED

    async def search(self, queries: Matrix, wanted: PassagesToIndex, *, limit: int) -> list[list[int]] | None:
        """For each query the rows of the documents' passages that are most like it, best first.

        None where the index is not open, busy, behind, or slower than an exact search.
        """
        if self.state != "open" or self.mark < wanted.newest or not self._crew.pids():
            return None
        if self.is_large and not wanted.everything:
            return None
        if not self._free.acquire(blocking=False):
            return None
        header = {"do": "search", "queries": len(queries), "limit": limit, "documents": list(wanted.documents)}
        header["everything"] = wanted.everything
        found = None
        try:
            async with asyncio.timeout(2 * SEARCH_SECONDS):
                reply, _ = await self._crew.ask(header, queries.astype("float32").tobytes(), seconds=SEARCH_SECONDS)
                found = reply.get("rows")
                self._hear_of_damage(reply)
        except (WorkerTimeout, TimeoutError):
            self._failures += 1  # of a busy machine, or a server's: no sign that anything is damaged
        except WorkerError:
            self._failures += 1
            self._is_damaged |= not self._is_served
        finally:
            self._free.release()
            if found is None:  # also where the caller was cancelled, which ends the worker
                self._lost()
                self._news.set()
        return found

    # --------------------------------------------------------------------------------------------- coming and going

    def _come(self) -> None:
        with self._lock:
            self._users += 1
            self._unused.clear()
            self._in_a_hurry = False
            if self._caretaker is None:
                self.state, self._failures, self._is_damaged = "opening", 0, False
                self._caretaker = threading.Thread(target=self._care, name="chroma-caretaker", daemon=True)
                self._caretaker.start()

    def _go(self, *, in_a_hurry: bool = False) -> None:
        with self._lock:
            self._users -= 1
            self._in_a_hurry = in_a_hurry and self._users == 0
            if self._users == 0:
                self._unused.set()
        if self._in_a_hurry:
            self._crew.close()  # a kill does an index no harm
        self._news.set()

    def finish(self) -> None:
        """At the end of the process: some seconds for the caretaker, if only it is left."""
        caretaker = self._caretaker
        if caretaker and self._users == 0:
            with contextlib.suppress(KeyboardInterrupt):
                caretaker.join(FINISH_SECONDS)
        self._in_a_hurry = True
        self._crew.close()

    # --------------------------------------------------------------------------------------------- the caretaker

    def _care(self) -> None:
        while True:
            unused = self._users == 0  # before the step: what the last user left is then added by it
            pause = FAILED_SECONDS if self._in_a_hurry else self._step()
            if unused and not self._more_to_do():
                if self._given_back():
                    return
                continue
            if self._news.wait(pause) and self.state == "open" and self._told.get("missing", 0) < MANY:
                self._unused.wait(self._gather_seconds)
            self._news.clear()

    def _more_to_do(self) -> bool:
        if self._in_a_hurry:
            return False
        return self.state == "opening" or (self.state == "open" and self._told["missing"] > 0)

    def _given_back(self) -> bool:
        """False where a user came meanwhile."""
        if self._crew.pids() and not self._in_a_hurry:
            self._ask({"do": "close"}, OPEN_SECONDS)
        with self._lock:
            self._told = {}
            self.state = "opening" if self._users else "closed"
            if self._users == 0:
                self._caretaker = None
            return self._users == 0

    def _step(self) -> float:
        """Ask the worker for what is due; the seconds until the next step."""
        if self.state == "broken":
            return LOOK_SECONDS
        reply = self._ask(*self._due())
        state: str = reply["state"] if reply else "away" if self._is_served else "damaged"
        if state == "open":
            self._told, self.state = reply or {}, "open"
            return 0 if self._told["missing"] else LOOK_SECONDS
        if state in ("locked", "away"):
            self._told, self.state = {}, "locked" if state == "locked" else "away"
            return LOCKED_SECONDS
        if state == "closed":
            self._told, self.state = {}, "opening"
            return 0
        self._hear_of_damage({"state": "damaged"})
        self._lost()
        return FAILED_SECONDS

    def _hear_of_damage(self, reply: Header) -> None:
        if reply["state"] == "damaged":
            self._failures += 1
            self._is_damaged = True

    def _due(self) -> tuple[Header, float]:
        """The next request, and how long it may take."""
        told = self._told
        if not told:
            anew = self._failures > 1 and self._is_damaged
            return {**self._where, "anew": anew}, OPEN_SECONDS * (10 if anew else 1)
        if told["logged"] + told["missing"] > max(LOG, LOG_SHARE * told["count"]):
            a_vector = SERVED_SECONDS if self._is_served else BUILD_SECONDS
            return {"do": "rebuild"}, OPEN_SECONDS + a_vector * told["count"]
        return {"do": "follow", "seconds": STEP_SECONDS}, OPEN_SECONDS

    def _lost(self) -> None:
        """The index is not open any more, or not to be trusted."""
        self._told = {}
        self.state = "broken" if self._failures >= FAILURES else "opening"

    def _ask(self, header: Header, seconds: float) -> Header | None:
        with self._free:
            try:
                return self._crew.call(header, seconds=seconds)[0]
            except (WorkerError, RuntimeError):  # the second: at the interpreter's end no thread can be started
                return None


_INDEXES: weakref.WeakSet[ChromaIndex] = weakref.WeakSet()
_Key = tuple[Path, Path, int, ChromaServer | None]
_BY_PLACE: weakref.WeakValueDictionary[_Key, ChromaIndex] = weakref.WeakValueDictionary()
_LOOKING = threading.Lock()


def index_at(home: Path, record: Path, embedder: int, server: ChromaServer | None = None) -> ChromaIndex:
    """The process's one index there: its lock cannot be taken twice."""
    with _LOOKING:
        key = (home.absolute(), record.absolute(), embedder, server)
        return _BY_PLACE.get(key) or _BY_PLACE.setdefault(key, ChromaIndex(*key))


@atexit.register
def _finish_all() -> None:
    for index in list(_INDEXES):
        index.finish()


def _forget_all() -> None:
    for index in list(_INDEXES):
        index.forget()


os.register_at_fork(after_in_child=_forget_all)
