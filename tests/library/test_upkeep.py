"""What the library holds, what is forgotten of it, and how damage is found and mended."""

from __future__ import annotations

import random
import sqlite3
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.errors import LibraryError
from agent.library import schema
from agent.library.catalogue import (
    DocumentFilter,
    LibraryPaths,
    entries,
    exported,
    forget,
    plan,
    size_note,
    texts,
    totals,
)
from agent.library.integrity import verify
from agent.library.rebuild import reindex_words
from agent.library.record import Record
from agent.library.repair import repair
from agent.library.vectors import Vectors
from agent.text.search_terms import match
from tests.library.conftest import document
from tests.library.test_place import holder_of

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
NOW = datetime(2026, 3, 10, tzinfo=UTC)


def page(name: str, host: str = "a.example", *, days: int = 0, text: str = ""):
    """Fetched so many days ago; of several passages, with a word of its own."""
    body = text or "\n\n".join([f"# {name}", *(f"Words {name}word of part {n}. " * 30 for n in range(3))])
    when = (NOW - timedelta(days=days)).isoformat()
    return document(body, url=f"https://{host}/{name}", title=f"About {name}", fetched_at=when)


def filled(record: Record) -> Vectors:
    """Six pages of three runs, with vectors; one text at two addresses."""
    record.store(page("one", days=50), "first")
    record.store(page("two", "sub.a.example", days=3), "first")
    record.store(page("three", "b.example", days=2), "second")
    record.store(page("three", "b.example", days=1), "third")
    record.store(page("four", "c.example", text="# 四\n\n推理模型在一月公布了权重。" * 40), "third")
    record.store(page("five", "d.example", text="The same text."), "third")
    record.store(page("six", "e.example", text="The same text."), "third")
    vectors = Vectors(record)
    number = vectors.embedder("test", np.eye(1, 8, dtype=np.float32))
    rows = [row for (row,) in record.rows("SELECT row FROM passages ORDER BY row")]
    vectors.add(number, rows, np.random.default_rng(0).standard_normal((len(rows), 8)).astype(np.float32))
    return vectors


def faults(record: Record) -> dict[str, tuple[str, ...]]:
    return {checked.part: checked.faults for checked in verify(record) if checked.faults}


def addresses(found) -> list[str]:
    return sorted(entry.url.rpartition("/")[2] for entry in found)


def chosen(record: Record, **what) -> list[str]:
    return addresses(entries(record, DocumentFilter(**what)))


def found(record: Record, word: str) -> list[str]:
    everything = [row for (row,) in record.rows("SELECT row FROM documents")]
    return [passage.text for passage in record.passages(record.with_words(match(word), everything, 50)).values()]


# ------------------------------------------------------------------------------------------------- what there is


def test_what_was_read_is_listed_newest_first_with_its_runs(record):
    filled(record)
    told = entries(record)
    assert [entry.fetched for entry in told] == sorted((entry.fetched for entry in told), reverse=True)
    assert {entry.url: entry.runs for entry in told}["https://b.example/three"] == ("second", "third")
    assert (totals(record).documents, totals(record).texts, totals(record).runs) == (6, 5, 3)


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ({"hosts": ("a.example",)}, ["one", "two"]),
        ({"hosts": ("https://B.example/x", "c.example")}, ["four", "three"]),
        ({"hosts": ("example",)}, ["five", "four", "one", "six", "three", "two"]),
        ({"hosts": ("ample",)}, []),
        ({"run_id": "first"}, ["one", "two"]),
        ({"before": NOW - timedelta(days=2)}, ["one", "two"]),
        ({"since": NOW - timedelta(days=1)}, ["five", "four", "six", "three"]),
        ({"run_id": "first", "since": NOW - timedelta(days=9)}, ["two"]),
        ({"keys": ("https://A.EXAMPLE:443/one#part",)}, ["one"]),
        ({"keys": ("b.example/three", "https://a.example/one")}, ["one", "three"]),
        ({"keys": (document("The same text.").snapshot,)}, ["five", "six"]),
        ({"keys": (document("The same text.").snapshot[:8].upper(),)}, ["five", "six"]),
        ({"keys": (document("The same text.").snapshot[:7],)}, []),
    ],
)
def test_documents_are_chosen_by_all_that_is_given(record, what, names):
    filled(record)
    assert chosen(record, **what) == names


