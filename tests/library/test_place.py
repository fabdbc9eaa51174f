"""Who may use an index's directory, and what becomes of one that a kill left half swapped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.library.chroma_store import IndexDirectory


def index(path: Path, words: str) -> None:
    path.mkdir(parents=True)
    (path / "content").write_text(words)


def content(home: Path) -> str:
    return (home / "now" / "content").read_text()


def test_the_second_to_come_is_turned_away_until_the_first_has_gone(tmp_path):
    first, second = IndexDirectory(tmp_path), IndexDirectory(tmp_path)
    assert first.take()
    assert not second.take()
    first.give_back()
    assert second.take()


def holder_of(home: Path) -> subprocess.Popen[str]:
    """A process that has the lock and keeps it."""
    program = """
import sys, time
from pathlib import Path
from agent.library.chroma_store import IndexDirectory
assert IndexDirectory(Path(sys.argv[1])).take()
print("taken", flush=True)
time.sleep(600)
"""
    holder = subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "taken\n"
    return holder


def test_a_lock_left_by_a_dead_process_holds_nobody_up(tmp_path):
    holder = holder_of(tmp_path)
    assert not IndexDirectory(tmp_path).take()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert IndexDirectory(tmp_path).take()


def test_a_swap_puts_the_new_index_in_the_place_of_the_old(tmp_path):
    place = IndexDirectory(tmp_path)
    assert place.take()
    index(place.now, "old")
    index(place.next, "new")
    place.swap()
    assert content(tmp_path) == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lock", "now"]


def test_a_first_index_needs_no_old_one(tmp_path):
    place = IndexDirectory(tmp_path)
    assert place.take()
    index(place.next, "new")
    place.swap()
    assert content(tmp_path) == "new"


@pytest.mark.parametrize(
    ("left", "ready", "expected"),
    [
        ({"now": "old", "next": "half"}, False, "old"),
        ({"now": "old", "next": "new"}, True, "old"),
        ({"last": "old", "next": "new"}, True, "new"),
        ({"last": "old", "next": "half"}, False, "old"),
        ({"last": "old"}, False, "old"),
        ({"now": "new", "last": "old"}, False, "new"),
        ({"next": "new"}, True, "new"),
    ],
)
def test_what_a_kill_left_is_mended(tmp_path, left, ready, expected):
    for name, words in left.items():
        index(tmp_path / name, words)
    if ready:
        (tmp_path / "next" / "READY").touch()
    assert IndexDirectory(tmp_path).take()
    assert content(tmp_path) == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lock", "now"]


def test_half_an_index_alone_is_no_index(tmp_path):
    index(tmp_path / "next", "half")
    assert IndexDirectory(tmp_path).take()
    assert not (tmp_path / "now").exists()


SWAPPER = """
import os, shutil, sys
from pathlib import Path
from agent.library.chroma_store import IndexDirectory
place = IndexDirectory(Path(sys.argv[1]))
assert place.take()
print("taken", flush=True)
for n in range(10**9):
    shutil.rmtree(place.next, ignore_errors=True)
    place.next.mkdir()
    (place.next / "content").write_text(str(n))
    place.swap()
    print(n, flush=True)
"""


@pytest.mark.slow
def test_kills_in_the_middle_of_swaps_leave_an_index(tmp_path):
    for kill in range(40):
        swapper = subprocess.Popen([sys.executable, "-c", SWAPPER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        os.set_blocking(swapper.stdout.fileno(), True)
        seen = [swapper.stdout.readline() for _ in range(3 + kill % 17)]
        swapper.kill()
        rest = swapper.stdout.read()
        swapper.wait()
        swapper.stdout.close()
        place = IndexDirectory(tmp_path)
        assert place.take()
        last = int([line for line in [*seen, *rest.splitlines()] if line.strip().isdigit()][-1])
        assert int(content(tmp_path)) in {last, last + 1}
        place.give_back()
