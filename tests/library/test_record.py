"""What the record promises: what was stored is there, once, exactly, whoever else uses the file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import LibraryError
from agent.library import schema
from agent.library.record import Record
from agent.text.chunking import split
from agent.text.search_terms import match
from tests.library.conftest import document

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


def found(record: Record, question: str, *documents) -> list[str]:
    rows = record.with_words(match(question), record.rows_of([d.id for d in documents]), 10)
    passages = record.passages(rows)
    return [passages[row].text for row in rows]


# ------------------------------------------------------------------------------------------------- texts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), min_size=1, max_size=300))
def test_a_stored_text_comes_back_as_it_was(record, text):
    page = document(text)
    record.store(page, "run")
    record.text.cache_clear()
    assert record.text(page.snapshot) == text


def test_line_ends_and_odd_characters_are_kept(record):
    page = document("\ufeffOne\r\ntwo\rthree\u2028four\0five \ud83d six 🇩🇪\r\n")
    record.store(page, "run")
    record.text.cache_clear()
    assert record.text(page.snapshot) == page.text


def test_an_unknown_text_is_an_error_that_names_it(record):
    with pytest.raises(LibraryError, match="holds no text 'abc'"):
        record.text("abc")


def test_a_damaged_text_is_told_as_such(record):
    page = document("A text.")
    record.store(page, "run")
    with record.writing() as connection:
        connection.execute("UPDATE snapshots SET text = x'00'")
    with pytest.raises(LibraryError, match="is damaged"):
        record.text(page.snapshot)


def test_passages_are_those_that_cutting_the_document_gives(record):
    page = document("# Title\n\n" + "A sentence of some length about models. " * 100)
    assert record.store(page, "run") == len(split(page)) > 3
    rows = [row for (row,) in record.rows("SELECT row FROM passages ORDER BY row")]
    assert [record.passages(rows)[row] for row in rows] == split(page)


# ------------------------------------------------------------------------------------------------- once


def count(record: Record, table: str) -> int:
    return record.rows(f"SELECT count(*) FROM {table}")[0][0]


def test_storing_twice_is_storing_once(record):
    page = document("The same page. " * 200)
    assert record.store(page, "run") == record.store(page, "run")
    assert [count(record, t) for t in ("documents", "snapshots", "run_documents")] == [1, 1, 1]
    assert count(record, "passages") == count(record, "words") == len(split(page))


def test_the_same_text_at_two_addresses_is_kept_once_and_found_at_both(record):
    pages = [document("Shared text.", url=f"https://{name}.example/") for name in "ab"]
    for page in pages:
        record.store(page, "run")
    assert [count(record, t) for t in ("documents", "snapshots")] == [2, 1]
    assert all(record.recall(page.url, LONG_AGO) == page for page in pages)


def test_a_document_knows_all_its_runs(record):
    page = document("A page.")
    record.store(page, "first")
    record.store(page, "second")
    assert count(record, "run_documents") == 2


# ------------------------------------------------------------------------------------------------- recall


def test_what_was_read_from_an_address_comes_back_whole(record):
    page = document(
        "A PDF's text.", published="2026-01-02", language="en", page_starts=(0, 6), media_type="application/pdf",
        etag='"abc"', last_modified="Mon, 02 Feb 2026 00:00:00 GMT", extraction="pdf 1",
    )  # fmt: skip
    record.store(page, "run")
    assert record.recall(page.url, LONG_AGO) == page


def test_what_is_older_than_asked_for_is_not_recalled(record):
    page = document("A page.", fetched_at="2026-03-01T10:00:00+00:00")
    record.store(page, "run")
    assert record.recall(page.url, datetime(2026, 3, 1, 10, tzinfo=UTC)) == page
    assert record.recall(page.url, datetime(2026, 3, 1, 11, tzinfo=UTC)) is None
    assert record.recall("https://a.example/other", LONG_AGO) is None


def test_times_are_compared_as_times_however_they_are_written(record):
    page = document("A page.", fetched_at="2026-03-01T12:00:00+02:00")
    record.store(page, "run")
    assert record.recall(page.url, datetime(2026, 3, 1, 10, 30, tzinfo=UTC)) is None


def test_of_two_versions_of_a_page_the_newer_is_recalled(record):
    old = document("Old.", fetched_at="2026-01-01T00:00:00Z")
    new = document("New.", fetched_at="2026-02-01T00:00:00Z")
    record.store(new, "run")
    record.store(old, "run")
    assert record.recall(old.url, LONG_AGO) == new


def test_a_page_that_was_fetched_again_unchanged_counts_as_fresh(record):
    record.store(document("Same.", fetched_at="2026-01-01T00:00:00Z", etag="one"), "first")
    again = document("Same.", fetched_at="2026-02-01T00:00:00Z", etag="two")
    record.store(again, "second")
    assert record.recall(again.url, datetime(2026, 1, 15, tzinfo=UTC)) == again


def sightings(record: Record) -> list[tuple]:
    return record.rows(
        "SELECT d.url, s.fetched_at, s.etag, s.media_type, s.extraction FROM sightings s "
        "JOIN documents d ON d.row = s.document ORDER BY s.fetched, d.url"
    )


def test_each_time_that_a_text_was_had_is_kept_with_what_the_server_said(record):
    first = document("Same.", fetched_at="2026-01-01T00:00:00Z", etag="one", extraction="html 1")
    again = document("Same.", fetched_at="2026-02-01T00:00:00Z", etag="two", media_type="text/plain")
    other = document("Same.", url="https://b.example/", fetched_at="2026-01-15T00:00:00Z")
    for page in (first, again, other, again):
        record.store(page, "run")
    assert sightings(record) == [
        (first.url, "2026-01-01T00:00:00Z", "one", "text/html", "html 1"),
        (other.url, "2026-01-15T00:00:00Z", None, "text/html", ""),
        (first.url, "2026-02-01T00:00:00Z", "two", "text/plain", ""),
    ]


def test_a_fetch_that_is_stored_late_is_kept_and_changes_nothing_else(record):
    new = document("Same.", fetched_at="2026-02-01T00:00:00Z", etag="new", author="New")
    record.store(new, "run")
    record.store(document("Same.", fetched_at="2026-01-01T00:00:00Z", etag="old", author="Old"), "run")
    assert [etag for _, _, etag, *_ in sightings(record)] == ["old", "new"]
    assert record.recall(new.url, LONG_AGO) == new


def test_an_address_with_another_text_keeps_the_first_text_and_its_time(record):
    old, new = (document(text, fetched_at=f"2026-0{n}-01T00:00:00Z") for n, text in enumerate(["Old.", "New."], 1))
    record.store(old, "run")
    record.store(new, "run")
    assert [record.text(page.snapshot) for page in (old, new)] == ["Old.", "New."]
    assert [at for _, at, *_ in sightings(record)] == [old.fetched_at, new.fetched_at]


def test_what_a_later_fetch_says_of_the_same_text_is_what_counts(record):
    record.store(document("Same.", fetched_at="2026-01-01T00:00:00Z"), "run")
    again = document(
        "Same.", fetched_at="2026-02-01T00:00:00Z", media_type="application/pdf", language="en",
        published="2026-01-05", page_starts=(0, 2), etag="e", last_modified="then", extraction="pdf 2", author="A",
        modified="2026-01-06", date_certainty="stated", suspect=True, declares="https://a.example/",
    )  # fmt: skip
    record.store(again, "run")
    assert record.recall(again.url, LONG_AGO) == again


# ------------------------------------------------------------------------------------------------- words


def test_passages_are_found_by_their_words_best_first(record):
    page = document("\n\n".join(["# A\n\n" + "Cats sleep. " * 60, "# B\n\n" + "Reward models rate replies. " * 30]))
    record.store(page, "run")
    texts = found(record, "How does a reward model rate?", page)
    assert len(texts) == 1
    assert texts[0].startswith("# B")


def test_only_the_documents_asked_for_are_searched(record):
    wanted, other = (
        document("Apples here.", url="https://a.example/"),
        document("Apples there.", url="https://b.example/"),
    )
    record.store(wanted, "run")
    record.store(other, "run")
    assert found(record, "apples", wanted) == ["Apples here."]
    assert found(record, "apples") == []


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("深度求索在一月公布了推理模型的权重。", "推理模型什么时候公布?"),
        ("茶馆里喝茶。", "茶"),
        ("これは推論モデルについての文章です。", "推論モデルとは何ですか"),
        ("추론 모델은 강화 학습으로 훈련되었다.", "강화학습이란?"),
        ("แบบจำลองภาษาขนาดใหญ่ได้รับการฝึก", "ภาษาขนาดใหญ่"),
        ("Модель обучалась без разметки.", "как обучалась модель"),
        ("Das Modell wurde für Übungen gemacht.", "ubungen"),
        ("ＤｅｅｐＳｅｅｋ wrote it.", "deepseek"),
        ("It cost 5.576 million dollars.", "5.576"),
        ("R1-Zero came first.", "r1-zero"),
    ],
)
def test_words_are_found_in_many_scripts(record, text, question):
    decoys = [document(d, url=f"https://{n}.example/") for n, d in enumerate(["天气很好。", "Nothing of the sort."])]
    page = document(text)
    for one in (page, *decoys):
        record.store(one, "run")
    assert found(record, question, page, *decoys)[:1] == [text]


@pytest.mark.parametrize(
    "question",
    ["", "   ", '"', "AND OR NOT", "a* NEAR(b)", "col:x", "the of", "?!", "\0", "\ud800", "x" * 100_000, "。"],
)
def test_no_question_breaks_the_search(record, question):
    page = document("Some text.")
    record.store(page, "run")
    assert isinstance(found(record, question, page), list)


def test_words_of_the_title_count_too(record):
    page = document("It was published in winter.", title="The pangolin report")
    record.store(page, "run")
    assert found(record, "pangolin", page) == ["It was published in winter."]


# ------------------------------------------------------------------------------------------------- the file


def refusal(path) -> str:
    with pytest.raises(LibraryError) as caught:
        Record(path).rows("SELECT 1")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_record_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / schema.FILE
    record = Record(path)
    record.store(document("A page."), "run")
    record.rows(f"PRAGMA user_version = {schema.VERSION + 1}")
    record.close()
    before = path.read_bytes()
    assert "newer version" in refusal(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / schema.FILE
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    assert "not a library of this program" in refusal(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / schema.FILE
    path.write_text("not a database at all " * 100)
    assert "not a database" in refusal(path)


def test_a_directory_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="AGENT_DATA_DIR"):
        Record(tmp_path / "file" / schema.FILE).rows("SELECT 1")


def test_a_writer_that_breaks_off_leaves_nothing_half_done(record):
    def breaks_off():
        with record.writing() as connection:
            connection.execute("INSERT INTO snapshots VALUES ('h', x'00')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks_off()
    assert count(record, "snapshots") == 0


def test_who_writes_is_alone_from_the_first_moment(record):
    other = sqlite3.connect(record.path, timeout=0, isolation_level=None)
    with record.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_many_threads_may_use_one_record(record):
    pages = [document(f"Page {n}. " * 50, url=f"https://{n}.example/") for n in range(24)]
    threads = [
        threading.Thread(target=lambda some=pages[i::4]: [record.store(page, "run") for page in some]) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(record.recall(page.url, LONG_AGO) == page for page in pages)


def test_a_fork_uses_a_connection_of_its_own(record):
    record.store(document("Before."), "run")
    parents = record._connection
    child = os.fork()
    if child == 0:
        record.store(document("In the copy.", url="https://copy.example/"), "run")
        os._exit(1 if record._connection is parents else 0)
    assert os.waitpid(child, 0)[1] == 0
    record.store(document("After.", url="https://after.example/"), "run")
    assert count(record, "documents") == 3
    assert record.rows("PRAGMA integrity_check") == [("ok",)]


WRITER = """
import sys
from pathlib import Path
from agent.library.record import Record
from tests.library.conftest import document
record = Record(Path(sys.argv[1]))
print("open", flush=True)
for n in range(int(sys.argv[3])):
    record.store(document(f"Page {n} of {sys.argv[2]}. " * 60, url=f"https://{sys.argv[2]}.example/{n}"), sys.argv[2])
    print(n, flush=True)
