"""A Chroma server as the dense index: several libraries share it, and nothing depends on it."""

from __future__ import annotations

import json
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from agent.library.catalogue import DocumentFilter, entries, forget, plan
from agent.library.chroma_index import LOG
from agent.library.chroma_store import POINTER, PREFIX, ChromaServer, pointer, trouble
from agent.library.integrity import drop_served, repair_indexes, verify_indexes
from tests.chroma_server import Gate, RunningChroma, free_port
from tests.library.test_index import Shelf, units, until

# ------------------------------------------------------------------------------------------------- without a server


async def test_while_no_server_answers_nobody_waits_and_nothing_is_missing(tmp_path):
    server = ChromaServer(f"http://127.0.0.1:{free_port()}")
    shelf = Shelf(tmp_path, server)
    shelf.add(5)
    async with shelf.index.in_use():
        assert await shelf.by_chroma(units(1, 9)) is None
        assert shelf.index.state == "opening"
        await until(lambda: shelf.index.state == "away")
        assert await shelf.by_chroma(units(1, 9)) is None
        assert len(shelf.exactly(units(1, 9))[0]) == 5
    await until(lambda: shelf.index.state == "closed")
    (told,) = repair_indexes(shelf.record, shelf.home.parent, server)
    assert "cannot be reached (Connection refused)" in told
    shelf.record.close()


