"""Chroma, in a process of its own: the dense index over the record's vectors.

Knows Chroma's calls, how far the index has come, and how it is built anew.  Does not know texts, embedders or runs.

Chroma's calls hold the GIL (opening 10,000 logged vectors takes 0.6 s of it), so they are made here and not beside an
event loop.  The index never syncs while it is in use (`sync_threshold`): a kill -9 within Chroma's own persisting
damages it, one within its log does not.  Opening costs with the length of that log, so past a while the index is built
anew from the record, beside the old one, and swapped in.

The parent asks with a JSON header whose `do` names a method of `Index`; vectors come as float32 in the body.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from agent.child import Header, serve
from agent.library.place import Place
from agent.library.record import Record
from agent.library.vectors import Vectors

NEVER = 1_000_000  # of `sync_threshold`: more than a log ever gets
UPSERT = 100  # vectors at once, with the mark written after each
BUILD = 1_000  # likewise where nobody waits, and how often Chroma syncs then
SPARE = 20  # more than asked for, where nothing is filtered: what came meanwhile is left out afterwards
COLLECTION = "passages"


class Index:
    """What is open in this process: at most one index."""

    def __init__(self) -> None:
        self._place: Place | None = None
        self._record: Record | None = None
        self._client: Any = None
        self._collection: Any = None

    def open(self, header: Header, _: bytes) -> Header:
        """Open the index at `home`, over the vectors of `embedder` in `record`; `anew`: from nothing."""
        self.close({}, b"")
        self._record, self._embedder = Record(Path(header["record"])), int(header["embedder"])
        self._vectors, self._over = Vectors(self._record), self._rows()
        place = Place(Path(header["home"]))
        if not place.take():
            return {"state": "locked"}
        self._place = place
        if header["anew"]:
            return self.rebuild({}, b"")
        self._connect(place.now, NEVER)
        if self._collection.metadata.get("over") != self._over:
            return self.rebuild({}, b"")
        return self._told()

    def follow(self, header: Header, _: bytes) -> Header:
        """Add vectors that came since, for about `seconds`; all anew where some have gone since."""
        if self._collection is None:
            return {"state": "closed"}
        if self._over != self._rows():
            self._over = self._rows()
            return self.rebuild({}, b"")
        deadline = time.monotonic() + float(header["seconds"])
        while self._add(UPSERT) and time.monotonic() < deadline:
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
        assert self._place
        self._disconnect()
        self._place.clear_next()
        self._connect(self._place.next, BUILD)
        while self._add(BUILD):
            pass
        self._collection.modify(configuration={"hnsw": {"sync_threshold": NEVER}})
        self._mark(self._collection.metadata["mark"], logged=0)
        self._disconnect()
        self._place.swap()
        self._connect(self._place.now, NEVER)
        return self._told()

    def close(self, _: Header, __: bytes) -> Header:
        """Give everything back: Chroma's files, the lock, and the record, whose log goes with the last to close it."""
        self._disconnect()
        if self._record:
            self._record.close()
            self._record = None
        if self._place:
            self._place.give_back()
            self._place = None
        return {"state": "closed"}

    def _rows(self) -> str:
        """Which rows the index is over: one over those of another record, or over some that are gone, is of no use."""
        assert self._record
        return f"{self._record.id}/{self._embedder}"

    def _connect(self, path: Path, sync_threshold: int) -> None:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(_env_file=None, anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(str(path), settings=settings)
        self._collection = self._client.get_or_create_collection(
            COLLECTION, embedding_function=None, metadata={"over": self._over, "mark": 0, "logged": 0},
            configuration={"hnsw": {"space": "cosine", "sync_threshold": sync_threshold, "batch_size": 100}},
        )  # fmt: skip

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._collection = None

    def _add(self, count: int) -> bool:
        """The next `count` vectors; False where there were fewer.  A kill before the mark means adding them again."""
        told = self._collection.metadata
        batch = self._vectors.after(told["mark"], self._embedder, count)
        if batch.marks:
            self._collection.upsert(
                ids=[str(row) for row in batch.passages], embeddings=batch.matrix,
                metadatas=[{"document": row} for row in batch.documents],
            )  # fmt: skip
            self._mark(batch.marks[-1], told["logged"] + len(batch.marks))
        return len(batch.marks) == count

    def _mark(self, mark: int, logged: int) -> None:
        self._collection.modify(metadata={"over": self._over, "mark": mark, "logged": logged})

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
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # chromadb may import onnxruntime
    os.chdir("/")  # Chroma reads a `.env` where it stands, which is the user's own
    import chromadb.config

    for name in list(os.environ):
        if (
            name.lower() in chromadb.config.Settings.model_fields
        ):  # nor do its variables speak to us: one names a server
            del os.environ[name]
    index = Index()

    def answer(header: Header, body: bytes) -> tuple[Header, bytes]:
        return getattr(index, header["do"])(header, body), b""

    def give_back() -> None:
        index.close({}, b"")

    serve(answer, idle=give_back)


if __name__ == "__main__":
    main()
