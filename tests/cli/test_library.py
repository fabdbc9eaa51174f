"""`library` and its actions, as a user and a script meet them."""

from __future__ import annotations

import io
import json
import os
import pty
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli import main
from agent.library.record import Record
from agent.run_registry import Runs
from agent.search.folder_index import FolderIndex, file_of
from tests.library.conftest import document

NOW = datetime.now(UTC)


def page(name: str, host: str, days: int, text: str = "", **more):
    told = {"title": f"About {name}", "fetched_at": (NOW - timedelta(days=days)).isoformat(), **more}
    return document(text or f"# {name}\n\nThe {name} is told of here. " * 20, url=f"https://{host}/{name}", **told)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory with four pages of two runs, one of which has an answer that cites one of them."""
    record = Record(tmp_path / "data" / "library" / "library.sqlite3")
    record.store(page("apple", "a.example", 50, etag='"x1"'), "first")
    record.store(page("apple", "a.example", 3, etag='"x2"'), "second")
    record.store(page("pear", "www.a.example", 40), "first")
    record.store(page("plum", "b.example", 30), "first")
    record.store(page("梨", "c.example", 1, text="# 梨\n\n推理模型在一月公布了权重。"), "second")
    record.close()
    runs = Runs(tmp_path / "data")
    runs.add("first", "What of plums?", "{}", NOW.isoformat())
    sources = [
        {"snapshot": page("plum", "b.example", 30).snapshot, "cited": True},
        {"snapshot": page("pear", "", 0).snapshot, "cited": False},
    ]
    runs.finish("first", json.dumps({"sources": sources}))
    return tmp_path / "data"


def said(capsys, home: Path, action: str, *words: str, status: int = 0) -> str:
    assert main(["library", action, *words, "--data-dir", str(home)]) == status
    return capsys.readouterr().out


def hosts(out: str) -> set[str]:
    return {name for name in ("www.a.example", "b.example", "c.example") if name in out}


# ------------------------------------------------------------------------------------------------- looking


def test_the_list_has_a_line_a_document_and_a_line_for_all(capsys, home):
    lines = said(capsys, home, "list").splitlines()
    assert [line.split()[0] for line in lines[1:5]] == [
        page(name, "", 0, text).snapshot[:12]
        for name, text in [("梨", "# 梨\n\n推理模型在一月公布了权重。"), ("apple", ""), ("plum", ""), ("pear", "")]
    ]
    assert "1 d" in lines[1]
    assert "3 d" in lines[2]
    assert "About apple" in lines[2]
    assert lines[-1].startswith("4 documents in all: 4 texts from 4 addresses, read by 2 runs; ")


def test_the_list_can_be_bounded_and_cut(capsys, home):
    assert hosts(said(capsys, home, "list", "--host", "a.example", "--older-than", "1w")) == {"www.a.example"}
    assert hosts(said(capsys, home, "list", "--newer-than", "2d")) == {"c.example"}
    assert hosts(said(capsys, home, "list", "--run", "second")) == {"c.example"}
    assert "and 3 more (--limit 0 lists all)" in said(capsys, home, "list", "--limit", "1")
    assert "no such documents" in said(capsys, home, "list", "--host", "nobody.example")


def test_the_list_as_json_names_everything(capsys, home):
    told = json.loads(said(capsys, home, "list", "--json"))
    assert told["totals"]["documents"] == told["found"] == len(told["documents"]) == 4
    apple = next(one for one in told["documents"] if one["url"].endswith("apple"))
    assert (apple["runs"], apple["snapshot"]) == (["first", "second"], page("apple", "", 0).snapshot)


def test_a_text_is_shown_with_every_fetch_by_its_address_or_the_beginning_of_its_hash(capsys, home):
    out = said(capsys, home, "show", "a.example/apple")
    assert 'ETag "x1"' in out
    assert 'ETag "x2"' in out
    assert said(capsys, home, "show", page("apple", "", 0).snapshot[:10]) == out
    told = json.loads(said(capsys, home, "show", "a.example/apple", "--json"))
    assert [fetch["etag"] for fetch in told["texts"][0]["addresses"][0]["fetches"]] == ['"x2"', '"x1"']


def test_of_a_page_that_was_had_often_the_last_times_are_shown_and_the_rest_counted(capsys, tmp_path):
    record = Record(tmp_path / "library" / "library.sqlite3")
    for n in range(30):
        record.store(page("apple", "a.example", n), f"run{n}")
    record.close()
    out = said(capsys, tmp_path, "show", "a.example/apple")
    assert out.count("fetched") == 8
    assert "and 22 times before that" in out
    assert "read by 30 runs" in out


def test_what_is_not_there_is_one_line(capsys, home):
    assert main(["library", "show", "https://nobody.example/", "--data-dir", str(home)]) == 1
    assert "nothing from 'https://nobody.example/'" in capsys.readouterr().err


def test_words_are_searched_and_offsets_told(capsys, home):
    told = json.loads(said(capsys, home, "search", "which", "plum", "--json"))
    best = told["hits"][0]
    assert best["url"] == "https://b.example/plum"
    text = page("plum", "", 0).text
    assert text[best["start"] : best["end"]] == best["passage"]
    assert "https://b.example/plum" in said(capsys, home, "search", "plum")
    assert "nothing was found" in said(capsys, home, "search", "plum", "--host", "c.example")
    assert "c.example" in said(capsys, home, "search", "推理模型", "--newer-than", "7d")


def test_an_export_is_json_lines_with_texts_that_fit_their_passages(capsys, home):
    lines = [json.loads(line) for line in said(capsys, home, "export").splitlines()]
    assert len(lines) == 4
    for line in lines:
        assert all(line["text"][p["start"] : p["end"]].strip() for p in line["passages"])
    (one,) = said(capsys, home, "export", "https://b.example/plum", "--no-text").splitlines()
    assert "text" not in json.loads(one)


def test_half_a_character_does_not_end_an_export(capsysbinary, tmp_path):
    record = Record(tmp_path / "library" / "library.sqlite3")
    record.store(document("Half \ud83d of it."), "run")
    record.close()
    assert main(["library", "export", "--data-dir", str(tmp_path)]) == 0
    assert json.loads(capsysbinary.readouterr().out)["text"] == "Half \ud83d of it."


def test_titles_from_pages_cannot_move_the_cursor(capsys, tmp_path):
    record = Record(tmp_path / "library" / "library.sqlite3")
    record.store(document("A text.", title="Bad\x1b[2J\ntitle"), "run")
    record.close()
    for action in (["list"], ["show", "a.example/page"], ["search", "text"]):
        assert main(["library", *action, "--data-dir", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "Bad title" in out


# ------------------------------------------------------------------------------------------------- forgetting


def left(capsys, home: Path) -> set[str]:
    told = json.loads(said(capsys, home, "list", "--json"))
    return {one["url"].rpartition("/")[2] for one in told["documents"]}


def test_outside_a_terminal_nothing_is_forgotten_without_yes(capsys, home, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["library", "forget", "--host", "c.example", "--data-dir", str(home)]) == 2
    told = capsys.readouterr()
    assert "https://c.example/" in told.out
    assert "--yes" in told.err
    assert "梨" in left(capsys, home)


def test_with_yes_it_is_forgotten(capsys, home):
    out = said(capsys, home, "forget", "--host", "c.example", "--yes")
    assert "1 document" in out
    assert "forgotten" in out
    assert "梨" not in left(capsys, home)


def test_a_dry_run_only_tells(capsys, home):
    assert "https://c.example/" in said(capsys, home, "forget", "--host", "c.example", "--dry-run", "--yes")
    assert "梨" in left(capsys, home)


@pytest.mark.parametrize(("typed", "gone"), [("y\n", True), ("\n", False), ("n\n", False)])
def test_in_a_terminal_one_is_asked(typed, gone, capsys, home, monkeypatch):
    leader, follower = pty.openpty()
    os.write(leader, typed.encode())
    with os.fdopen(follower) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        out = said(capsys, home, "forget", "--host", "c.example")
    os.close(leader)
    assert "Forget it? [y/N]" in out
    assert ("梨" not in left(capsys, home)) == gone


def test_what_an_answer_cites_stays_and_is_told(capsys, home):
    out = said(capsys, home, "forget", "--older-than", "1w", "--yes")
    assert "1 document that answers cite stays" in out
    assert left(capsys, home) == {"apple", "梨", "plum"}
    said(capsys, home, "forget", "--older-than", "1w", "--cited-too", "--yes")
    assert left(capsys, home) == {"apple", "梨"}


def test_a_run_takes_with_it_what_it_alone_has_read(capsys, home):
    said(capsys, home, "forget", "--run", "first", "--yes")
    assert left(capsys, home) == {"apple", "梨"}


def test_everything_can_be_forgotten(capsys, home):
    told = json.loads(said(capsys, home, "forget", "--older-than", "0d", "--cited-too", "--yes", "--json"))
    assert told["done"] is True
    assert len(told["documents"]) == 4
    assert left(capsys, home) == set()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["forget", "--yes"], "--older-than"),
        (["forget", "--older-than", "soon"], "'soon'"),
        (["list", "--newer-than", "3m"], "'3m'"),
        (["show"], "ADDRESS"),
        (["search"], "WORDS"),
        (["list", "--limit", "x"], "--limit"),
    ],
)
def test_what_cannot_be_done_as_asked_is_one_line(words, named, capsys, home):
    assert main(["library", *words, "--data-dir", str(home)]) == 2
    err = capsys.readouterr().err
    assert named in err
    assert err.count("\n") == 1


# ------------------------------------------------------------------------------------------------- damage


def test_a_whole_library_is_said_to_be_so(capsys, home):
    assert "DAMAGED" not in said(capsys, home, "verify")
    assert json.loads(said(capsys, home, "verify", "--json"))["ok"] is True
    assert said(capsys, home, "repair") == "there was nothing to mend\n"


def test_damage_is_an_exit_status_and_a_line_and_is_mended(capsys, home):
    db = sqlite3.connect(home / "library" / "library.sqlite3")
    db.execute("UPDATE snapshots SET text = x'00' WHERE rowid = 1")
    db.commit()
    db.close()
    out = said(capsys, home, "verify", status=1)
    assert "texts     DAMAGED" in out
    assert "library repair" in out
    assert json.loads(said(capsys, home, "verify", "--json", status=1))["ok"] is False
    assert "https://a.example/apple" in said(capsys, home, "repair")
    assert "DAMAGED" not in said(capsys, home, "verify")


@pytest.mark.parametrize("action", ["list", "verify", "repair", "export", "search x", "forget --older-than 0d --yes"])
def test_where_there_is_no_library_none_is_made(action, capsys, tmp_path):
    assert main(["library", *action.split(), "--data-dir", str(tmp_path / "none")]) == 1
    assert "there is no library in" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_who_has_only_asked_the_sample_web_is_told_where_that_is(capsys, tmp_path):
    record = Record(tmp_path / "sample" / "library" / "library.sqlite3")
    record.store(document("A text."), "run")
    record.close()
    assert main(["library", "list", "--data-dir", str(tmp_path)]) == 1
    assert "--sample" in capsys.readouterr().err
    assert "1 document in all" in said(capsys, tmp_path, "list", "--sample")


def test_a_large_library_is_told_in_the_list(capsys, home, monkeypatch):
    monkeypatch.setenv("AGENT_LIBRARY_WARN_MB", "1")
    main(["library", "list", "--data-dir", str(home)])
    assert "has grown" not in capsys.readouterr().err
    (home / "library" / "chroma").mkdir()
    (home / "library" / "chroma" / "big").write_bytes(bytes(1_100_000))
    main(["library", "list", "--data-dir", str(home)])
    assert "AGENT_LIBRARY_WARN_MB=1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "action", ["list", "show a.example/apple", "search apple", "export", "verify", "repair", "forget c.example --yes"]
)
def test_when_nobody_uses_it_the_library_is_one_file_that_can_be_copied(action, capsys, home):
    said(capsys, home, *action.split())
    left_there = {path.name for path in (home / "library").iterdir() if path.is_file()}
    assert left_there <= {"library.sqlite3", "words.lock"}


@pytest.mark.parametrize("action", ["list", "show", "text", "search", "export", "forget", "verify", "repair"])
def test_every_action_helps(action, capsys):
    assert main(["library", action, "--help"]) == 0
    assert "--data-dir" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------- texts and folders


def test_a_text_is_printed_by_the_beginning_of_its_hash_as_the_list_shows_it(capsysbinary, home):
    stored = page("plum", "b.example", 30)
    for key in (stored.snapshot, stored.snapshot[:12], stored.snapshot[:8].upper()):
        assert main(["library", "text", key, "--data-dir", str(home)]) == 0
        assert capsysbinary.readouterr().out == stored.text.encode()
    assert main(["library", "text", stored.snapshot[:7], "--data-dir", str(home)]) == 1
    assert main(["library", "text", "0123456789ab", "--data-dir", str(home)]) == 1


def test_forgetting_a_folder_takes_what_was_read_of_it_for_its_search(capsys, home, tmp_path):
    folder = tmp_path / "documents"
    index = FolderIndex(file_of(home / "library" / "folders", folder))
    index.put((folder / "a.txt").as_uri(), "a.txt", "a secret hippopotamus", digest="x")
    index.close()
    assert "they are read anew" not in said(capsys, home, "forget", "--host", "c.example", "--yes")
    assert list((home / "library" / "folders").iterdir())
    assert "they are read anew" in said(capsys, home, "forget", "--folder", str(folder), "--dry-run")
    assert list((home / "library" / "folders").iterdir())
    assert "forgotten" in said(capsys, home, "forget", "--folder", str(folder), "--yes")
    assert list((home / "library" / "folders").iterdir()) == []
    assert "forgotten" not in said(capsys, home, "forget", "--folder", str(folder), "--yes")