def answering(replies: dict[str, tuple[int, str]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = replies.get(self.path, (404, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("replies", "told"),
    [
        pytest.param({"/api/v2/version": (200, '"1.0.0"')}, "", id="one that works"),
        pytest.param({"/api/v1/version": (200, '"0.5.23"')}, "is too old", id="one before the second interface"),
        pytest.param({"/api/v2/version": (200, '"0.6.3"')}, "that one is 0.6.3", id="one before 1.0"),
        pytest.param({"/api/v2/version": (401, "")}, "refuses the key", id="a wrong key"),
        pytest.param({"/api/v2/version": (200, "<html>")}, "is no Chroma server", id="a web page"),
        pytest.param({}, "is no Chroma server", id="something else"),
    ],
)
def test_it_is_said_plainly_why_a_server_cannot_be_used(replies, told):
    server = answering(replies)
    found = trouble(ChromaServer(f"http://127.0.0.1:{server.server_port}"))
    server.shutdown()
    server.server_close()
    assert told in found
    assert bool(told) == bool(found)


def test_what_is_secret_in_an_address_stays_out_of_every_line():
    server = ChromaServer("https://me:p%40ss@chroma.example/below/", "")
    assert server.url == "https://chroma.example/below"
    assert "p@ss" not in repr(server)
    assert "p%40ss" not in repr(server)
    assert server.headers == {"Authorization": "Basic bWU6cEBzcw=="}
    assert "secret" not in repr(ChromaServer("http://chroma.example", "secret"))


# ------------------------------------------------------------------------------------------------- with a real one


@pytest.fixture
def chroma(tmp_path: Path):
    running = RunningChroma(tmp_path / "server")
    running.start()
    yield running
    running.kill()


def shelf_on(chroma: RunningChroma, directory: Path) -> Shelf:
    directory.mkdir(exist_ok=True)
    return Shelf(directory, ChromaServer(chroma.url))


def on_server(chroma: RunningChroma, shelf: Shelf) -> set[int]:
    """The passages in the shelf's collection, as another program sees them."""
    client = chroma.client()
    collection = client.get_collection(json.loads((shelf.home / POINTER).read_text())["now"], embedding_function=None)
    found = set(map(int, collection.get(limit=100_000, include=[])["ids"]))
    client.close()
    return found


async def agrees(shelf: Shelf) -> None:
    await shelf.caught_up()
    queries = units(4, 99)
    assert await shelf.found(queries) == shelf.exactly(queries)
    await shelf.finds_itself()


async def closed(*shelves: Shelf) -> None:
    for shelf in shelves:
        await until(lambda: shelf.index.state == "closed")  # noqa: B023 - asked before the next one's turn
        shelf.record.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_libraries_share_a_server_and_each_finds_its_own_as_exactly_as_without(chroma, tmp_path):
    one, other = shelf_on(chroma, tmp_path / "one"), shelf_on(chroma, tmp_path / "other")
    one.add(40)
    other.pages = 500  # the same rows, other vectors
    other.add(30)
    other.pages = 1
    async with one.index.in_use(), other.index.in_use():
        await agrees(one)
        await other.caught_up()
        assert await other.found(units(2, 7), [1]) == other.exactly(units(2, 7), [1])
        for n in range(3):
            one.add(LOG // 2 + n)  # so many that the index is built anew
        await agrees(one)
    await closed(one, other)
    assert on_server(chroma, one) == one.all_passages()
    assert on_server(chroma, other) == other.all_passages()
    client = chroma.client()
    assert len([each for each in client.list_collections() if each.name.startswith(PREFIX)]) == 2  # none is left over
    client.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_server_that_is_killed_or_wiped_is_no_loss_and_gets_what_it_misses(chroma, tmp_path):
    shelf = shelf_on(chroma, tmp_path / "one")
    shelf.add(60)
    async with shelf.index.in_use():
        await agrees(shelf)
        chroma.kill()
        shelf.add(20)
        await until(lambda: shelf.index.state == "away")
        assert await shelf.by_chroma(units(1, 9)) is None
        chroma.start()
        await agrees(shelf)
        chroma.wipe()
        shelf.add(20)
        await agrees(shelf)
    await closed(shelf)
    assert on_server(chroma, shelf) == shelf.all_passages()
    assert len(shelf.all_passages()) == 100


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_copy_of_a_library_gets_a_collection_of_its_own(chroma, tmp_path):
    first = shelf_on(chroma, tmp_path / "first")
    first.add(20)
    async with first.index.in_use():
        await agrees(first)
    await closed(first)
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    copy = shelf_on(chroma, tmp_path / "copy")
    copy.pages = 1
    first.add(20)
    async with first.index.in_use():
        await agrees(first)
    copy.pages = 700  # another page in the same rows
    copy.add(20)
    copy.pages = 2
    async with copy.index.in_use():
        await agrees(copy)
    first.add(5)
    async with first.index.in_use():
        await agrees(first)
    await closed(first, copy)
    assert pointer(first.home)["now"] != pointer(copy.home)["now"]
    assert on_server(chroma, first) == first.all_passages()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["key", "password"])
async def test_a_server_may_stand_behind_a_gate_that_asks_for_a_key(chroma, tmp_path, how, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # which is not asked for what is on this machine
    wanted = {"key": "Bearer secret", "password": "Basic bWU6c2VjcmV0"}[how]
    gate = Gate(chroma.url, "/below/it", {"Authorization": wanted})
    assert "refuses the key" in trouble(ChromaServer(f"http://{gate.address}"))
    user, key = ("", "secret") if how == "key" else ("me:secret@", "")
    shelf = Shelf(tmp_path / "one", ChromaServer(f"http://{user}{gate.address}/", key))
    shelf.add(20)
    async with shelf.index.in_use():
        await agrees(shelf)
    await closed(shelf)
    gate.close()
    assert "secret" not in (shelf.home / POINTER).read_text()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_upkeep_looks_at_the_server_mends_it_and_has_it_forget(chroma, tmp_path):
    server = ChromaServer(chroma.url)
    shelf = shelf_on(chroma, tmp_path / "one")
    for _ in range(3):
        shelf.add(20)
    async with shelf.index.in_use():
        await agrees(shelf)
    await closed(shelf)
    (checked,) = verify_indexes(shelf.record, shelf.home.parent, server)
    assert ("60 of 60 vectors" in checked.looked_at, checked.faults) == (True, ())
    client = chroma.client()
    collection = client.get_collection(pointer(shelf.home)["now"], embedding_function=None)
    collection.delete(ids=collection.get(limit=20)["ids"])
    (checked,) = verify_indexes(shelf.record, shelf.home.parent, server)
    assert "20 of 60 vectors are not found" in checked.faults[0]
    (mended,) = repair_indexes(shelf.record, shelf.home.parent, server)
    assert "made anew, with 60 vectors" in mended
    assert not list(repair_indexes(shelf.record, shelf.home.parent, server))
    choice = DocumentFilter(hosts=("2.example",))
    forget(shelf.record, plan(entries(shelf.record, choice), choice, {}), shelf.home.parent)
    assert "AGENT_CHROMA_URL" in drop_served(shelf.home, None)
    assert drop_served(shelf.home, server) == ""
    assert [each for each in client.list_collections() if each.name.startswith(PREFIX)] == []
    client.close()
    async with shelf.index.in_use():
        await agrees(shelf)
    await closed(shelf)
    assert on_server(chroma, shelf) == shelf.all_passages()
    assert len(shelf.all_passages()) == 40
