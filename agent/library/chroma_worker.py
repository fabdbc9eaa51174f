"""Chroma, in a process of its own: the dense index over the record's vectors.

Knows what goes into Chroma, how far the index has come, and when it is built anew.  Does not know where it lives
(`agent.library.chroma_store`), or texts, embedders and runs.

Chroma's calls hold the GIL (opening 10,000 logged vectors takes 0.6 s of it), so they are made here and not beside an
event loop.  The index never syncs while it is in use (`sync_threshold`): a kill -9 within Chroma's own persisting
damages it, one within its log does not.  Opening costs with the length of that log, so past a while the index is built
anew from the record, beside the old one, and swapped in.

The parent asks with a JSON header whose `do` names a method of `Index`; vectors come as float32 in the body.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from agent.errors import WorkerError
from agent.library.chroma_store import BUILD, NEVER, IndexStore, home_at
from agent.library.record import Record
from agent.library.vectors import Batch, Vectors
from agent.worker_pool import Header, serve

UPSERT = 100  # vectors at once, with the mark written after each
SPARE = 20  # more than asked for, where nothing is filtered: what came meanwhile is left out afterwards
NICE = 10  # a tenth of a processor that somebody else wants: building takes one for minutes, beside questions
SAME = 0.001  # cosine distance of a vector to itself, or to its twin
# Of the user's environment what a program needs to run and to reach a server.  Chroma takes nearly every name for one
# of its settings (MIGRATIONS, ENVIRONMENT, CHROMA_…), and fails to start for a value that it does not know.
KEPT = re.compile(
    r"(PATH|HOME|LANG|TZ|TMPDIR|TEMP|TMP|(HTTPS?|ALL|NO)_PROXY)|(PYTHON|LC_|LD_|DYLD_|SSL_|OMP_).*", re.IGNORECASE
)


class Index:
    """What is open in this process: at most one index."""

    def __init__(self) -> None:
        self._home: IndexStore | None = None
        self._record: Record | None = None
        self._collection: Any = None

    @property
    def is_served(self) -> bool:
        return self._home is not None and self._home.may_lose

    def open(self, header: Header, _: bytes) -> Header:
        """Open the index at `home`, over the vectors of `embedder` in `record`; `anew`: from nothing."""
        self.close({}, b"")
        self._record, self._embedder = Record(Path(header["record"])), int(header["embedder"])
        self._vectors, self._over = Vectors(self._record), self._rows()
        self._home = home_at(Path(header["home"]), header.get("server"))
        if refused := self._home.take():
            self.close({}, b"")
            return refused
        if header["anew"]:
            return self.rebuild({}, b"")
        self._collection = self._home.now(self._over)
        if self._collection.metadata.get("over") != self._over:
            return self.rebuild({}, b"")
        self._read_graph()
        return self._told()

    def follow(self, header: Header, _: bytes) -> Header:
        """Add vectors that came since, for about `seconds`; all anew where some have gone since."""
        if self._collection is None or self._home is None or not self._home.is_current(self._collection):
            return {"state": "closed"}
        if self._over != self._rows():
            self._over = self._rows()
            return self.rebuild({}, b"")
        deadline = time.monotonic() + float(header["seconds"])
        while len(self._add(UPSERT).marks) == UPSERT and time.monotonic() < deadline:
            pass
        return self._told()

    def search(self, header: Header, body: bytes) -> Header:
        """The rows of the documents' passages that are most like each query, best first."""
        import numpy as np

        if self._collection is None:
            return {"state": "closed"}
        queries = np.frombuffer(body, np.float32).reshape(int(header["queries"]), -1)
        limit, documents = int(header["limit"]), header["documents"]
        if header.get("everything"):  # a filter costs a microsecond for each vector there is
            found = self._collection.query(queries, n_results=limit + SPARE, include=["metadatas"])
        else:
            where = {"document": {"$in": documents}}
            found = self._collection.query(queries, n_results=limit, include=["metadatas"], where=where)
        return {"state": "open", "rows": _rows(found, set(documents), limit)}

    def rebuild(self, _: Header, __: bytes) -> Header:
        """Build the index anew beside the old one, which stays whole until the last moment, and swap."""
        assert self._home
        self._collection = self._home.begin(self._over)
        firsts, count = [], BUILD
        while count == BUILD:
            batch = self._add(BUILD)
            firsts += list(zip(batch.documents, batch.matrix, strict=False))[:1]
            count = len(batch.marks)
        if self.is_served and not all(self._is_there(document, vector) for document, vector in firsts):
            raise WorkerError("vectors were lost while the index was built")
        self._collection.modify(configuration={"hnsw": {"sync_threshold": NEVER}})
        self._mark(self._collection.metadata["mark"], logged=0)
        self._collection = self._home.finish(self._over)
        return self._told()

    def drop(self, header: Header, _: bytes) -> Header:
        """Have nothing left of the index."""
        self.close({}, b"")
        self._home = home_at(Path(header["home"]), header.get("server"))
        refused = self._home.take()
        if not refused:
            self._home.drop()
        return refused or self.close({}, b"")

    def close(self, _: Header, __: bytes) -> Header:
        """Give everything back: Chroma's files, the lock, and the record, whose log goes with the last to close it."""
        self._collection = None
        if self._record:
            self._record.close()
            self._record = None
        if self._home:
            self._home.close()
            self._home = None
        return {"state": "closed"}

    def _rows(self) -> str:
        """Which rows the index is over: one over those of another record, or over some that are gone, is of no use."""
        assert self._record
        return f"{self._record.id}/{self._embedder}"

    def _add(self, count: int) -> Batch:
        """The next vectors, `count` at most.  A kill before the mark means adding them again."""
        told = self._collection.metadata
        batch = self._vectors.after(told["mark"], self._embedder, count)
        if batch.marks:
            self._collection.upsert(
                ids=[str(row) for row in batch.passages], embeddings=batch.matrix,
                metadatas=[{"document": row} for row in batch.documents],
            )  # fmt: skip
            self._mark(batch.marks[-1], told["logged"] + len(batch.marks))
        return batch

    def _read_graph(self) -> None:
        """Chroma reads it, and what is in its log, with the first search: 0.4 s of 100,000, and a user would wait."""
        first = self._vectors.after(0, self._embedder, 1)
        if first.marks:
            self._collection.query(first.matrix, n_results=1, include=[])

    def _mark(self, mark: int, logged: int) -> None:
        told = self._collection.metadata  # the home's own is in it, too
        self._collection.modify(metadata={**told, "over": self._over, "mark": mark, "logged": logged})

    def _is_there(self, document: int, vector: Any) -> bool:
        where = {"document": document}
        found = self._collection.query(vector[None, :], n_results=1, include=["distances"], where=where)
        return bool(found["distances"][0]) and found["distances"][0][0] < SAME

    def _told(self) -> Header:
        """How far the index has come, in vectors: in its log, in the record but not here, in the record."""
        told = self._collection.metadata
        missing, count = self._vectors.count(self._embedder, told["mark"])
        return {"state": "open", "mark": told["mark"], "logged": told["logged"], "missing": missing, "count": count}


def _rows(found: Any, documents: set[int], limit: int) -> list[list[int]]:
    """Without what came into the index after the documents were named."""
    answers = zip(found["ids"], found["metadatas"], strict=True)
    return [
        [int(row) for row, told in zip(ids, each, strict=True) if told["document"] in documents][:limit]
        for ids, each in answers
    ]


def main() -> None:
    for name in [name for name in os.environ if not KEPT.fullmatch(name)]:
        del os.environ[name]
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # chromadb may import onnxruntime
    os.nice(NICE)
    os.chdir("/")  # Chroma reads a `.env` where it stands, which is the user's own
    from chromadb.errors import ChromaError, NotFoundError

    index = Index()

    def answer(header: Header, body: bytes) -> tuple[Header, bytes]:
        try:
            return getattr(index, header["do"])(header, body), b""
        except ChromaError as e:
            if isinstance(e, NotFoundError) and index.is_served:  # there anybody may delete a collection
                return index.close({}, b""), b""
            return {"state": "damaged", "why": f"{type(e).__name__}: {e}"[:300]}, b""

    def give_back() -> None:
        index.close({}, b"")

    serve(answer, idle=give_back)


if __name__ == "__main__":
    main()
