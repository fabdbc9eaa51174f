"""Both journals keep the same promise; the one on disk also beside other processes and after a kill."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import LibraryError
from agent.protocols import Journal, ReplyKey, StoredReply
from agent.reasoning.reply_journal import SqliteJournal
from tests.memory_journal import MemoryJournal

KEY = ReplyKey("run-1", "write", 2, "abc")
REPLY = StoredReply("Okay, so …", 'ANSWER\n\n深度 "求索" 🤖')


@pytest.fixture(params=["disk", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    return SqliteJournal(tmp_path / "new" / "journal.db") if request.param == "disk" else MemoryJournal()


async def test_a_reply_that_was_kept_is_found_again(journal: Journal) -> None:
    assert await journal.find(KEY) is None
    await journal.keep(KEY, REPLY)
    assert await journal.find(KEY) == REPLY


@pytest.mark.parametrize(
    "other", [("run-2", "write", 2, "abc"), ("run-1", "plan", 2, "abc"), ("run-1", "write", 1, "abc")]
)
async def test_a_reply_belongs_to_its_run_step_round_and_prompt(
    journal: Journal, other: tuple[str, str, int, str]
) -> None:
    await journal.keep(KEY, REPLY)
    assert await journal.find(ReplyKey(*other)) is None
    assert await journal.find(ReplyKey("run-1", "write", 2, "other prompt")) is None


async def test_keeping_twice_keeps_the_last(journal: Journal) -> None:
    await journal.keep(KEY, StoredReply("", "old"))
    await journal.keep(KEY, REPLY)
    assert await journal.find(KEY) == REPLY


async def test_notes_are_kept_by_step_and_round(journal: Journal) -> None:
    await journal.note("run-1", "plan", 1, "first")
    await journal.note("run-1", "write", 1, "old")
    await journal.note("run-1", "write", 1, "second")
    await journal.note("run-2", "write", 1, "another run's")
    assert await journal.notes("run-1") == {("plan", 1): "first", ("write", 1): "second"}
    assert await journal.notes("run-3") == {}


async def test_what_one_journal_keeps_another_on_the_same_file_finds(tmp_path: Path) -> None:
    await SqliteJournal(tmp_path / "j.db").keep(KEY, REPLY)
    assert await SqliteJournal(tmp_path / "j.db").find(KEY) == REPLY


def test_a_journal_serves_one_event_loop_after_another(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    asyncio.run(journal.keep(KEY, REPLY))
    assert asyncio.run(journal.find(KEY)) == REPLY


_WRITER = """
import asyncio, sys
from pathlib import Path
from agent.reasoning.reply_journal import SqliteJournal
from agent.protocols import StoredReply, ReplyKey
async def main(path, name):
    journal = SqliteJournal(Path(path))
    for n in range(1000):
        await journal.keep(ReplyKey(name, "write", n, "p"), StoredReply("r", str(n)))
        print(n, flush=True)
        if n == 24 and name != "killed":
            return
asyncio.run(main(*sys.argv[1:]))
"""


def writer(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name], stdout=subprocess.PIPE, text=True)


async def test_several_processes_write_at_once_and_a_kill_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    writers = [writer(path, name) for name in ("one", "two", "killed")]
    assert writers[2].stdout
    kept = [int(writers[2].stdout.readline()) for _ in range(10)]
    writers[2].send_signal(signal.SIGKILL)
    codes = [w.wait(30) for w in writers[:2]]
    writers[2].communicate()
    for w in writers[:2]:
        w.communicate()
    assert codes == [0, 0]
    journal = SqliteJournal(path)
    for name, numbers in (("one", range(25)), ("two", range(25)), ("killed", kept)):
        found = [await journal.find(ReplyKey(name, "write", n, "p")) for n in numbers]
        assert found == [StoredReply("r", str(n)) for n in numbers]


async def test_a_journal_waits_for_whoever_holds_the_file(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "j.db")
    holder.execute("CREATE TABLE held (x)")
    holder.execute("BEGIN EXCLUSIVE")
    keeping = asyncio.create_task(SqliteJournal(tmp_path / "j.db").keep(KEY, REPLY))
    await asyncio.sleep(1.3)
    assert not keeping.done()
    holder.close()
    await keeping
    assert await SqliteJournal(tmp_path / "j.db").find(KEY) == REPLY


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "j.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LibraryError, match="update this program"):
        await SqliteJournal(tmp_path / "j.db").find(KEY)


@pytest.mark.parametrize("broken", ["not a database" * 100, None])
async def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, broken: str | None) -> None:
    path = tmp_path / "j.db"
    path.mkdir() if broken is None else path.write_text(broken)
    with pytest.raises(LibraryError, match=r"j\.db"):
        await SqliteJournal(path).keep(KEY, REPLY)
