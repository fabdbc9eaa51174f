"""Files that may go at any time are looked at like the rest, and go when they are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.library.integrity import repair_cache_files, verify_cache_files
from agent.library.vector_cache import mapped, path_of
from agent.library.vectors import Vectors
from agent.search.folder_index import FolderIndex
from tests.library.test_vectors import many


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """With the index of one folder."""
    index = FolderIndex(tmp_path / "folders" / "one.sqlite3")
    for n in range(40):
        index.put(f"file:///{n}", f"name {n}", f"Words of file {n}. " * 60, digest=str(n))
    index.close()
    return tmp_path / "folders"


@pytest.fixture
def held(record) -> Path:
    """The file of a record's vectors."""
    vectors, number = many(record, 20)
    vectors.keep(number, least=1)
    return path_of(record.path, number)


def faults(record, folders: Path) -> dict[str, tuple[str, ...]]:
    return {one.part: one.faults for one in verify_cache_files(record, folders)}


def test_what_is_whole_is_left_alone(record, held, folders):
    many(record, 23)  # some came since
    assert faults(record, folders) == {"held": (), "folder": ()}
    assert list(repair_cache_files(record, folders)) == []
    assert held.exists()


def test_a_vector_that_is_not_the_records_is_found_and_its_file_goes(record, held, folders):
    content = bytearray(held.read_bytes())
    content[-5_000] ^= 1
    held.write_bytes(content)
    assert faults(record, folders)["held"] == ("1 vectors are not the record's",)
    [told] = repair_cache_files(record, folders)
    assert str(held) in told
    assert not held.exists()
    Vectors(record).keep(1, least=1)
    assert len(mapped(held, record.id)) == 160


def test_a_file_over_another_record_is_told_and_is_no_fault(record, held, folders):
    with record.writing() as connection:
        connection.execute("UPDATE about SET value = 'another' WHERE key = 'id'")
    [told, _] = verify_cache_files(record, folders)
    assert "not used" in told.looked_at
    assert told.faults == ()


@pytest.mark.parametrize("damage", ["a page of zeros", "no database"])
def test_a_damaged_folder_index_is_found_and_goes(record, folders, damage):
    [path] = folders.glob("*.sqlite3")
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content if damage == "a page of zeros" else b"no database " * 1000)
    assert faults(record, folders)["folder"]
    [told] = repair_cache_files(record, folders)
    assert str(path) in told
    assert list(folders.iterdir()) == []
    assert faults(record, folders) == {}
