"""Chroma as the dense index: in step with the record, given back, and never in anybody's way."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.library.chroma_index import FILTERED, GATHER_SECONDS, LOG, ChromaIndex, PassagesToIndex, index_at
from agent.library.chroma_store import BUILD, ChromaServer
from agent.library.record import Record
from agent.library.vectors import Vectors
from tests.library.conftest import document
from tests.library.test_place import holder_of

DIMENSION = 32


def units(count: int, seed: int) -> np.ndarray:
    matrix = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


ALL_IDS = """
ids = []
while more := collection.get(limit=1000, offset=len(ids), include=[])["ids"]:
    ids += more
print(json.dumps(ids))
"""


class Shelf:
    """A record with vectors, and the index over it."""

    def __init__(self, directory: Path, server: ChromaServer | None = None) -> None:
        self.record = Record(directory / "library.sqlite3")
        self.vectors = Vectors(self.record)
        self.number = self.vectors.embedder("test", units(1, 0))
        self.home = directory / "chroma" / f"embedder-{self.number}" if server else directory / "chroma"
        self.index = index_at(self.home, self.record.path, self.number, server)
        self.pages = 0

    def add(self, passages: int) -> None:
        """A page of so many passages, with vectors."""
        self.pages += 1
        text = "\n\n".join(f"# {self.pages}.{n}\n\n" + "word " * 180 for n in range(passages))
        page = document(text, url=f"https://{self.pages}.example/")
        assert self.record.store(page, "run") == passages
        self.vectors.add(self.number, self.vectors.passages_of(page.id, passages), units(passages, self.pages))
        self.index.announce()

    @property
    def documents(self) -> list[int]:
        return list(range(1, self.pages + 1))

    @property
    def newest(self) -> int:
        return self.vectors.reach(self.documents, self.number)[0]

    async def by_chroma(self, queries: np.ndarray, documents: list[int] | None = None) -> list[list[int]] | None:
        wanted = documents or self.documents
        newest = self.vectors.reach(wanted, self.number)[0]
        everything = documents is None and self.newest > FILTERED  # of so many Chroma is not asked for a part
        return await self.index.search(queries, PassagesToIndex(wanted, newest, everything=everything), limit=10)

    async def found(self, queries: np.ndarray, documents: list[int] | None = None) -> list[list[int]]:
        """By Chroma, which may just be at something else."""
        while (found := await self.by_chroma(queries, documents)) is None:
            await asyncio.sleep(0.02)
        return found

    def exactly(self, queries: np.ndarray, documents: list[int] | None = None) -> list[list[int]]:
        return self.vectors.nearest(queries, documents or self.documents, self.number, 10)

    async def finds_itself(self) -> None:
        """Sixty vectors, each of which must be its own nearest: Chroma's `get` shows lost ones, too."""
        marks = np.linspace(0, self.newest - 1, 60).astype(int)
        for mark in dict.fromkeys(marks.tolist()):
            batch = self.vectors.after(mark, self.number, 1)
            documents = batch.documents if self.newest <= FILTERED else None
            assert (await self.found(batch.matrix, documents))[0][0] == batch.passages[0]

    async def caught_up(self) -> None:
        await until(lambda: self.index.state == "open" and self.index.mark == self.newest)

    def in_chroma(self) -> set[int]:
        """The passages whose vectors the collection holds, as another program sees them."""
        return set(map(int, chroma(self.home, ALL_IDS)))

    def all_passages(self) -> set[int]:
        return {row for (row,) in self.record.rows("SELECT passage FROM vectors")}


def chroma(home: Path, program: str) -> list:
    """Run a program over the collection, as any other user of Chroma would."""
    opening = """
        import chromadb, json, sys
        from chromadb.config import Settings
        client = chromadb.PersistentClient(sys.argv[1], settings=Settings(anonymized_telemetry=False))
        collection = client.get_collection("passages", embedding_function=None)
    """
    whole = textwrap.dedent(opening) + textwrap.dedent(program) + "\nclient.close()"
    done = subprocess.run(
        [sys.executable, "-c", whole, str(home / "now")], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout or "[]")


async def until(condition: Callable[[], bool]) -> None:
    """A test that waits in vain is ended by pytest-timeout."""
    while not condition():
        await asyncio.sleep(0.02)


@pytest.fixture
def shelf(tmp_path: Path):
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.index._crew.close()
    shelf.record.close()


