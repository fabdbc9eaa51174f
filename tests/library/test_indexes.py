"""Chroma's indexes in the library's upkeep: damage that Chroma does not notice is found, and mended from the record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.library.catalogue import DocumentFilter, entries, forget, plan
from agent.library.integrity import repair_indexes, verify_indexes
from tests.library.test_index import Shelf, chroma, units, until
from tests.library.test_place import holder_of


@pytest.fixture
async def shelf(tmp_path: Path):
    """A library of 60 passages whose index has all vectors and is closed."""
    shelf = Shelf(tmp_path)
    shelf.home = shelf.home / f"embedder-{shelf.number}"
    shelf.index = type(shelf.index)(shelf.home, shelf.record.path, shelf.number)
    for _ in range(3):
        shelf.add(20)
    await used(shelf)
    yield shelf
    shelf.index._crew.close()
    shelf.record.close()


async def used(shelf: Shelf) -> None:
    async with shelf.index.in_use():
        await shelf.caught_up()
        assert await shelf.found(units(1, 9)) == shelf.exactly(units(1, 9))
    await until(lambda: shelf.index.state == "closed")


def faults(shelf: Shelf) -> list[str]:
    return [fault for checked in verify_indexes(shelf.record, shelf.home.parent) for fault in checked.faults]


def mended(shelf: Shelf) -> list[str]:
    return list(repair_indexes(shelf.record, shelf.home.parent))


@pytest.mark.slow
def test_a_whole_index_is_found_to_be_so_and_left_alone(shelf):
    (checked,) = verify_indexes(shelf.record, shelf.home.parent)
    assert "60 of 60 vectors" in checked.looked_at
    assert faults(shelf) == mended(shelf) == []


def test_vectors_that_are_still_to_come_are_no_fault(shelf):
    shelf.add(5)
    (checked,) = verify_indexes(shelf.record, shelf.home.parent)
    assert "5 to come" in checked.looked_at
    assert checked.faults == ()


@pytest.mark.slow
async def test_lost_vectors_are_found_and_come_back_from_the_record(shelf):
    chroma(shelf.home, "collection.delete(ids=collection.get(limit=20)['ids']); print('[]')")
    assert "20 of 60 vectors are not found" in faults(shelf)[0]
    assert "made anew, with 60 vectors" in mended(shelf)[0]
    assert faults(shelf) == []
    await used(shelf)


@pytest.mark.slow
async def test_an_index_that_does_not_open_is_found_and_made_anew(shelf):
    (shelf.home / "now" / "chroma.sqlite3").write_bytes(b"no database " * 1000)
    assert "cannot be used" in faults(shelf)[0]
    assert "made anew, with 60 vectors" in mended(shelf)[0]
    assert faults(shelf) == []
    await used(shelf)


@pytest.mark.slow
async def test_a_collection_of_another_dimension_is_found_and_made_anew(shelf):
    chroma(
        shelf.home,
        """
        told = collection.metadata
        client.delete_collection("passages")
        other = client.create_collection("passages", embedding_function=None, metadata=told)
        other.upsert(ids=["1"], embeddings=[[1.0, 0.0]])
        """,
    )
    assert faults(shelf)
    assert "made anew, with 60 vectors" in mended(shelf)[0]
    assert faults(shelf) == []
    await used(shelf)


@pytest.mark.slow
def test_an_index_of_no_embedder_is_told_and_taken_out(shelf):
    stray = shelf.home.with_name("embedder-77")
    shutil.copytree(shelf.home, stray)
    assert faults(shelf) == ["it belongs to no embedder of this library"]
    assert str(stray) in mended(shelf)[0]
    assert not stray.exists()


def test_an_index_that_another_program_has_open_is_left_alone_and_told(shelf):
    holder = holder_of(shelf.home)
    (checked,) = verify_indexes(shelf.record, shelf.home.parent)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert "another program has it open" in checked.looked_at
    assert checked.faults == ()


async def test_what_is_forgotten_is_gone_from_chroma_and_the_rest_is_there_again(shelf):
    choice = DocumentFilter(hosts=("2.example",))
    busy = forget(shelf.record, plan(entries(shelf.record, choice), choice, {}), shelf.home.parent)
    assert busy == []
    assert not (shelf.home / "now").exists()
    await used(shelf)
    assert shelf.in_chroma() == shelf.all_passages()
    assert len(shelf.all_passages()) == 40


@pytest.mark.slow
async def test_an_index_that_was_open_elsewhere_while_something_was_forgotten_is_made_anew(shelf):
    holder = holder_of(shelf.home)
    choice = DocumentFilter(hosts=("2.example",))
    assert forget(shelf.record, plan(entries(shelf.record, choice), choice, {}), shelf.home.parent) == [shelf.home]
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert len(shelf.in_chroma()) == 60
    await used(shelf)
    assert shelf.in_chroma() == shelf.all_passages()


async def test_an_index_that_is_open_follows_what_is_forgotten(shelf):
    choice = DocumentFilter(hosts=("3.example",))
    async with shelf.index.in_use():
        await shelf.caught_up()
        forget(shelf.record, plan(entries(shelf.record, choice), choice, {}), shelf.home.parent)
        shelf.index.announce()
        await until(lambda: shelf.index._told.get("count") == 40 and shelf.index.mark == shelf.newest)
    await until(lambda: shelf.index.state == "closed")
    assert shelf.in_chroma() == shelf.all_passages()
