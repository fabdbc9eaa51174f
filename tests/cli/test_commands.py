"""Words in, exit status and at most one line of complaint out."""

import io
import json
import os
import sys

import pytest

from agent.cli import main
from agent.errors import ModelRefused, QuestionError
from agent.result import Answer
from tests.cli.recorded import SNAPSHOT, TEXT, Player, answer, events


def complaint(capsys) -> str:
    """The one line on stderr."""
    told = capsys.readouterr().err
    assert told.count("\n") == 1, told
    assert told.startswith("r1-research: ")
    return told


# ---------------------------------------------------------------------------------------------------- questions


def test_words_that_are_no_command_are_the_question(capsys):
    player = Player()
    assert main(["--quiet", "what", "is", "R1?"], agent=player) == 0
    assert player.asked == ["what is R1?"]


def test_a_first_argument_that_is_a_command_is_a_command(capsys):
    player = Player()
    assert main(["library"], agent=player) == 2
    assert player.asked == []


def test_ask_asks_about_a_word_that_is_a_command(capsys):
    player = Player()
    assert main(["ask", "ui", "--quiet"], agent=player) == 0
    assert player.asked == ["ui"]


def test_a_question_may_stand_between_flags_and_begin_with_a_dash(capsys):
    player = Player()
    assert main(["--depth", "quick", "--quiet", "--", "-1 + 1?"], agent=player) == 0
    assert player.asked == ["-1 + 1?"]


def test_a_dash_reads_the_question_from_stdin(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("什么是 R1？\n".encode() + b"\xff")))
    player = Player()
    assert main(["-", "--quiet"], agent=player) == 0
    assert player.asked == ["什么是 R1？\n\ufffd"]


def test_a_question_loses_what_a_terminal_would_obey(capsys):
    player = Player()
    main(["--quiet", "what \x1b[31mis\x07 R1?"], agent=player)
    assert player.asked == ["what is R1?"]


@pytest.mark.parametrize("words", [[], [""], ["  \n\t"], ["--quiet"], ["\x01\x02\x1b[31m"]])
def test_no_question_is_a_usage_error_that_shows_how(words, capsys):
    assert main(words, agent=Player()) == 2
    assert "for example: " in complaint(capsys)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--no-such-flag", "q"], "--no-such-flag"),
        (["--max-usd", "nothing", "q"], "--max-usd"),
        (["--fresh", "--library-only", "q"], "--library-only"),
        (["--dep", "quick", "q"], "--dep"),
        (["--depth", "bottomless", "q"], "bottomless"),
        (["--check", "some", "q"], "some"),
        (["--max-seconds", "soon", "q"], "soon"),
        (["--max-seconds", "-3", "q"], "-3"),
        (["--max-pages", "0", "q"], "'0'"),
        (["--lang", "the moon's", "q"], "the moon's"),
        (["--folder", "/no/such/folder", "q"], "/no/such/folder"),
        (["--base-url", "localhost:11434", "--model", "r1", "q"], "localhost:11434"),
        (["--model", "deepseek-r1", "q"], "--base-url"),
        (["--search", "searxng", "q"], "--searxng-url"),
        (["--json", "--events", "q"], "--events"),
        (["--quiet", "--verbose", "q"], "--verbose"),
        (["--output", "answer.doc", "q"], ".md, .json"),
        (["--output", "no/such/place/answer.md", "q"], "no/such/place"),
        (["--resume=x", "another question"], "--resume"),
        (["library", "text"], "SNAPSHOT"),
        (["library", "burn", "x"], "burn"),
    ],
)
def test_a_value_that_does_not_work_is_named_in_one_line(words, named, capsys):
    player = Player()
    assert main(words, agent=player) == 2
    assert named in complaint(capsys)
    assert player.asked == []


def test_settings_come_from_the_flags_that_were_given_and_from_nothing_else(capsys, tmp_path):
    player = Player()
    flags = ["--search", "wikipedia,sample", "--depth=deep", "--max-seconds", "9", "--folder", str(tmp_path)]
    main([*flags, "--share-folder", "--allow-private-addresses", "--quiet", "q"], agent=player)
    given = player.settings[0]
    assert given.model_fields_set == {
        "search", "depth", "max_seconds", "folder", "share_folder", "allow_private_addresses",
    }  # fmt: skip
    assert (given.search, given.depth, given.max_seconds) == (("wikipedia", "sample"), "deep", 9.0)


