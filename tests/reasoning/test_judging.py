"""The judge over real HTTP: what it is shown, how its reply is read, and what a useless one is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.errors import ModelOverloaded, ReplyUnusable
from agent.reasoning.call_stream import Role, takes_two
from agent.reasoning.models.model_profiles import profile_for
from agent.reasoning.prompt_builder import for_judging
from agent.reasoning.r1_reasoner import room_for_cases
from agent.text.reply_parsers import parse_judgements
from agent.types import CallCost, CitedPassage, JudgeCase, JudgeVerdict
from tests.memory_journal import MemoryJournal
from tests.model_server import Said
from tests.reasoning.asked import BRIEF, hear

REPLY = '1: refuted: "released on 20 January 2025"\n2: supported: "licence is MIT"'
READ = [JudgeVerdict(0, "refuted", ("released on 20 January 2025",)), JudgeVerdict(1, "supported", ("licence is MIT",))]


async def test_each_claim_is_shown_with_its_own_passages_and_nothing_else():
    heard = await hear(Said(REPLY), "judge")
    prompt = heard.server.requests[0].prompt
    pages, _, shown = prompt.partition("# The claims are:")
    assert "[webpage 1 begin]\ntitle: News\nsite: \ndate: 2025-01-21\n\n> R1 was released" in pages
    assert "> Its licence is MIT." in pages
    assert "## 1\nWebpages: 1\nClaim: R1 came out in 2024." in shown
    assert "## 2\nWebpages: 4\nClaim: {R1 / Licence} MIT" in shown
    assert BRIEF.question not in prompt


async def test_a_passage_cannot_pass_for_a_claim():
    heard = await hear(Said(REPLY), "judge")
    assert "\n## 3" not in heard.server.requests[0].prompt


@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "misfiled"])
async def test_verdicts_are_read_and_thoughts_are_not_told(dialect):
    heard = await hear(Said(REPLY, "The first says 2025."), "judge", dialect=dialect)
    assert heard.of(JudgeVerdict) == READ
    assert len(heard.of(CallCost)) == 1
    assert heard.reasoning == ""


async def test_a_reply_without_verdicts_is_asked_for_once_more_and_then_given_up():
    heard = await hear(Said("I find these claims interesting."), "judge")
    assert isinstance(heard.error, ReplyUnusable)
    assert len(heard.server.requests) == 2


async def test_the_fast_model_judges_where_there_is_one():
    assert (await hear(Said(REPLY), "judge", others=("writer", "fast"))).asked == ["fast"]
    assert (await hear(Said(REPLY), "judge", others=("writer",))).asked == ["r1"]


async def test_a_batch_that_was_judged_costs_nothing_again():
    journal = MemoryJournal()
    await hear(Said(REPLY), "judge", journal=journal)
    again = await hear(Said("not asked"), "judge", journal=journal)
    assert again.of(JudgeVerdict) == READ
    assert again.server.requests == []
    assert again.of(CallCost) == []


async def test_a_server_that_fails_is_an_error_and_no_verdict():
    heard = await hear(lambda _: Said("", status=503), "judge")
    assert isinstance(heard.error, ModelOverloaded)
    assert heard.of(JudgeVerdict) == []


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ('1: supported: "a b"', JudgeVerdict(0, "supported", ("a b",))),
        ("**1.** Refuted – “a” … “b”", JudgeVerdict(0, "refuted", ("a", "b"))),
        ('1) **partial**: "a"', JudgeVerdict(0, "partial", ("a",))),
        ('1: partial: "a" not said: the year', JudgeVerdict(0, "partial", ("a",), "the year")),
        ("1: partial: “a” | not said：“in 2019”", JudgeVerdict(0, "partial", ("a",), "in 2019")),
        ("- Claim 1: partially supported: a b", JudgeVerdict(0, "partial", ("a b",))),
        ('1: unsupported: "a"', JudgeVerdict(0, "unsupported")),
        ("1: not supported", JudgeVerdict(0, "unsupported")),
        ("1：cannot tell", JudgeVerdict(0, "cannot tell")),
        ("1: supported：「甲乙」「丙」", JudgeVerdict(0, "supported", ("甲乙", "丙"))),
        ("| 1 | refuted | x |", JudgeVerdict(0, "refuted", ("x",))),
    ],
)
def test_a_line_is_read_however_it_is_dressed(line, read):
    assert parse_judgements(line, 1) == [read]


def test_lines_on_other_claims_and_talk_are_passed_over_and_the_last_word_counts():
    said = "Let me see.\n1: supported: x\n1: unsupported\n7: refuted: y\n0: refuted: z\nSo 2 is hard."
    assert parse_judgements(said, 2) == [JudgeVerdict(0, "unsupported")]


def test_of_a_model_that_a_caller_brought_it_is_not_known_whether_it_takes_two_calls():
    assert not takes_two(Role(None, None))  # type: ignore[arg-type]


def test_a_claim_is_shown_with_what_it_goes_on_from_and_what_a_program_did_not_find():
    exhibit = CitedPassage(1, "It leaves out wages.", "Costs", "2025-02-03", "courier.example")
    case = JudgeCase("wages of 9 euros", (exhibit,), context="It leaves out:", missing=("9 euros",), failed="no words")
    assert (
        for_judging(BRIEF, [case])
        .rstrip()
        .endswith(
            "## 1\nWebpages: 1\nBefore it: It leaves out:\nClaim: wages of 9 euros\n"
            "Not found there by a program: 9 euros\nAn earlier reply was rejected: no words"
        )
    )


def test_a_source_is_shown_once_however_many_claims_cite_it():
    first, second = CitedPassage(1, "Wages are high.", "Costs"), CitedPassage(3, "Rents are low.", "Rents")
    cases = [JudgeCase("a", (first,)), JudgeCase("b", (first, second)), JudgeCase("c", (second,))]
    shown = for_judging(BRIEF, cases)
    assert shown.count("> Wages are high.") == shown.count("> Rents are low.") == 1
    assert "## 2\nWebpages: 1, 3\nClaim: b" in shown


def test_what_comes_near_to_one_claim_only_is_added_to_its_source_and_the_rest_is_not_repeated():
    first = CitedPassage(1, "Wages are high.\n[…]", "Costs")
    cases = [JudgeCase("a", (first,)), JudgeCase("b", (replace(first, more="[…]\nRents are low.\n[…]"),))]
    shown = for_judging(BRIEF, cases)
    assert "> Wages are high.\n> […]\n> Rents are low.\n> […]\n[webpage 1 end]" in shown
    assert shown.count("Wages are high.") == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_excerpt_loses_no_character_in_the_prompt(language):
    text = "厂。\n\n造纸厂建于一九八八年。\nIt opened – “late”."
    shown = for_judging(replace(BRIEF, language=language), [JudgeCase("a", (CitedPassage(1, text),))])
    assert "\n".join(f"> {line}" for line in text.split("\n")) in shown


@pytest.mark.parametrize("gap", [" ", "-", "*", "| ", "“", "missing "])
def test_a_long_gap_in_a_line_is_looked_at_once(gap):
    assert parse_judgements(f"1: partial: x {gap * 20_000} y", 1)[0].outcome == "partial"


@pytest.mark.parametrize(
    ("window", "longest", "room"),
    [(None, None, 24_000), (131_072, 32_768, 24_000), (8_192, 4_096, 2_296), (2_048, 1_024, 500)],
)
def test_sources_and_claims_get_what_the_window_leaves(window, longest, room):
    profile = replace(
        profile_for("https://openrouter.ai/api/v1", "deepseek/deepseek-r1-0528"),
        context_tokens=window,
        max_tokens=longest,
    )
    assert room_for_cases(profile) == room
