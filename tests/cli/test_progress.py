"""What a person sees while a run goes: lines in a pipe, a picture in a terminal, nothing that a page could abuse."""

import io
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agent.cli import main
from agent.cli.live_picture import Picture
from agent.cli.run_display import Lines, facts, seconds, size
from agent.cli.terminal_view import TerminalView, fold
from agent.events import Began, Ended, PageRead, PageSkipped, Planned, Thinking, Writing
from agent.text.safe_text import clean, one_line
from agent.types import Query
from tests.cli.recorded import PAPER, TEXT, WEB, Player, at, events

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold]nice\u202etitle\u200b\U000e0041[/bold]\r\n<b>\ud800"
TAMED = "[bold]nicetitle[/bold] <b>\ufffd"


def drawn(scene: TerminalView, *, width: int = 100, height: int = 40) -> str:
    drawing = io.StringIO()
    Console(file=drawing, width=width, height=height, color_system=None).print(Picture(scene, time.monotonic()))
    return drawing.getvalue()


def folded(happened) -> TerminalView:
    scene = TerminalView()
    for event in happened:
        scene = fold(scene, event)
    return scene


def told(happened, *, whole: bool = False) -> str:
    out = io.StringIO()
    lines = Lines(out, whole=whole)
    for event in happened:
        lines.see(event)
    return out.getvalue()


# ---------------------------------------------------------------------------------------------------- clean text


def test_what_a_terminal_would_obey_and_what_nobody_sees_is_taken_out():
    assert one_line(HOSTILE) == TAMED


@pytest.mark.parametrize("text", ["plain", "Zeile\n\tzwei", "中文，مرحبا", "é 👩\u200d💻", "a < b [1] *c*"])
def test_text_that_is_only_text_stays_as_it_is(text):
    assert clean(text) == text


@given(st.text(st.characters(), max_size=200) | st.text("\x1b\x9b\x9d[]0;31mJ\x07\\PX\u202e\n", max_size=60))
def test_no_text_gets_an_escape_or_control_character_through(text):
    left = clean(text)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in left)
    assert not any(0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) <= 0x202E or 0xD800 <= ord(c) < 0xE000 for c in left)
    assert clean(left) == left
    left.encode()


# ---------------------------------------------------------------------------------------------------- lines


def test_a_pipe_gets_plain_lines_one_a_fact():
    lines = told(events()).splitlines()
    for line in (
        "plan begins",
        "asks: R1-Zero reinforcement learning – how it was trained",
        "duckduckgo refuses for now: How was R1-Zero trained? – 202",
        "found 1 with sample: R1-Zero reinforcement learning",
        "reads: papers.example – DeepSeek-R1: a paper (18 kB, 0.3 s)",
        "reads: blog.example – Thinking, longer (from the library)",
        "skips: https://gone.example/ (404)",
        "warning: DuckDuckGo refuses for now.",
        "evidence: [1] papers.example – DeepSeek-R1: a paper, 2025-01-22",
        "lands early: the time limit of 90 s is used up",
        "refuted: It cost $5.5 million [2].",
        "plan ends after 12.1 s: 1 query",
        "complete after 41.0 s, 1 page read and 1 skipped, 2 sources cited, 1 of 3 claims supported, 2 model calls",
    ):
        assert line in lines
    assert "\x1b" not in told(events())


def test_a_pipe_is_told_the_end_of_the_reasoning_and_with_verbose_all_of_it():
    assert "thinks: … The user wants to know how R1-Zero was trained. (47 characters)" in told(events())
    assert "  The user wants to know\n  how R1-Zero was trained.\nplan ends" in told(events(), whole=True).replace(
        "asks: R1-Zero reinforcement learning – how it was trained\n", ""
    ).replace("reads: papers.example – DeepSeek-R1: a paper (18 kB, 0.3 s)\n", "")


def test_a_step_of_a_later_round_says_which():
    assert facts(Began(**at("search", round=2))) == ["search (round 2) begins"]


def test_a_hostile_title_url_query_and_reason_come_out_on_one_tame_line():
    for event in (
        PageRead(**at("read"), url=PAPER, title=HOSTILE, site=HOSTILE, cached=False, bytes=1, seconds=0.1),
        PageSkipped(**at("read"), url=f"https://a.example/{HOSTILE}", reason=HOSTILE, seconds=0.1),
        Planned(**at("plan"), query=Query(HOSTILE, HOSTILE)),
        Ended(**at("plan"), seconds=1.0, summary=HOSTILE),
    ):
        (line,) = facts(event)
        assert TAMED in line
        assert "\x1b" not in line