"""


def writer(path, name: str, pages: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(pages)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_begin_at_once_share_a_new_record(tmp_path):
    path = tmp_path / schema.FILE
    writers = [writer(path, name, 15) for name in "abc"]
    assert [w.wait(60) for w in writers] == [0, 0, 0]
    for w in writers:
        w.stdout.close()
    record = Record(path)
    assert count(record, "documents") == 45
    assert record.rows("PRAGMA integrity_check") == [("ok",)]
    record.close()


def check_a_kill(path, name: str, after: int) -> None:
    killed = writer(path, name, 100_000)
    acknowledged = [line for line, _ in zip(killed.stdout, range(after + 2), strict=False)][1:]
    killed.kill()
    killed.wait()
    killed.stdout.close()
    record = Record(path)
    for n in map(int, acknowledged):
        page = record.recall(f"https://{name}.example/{n}", LONG_AGO)
        assert page
        assert found(record, f"page {n}", page)
    assert record.rows("PRAGMA integrity_check") == [("ok",)]
    assert record.rows(
        "SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM passages WHERE document = d.row)"
    ) == [(0,)]
    assert count(record, "passages") == count(record, "words")
    record.close()


def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_acknowledged(tmp_path):
    check_a_kill(tmp_path / schema.FILE, "k", after=7)


@pytest.mark.slow
def test_many_kills_in_the_middle_of_writing_lose_nothing(tmp_path):
    for n in range(30):
        check_a_kill(tmp_path / schema.FILE, f"k{n}", after=n % 11)


# ------------------------------------------------------------------------------------------------- much


def of_words(record: Record, count: int) -> list:
    """Pages that all have one word, every fifth of them a second, and the last one a third."""
    pages = []
    for n in range(count):
        text = f"Authors write of models here {n}.{' Distilled ones.' if n % 5 == 0 else ''}"
        text += " Aardvarks too." if n == count - 1 else ""
        pages.append(document(text, url=f"https://a.example/{n}"))
        record.store(pages[-1], "run")
    return pages


def test_asked_of_much_it_finds_the_same_as_asked_of_little(record):
    pages = of_words(record, 60)
    for wanted in (pages, pages[::2], pages[:3]):  # all; half: left out afterwards; a few: looked up before
        rows = record.rows_of([p.id for p in wanted])
        known = record.with_words(match("distilled models"), rows, 4)
        in_all = record.with_words(match("distilled models"), record.rows_of([p.id for p in pages]), 100)
        owners = record.owners(list(in_all))
        assert known == dict([(row, score) for row, score in in_all.items() if owners[row] in rows][:4])


def test_a_part_that_is_ranked_low_is_found_in_full(record):
    pages = of_words(record, 60)
    low = [p for n, p in enumerate(pages) if n % 5]
    assert len(record.with_words(match("distilled models"), record.rows_of([p.id for p in low]), 6)) == 6


def test_words_that_stand_everywhere_are_left_out_where_all_together_are_too_many(tmp_path):
    record = Record(tmp_path / "library.sqlite3", weighed=20)
    pages = of_words(record, 60)
    rows = record.rows_of([p.id for p in pages])
    found = record.with_words(match("aardvarks, distilled models"), rows, 60)
    assert len(found) == 13  # those with a rare word
    assert max(found, key=found.__getitem__) == record.rows("SELECT max(row) FROM passages")[0][0]
    assert len(record.with_words(match("models"), rows, 60)) == 60  # nothing else to go by
    record.close()


def test_of_words_that_all_stand_in_too_many_passages_the_rarest_is_looked_for(tmp_path):
    record = Record(tmp_path / "library.sqlite3", weighed=5)
    pages = of_words(record, 60)
    found = record.with_words(match("authors: distilled models"), record.rows_of([p.id for p in pages]), 60)
    assert len(found) == 12
    record.close()


@pytest.mark.parametrize(
    ("question", "weighed", "count"),
    [("distilled ones reason", 12, 12), ("distilled ones reason", 11, 6), ("distilled models", 11, 6)],
)
def test_passages_are_weighed_once_however_many_of_the_words_they_have(tmp_path, question, weighed, count):
    record = Record(tmp_path / "library.sqlite3", weighed=weighed)
    for n in range(12):
        text = "Distilled ones reason." if n < 6 else "Models: other ones reason."
        record.store(document(f"{text} {n}", url=f"https://a.example/{n}"), "run")
    assert len(record.with_words(match(question), [*range(1, 13)], 60)) == count
    record.close()


def test_words_whose_passages_are_gone_hide_nothing_that_is_there(record):
    pages = of_words(record, 40)
    with record.writing() as connection:
        connection.execute("DELETE FROM passages WHERE row <= 30")  # as a forgotten text that could not be read
    rows = record.rows_of([p.id for p in pages[30:]])
    assert len(record.with_words(match("models"), rows, 2)) == 2


def test_a_document_that_is_named_twice_is_one(record):
    [page] = of_words(record, 1)
    assert record.rows_of([page.id, page.id, "of another library"]) == [1]
