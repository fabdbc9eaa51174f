"""Where an index lives: in a directory of this machine, or on a Chroma server.  One set of acts for both.

Knows how an index is opened, how a new one is made beside it and takes its place, and whose it is.  Does not know what
goes into it (`agent.library.chroma_worker`).

On a server many libraries have their indexes, on many machines, and all number their rows from 1: each index is a
collection of its own under a random name, which stands in the library's own directory:

    home/server.json      {"url", "now": the collection, "stamps": [...], "leftover": [names that are to be deleted]}

A new index takes the place of the old one when the file names it.  A library's directory may be copied, and both copies
would then write to the one collection; so whoever opens it puts a new stamp on it and remembers that.  One that finds
another's stamp begins a collection of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any, Protocol

from agent.library.place import Place
from agent.library.server import ChromaServer, trouble
from agent.text.urls import is_local_host

NEVER = 1_000_000  # of `sync_threshold`: more than a log ever gets
BUILD = 1_000  # while an index is built: vectors at once, and how often Chroma syncs
COLLECTION = "passages"  # in a directory, where it is alone
PREFIX = "r1-research-"  # on a server: tells its owner whose it is
POINTER = "server.json"


class Home(Protocol):
    @property
    def may_lose(self) -> bool:
        """May Chroma be killed and started again without our noticing it?"""

    def take(self) -> dict[str, Any]:
        """Empty where the index may be used; else a `state`, and `why`."""

    def now(self, over: str) -> Any:
        """The collection, which is made where there is none; `over`: what a new one is over."""

    def is_current(self, collection: Any) -> bool:
        """Is what is open still what it was?"""

    def begin(self, over: str) -> Any:
        """An empty collection beside the one there is."""

    def finish(self, over: str) -> Any:
        """The new collection, complete, takes the place of the old one, which goes."""

    def drop(self) -> None:
        """All that there is of the index goes."""

    def close(self) -> None: ...


def home_at(path: Path, server: dict[str, str] | None) -> Home:
    return Served(path, ChromaServer(**server)) if server else Embedded(path)


class Embedded:
    """A database of its own.  It never syncs while it is in use: a kill -9 within that would damage it."""

    may_lose = False  # it runs in our own process

    def __init__(self, path: Path) -> None:
        self._place = Place(path)
        self._client: Any = None

    def take(self) -> dict[str, Any]:
        return {} if self._place.take() else {"state": "locked"}

    def now(self, over: str) -> Any:
        return self._connect(self._place.now, over, NEVER)

    def is_current(self, _: Any) -> bool:
        return True  # the lock says so

    def begin(self, over: str) -> Any:
        self._disconnect()
        self._place.clear_next()
        return self._connect(self._place.next, over, BUILD)

    def finish(self, over: str) -> Any:
        self._disconnect()
        self._place.swap()
        return self.now(over)

    def drop(self) -> None:
        self._disconnect()
        self._place.clear_next()
        shutil.rmtree(self._place.now, ignore_errors=True)

    def close(self) -> None:
        self._disconnect()
        self._place.give_back()

    def _connect(self, path: Path, over: str, sync_threshold: int) -> Any:
        import chromadb

        self._client = chromadb.PersistentClient(str(path), settings=_settings())
        return _collection(self._client, COLLECTION, {"over": over}, sync_threshold)

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


class Served:
    """A collection on a server, for one library's directory; of that machine's processes one at a time uses it."""

    may_lose = True

    def __init__(self, path: Path, server: ChromaServer) -> None:
        self._path, self._server = path / POINTER, server
        self._place = Place(path)
        self._client: Any = None
        self._told: dict[str, Any] = {}  # what stands in the file

    def take(self) -> dict[str, Any]:
        if not self._place.take():
            return {"state": "locked"}
        if why := trouble(self._server):
            return {"state": "away", "why": why}
        self._told = pointer(self._path.parent) or _fresh()
        self._connect()
        self._delete_leftovers()
        return {}

    def now(self, over: str) -> Any:
        while True:
            collection = self._open(self._told["now"], over, NEVER)
            if collection.metadata.get("stamp") in self._told["stamps"]:
                break
            self._write(**_fresh())  # it is another's, who has a copy of this directory
        stamp = uuid.uuid4().hex
        self._write(stamps=[*self._told["stamps"], stamp])  # before: a kill between the two leaves both known
        collection.modify(metadata={**collection.metadata, "stamp": stamp})
        self._write(stamps=[stamp])
        return collection

    def is_current(self, collection: Any) -> bool:
        there = self._client.get_collection(collection.name, embedding_function=None)
        return bool(there.id == collection.id) and there.metadata.get("stamp") == self._told["stamps"][-1]

    def begin(self, over: str) -> Any:
        self._delete_leftovers()
        name = _name()
        self._write(leftover=[name])  # until it is complete
        return self._open(name, over, BUILD)

    def finish(self, over: str) -> Any:
        self._write(now=self._told["leftover"][0], leftover=[self._told["now"]])
        self._delete_leftovers()
        return self.now(over)

    def drop(self) -> None:
        self._delete(self._told["now"])
        self._delete_leftovers()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
        self._place.give_back()

    def _connect(self) -> None:
        import chromadb

        if is_local_host(self._server.url):  # as everywhere in this program: without a proxy
            for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
                del os.environ[name]
        port = 0  # of no meaning: the address is whole
        self._client = chromadb.HttpClient(self._server.url, port, headers=self._server.headers, settings=_settings())

    def _open(self, name: str, over: str, sync_threshold: int) -> Any:
        return _collection(self._client, name, {"over": over, "stamp": self._told["stamps"][-1]}, sync_threshold)

    def _delete_leftovers(self) -> None:
        for name in self._told["leftover"]:
            self._delete(name)
        self._write(leftover=[])

    def _delete(self, name: str) -> None:
        """If it is there, and ours."""
        from chromadb.errors import NotFoundError

        try:
            there = self._client.get_collection(name, embedding_function=None)
            if (there.metadata or {}).get("stamp") in self._told["stamps"]:
                self._client.delete_collection(name)
        except NotFoundError:
            return

    def _write(self, **changed: Any) -> None:
        self._told = {**self._told, **changed, "url": self._server.url}
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(self._told), "utf-8")
        draft.replace(self._path)


def pointer(home: Path) -> dict[str, Any] | None:
    """What a library's directory says of its collection on a server; None where there is none, or nothing readable."""
    try:
        told = json.loads((home / POINTER).read_text("utf-8"))
        return told if told["now"] and told["stamps"] and isinstance(told["leftover"], list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fresh() -> dict[str, Any]:
    return {"now": _name(), "stamps": [uuid.uuid4().hex], "leftover": []}


def _name() -> str:
    return f"{PREFIX}{uuid.uuid4().hex}"


def _settings() -> Any:
    from chromadb.config import Settings

    return Settings(_env_file=None, anonymized_telemetry=False)


def _collection(client: Any, name: str, metadata: dict[str, Any], sync_threshold: int) -> Any:
    return client.get_or_create_collection(
        name, embedding_function=None, metadata={**metadata, "mark": 0, "logged": 0},
        configuration={"hnsw": {"space": "cosine", "sync_threshold": sync_threshold, "batch_size": 100}},
    )  # fmt: skip