def test_quiet_says_nothing(capsys):
    main(["--quiet", "q"], agent=Player())
    assert capsys.readouterr().err == ""


def test_the_first_line_says_which_reasoner_and_search_are_used(capsys):
    main(["q"], agent=Player())
    assert capsys.readouterr().err.splitlines()[0].startswith("r1-research: extractive, as no model is configured")


def test_a_resumed_run_says_which_flags_it_does_not_use(capsys):
    main(["--resume", "--depth", "deep", "--data-dir", "d"], agent=Player())
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "r1-research: goes on with the settings of the run; not used: --depth"


def test_times_and_sizes_read_well():
    assert [seconds(s) for s in (0, 59.94, 59.96, 185)] == ["0.0 s", "59.9 s", "1 min 00 s", "3 min 05 s"]
    assert [size(n) for n in (999, 18_211, 1_500_000)] == ["999 B", "18 kB", "1.5 MB"]


# ---------------------------------------------------------------------------------------------------- the picture


def test_the_picture_shows_queries_pages_reasoning_and_evidence_as_they_come():
    early = drawn(folded(events()[:9]))
    assert "• plan" in early
    assert "→ R1-Zero reinforcement learning" in early
    assert "how R1-Zero was trained." in early
    assert "↓ papers.example  DeepSeek-R1: a paper  18 kB" in early
    later = drawn(folded(events()[:21]))
    assert "✓ plan       12.1 s  1 query" in later
    assert "← found 1 with sample" in later
    assert "× https://gone.example/  404" in later
    assert "[1] papers.example" in later
    assert "how R1-Zero" not in later


def test_the_picture_shows_the_draft_and_how_its_claims_fare():
    late = drawn(folded(events()))
    assert "It cost $5.5 million [2]." in late
    assert "A first try" not in late
    assert "checked  ✓?✗" in late
    assert "lands early: the time limit" in late


def test_a_new_draft_forgets_what_was_checked_of_the_old_one():
    again = folded([*events()[:-1], Writing(**at("write"), text="Anew.", draft=3)])
    assert (again.draft, again.claims) == ("Anew.", ())


@pytest.mark.parametrize("height", [1, 3, 8, 15, 30])
def test_the_picture_is_never_higher_or_wider_than_the_terminal(height):
    many = [
        PageRead(**at("read"), url=PAPER, title="标题" * 99, site="s", cached=False, bytes=1, seconds=0.1)
        for _ in range(50)
    ]
    long_thought = Thinking(**at("plan"), text="a long thought " * 500)
    lines = drawn(folded([*events()[:9], *many, long_thought]), width=60, height=height + 2).splitlines()
    assert len(lines) <= height
    console = Console(width=60)
    assert all(console.measure(line).maximum <= 60 for line in lines)


def test_a_hostile_title_is_drawn_as_its_letters():
    page = PageRead(**at("read"), url=PAPER, title=HOSTILE, site="s", cached=False, bytes=1, seconds=0.1)
    assert TAMED in drawn(folded([page]))
    thought = Thinking(**at("plan"), text=f"I think {HOSTILE}")
    assert "\x1b" not in drawn(folded([thought]))


def test_the_scene_keeps_the_end_of_a_long_thought_only():
    scene = folded([Thinking(**at("plan"), text="x" * 9_000), Thinking(**at("plan"), text="the end")])
    assert scene.thinking.endswith("the end")
    assert len(scene.thinking) < 5_000


def test_a_search_joins_its_query_where_it_was_asked():
    scene = folded(events())
    assert [one.query.text for one in scene.asked] == ["How was R1-Zero trained?", "R1-Zero reinforcement learning"]
    assert all(one.search for one in scene.asked)


def test_a_revision_is_a_step_of_its_own():
    again = [Began(**at("write")), Ended(**at("write"), seconds=3.0, summary="1 sentence")]
    steps = folded([*events(), *again]).steps
    assert [(s.seconds, s.summary) for s in steps if s.name == "write"] == [
        (20.0, "120 characters"),
        (3.0, "1 sentence"),
    ]


def test_the_last_answer_is_what_was_checked():
    assert folded(events()).answer.answer == TEXT
    assert replace(WEB[0], number=0) not in folded(events()).sources