def test_local_documents_are_chosen_by_their_folder_or_path(record, tmp_path):
    inside, beside = (tmp_path / name / "note.md" for name in ("mine", "mine too"))
    for path in (inside, beside):
        record.store(document(f"In {path}.", url=path.as_uri()), "run")
    record.store(page("one"), "run")
    assert [e.url for e in entries(record, DocumentFilter(folder=tmp_path / "mine"))] == [inside.as_uri()]
    assert [e.url for e in entries(record, DocumentFilter(keys=(str(beside),)))] == [beside.as_uri()]


def test_a_text_is_told_with_every_address_and_every_time(record):
    filled(record)
    (text,) = texts(record, "https://d.example/five")
    assert [address.entry.url for address in text.addresses] == ["https://e.example/six", "https://d.example/five"]
    (three,) = texts(record, "b.example/three")
    assert len(three.addresses[0].sightings) == 2
    assert three.characters == len(record.text(three.snapshot))


def test_an_address_with_several_texts_tells_all_of_them_the_newest_first(record):
    for days, words_ in enumerate(["Newest.", "Older."]):
        record.store(page("one", days=days, text=words_), "run")
    assert [record.text(text.snapshot) for text in texts(record, "https://a.example/one")] == ["Newest.", "Older."]


def test_what_is_not_there_is_an_error_that_names_it(record):
    filled(record)
    with pytest.raises(LibraryError, match=r"nothing from 'https://nobody\.example/'"):
        texts(record, "https://nobody.example/")


def test_what_is_exported_is_enough_to_check_every_quote(record):
    filled(record)
    lines = list(exported(record, entries(record)))
    assert len(lines) == 6
    for line in lines:
        assert [line["text"][p["start"] : p["end"]] for p in line["passages"]] == [
            passage.text for passage in record.passages(rows_of(record, line["id"])).values()
        ]
    assert len(next(line for line in lines if line["url"].endswith("three"))["fetches"]) == 2
    assert "text" not in next(exported(record, entries(record), with_text=False))


def rows_of(record: Record, identity: str) -> list[int]:
    query = "SELECT p.row FROM passages p JOIN documents d ON d.row = p.document WHERE d.id = ? ORDER BY p.row"
    return [row for (row,) in record.rows(query, identity)]


def test_a_library_that_has_grown_beyond_what_its_owner_wants_is_told_and_no_other(record):
    directory = record.path.parent
    assert size_note(directory / "none", 1) == ""
    for n in range(12):
        record.store(page(f"p{n}", text=" ".join(f"w{random.randrange(10**6)}" for _ in range(12_000))), "run")
    assert 1_000_000 < LibraryPaths(directory).bytes() < 10_000_000
    assert "AGENT_LIBRARY_WARN_MB=1" in size_note(directory, 1)
    assert size_note(directory, 10) == size_note(directory, 0) == ""


# ------------------------------------------------------------------------------------------------- forgetting


def forgotten(record: Record, choice: DocumentFilter, citing=None, **more) -> list[str]:
    planned = plan(entries(record, choice), choice, citing or {}, **more)
    forget(record, planned, record.path.parent / "chroma")
    return addresses(planned.goes)


def test_what_is_forgotten_leaves_nothing_behind(record):
    filled(record)
    gone = page("one", days=50)
    identity = record.id
    assert forgotten(record, DocumentFilter(keys=(gone.url,))) == ["one"]
    assert faults(record) == {}
    assert record.recall(gone.url, LONG_AGO) is None
    with pytest.raises(LibraryError, match="holds no text"):
        record.text(gone.snapshot)
    assert found(record, "oneword") == []
    assert len(found(record, "twoword")) == 3
    assert record.id != identity  # by which an index over the rows knows that it is of no use any more


