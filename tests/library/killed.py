"""A program that works on a library and kills itself (SIGKILL) before its n-th act on the disk.

    python -m tests.library.killed TASK DIRECTORY N

An act is a statement given to SQLite, or a file that is renamed, linked or removed: Python's profiler hears of each
before it happens.  With N = 0 nobody is killed, and the last line on stdout is the number of acts.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path
from types import FrameType

from agent.library.catalogue import DocumentFilter, entries, forget, plan
from agent.library.chroma_store import IndexDirectory
from agent.library.rebuild import reindex_words
from agent.library.record import Record
from agent.library.repair import repair
from agent.library.schema import FILE
from tests.library.conftest import document

ACTS = {"execute", "executemany", "rename", "replace", "link", "unlink", "rmdir"}


def page(n: int):
    text = "\n\n".join(f"# Part {part}\n\n" + f"Page{n} says word{n}x{part}. " * 40 for part in range(4))
    return document(text, url=f"https://{n % 5}.example/{n}")


def store(directory: Path) -> None:
    record = Record(directory / FILE)
    for n in range(200, 206):
        record.store(page(n), "later")
        print(n, flush=True)


def forget_some(directory: Path) -> None:
    record, choice = Record(directory / FILE), DocumentFilter(hosts=("1.example", "3.example"))
    forget(record, plan(entries(record, choice), choice, {}), directory / "chroma")


def reindex(directory: Path) -> None:
    reindex_words(Record(directory / FILE))


def mend(directory: Path) -> None:
    list(repair(Record(directory / FILE)))


def bring_up(directory: Path) -> None:
    Record(directory / FILE).rows("SELECT 1")


def swap(directory: Path) -> None:
    place = IndexDirectory(directory)
    assert place.take()
    place.clear_next()
    place.next.mkdir()
    (place.next / "content").write_text("new")
    place.swap()
    print("swapped", flush=True)


TASKS = {
    "store": store,
    "forget": forget_some,
    "reindex": reindex,
    "repair": mend,
    "bring up": bring_up,
    "swap": swap,
}


class Fate:
    def __init__(self, last: int) -> None:
        self.last = last
        self.acts = 0

    def __call__(self, _: FrameType, event: str, called: object) -> None:
        if event != "c_call" or getattr(called, "__name__", "") not in ACTS:
            return
        if isinstance(getattr(called, "__self__", None), str):  # "a".replace("b", "c")
            return
        self.acts += 1
        if self.acts == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    task, directory, last = TASKS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3])
    fate = Fate(last)
    sys.setprofile(fate)
    task(directory)
    sys.setprofile(None)
    print(fate.acts, flush=True)


if __name__ == "__main__":
    assert sqlite3.sqlite_version
    main()
