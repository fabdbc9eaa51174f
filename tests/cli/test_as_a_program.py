"""The command line as a process: start-up, signals, closed pipes, a terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.recorded import events

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "pydantic",
    "rich",
    "langgraph",
    "langchain_core",
    "chromadb",
    "streamlit",
    "httpx2",
    "numpy",
    "dotenv",
    "asyncio",
)
PLAY = """
import sys
from tests.cli.recorded import Player, events
from agent.cli import main
sys.exit(main(sys.argv[1:], agent=Player({how})))
"""


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_")}
    return {**kept, "PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""}


def program(home: Path, *words: str, how: str = "", **more) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PLAY.format(how=how), *words],
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def wait_for(process: subprocess.Popen, line: str) -> None:
    for told in process.stderr:
        if line in told:
            return
    raise AssertionError(f"{line!r} never came")


# ---------------------------------------------------------------------------------------------------- starting


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["ask", "--no-such-flag"], ["library", "--help"], ["ui", "--help"]]
)
def test_help_version_and_usage_errors_cost_the_standard_library_only(words, tmp_path):
    look = f"""
import sys
from agent.cli import main
main({words!r})
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    ran = subprocess.run(
        [sys.executable, "-c", look],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr.splitlines()[-1] == "[]"


# ---------------------------------------------------------------------------------------------------- leaving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_at_once_with_the_line_to_resume_with(number, tmp_path):
    process = program(tmp_path, "q", "--data-dir", "a dir", how="said=events()[:9], hang=60")
    wait_for(process, "asks: ")
    time.sleep(0.2)
    process.send_signal(number)
    out, told = process.communicate()
    assert process.returncode == 130
    assert told == (
        "r1-research: interrupted; resume with: python -m agent --resume=2025-06-01-abcd '--data-dir=a dir'\n"
    )
    assert out == ""


HOLDS_ON = """
import sys, time
from agent.cli.command_base import Leaving
with Leaving(lambda: "resume with: x", grace_s={grace_s}):
    for line in ("ready", "interrupted once"):
        try:
            print(line, file=sys.stderr, flush=True)
            time.sleep(3_600)
        except KeyboardInterrupt:
            pass
"""


def holding_on(grace_s: float) -> subprocess.Popen:
    """A program that does not end at the first interrupt."""
    script = HOLDS_ON.format(grace_s=grace_s)
    return subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_an_interrupt_leaves_what_does_not_let_go_after_a_moment():
    process = holding_on(grace_s=0.1)
    wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert told.count("resume with:") == 1


def test_a_second_interrupt_does_not_wait():
    process = holding_on(grace_s=3_600)
    for line in ("ready", "interrupted once"):
        wait_for(process, line)
        process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert told.count("resume with:") == 1


def test_an_interrupt_before_the_run_has_a_name_says_so_plainly(tmp_path):
    process = program(tmp_path, "q", how="said=(), hang=60")
    wait_for(process, "extractive")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (130, "r1-research: interrupted\n")


# ---------------------------------------------------------------------------------------------------- pipes


def test_a_reader_that_goes_away_ends_the_run_quietly(tmp_path):
    process = program(tmp_path, "--events", "--quiet", "q", how="pause=0.01, hang=60, said=events() * 99")
    first = process.stdout.readline()
    process.stdout.close()
    assert json.loads(first)["event"] == "Began"
    assert process.wait(timeout=20) == 141
    assert process.stderr.read() == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux' /dev/full")
def test_a_full_disk_is_one_line(tmp_path):
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", PLAY.format(how=""), "--quiet", "q"],
            cwd=tmp_path, env=environment(tmp_path), stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "space" in ran.stderr


def test_an_answer_in_any_language_survives_a_terminal_that_knows_ascii_only(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", PLAY.format(how=""), "q"],
        cwd=tmp_path, env={**environment(tmp_path), "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0
    assert "Traceback" not in ran.stderr


# ---------------------------------------------------------------------------------------------------- a terminal


def in_a_terminal(home: Path, *words: str, how: str = "pause=0.02", variables: dict | None = None) -> tuple[int, str]:
    """Exit status, and all that a terminal of 100 × 40 was sent."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PLAY.format(how=how), *words],
        cwd=home, stdin=there, stdout=there, stderr=there, close_fds=True,
        env={**environment(home), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", **(variables or {})},
    )  # fmt: skip
    os.close(there)
    sent = b""
    while select.select([here], [], [], 20)[0]:
        try:
            piece = os.read(here, 65536)
        except OSError:  # Linux' way of saying that the other side is closed
            break
        if not piece:
            break
        sent += piece
    os.close(here)
    return process.wait(timeout=20), sent.decode()


def test_a_terminal_shows_the_run_live_and_then_only_the_answer(tmp_path):
    status, sent = in_a_terminal(tmp_path, "q")
    assert status == 0
    assert "• plan" in sent
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") == 1  # the cursor is hidden, and shown again
    end = sent[sent.rindex("\x1b[?25h") :]
    assert "plan" not in end
    assert "R1-Zero was trained by reinforcement learning alone" in end
    assert "https://papers.example/r1" in end


def test_no_color_is_honoured(tmp_path):
    _, coloured = in_a_terminal(tmp_path, "q")
    _, plain = in_a_terminal(tmp_path, "q", variables={"NO_COLOR": "1"})
    assert "\x1b[36m" in coloured
    assert "\x1b[36m" not in plain
    assert "\x1b[32m" not in plain


def test_verbose_in_a_terminal_leaves_the_whole_reasoning_above_the_answer(tmp_path):
    _, sent = in_a_terminal(tmp_path, "--verbose", "q")
    assert "The user wants to know" in sent
    assert "how R1-Zero was trained." in sent


def test_a_dumb_terminal_gets_plain_lines(tmp_path):
    _, sent = in_a_terminal(tmp_path, "--json", "q", variables={"TERM": "dumb"})
    assert "plan begins" in sent
    assert "\x1b" not in sent


def test_events_that_share_a_terminal_with_progress_stay_whole_lines(tmp_path):
    _, sent = in_a_terminal(tmp_path, "--events", "q")
    assert "\x1b" not in sent
    assert sum(line.startswith("{") for line in sent.splitlines()) == len(events())


def test_an_interrupt_in_a_terminal_gives_the_cursor_back(tmp_path):
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PLAY.format(how="said=events()[:9], hang=60, lets_go=False"), "q"],
        cwd=tmp_path, stdin=there, stdout=there, stderr=there, start_new_session=True,
        env={**environment(tmp_path), "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(there)
    sent = b""
    while b"R1-Zero reinforcement" not in sent:
        sent += os.read(here, 65536)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    assert process.wait(timeout=20) == 130
    while select.select([here], [], [], 1)[0]:
        try:
            sent += os.read(here, 65536)
        except OSError:
            break
    assert sent.rindex(b"\x1b[?25h") > sent.rindex(b"\x1b[?25l")
    assert b"resume with: python -m agent --resume=" in sent