def test_the_file_dot_env_is_read_and_the_environment_wins(capsys, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("AGENT_DEPTH=quick\nAGENT_LANG=de\n")
    monkeypatch.setenv("AGENT_LANG", "fr")
    monkeypatch.setenv("AGENT_DEPTH", "")  # so that what .env sets is undone after the test
    monkeypatch.delenv("AGENT_DEPTH")
    player = Player()
    main(["--quiet", "q"], agent=player)
    assert (player.settings[0].depth, player.settings[0].lang) == ("quick", "fr")


def test_a_file_dot_env_that_is_not_text_is_said_to_be_so(capsys, tmp_path):
    (tmp_path / ".env").write_bytes(b"AGENT_MODEL=\xff\xfe\n")
    assert main(["--quiet", "q"], agent=Player()) == 2
    assert ".env" in complaint(capsys)


# ---------------------------------------------------------------------------------------------------- endings


@pytest.mark.parametrize(("status", "code"), [("complete", 0), ("partial", 3), ("abstained", 3), ("failed", 1)])
def test_the_status_of_the_answer_is_the_exit_status(status, code, capsys):
    assert main(["--quiet", "q"], agent=Player(said=events(answer(status=status)))) == code
    assert capsys.readouterr().out.startswith(TEXT.partition("\n")[0].removesuffix("."))


def test_an_error_of_ours_is_one_line_without_escapes_or_page_breaks(capsys):
    player = Player(said=(), error=ModelRefused("the key was refused:\n\x1b[31m<html>\r\n401 AGENT_API_KEY"))
    assert main(["--quiet", "q"], agent=player) == 1
    assert complaint(capsys) == "r1-research: the key was refused: <html> 401 AGENT_API_KEY\n"


def test_a_question_that_is_refused_later_is_a_usage_error_too(capsys):
    assert main(["--quiet", "q"], agent=Player(said=(), error=QuestionError("too long"))) == 2


def test_a_bug_is_one_line_that_says_how_to_see_more(capsys):
    assert main(["--quiet", "q"], agent=Player(error=KeyError("x"))) == 1
    assert "AGENT_DEBUG=1" in complaint(capsys)


def test_a_place_that_cannot_be_written_is_named_and_no_bug(capsys):
    error = PermissionError(13, "Permission denied", "/root/data")
    assert main(["--quiet", "q"], agent=Player(error=error)) == 1
    assert complaint(capsys) == "r1-research: Permission denied: /root/data\n"


def test_agent_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("AGENT_DEBUG", "1")
    main(["--quiet", "q"], agent=Player(error=KeyError("x")))
    assert "Traceback" in capsys.readouterr().err


def test_a_run_that_ends_without_an_answer_is_an_error(capsys):
    assert main(["--quiet", "q"], agent=Player(said=events()[:-1])) == 1
    assert "without an answer" in complaint(capsys)


def test_the_run_is_left_when_nobody_reads_its_progress_any_more(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            if "plan begins" in text:
                raise BrokenPipeError
            return len(text)

    player = Player()
    monkeypatch.setattr(sys, "stderr", Closed())
    assert main(["q"], agent=player) == 141
    assert player.ended == player.asked == ["q"]


# ---------------------------------------------------------------------------------------------------- what comes out


def test_stdout_carries_the_answer_as_markdown_once(capsys):
    main(["q"], agent=Player())
    assert capsys.readouterr().out == f"{answer()}\n"


def test_the_sources_are_a_list_wherever_the_markdown_is_shown(capsys):
    from markdown_it import MarkdownIt

    main(["--quiet", "q"], agent=Player())
    assert MarkdownIt().render(capsys.readouterr().out).count("<li>") == 2


def test_json_is_the_whole_result_as_one_object(capsys):
    from agent.result import from_json

    main(["--json", "q"], agent=Player())
    assert from_json(Answer, json.loads(capsys.readouterr().out)) == answer()


def test_events_are_one_object_a_line_and_the_last_has_the_result(capsys):
    main(["--events", "--quiet", "q"], agent=Player())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [event.event for event in events()]
    assert lines[-1]["answer"]["answer"] == TEXT


def test_the_schema_describes_what_json_prints(capsys):
    import jsonschema

    main(["ask", "--json-schema"], agent=Player())
    schema = json.loads(capsys.readouterr().out)
    main(["--json", "--quiet", "q"], agent=Player())
    jsonschema.validate(json.loads(capsys.readouterr().out), schema)


def test_output_writes_the_file_as_well(capsys, tmp_path):
    main(["--quiet", "--output", "a.md", "q"], agent=Player())
    main(["--quiet", "--output", "a.json", "q"], agent=Player())
    printed = capsys.readouterr().out
    assert printed.startswith((tmp_path / "a.md").read_text())
    assert json.loads((tmp_path / "a.json").read_text())["answer"] == TEXT
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.md"]


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(capsys, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "a.md").symlink_to(tmp_path / "kept" / "gone" / "a.md")
    assert main(["--quiet", "--output", "a.md", "q"], agent=Player()) == 1
    assert "cannot be written" in complaint(capsys)
    assert os.listdir(tmp_path / "kept") == []


def test_resume_takes_the_run_or_the_newest(capsys):
    player = Player()
    assert main(["--resume=abc", "--quiet"], agent=player) == 0
    assert main(["--resume", "--quiet"], agent=player) == 0
    assert player.asked == ["resumed abc", "resumed None"]


def test_a_run_that_is_not_there_is_one_line(capsys):
    assert main(["--resume=unknown", "--quiet"], agent=Player()) == 1
    assert "unknown" in complaint(capsys)


def test_library_text_prints_a_stored_text_byte_for_byte(capsysbinary):
    assert main(["library", "text", SNAPSHOT], agent=Player()) == 0
    assert capsysbinary.readouterr().out == "Zeile eins\r\n第二行".encode()


def test_library_text_of_an_unknown_snapshot_is_one_line(capsys):
    assert main(["library", "text", "beef"], agent=Player()) == 1
    assert "beef" in complaint(capsys)


def test_the_app_without_its_extra_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)  # as if it were not installed
    assert main(["ui"]) == 2
    assert "pip install 'r1-research-agent[ui]'" in complaint(capsys)


def test_an_embedder_that_cannot_be_put_anywhere_is_one_line(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AGENT_CACHE_DIR", str(tmp_path / "file"))
    assert main(["setup-embeddings"]) == 1
    assert "AGENT_CACHE_DIR" in complaint(capsys)


def test_version_and_help_are_printed(capsys):
    import agent

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"r1-research {agent.__version__}\n"
    assert main(["--help"]) == 0
    assert "exit status" in capsys.readouterr().out
