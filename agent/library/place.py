"""The directory that an index lives in: who may use it, and how a new one takes the place of the old.

Knows locks, renames and what a kill can leave behind.  Does not know what an index is made of.

    home/lock      held (flock) by the process that uses the index; the system gives it back when that process ends
    home/now       the index
    home/next      one that is being built; complete once `next/READY` is there
    home/last      the one before, on its way out
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


class Place:
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
