"""Where the Chroma index is stored: a directory of this machine or a server."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

from agent.http_probe import ask
from agent.text.urls import is_local_host

# ------------------------------------------------------------------------------------------ homes

# Where an index lives: in a directory of this machine, or on a Chroma server.  One set of acts for both.
#
# Knows how an index is opened, how a new one is made beside it and takes its place, and whose it is.  Does not know
# what goes into it (`agent.library.chroma_worker`).
#
# On a server many libraries have their indexes, on many machines, and all number their rows from 1: each index is a
# collection of its own under a random name, which stands in the library's own directory:
#
#     home/server.json      {"url", "now": the collection, "stamps": [...], "leftover": [names that are to be deleted]}
#
# A new index takes the place of the old one when the file names it.  A library's directory may be copied, and both
# copies would then write to the one collection; so whoever opens it puts a new stamp on it and remembers that.  One
# that finds another's stamp begins a collection of its own.

NEVER = 1_000_000  # of `sync_threshold`: more than a log ever gets
BUILD = 1_000  # while an index is built: vectors at once, and how often Chroma syncs
COLLECTION = "passages"  # in a directory, where it is alone
PREFIX = "r1-research-"  # on a server: tells its owner whose it is
POINTER = "server.json"


class IndexStore(Protocol):
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


def home_at(path: Path, server: dict[str, str] | None) -> IndexStore:
    return ServerStore(path, ChromaServer(**server)) if server else LocalStore(path)


class LocalStore:
    """A database of its own.  It never syncs while it is in use: a kill -9 within that would damage it."""

    may_lose = False  # it runs in our own process

    def __init__(self, path: Path) -> None:
        self._place = IndexDirectory(path)
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


class ServerStore:
    """A collection on a server, for one library's directory; of that machine's processes one at a time uses it."""

    may_lose = True

    def __init__(self, path: Path, server: ChromaServer) -> None:
        self._path, self._server = path / POINTER, server
        self._place = IndexDirectory(path)
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


# ------------------------------------------------------------------------------------------ place

# The directory that an index lives in: who may use it, and how a new one takes the place of the old.
#
# Knows locks, renames and what a kill can leave behind.  Does not know what an index is made of.
#
#     home/lock      held (flock) by the process that uses the index; the system gives it back when that process ends
#     home/now       the index
#     home/next      one that is being built; complete once `next/READY` is there
#     home/last      the one before, on its way out

_READY = "READY"


@contextmanager
def alone(lock: Path, *, wait: bool) -> Iterator[bool]:
    """While nobody else has the lock: a file, made where there is none.  Without `wait`, False where somebody has."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(file)


class IndexDirectory:
    """One index's directory.  All calls block; what the disk refuses is an `OSError`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.now, self.next, self._last = home / "now", home / "next", home / "last"
        self._lock: int | None = None

    def take(self) -> bool:
        """Get the lock, and mend what a kill left; False where another process has it."""
        self._home.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        self._mend()
        return True

    def give_back(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def clear_next(self) -> None:
        """Room for a new index."""
        shutil.rmtree(self.next, ignore_errors=True)

    def swap(self) -> None:
        """The new index, complete and closed, takes the place of the old one, which is closed too.

        A kill at any point leaves an index that `take` puts in place: the old one until the first rename, then the new.
        """
        (self.next / _READY).touch()
        if self.now.exists():
            self.now.rename(self._last)
        self.next.rename(self.now)
        shutil.rmtree(self._last, ignore_errors=True)

    def _mend(self) -> None:
        if not self.now.exists():
            whole = self.next if (self.next / _READY).exists() else self._last
            if whole.exists():
                whole.rename(self.now)
        for leftover in (self.next, self._last):
            shutil.rmtree(leftover, ignore_errors=True)


# ------------------------------------------------------------------------------------------ server

# A Chroma server (`chroma run`) that is the index instead of the embedded Chroma: where it is, and whether it works.
#
# Knows addresses, keys and the first question to it.  Does not know collections (`agent.library.chroma_store`).

LOOK_SECONDS = 3.0  # a server answers this in some milliseconds
_OLD = "is too old: this program needs 1.0 or newer"


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """`address` as a user gives it: it may have a path, and a user's name and password for Basic authentication."""

    address: str = field(repr=False)
    key: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Without what is secret in it, and without a slash at its end."""
        parts = urlsplit(self.address)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))

    @property
    def headers(self) -> dict[str, str]:
        """Chroma's own token is looked for under two names; what stands before a server asks for the first."""
        parts = urlsplit(self.address)
        if self.key:
            return {"Authorization": f"Bearer {self.key}", "X-Chroma-Token": self.key}
        if parts.username is None:
            return {}
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def trouble(server: ChromaServer) -> str:
    """Why it cannot be used just now, in words; "" where it can.  Blocks, for some seconds at most."""
    where = f"the Chroma server {server.url}"
    try:
        now = ask(f"{server.url}/api/v2/version", seconds=LOOK_SECONDS, headers=server.headers)
        if now.status == 404:
            before = ask(f"{server.url}/api/v1/version", seconds=LOOK_SECONDS, headers=server.headers)
            if before.status == 200 and isinstance(before.json, str):
                return f"{where} {_OLD}, and that one is {before.json[:20]}"
    except OSError as e:
        reason = getattr(e, "reason", e)  # urllib's own words around it are for programmers
        return f"{where} cannot be reached ({getattr(reason, 'strerror', None) or reason})"
    if now.status in (401, 403):
        return f"{where} refuses the key ({now.status}): see AGENT_CHROMA_API_KEY"
    if now.status != 200 or not isinstance(now.json, str):
        return f"what answers at {server.url} is no Chroma server (status {now.status})"
    return f"{where} {_OLD}, and that one is {now.json[:20]}" if now.json.startswith("0.") else ""