def test_the_file_holds_no_word_of_what_is_forgotten_and_gives_the_space_back(record):
    for n in range(30):
        record.store(page(f"page{n}x", text=" ".join(f"q{3_000 * n + i}marked{n}x" for i in range(3_000))), "run")
    record.close()
    before = LibraryPaths(record.path.parent).bytes()
    assert b"marked7x" in record.path.read_bytes()
    forgotten(record, DocumentFilter(hosts=("a.example",)))
    record.close()
    assert b"marked" not in b"".join(path.read_bytes() for path in record.path.parent.iterdir())
    assert LibraryPaths(record.path.parent).bytes() < before / 4


def test_a_text_that_stands_at_another_address_too_stays_for_that_one(record):
    filled(record)
    forgotten(record, DocumentFilter(keys=("https://d.example/five",)))
    assert record.text(document("The same text.").snapshot) == "The same text."
    assert record.recall("https://e.example/six", LONG_AGO)
    assert faults(record) == {}


def test_what_answers_cite_stays_unless_it_is_asked_for(record):
    filled(record)
    citing = {page("one").snapshot: {"first"}}
    assert forgotten(record, DocumentFilter(hosts=("a.example",)), citing) == ["two"]
    assert forgotten(record, DocumentFilter(hosts=("a.example",)), citing, cited_too=True) == ["one"]


def test_what_a_run_read_alone_goes_with_it_and_what_others_read_or_cite_stays(record):
    filled(record)
    citing = {page("two").snapshot: {"third"}, page("one").snapshot: {"first"}}
    choice = DocumentFilter(run_id="first")
    planned = plan(entries(record, choice), choice, citing)
    assert (addresses(planned.goes), addresses(planned.cited)) == (["one"], ["two"])
    second = DocumentFilter(run_id="second")
    assert forgotten(record, second) == []
    assert chosen(record, run_id="second") == []
    assert chosen(record, hosts=("b.example",)) == ["three"]


def test_forgetting_many_is_done_in_parts_and_completely(record):
    for n in range(120):
        record.store(page(f"p{n}"), "run")
    assert len(forgotten(record, DocumentFilter(run_id="run"))) == 120
    assert totals(record).passages == 0
    assert faults(record) == {}


def test_an_index_that_is_in_use_is_told_and_the_others_are_emptied(record):
    filled(record)
    home = record.path.parent / "chroma"
    for name in ("embedder-1", "embedder-2"):
        (home / name / "now").mkdir(parents=True)
    holder = holder_of(home / "embedder-2")
    choice = DocumentFilter(hosts=("a.example",))
    busy = forget(record, plan(entries(record, choice), choice, {}), home)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert busy == [home / "embedder-2"]
    assert not (home / "embedder-1" / "now").exists()
    assert (home / "embedder-2" / "now").exists()


# ------------------------------------------------------------------------------------------------- damage


def change(record: Record, statement: str, *values) -> None:
    """As a fault of a disk or another program would."""
    db = sqlite3.connect(record.path)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute(statement, values)
    db.commit()
    db.close()


