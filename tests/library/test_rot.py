"""The library does not rot: kills, full disks, read-only directories, many processes.

`test_the_tally_of_aimed_kills` prints how many kills hit what; run it with `-s` to see it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import LibraryError
from agent.library.catalogue import DocumentFilter, entries, forget, plan, totals
from agent.library.chroma_index import LOG
from agent.library.chroma_store import IndexDirectory
from agent.library.integrity import verify
from agent.library.rebuild import reindex_words
from agent.library.record import Record
from agent.library.repair import repair
from agent.library.schema import FILE, VERSION
from agent.library.stored_library import StoredLibrary
from agent.library.vectors import Vectors
from tests.library.killed import page
from tests.library.test_index import Shelf, units, until
from tests.library.test_record import LONG_AGO, WRITER
from tests.library.test_tables import old_file

PAGES = 12


def faults(record: Record) -> dict[str, tuple[str, ...]]:
    return {checked.part: checked.faults for checked in verify(record) if checked.faults}


def filled(directory: Path) -> None:
    record = Record(directory / FILE)
    vectors = Vectors(record)
    number = vectors.embedder("test", units(1, 0))
    for n in range(PAGES):
        record.store(page(n), "run")
        rows = vectors.passages_of(page(n).id, 100)
        vectors.add(number, rows, units(len(rows), n))
    record.close()


def damage(directory: Path) -> None:
    """A page of zeros in the middle of the file."""
    filled(directory)
    path = directory / FILE
    content = bytearray(path.read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 4096] = bytes(4096)
    path.write_bytes(content)


def indexed(directory: Path) -> None:
    (directory / "now").mkdir(parents=True)
    (directory / "now" / "content").write_text("old")


# ------------------------------------------------------------------------------------------------- what must hold


def whole(directory: Path) -> Record:
    record = Record(directory / FILE)
    assert faults(record) == {}
    return record


def after_store(directory: Path, said: list[str]) -> None:
    record = whole(directory)
    for n in (*range(PAGES), *(int(line) for line in said if line.startswith("20"))):
        kept = record.recall(page(n).url, LONG_AGO)
        assert kept
        assert kept.text == page(n).text
    record.close()


def after_forget(directory: Path, _: list[str]) -> None:
    record = whole(directory)
    stays = {page(n).url for n in range(PAGES) if n % 5 not in {1, 3}}
    assert {entry.url for entry in entries(record)} >= stays
    choice = DocumentFilter(hosts=("1.example", "3.example"))
    forget(record, plan(entries(record, choice), choice, {}), directory / "chroma")
    assert {entry.url for entry in entries(record)} == stays
    assert faults(record) == {}
    record.close()


def after_reindex(directory: Path, _: list[str]) -> None:
    record = whole(directory)
    assert reindex_words(record) == totals(record).passages
    assert faults(record) == {}
    record.close()


def after_repair(directory: Path, _: list[str]) -> None:
    record = Record(directory / FILE)
    list(repair(record))
    assert faults(record) == {}
    assert len(entries(record)) >= PAGES - 4
    record.close()


def after_bring_up(directory: Path, _: list[str]) -> None:
    record = whole_but_old_words(directory)
    assert record.rows("PRAGMA user_version") == [(VERSION,)]
    assert len(entries(record)) == 1
    record.close()


def whole_but_old_words(directory: Path) -> Record:
    record = Record(directory / FILE)
    list(repair(record))  # the old file's words are of an older form
    assert faults(record) == {}
    return record


def after_swap(directory: Path, said: list[str]) -> None:
    place = IndexDirectory(directory)
    assert place.take()
    assert (place.now / "content").read_text() in ({"new"} if "swapped" in said else {"old", "new"})
    assert not place.next.exists()
    place.give_back()


def old(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    old_file(directory / FILE, 1)


TASKS: dict[str, tuple[Callable[[Path], None], Callable[[Path, list[str]], None]]] = {
    "store": (filled, after_store),
    "forget": (filled, after_forget),
    "reindex": (filled, after_reindex),
    "repair": (damage, after_repair),
    "bring up": (old, after_bring_up),
    "swap": (indexed, after_swap),
}


def killed(task: str, directory: Path, act: int) -> tuple[list[str], bool]:
    """What the program said, and whether it was killed."""
    program = [sys.executable, "-m", "tests.library.killed", task, str(directory), str(act)]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert ran.returncode in {0, -signal.SIGKILL}, ran.stderr
    return ran.stdout.splitlines(), ran.returncode != 0


def kills_at(task: str, tmp_path: Path, count: int) -> int:
    """Kill at `count` acts, evenly over all of them, and look at what is left each time; how many kills those were."""
    prepare, check = TASKS[task]
    prepare(tmp_path / "model")
    shutil.copytree(tmp_path / "model", tmp_path / "counted")
    said, _ = killed(task, tmp_path / "counted", 0)
    acts = int(said[-1])
    assert acts >= 3, said
    chosen = sorted({1 + n * (acts - 1) // max(1, count - 1) for n in range(count)})
    for act in chosen:
        directory = tmp_path / f"killed-{act}"
        shutil.copytree(tmp_path / "model", directory)
        said, was_killed = killed(task, directory, act)
        assert was_killed, (task, act)
        check(directory, said)
    return len(chosen)


@pytest.mark.parametrize("task", ["store", "swap", "forget"])
def test_a_kill_between_two_acts_leaves_a_whole_library(task, tmp_path):
    assert kills_at(task, tmp_path, 3) == 3


# ------------------------------------------------------------------------------------------------- aimed kills


def stamp(*files: Path) -> tuple:
    """Changes when one of the files does."""
    found = []
    for file in files:
        try:
            told = file.stat()
        except OSError:
            continue
        found.append((file.name, told.st_size, told.st_mtime_ns))
    return tuple(found)


def matching(home: Path, pattern: str) -> list[Path]:
    try:
        return sorted(home.glob(pattern))
    except OSError:  # a directory that is removed meanwhile
        return []


def kill_when_it_changes(pid: int, files: Callable[[], list[Path]], times: int = 1, seconds: float = 30) -> bool:
    """Kill the process at the `times`-th change of one of the files, within some microseconds of it."""
    deadline, before = time.monotonic() + seconds, stamp(*files())
    while time.monotonic() < deadline:
        now = stamp(*files())
        if now != before:
            before, times = now, times - 1
            if times == 0:
                os.kill(pid, signal.SIGKILL)
                return True
    return False


def kill_a_writer(directory: Path, name: str, file: str, times: int) -> None:
    """In the middle of a commit (the write-ahead log grows) or of taking it over (the file itself changes)."""
    program = [sys.executable, "-c", WRITER, str(directory / FILE), name, "100000"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        assert kill_when_it_changes(writer.pid, lambda: [directory / file], times)
        said = [int(line) for line in writer.stdout.read().splitlines()]
    record = whole(directory)
    for n in said:
        kept = record.recall(f"https://{name}.example/{n}", LONG_AGO)
        assert kept
        assert kept.text.startswith(f"Page {n} of {name}.")
    record.close()


async def kill_a_rebuild(directory: Path, number: int, pattern: str, times: int) -> bool:
    """Kill Chroma's process while it writes files of that kind; False where it had come to an end before."""
    shelf = Shelf(directory / str(number // 5))
    shelf.pages = shelf.record.rows("SELECT coalesce(max(row), 0) FROM documents")[0][0]
    async with shelf.index.in_use():
        shelf.add(20)
        await shelf.caught_up()
        pid = shelf.index._crew.pids()[0]
        shelf.add(LOG + 100)  # so many that it builds the index anew
        was_killed = await asyncio.to_thread(
            kill_when_it_changes, pid, lambda: matching(shelf.home, pattern), times, 8.0
        )
        await shelf.caught_up()
        await shelf.finds_itself()
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()
    assert faults(shelf.record) == {}
    shelf.record.close()
    return was_killed


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_the_tally_of_aimed_kills(tmp_path):
    tally: Counter[str] = Counter()
    for task in TASKS:
        tally[f"between two acts: {task}"] = kills_at(task, tmp_path / task, 14)
    (tmp_path / "writing").mkdir()
    for n in range(12):
        kill_a_writer(tmp_path / "writing", f"commit{n}", f"{FILE}-wal", 1 + n * 3)
        tally["the record's commit"] += 1
    for n in range(6):
        kill_a_writer(tmp_path / "writing", f"taken{n}", FILE, 1 + n)
        tally["the record's checkpoint"] += 1
    for n in range(8):
        tally["Chroma's persist"] += await kill_a_rebuild(tmp_path / "persists", n, "next/*/*.bin", 1 + 2 * n)
    for n in range(3):  # a busy machine often comes too late for these milliseconds: "swap" has each act for sure
        tally["the new index's renames"] += await kill_a_rebuild(tmp_path / "renames", n, "next/READY", 1)
    print("\n" + "\n".join(f"{count:>4} kills: {what}" for what, count in tally.items()))
    print(f"{sum(tally.values()):>4} in all; every one left a whole library, or one that mended itself")
    assert sum(tally.values()) >= 80
    assert tally["Chroma's persist"] >= 4
    assert tally["the new index's renames"] + tally["between two acts: swap"] >= 4


# ------------------------------------------------------------------------------------------------- disks


FILLER = """
import resource, sys
from pathlib import Path
from agent.errors import LibraryError
from agent.library.record import Record
from tests.library.killed import page
path, most = Path(sys.argv[1]), int(sys.argv[2])
record = Record(path)
record.rows("SELECT 1")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
for n in range(1000, 3000):
    try:
        record.store(page(n), "run")
    except LibraryError as e:
        print(e, flush=True)
        break
    print(n, flush=True)
"""


def test_a_disk_that_takes_no_more_is_one_line_and_loses_nothing(tmp_path):
    filled(tmp_path)
    program = [sys.executable, "-c", FILLER, str(tmp_path / FILE), "400000"]
    *stored, told = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert "free some space" in told
    assert str(tmp_path / FILE) in told
    record = whole(tmp_path)
    assert len(entries(record)) == PAGES + len(stored)
    record.store(page(5000), "run")
    assert faults(record) == {}
    record.close()


def test_a_full_disk_in_the_middle_of_a_repair_leaves_what_was(tmp_path):
    filled(tmp_path)
    record = Record(tmp_path / FILE)
    pages = record.rows("PRAGMA page_count")[0][0]
    record.rows(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(LibraryError, match="full; free some space"):
        reindex_words(record)
    record.close()
    record = whole(tmp_path)
    assert reindex_words(record) == totals(record).passages
    assert faults(record) == {}
    record.close()


INDEX_WITHOUT_SPACE = """
import asyncio, resource, sys
from pathlib import Path
from tests.library.test_index import Shelf, units
async def main():
    shelf = Shelf(Path(sys.argv[1]))
    shelf.pages = 3
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    async with shelf.index.in_use():
        while shelf.index.state != "broken":
            assert await shelf.by_chroma(units(1, 9)) is None or shelf.index.mark == shelf.newest
            await asyncio.sleep(0.05)
        assert await shelf.by_chroma(units(1, 9)) is None
        assert shelf.exactly(units(1, 9))
    print("found without it", flush=True)
asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_disk_too_full_for_chroma_leaves_the_exact_search_and_an_index_that_mends_itself(tmp_path):
    shelf = Shelf(tmp_path)
    for _ in range(3):
        shelf.add(60)
    program = [sys.executable, "-c", INDEX_WITHOUT_SPACE, str(tmp_path)]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=100)
    assert ran.stdout == "found without it\n", ran.stderr
    async with shelf.index.in_use():
        await shelf.caught_up()
        await shelf.finds_itself()
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()
    shelf.record.close()


def as_one_who_may_not_write() -> list[str]:
    """For a command line: without root's right to write wherever it likes."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv to give that up")
    rights = "-dac_override,-dac_read_search,-fowner"
    return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]


def library_command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = [*as_one_who_may_not_write(), sys.executable, "-m", "agent", "library", *words, "--data-dir", str(home)]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, cwd=home.parent)


def test_a_library_that_may_only_be_read_can_be_read_and_says_so_where_it_cannot_be_changed(tmp_path):
    home = tmp_path / "home"
    filled(home / "library")
    before = {path: path.read_bytes() for path in (home / "library").iterdir()}
    for path in (*before, home / "library", home):
        path.chmod(0o555)
    try:
        assert f"{PAGES} documents in all" in library_command(home, "list").stdout
        assert "1.example/6" in library_command(home, "search", "page6").stdout
        refused = library_command(home, "forget", "--host", "1.example", "--yes")
    finally:
        for path in (home, home / "library", *before):
            path.chmod(0o755)
    assert refused.returncode == 1
    assert "not changed" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in (home / "library").iterdir()} == before