async def test_vectors_come_into_chroma_and_are_found_there_as_exactly_as_without(shelf):
    shelf.add(20)
    async with shelf.index.in_use():
        shelf.add(150)
        await shelf.caught_up()
        queries = units(4, 99)
        assert await shelf.found(queries) == shelf.exactly(queries)
        assert await shelf.found(queries, [1]) == shelf.exactly(queries, [1])
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()


async def test_nobody_waits_while_the_index_is_opened(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        assert await shelf.by_chroma(units(1, 9)) is None
        assert shelf.index.state == "opening"


async def test_the_index_says_nothing_of_documents_whose_vectors_it_has_not_all(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()
        assert await shelf.index.search(units(1, 9), PassagesToIndex([1], shelf.newest), limit=5) is not None
        assert await shelf.index.search(units(1, 9), PassagesToIndex([1], shelf.newest + 1), limit=5) is None


async def test_all_of_it_is_searched_without_a_filter_and_what_came_meanwhile_left_out(shelf):
    shelf.add(40)
    async with shelf.index.in_use():
        shelf.add(40)
        await shelf.caught_up()
        queries, [both, first] = (
            units(3, 9),
            [PassagesToIndex([1, 2], 0, everything=True), PassagesToIndex([1], 0, everything=True)],
        )
        assert await shelf.index.search(queries, both, limit=10) == shelf.exactly(queries)
        found = await shelf.index.search(queries, first, limit=5)
        exactly = [
            [row for row in rows if row <= 40] for rows in shelf.vectors.nearest(queries, [1, 2], shelf.number, 25)
        ]
        assert found == [rows[:5] for rows in exactly]


async def test_of_a_large_index_only_all_is_asked_since_its_filter_is_slow(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()
        shelf.index._told = {**shelf.index._told, "count": FILTERED + 1}
        assert await shelf.index.search(units(1, 9), PassagesToIndex([1], 0), limit=5) is None
        assert await shelf.index.search(units(1, 9), PassagesToIndex([1], 0, everything=True), limit=5) is not None


async def test_what_comes_piece_by_piece_while_it_is_used_is_added_together(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()
        marks = set()
        for _ in range(int(GATHER_SECONDS / 0.02)):
            shelf.add(1)
            await asyncio.sleep(0.02)
            marks.add(shelf.index.mark)
        await shelf.caught_up()
    assert len(marks) < 5


async def test_who_leaves_does_not_wait_for_more_to_come(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()
        shelf.index._gather_seconds = 600.0
        shelf.add(1)
        await asyncio.sleep(0.1)
        assert shelf.index.mark < shelf.newest
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()


async def test_an_index_that_is_behind_when_it_opens_does_not_wait_for_more(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()
    await until(lambda: shelf.index.state == "closed")
    shelf.index._gather_seconds = 600.0
    shelf.add(1)
    shelf.index._news.clear()  # another program added it
    async with shelf.index.in_use():
        await shelf.caught_up()


async def test_what_a_short_run_left_is_added_after_it(shelf):
    async with shelf.index.in_use():
        shelf.add(30)
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()


async def test_the_last_run_to_end_gives_the_index_back(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        async with shelf.index.in_use():
            await shelf.caught_up()
        await asyncio.sleep(0.1)
        assert shelf.index.state == "open"
    await until(lambda: shelf.index.state == "closed")
    async with shelf.index.in_use():
        await shelf.caught_up()


async def test_a_run_that_breaks_off_frees_the_index_at_once(shelf):
    shelf.add(5)

    async def breaks_off() -> None:
        async with shelf.index.in_use():
            await shelf.caught_up()
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        await breaks_off()
    assert shelf.index._crew.pids() == []
    await until(lambda: shelf.index.state == "closed")
    async with shelf.index.in_use():
        await shelf.caught_up()


async def test_a_search_that_is_cancelled_does_not_spoil_the_next(shelf):
    shelf.add(20)
    async with shelf.index.in_use():
        await shelf.caught_up()
        search = asyncio.create_task(shelf.by_chroma(units(200, 9)))
        await asyncio.sleep(0)
        search.cancel()
        await asyncio.gather(search, return_exceptions=True)
        await shelf.caught_up()
        assert await shelf.found(units(1, 9)) == shelf.exactly(units(1, 9))


async def test_a_killed_worker_is_replaced(shelf):
    shelf.add(20)
    async with shelf.index.in_use():
        await shelf.caught_up()
        os.kill(shelf.index._crew.pids()[0], signal.SIGKILL)
        await until(lambda: not shelf.index._crew.pids())
        assert await shelf.by_chroma(units(1, 9)) is None
        shelf.add(20)
        await shelf.caught_up()
        assert await shelf.found(units(1, 9)) == shelf.exactly(units(1, 9))


async def test_searches_that_take_too_long_are_no_reason_to_make_the_index_anew(shelf):
    shelf.add(20)
    async with shelf.index.in_use():
        await shelf.caught_up()
        built = (shelf.home / "now").stat().st_ino
        for _ in range(2):
            os.kill(shelf.index._crew.pids()[0], signal.SIGSTOP)
            assert await shelf.by_chroma(units(1, 9)) is None
            await shelf.caught_up()
        assert await shelf.found(units(1, 9)) == shelf.exactly(units(1, 9))
        assert (shelf.home / "now").stat().st_ino == built


async def test_its_process_leaves_the_processor_to_others(shelf):
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()
        assert os.getpriority(os.PRIO_PROCESS, shelf.index._crew.pids()[0]) > os.getpriority(os.PRIO_PROCESS, 0)


async def test_a_users_variables_are_not_taken_for_chromas(shelf, monkeypatch):
    """Chroma fails to start for a value of these that it does not know."""
    for name in ("MIGRATIONS", "IS_PERSISTENT", "CHROMA_SERVER_HTTP_PORT"):
        monkeypatch.setenv(name, "the user's own")
    shelf.add(5)
    async with shelf.index.in_use():
        await shelf.caught_up()


def test_one_process_has_one_index_at_a_place(shelf, tmp_path):
    assert index_at(shelf.home, shelf.record.path, shelf.number) is shelf.index
    assert index_at(shelf.home, shelf.record.path, shelf.number + 1) is not shelf.index


@pytest.mark.slow
async def test_while_another_process_has_the_index_there_is_none_and_then_there_is(shelf):
    shelf.add(5)
    holder = holder_of(shelf.home)
    async with shelf.index.in_use():
        await until(lambda: shelf.index.state == "locked")
        assert await shelf.by_chroma(units(1, 9)) is None
        holder.kill()
        holder.wait()
        holder.stdout.close()
        await shelf.caught_up()


def damaged(home: Path, pattern: str, content: bytes) -> None:
    files = list((home / "now").glob(pattern))
    assert files
    for file in files:
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        pytest.param("chroma.sqlite3", b"no database " * 1000, id="its database is none"),
        pytest.param("*/*.bin", b"\xff" * 64, id="its graph is none"),
        pytest.param("chroma.sqlite3", b"", id="its database is empty", marks=pytest.mark.slow),
        pytest.param("*/*.bin", b"", id="its graph is empty", marks=pytest.mark.slow),
    ],
)
async def test_a_damaged_index_is_made_anew_from_the_record(shelf, pattern, content):
    shelf.add(40)
    async with shelf.index.in_use():
        await shelf.caught_up()
    await until(lambda: shelf.index.state == "closed")
    damaged(shelf.home, pattern, content)
    async with shelf.index.in_use():
        assert await shelf.found(units(1, 9)) == shelf.exactly(units(1, 9))
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()


async def test_an_index_is_open_once_its_graph_is_read_and_not_before(shelf):
    shelf.add(BUILD + 1)  # of so many it is in a file, and not in the log alone
    opening, crew = {**shelf.index._where, "anew": True}, shelf.index._crew
    assert (await crew.ask(opening, seconds=60))[0]["state"] == "open"
    crew.close()
    damaged(shelf.home, "*/*.bin", b"\xff" * 64)
    assert (await crew.ask({**opening, "anew": False}, seconds=60))[0]["state"] == "damaged"


@pytest.mark.slow
async def test_an_index_over_another_record_is_made_anew(shelf, tmp_path):
    shelf.add(10)
    async with shelf.index.in_use():
        await shelf.caught_up()
    await until(lambda: shelf.index.state == "closed")
    other = Shelf(tmp_path / "other")
    other.add(3)
    shutil.copytree(shelf.home, other.home)
    async with other.index.in_use():
        await other.caught_up()
        assert await other.found(units(1, 9)) == other.exactly(units(1, 9))
    await until(lambda: other.index.state == "closed")
    assert other.in_chroma() == other.all_passages()
    other.record.close()


async def test_where_no_index_can_be_made_there_is_none_and_no_error(shelf):
    shelf.home.write_text("a file where a directory should be")
    shelf.add(3)
    async with shelf.index.in_use():
        await until(lambda: shelf.index.state == "broken")
        assert await shelf.by_chroma(units(1, 9)) is None
    await until(lambda: shelf.index.state == "closed")


@pytest.mark.slow
async def test_a_long_log_is_built_into_the_index(shelf):
    shelf.add(30)
    async with shelf.index.in_use():
        await shelf.caught_up()
        for _ in range(3):
            shelf.add(LOG // 2)
        await shelf.caught_up()
        assert await shelf.found(units(3, 9)) == shelf.exactly(units(3, 9))
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()
    told = chroma(
        shelf.home, "print(json.dumps([collection.metadata, collection.configuration['hnsw']['sync_threshold']]))"
    )
    assert told[0]["logged"] < LOG
    assert told[1] == 1_000_000
    assert sorted(p.name for p in shelf.home.iterdir()) == ["lock", "now"]


# ------------------------------------------------------------------------------------------------- whole processes

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.library.test_index import Shelf, until

async def main():
    shelf = Shelf(Path(sys.argv[1]))
    first, shelf.pages = True, 10_000 * int(sys.argv[2])
    async with shelf.index.in_use():
        if sys.argv[5:]:
            await until(lambda: shelf.index.state == sys.argv[5])
            print("begins", flush=True)
        for n in range(int(sys.argv[3])):
            shelf.add(int(sys.argv[4]))
            print(n, flush=True)
            await asyncio.sleep(0.01)

asyncio.run(main())
"""


def program(directory: Path, name: int, pages: int, passages: int = 20, *state: str) -> subprocess.Popen[str]:
    """`state`: of the index, before which the program does not begin."""
    arguments = [str(directory), str(name), str(pages), str(passages), *state]
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)


async def check_the_whole(directory: Path) -> None:
    shelf = Shelf(directory)
    shelf.pages = shelf.record.rows("SELECT max(row) FROM documents")[0][0]
    async with shelf.index.in_use():
        await shelf.caught_up()
        await shelf.finds_itself()
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()
    assert shelf.record.rows("PRAGMA integrity_check") == [("ok",)]
    shelf.record.close()


async def test_a_process_that_ends_leaves_everything_in_chroma_and_no_worker(tmp_path):
    run = program(tmp_path, 1, 5, 20, "open")  # a machine that takes seconds to start Chroma may leave it for later
    assert run.stdout.readline() == "begins\n"
    assert run.wait() == 0
    run.stdout.close()
    shelf = Shelf(tmp_path)
    assert shelf.in_chroma() == shelf.all_passages()
    assert len(shelf.all_passages()) == 100
    shelf.record.close()


@pytest.mark.slow
async def test_two_processes_on_one_directory_lose_nothing(tmp_path):
    runs = [program(tmp_path, name, 40) for name in (1, 2)]
    assert [run.wait(60) for run in runs] == [0, 0]
    for run in runs:
        run.stdout.close()
    await check_the_whole(tmp_path)


async def kill_and_check(directory: Path, after: int, passages: int = 20) -> None:
    run = program(directory, after + 1, 100_000, passages)
    for _ in range(after):
        run.stdout.readline()
    run.kill()
    run.wait()
    run.stdout.close()


@pytest.mark.slow
async def test_a_kill_of_the_process_leaves_a_whole_index_or_one_that_is_mended(tmp_path):
    await kill_and_check(tmp_path, 60)
    await check_the_whole(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_many_kills_of_the_process(tmp_path):
    """Some of them while the index is built anew: there are some thousand vectors more each time."""
    for n in range(10):
        await kill_and_check(tmp_path, 20 + 7 * n, passages=40)
        await check_the_whole(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_many_kills_of_the_worker(shelf):
    async with shelf.index.in_use():
        for n in range(15):
            shelf.index._failures = 0
            await shelf.caught_up()
            for _ in range(10):
                shelf.add(40)
            if n % 3 == 2:
                shelf.add(LOG)
            await asyncio.sleep(0.03 * n)
            for pid in shelf.index._crew.pids():
                os.kill(pid, signal.SIGKILL)
        shelf.index._failures = 0
        await shelf.caught_up()
        await shelf.finds_itself()
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()


def test_a_copy_of_the_process_begins_anew(shelf):
    shelf.add(3)

    async def use(index: ChromaIndex) -> None:
        async with index.in_use():
            await shelf.caught_up()

    asyncio.run(use(shelf.index))
    child = os.fork()
    if child == 0:
        os._exit(0 if shelf.index.state == "closed" and not shelf.index._crew.pids() else 1)
    assert os.waitpid(child, 0)[1] == 0