_OTHER = zlib.compress(b"something else")
_THREE = "(SELECT row FROM documents WHERE url LIKE '%three')"
DAMAGE = {
    "a text that is none": ("UPDATE snapshots SET text = x'00' WHERE rowid = 1", {"texts", "words"}, ["one"]),
    "another text": (f"UPDATE snapshots SET text = x'{_OTHER.hex()}' WHERE rowid = 1", {"texts", "words"}, ["one"]),
    "a passage past the end": (f'UPDATE passages SET "end" = 99999 WHERE document = {_THREE}', {"passages"}, []),
    "a passage in another place": (
        f'UPDATE passages SET start = start + 3 WHERE document = {_THREE}', {"passages", "words"}, []
    ),
    "a passage less": (
        f"DELETE FROM passages WHERE row = (SELECT min(row) FROM passages WHERE document = {_THREE})",
        {"rows", "passages", "words"}, [],
    ),
    "a document less": (f"DELETE FROM documents WHERE row = {_THREE}", {"rows"}, ["three"]),
    "a text less": ("DELETE FROM snapshots WHERE rowid = 1", {"rows"}, ["one"]),
    "no words of a passage": ("DELETE FROM words_docsize WHERE id = 2", {"words"}, []),
    "words of no passage": ("INSERT INTO words (rowid, text, head) VALUES (777, 'x', 'y')", {"words"}, []),
    "a word too many": ("INSERT INTO words (rowid, text, head) VALUES (1, 'x', 'y')", {"words"}, []),
    "words of an older program": ("UPDATE about SET value = 'old' WHERE key = 'words'", {"words"}, []),
    "a vector of another size": ("UPDATE vectors SET vector = x'0001' WHERE row = 2", {"vectors"}, []),
    "a vector of no passage": ("UPDATE vectors SET passage = 999 WHERE row = 2", {"rows"}, []),
    "a fetch of no document": ("UPDATE sightings SET document = 999 WHERE document = 1", {"rows"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "parts", "lost"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found_named_and_mended_at_no_other_cost(record, statement, parts, lost):
    filled(record)
    record.close()
    names = {entry.url.rpartition("/")[2] for entry in entries(record)}
    change(record, statement)
    assert set(faults(record)) & parts
    assert set(faults(record)) <= {*parts, "words", "vectors", "passages"}
    assert list(repair(record))
    assert faults(record) == {}
    assert {entry.url.rpartition("/")[2] for entry in entries(record)} == names - set(lost)
    for name in names - {*lost, "four", "five", "six"}:
        assert len(found(record, f"{name}word")) == 3
    assert list(repair(record)) == []


def test_a_whole_library_is_left_as_it_is(record):
    filled(record)
    record.close()
    before = record.path.read_bytes()
    assert faults(record) == {}
    assert list(repair(record)) == []
    record.close()
    assert record.path.read_bytes() == before


def test_repair_tells_what_is_lost(record):
    filled(record)
    change(record, "UPDATE snapshots SET text = x'00' WHERE rowid = 1")
    assert [line for line in repair(record) if "https://a.example/one" in line]


def test_a_damaged_text_is_put_right_when_its_page_is_read_again(record):
    filled(record)
    change(record, "UPDATE snapshots SET text = x'00' WHERE rowid = 1")
    one = page("one")
    assert record.recall(one.url, LONG_AGO) is None
    record.store(one, "later")
    assert record.text(one.snapshot) == one.text
    assert faults(record) == {}


def test_every_reference_of_the_tables_is_mended(record):
    """A table that is added with a reference needs a line among those that take out what belongs to nothing."""
    filled(record)
    tables = [name for (name,) in record.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    references = [(table, row[3]) for table in tables for row in record.rows(f"PRAGMA foreign_key_list({table})")]
    assert references
    for table, column in references:
        wrong = "'none'" if column == "snapshot" else "987654"
        change(record, f"UPDATE OR IGNORE {table} SET {column} = {wrong}")
        list(repair(record))
        assert faults(record) == {}, (table, column)
        filled(record)


def spoilt(path: Path, share: float) -> None:
    """Zeros over a page in the file, as far into it as `share`."""
    content = bytearray(path.read_bytes())
    at = int(len(content) * share) // 4096 * 4096
    content[at : at + 4096] = bytes(4096)
    path.write_bytes(content)


@pytest.mark.parametrize("share", [0.25, 0.4, 0.55, 0.7, 0.85, 0.99])
def test_of_a_damaged_file_what_can_be_read_is_saved_and_the_rest_is_kept_beside(record, share):
    for n in range(60):
        record.store(page(f"p{n}", text="\n\n".join(f"{n} says {i}word{n}. " * 40 for i in range(4))), "run")
    record.close()
    spoilt(record.path, share)
    if "file" not in faults(record) and not faults(record):
        pytest.skip("no row was on that page")
    told = list(repair(record))
    assert told
    assert faults(record) == {}
    kept = entries(record)
    assert len(kept) >= 40
    assert found(record, f"2word{kept[0].url.rpartition('p')[2]}")
    if "the file is damaged" in told[0]:
        assert [path for path in record.path.parent.iterdir() if ".damaged-" in path.name]
    record.store(page("new"), "run")
    assert len(entries(record)) == len(kept) + 1


def test_between_two_damaged_places_the_rest_is_saved_too(record):
    chance = random.Random(0)
    for n in range(200):
        record.store(page(f"p{n}", text=" ".join(f"w{chance.randrange(10_000)}" for _ in range(600))), "run")
    texts_ = record.rows("SELECT text FROM snapshots WHERE rowid IN (60, 160)")
    record.close()
    content = record.path.read_bytes()
    for (blob,) in texts_:
        spoilt(record.path, content.index(blob[-100:]) / len(content))
    assert list(repair(record))
    assert faults(record) == {}
    assert 150 < len(entries(record)) < 200


def test_half_a_file_is_mended_to_half_a_library(record):
    chance = random.Random(0)
    for n in range(200):
        record.store(page(f"p{n}", text=" ".join(f"w{chance.randrange(10_000)}" for _ in range(600))), "run")
    record.close()
    content = record.path.read_bytes()
    record.path.write_bytes(content[: len(content) // 2])
    assert faults(record)
    told = list(repair(record))
    assert "the file is damaged" in told[0]
    assert len(entries(record)) > 70
    assert faults(record) == {}


def test_a_file_that_is_no_database_is_set_aside_and_kept(record):
    record.path.write_text("no database " * 1_000)
    with pytest.raises(LibraryError, match="library repair"):
        record.id  # noqa: B018
    (told,) = repair(record)
    (kept,) = [path for path in record.path.parent.iterdir() if ".damaged-" in path.name]
    assert str(kept) in told
    assert kept.read_text().startswith("no database")
    record.store(page("one"), "run")
    assert faults(record) == {}


def test_another_programs_database_is_not_mended(record):
    with sqlite3.connect(record.path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = record.path.read_bytes()
    with pytest.raises(LibraryError, match="not a library of this program"):
        list(repair(record))
    assert record.path.read_bytes() == before


def test_a_damaged_file_that_another_program_uses_is_left_to_it(record):
    for n in range(20):
        record.store(page(f"p{n}"), "run")
    record.close()
    spoilt(record.path, 0.5)
    other = sqlite3.connect(record.path)
    other.execute("SELECT count(*) FROM about").fetchone()
    with pytest.raises(LibraryError, match="another program is using"):
        list(repair(record))
    other.close()
    assert list(repair(record))


# ------------------------------------------------------------------------------------------------- words


def test_words_made_anew_are_the_same_and_take_in_what_came_meanwhile(record):
    filled(record)

    def stores(done: int, _: int) -> None:
        if done:
            record.store(page("late"), "run")

    count = reindex_words(record, stores)
    assert count == totals(record).passages
    assert len(found(record, "lateword")) == 3
    assert faults(record) == {}


def test_words_made_anew_leave_out_what_is_forgotten_meanwhile(record):
    filled(record)
    done = []

    def forgets(*_) -> None:
        if not done:
            done.append(forgotten(record, DocumentFilter(keys=("https://a.example/one",))))

    reindex_words(record, forgets)
    assert done == [["one"]]
    assert found(record, "oneword") == []
    assert faults(record) == {}


def test_words_of_an_older_program_are_made_anew_before_any_are_taken_out(record):
    filled(record)
    change(record, "UPDATE about SET value = 'old' WHERE key = 'words'")
    forgotten(record, DocumentFilter(keys=("https://a.example/one",)))
    assert faults(record) == {}


def test_a_page_with_a_damaged_text_can_be_forgotten(record):
    filled(record)
    change(record, "UPDATE snapshots SET text = x'00' WHERE rowid = 1")
    assert forgotten(record, DocumentFilter(keys=("https://a.example/one",))) == ["one"]
    assert faults(record) == {}


def test_the_form_of_the_words_is_told_with_the_file(tmp_path):
    with schema.connect(tmp_path / schema.FILE) as connection:
        assert schema.is_current(connection)
    connection.close()
