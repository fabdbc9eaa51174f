"""Stores refusals, rate limits and cached hits across commands."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.errors import SearchThrottled

# ------------------------------------------------------------------------------------------ shelf

# What outlives a command: which provider refused until when, whose turn it is, and recent replies.
#
# One SQLite file for all processes.
#
# Knows keys, times and texts.  Does not know providers, nor what to do about a refusal.  Its methods block for about
# a millisecond.  Losing the file costs nothing but memory, so a damaged one is thrown away, and where none can be
# kept the process remembers for itself.

T = TypeVar("T")

REPLY_SECONDS = 6 * 3_600.0  # a reply's life; a day is too long for "latest" where nobody has set a bound
_REPLIES = 500  # 8 hits are 4 kB, so 2 MB
_REPLY_CHARACTERS = 200_000
_BUSY_SECONDS = 1.0  # for another process's write, which takes a millisecond
_LONGEST_QUEUE_SECONDS = 60.0  # likewise: nobody has the patience to make a longer queue
_LONGEST_SECONDS = 90_000.0  # past a day and its jitter a time of refusal is a clock that was set back
_AHEAD_SECONDS = 60.0  # likewise a reply from further in the future; one from less was kept while this call waited
# At once, or not at all: of two processes that read first and write then, SQLite refuses one without letting it wait.
_SCHEMA = """
begin immediate;
create table if not exists refusal (provider text primary key, at real, until real, strikes integer, why text);
create table if not exists turn (provider text primary key, free_at real);
create table if not exists reply (key text primary key, at real, hits text);
commit;
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Times are Unix seconds."""

    at: float
    until: float
    strikes: int  # refusals in a row
    why: str


class ProviderStateStore:
    def __init__(self, path: Path | None = None, *, now: Callable[[], float] = time.time) -> None:
        """`path`: None keeps it in memory."""
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._held: sqlite3.Connection | None = None

    def close(self) -> None:
        with self._lock:
            if self._held:
                self._held.close()
                self._held = None

    # --------------------------------------------------------------------------------------------- refusals

    def refusal(self, provider: str) -> Refusal | None:
        """The last one, over or not; None where the provider has answered since."""
        row = self._try(
            lambda db: db.execute(
                "select at, until, strikes, why from refusal where provider = ?", (provider,)
            ).fetchone()
        )
        found = Refusal(*row) if row else None
        return None if found and found.until - self._now() > _LONGEST_SECONDS else found

    def refuse(self, provider: str, refusal: Refusal, *, began: float) -> None:
        """Keep it; of refusals of searches that ran at once, the longest.  `began`: when this search did."""
        row = (provider, refusal.at, refusal.until, refusal.strikes, refusal.why)
        self._try(
            lambda db: db.execute(
                "insert into refusal values (?, ?, ?, ?, ?) on conflict (provider) do update set at = excluded.at,"
                " until = excluded.until, strikes = excluded.strikes, why = excluded.why"
                " where at < ? or excluded.until > until",
                (*row, began),
            )
        )

    def claim(self, provider: str, seconds: float) -> bool:
        """After a refusal is over: is this caller the one that tries?  The others wait `seconds`, or its outcome."""
        now = self._now()
        taken = self._try(
            lambda db: (
                db.execute(
                    "update refusal set until = ? where provider = ? and until <= ?", (now + seconds, provider, now)
                ).rowcount
            )
        )
        return taken != 0

    def forgive(self, provider: str) -> None:
        self._try(lambda db: db.execute("delete from refusal where provider = ?", (provider,)))

    # --------------------------------------------------------------------------------------------- turns

    def turn(self, provider: str, seconds: float, patience: float) -> float:
        """Seconds until the next turn, which is taken where that is not over `patience`; turns are `seconds` apart."""
        now = self._now()

        def take(db: sqlite3.Connection) -> float:
            db.execute("begin immediate")  # between looking and taking nobody else may
            row = db.execute("select free_at from turn where provider = ?", (provider,)).fetchone()
            wait = max(row[0] - now, 0.0) if row else 0.0
            if wait > _LONGEST_QUEUE_SECONDS:
                wait = 0.0
            if wait <= patience:
                db.execute("insert or replace into turn values (?, ?)", (provider, now + wait + seconds))
            return wait

        return self._try(take) or 0.0

    # --------------------------------------------------------------------------------------------- replies

    def recall(self, key: str) -> str | None:
        """What `keep` was given under the key, if that is not too long ago."""
        now = self._now()
        row = self._try(lambda db: db.execute("select at, hits from reply where key = ?", (key,)).fetchone())
        return row[1] if row and -_AHEAD_SECONDS <= now - row[0] <= REPLY_SECONDS else None

    def keep(self, key: str, hits: str) -> None:
        """Keep it, and drop what is too old or too much."""
        if len(hits) > _REPLY_CHARACTERS:
            return
        now = self._now()

        def write(db: sqlite3.Connection) -> None:
            db.execute("insert or replace into reply values (?, ?, ?)", (key, now, hits))
            db.execute("delete from reply where at < ? or at > ?", (now - REPLY_SECONDS, now + _AHEAD_SECONDS))
            db.execute(
                "delete from reply where key in (select key from reply order by at desc limit -1 offset ?)", (_REPLIES,)
            )

        self._try(write)

    # --------------------------------------------------------------------------------------------- the file

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` gives; None where the file cannot be read or written now."""
        with self._lock:
            try:
                with self._opened() as db:
                    return work(db)
            except sqlite3.OperationalError:  # another process writes, the disk is full or read-only
                return None
            except sqlite3.DatabaseError:  # it is no database, or a damaged one
                self._throw_away()
                return None

    def _opened(self) -> sqlite3.Connection:
        if self._held is None:
            try:
                self._held = _connect(self._path) if self._path else _connect(":memory:")
            except (OSError, sqlite3.OperationalError) as e:
                if getattr(e, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                    raise  # the next call may find it free
                self._held = _connect(":memory:")
        return self._held

    def _throw_away(self) -> None:
        if self._held:
            self._held.close()
            self._held = None
        if self._path:
            with suppress(OSError):
                self._path.unlink()


def _connect(path: Path | str) -> sqlite3.Connection:
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # what somebody looked for is nobody else's business
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        db.execute("pragma synchronous = off")
        if not db.execute("select 1 from sqlite_master where name = 'reply'").fetchone():
            db.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


# ------------------------------------------------------------------------------------------ pace

# How often a provider is asked, over all threads, event loops and, where there is a shelf, processes.


class NotYet(SearchThrottled):
    """Our own pace stands in the way: the provider has refused nothing."""


class RateLimiter:
    """At most one request every `seconds`."""

    def __init__(self, seconds: float, who: str = "the search provider") -> None:
        self.seconds = seconds
        self.who = who
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, patience: float) -> float:
        """Take the next turn; the seconds until then.  Raises `NotYet` where that is over `patience`."""
        with self._lock:
            now = time.monotonic()
            wait = max(self._free_at - now, 0.0)
            if wait > patience:
                raise self.not_yet(wait)
            self._free_at = now + wait + with_jitter(self.seconds)
            return wait

    def not_yet(self, wait: float) -> NotYet:
        return NotYet(f"{self.who} is asked once every {self.seconds:g} seconds, to not be blocked", wait)


async def wait_for_turn(pace: RateLimiter, shelf: ProviderStateStore | None, patience: float) -> float:
    """Wait for one's turn; the seconds that took.  Raises `NotYet` at once where it would be over `patience`."""
    wait = pace.take(patience)
    if shelf:
        wait = max(wait, await asyncio.to_thread(shelf.turn, pace.who, with_jitter(pace.seconds), patience))
        if wait > patience:
            raise pace.not_yet(wait)
    await asyncio.sleep(wait)
    return wait


def with_jitter(seconds: float) -> float:
    """A quarter more at most: a fixed rhythm is what blocks look for, and who waits together comes back together."""
    return seconds * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
