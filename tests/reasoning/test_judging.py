"""The judge over real HTTP: what it is shown, how its reply is read, and what a useless one is."""

from __future__ import annotations

import pytest

from agent.errors import ModelOverloaded, ReplyUnusable
from agent.reasoning.asking import for_judging
from agent.reasoning.journal import MemoryJournal
from agent.reasoning.roles import Role, takes_two
from agent.text.verdicts import parse_judgements
from agent.types import Case, Exhibit, Judgement, Spending
from tests.model_server import Said
from tests.reasoning.asked import BRIEF, hear

REPLY = '1: refuted: "released on 20 January 2025"\n2: supported: "licence is MIT"'
READ = [Judgement(0, "refuted", ("released on 20 January 2025",)), Judgement(1, "supported", ("licence is MIT",))]


async def test_each_claim_is_shown_with_its_own_passages_and_nothing_else():
    heard = await hear(Said(REPLY), "judge")
    prompt = heard.server.requests[0].prompt
    shown = prompt[prompt.index("# The claims are:") :]
    assert "## 1\nClaim: R1 came out in 2024.\n[passage of “News”, 2025-01-21]\n> R1 was released" in shown
    assert "## 2\nClaim: {R1 / Licence} MIT\n[passage of “Licences”]\n> Its licence is MIT." in shown
    assert BRIEF.question not in prompt


async def test_a_passage_cannot_pass_for_a_claim():
    heard = await hear(Said(REPLY), "judge")
    assert "\n## 3" not in heard.server.requests[0].prompt


@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "misfiled"])
async def test_verdicts_are_read_and_thoughts_are_not_told(dialect):
    heard = await hear(Said(REPLY, "The first says 2025."), "judge", dialect=dialect)
    assert heard.of(Judgement) == READ
    assert len(heard.of(Spending)) == 1
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
    assert again.of(Judgement) == READ
    assert again.server.requests == []
    assert again.of(Spending) == []


async def test_a_server_that_fails_is_an_error_and_no_verdict():
    heard = await hear(lambda _: Said("", status=503), "judge")
    assert isinstance(heard.error, ModelOverloaded)
    assert heard.of(Judgement) == []


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ('1: supported: "a b"', Judgement(0, "supported", ("a b",))),
        ("**1.** Refuted – “a” … “b”", Judgement(0, "refuted", ("a", "b"))),
        ('1) **partial**: "a"', Judgement(0, "partial", ("a",))),
        ("- Claim 1: partially supported: a b", Judgement(0, "partial", ("a b",))),
        ('1: unsupported: "a"', Judgement(0, "unsupported")),
        ("1: not supported", Judgement(0, "unsupported")),
        ("1：cannot tell", Judgement(0, "cannot tell")),
        ("1: supported：「甲乙」「丙」", Judgement(0, "supported", ("甲乙", "丙"))),
        ("| 1 | refuted | x |", Judgement(0, "refuted", ("x",))),
    ],
)
def test_a_line_is_read_however_it_is_dressed(line, read):
    assert parse_judgements(line, 1) == [read]


def test_lines_on_other_claims_and_talk_are_passed_over_and_the_last_word_counts():
    said = "Let me see.\n1: supported: x\n1: unsupported\n7: refuted: y\n0: refuted: z\nSo 2 is hard."
    assert parse_judgements(said, 2) == [Judgement(0, "unsupported")]


def test_of_a_model_that_a_caller_brought_it_is_not_known_whether_it_takes_two_calls():
    assert not takes_two(Role(None, None))  # type: ignore[arg-type]


def test_a_claim_is_shown_with_what_it_goes_on_from_and_a_passage_with_its_site():
    exhibit = Exhibit(1, "It leaves out wages.", "Costs", "2025-02-03", "courier.example")
    shown = for_judging(BRIEF, [Case("wages", (exhibit,), context="It leaves out:")])
    assert "## 1\nBefore it: It leaves out:\nClaim: wages\n" in shown
    assert "[passage of “Costs”, courier.example, 2025-02-03]\n> It leaves out wages." in shown