async def test_a_damaged_text_holds_up_no_question(tmp_path):
    filled(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE snapshots SET text = x'00' WHERE hash = ?", (page(3).snapshot,))
    db.close()
    library = StoredLibrary(tmp_path)
    async with library.in_use():
        ids = [page(n).id for n in range(PAGES)]
        found = await library.find(["what page3 says", "what page4 says"], documents=ids, limit=20)
        assert page(3).id not in {ranked.passage.document_id for ranked in found}
        assert found[0].passage.document_id == page(4).id
        assert [hit.url for hit in await library.search(["page3 word3x0, page4"], limit=1)] == [page(4).url]
        assert await library.recall(page(3).url, since=LONG_AGO) is None
        await library.store(page(3), run_id="again")
        assert [hit.url for hit in await library.search(["page3"], limit=1)] == [page(3).url]


async def test_words_of_an_older_program_are_made_anew_beside_the_first_question(tmp_path):
    filled(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("INSERT INTO words (words) VALUES ('delete-all')")
        db.execute("UPDATE about SET value = 'old' WHERE key = 'words'")
    db.close()
    library = StoredLibrary(tmp_path)
    async with library.in_use():
        while not await library.search(["page3"], limit=1):
            await asyncio.sleep(0.01)
    whole(tmp_path).close()


def test_two_that_make_the_words_anew_wait_for_one_another(tmp_path):
    filled(tmp_path)
    first, second = Record(tmp_path / FILE), Record(tmp_path / FILE)
    others: list[threading.Thread] = []

    def begins_too(*_) -> None:
        if not others:
            others.append(threading.Thread(target=reindex_words, args=(second,)))
            others[0].start()
            time.sleep(0.2)

    reindex_words(first, begins_too)
    others[0].join(20)
    assert faults(first) == {}
    first.close()
    second.close()


# ------------------------------------------------------------------------------------------------- many at once


READER = """
import sys
from pathlib import Path
from agent.library.record import Record
from agent.text.search_terms import match
record = Record(Path(sys.argv[1]))
for n in range(int(sys.argv[2])):
    rows = record.rows_of([row for (row,) in record.rows("SELECT id FROM documents")])
    for row, passage in record.passages(record.with_words(match("page says"), rows, 20)).items():
        assert passage.text in record.text(record.rows(
            "SELECT snapshot FROM documents WHERE id = ?", passage.document_id)[0][0])
print("read", flush=True)
"""
FORGETTER = """
import sys
from pathlib import Path
from agent.library.catalogue import DocumentFilter, entries
from agent.library.catalogue import forget, plan
from agent.library.stored_library import StoredLibrary
from agent.library.rebuild import reindex_words
from agent.library.record import Record
record = Record(Path(sys.argv[1]))
for n in range(int(sys.argv[2])):
    choice = DocumentFilter(hosts=("gone.example",))
    forget(record, plan(entries(record, choice), choice, {}), Path(sys.argv[1]).parent / "chroma")
    reindex_words(record)
print("forgot", flush=True)
"""


def test_writers_a_reader_and_one_who_forgets_share_a_library(tmp_path):
    filled(tmp_path)
    path = str(tmp_path / FILE)
    programs = [
        *([sys.executable, "-c", WRITER, path, name, "40"] for name in ("stays", "gone")),
        [sys.executable, "-c", READER, path, "40"],
        [sys.executable, "-c", FORGETTER, path, "12"],
    ]
    running = [subprocess.Popen(one, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for one in programs]
    told = [one.communicate(timeout=100) for one in running]
    assert [one.returncode for one in running] == [0, 0, 0, 0], told
    record = whole(tmp_path)
    assert len(entries(record, DocumentFilter(hosts=("stays.example",)))) == 40
    assert len(entries(record)) >= PAGES + 40
    record.close()
