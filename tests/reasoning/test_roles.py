"""A writer that writes from the reasoner's notes, a fast model that repairs, and what passes between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.errors import BudgetSpent, ModelOverloaded, ModelRefused
from agent.reasoning.model_calls import RunBudget
from agent.types import CallCost, Delta, Notice, Query, Restart, WriteDecision
from tests.memory_journal import MemoryJournal
from tests.model_server import Request, Said
from tests.reasoning.asked import ANSWER, BRIEF, EVIDENCE, MAY_SEARCH, PLAN, QUERIES, hear, source

NOTES = "- released on 20 January 2025 [citation:1]\n- under the MIT licence [citation:4]"
MARKER = "planted-in-the-thinking"
CHINESE = (
    "R1于2025年1月20日发布，这是一个开放权重的推理模型 [citation:1]。"
    "它采用MIT许可证，可以自由使用和修改，也可以商用 [citation:4]。"
)


def by_role(**replies: Said | str) -> Callable[[Request], Said | str]:
    """One reply for each model."""
    return lambda request: replies[request.body["model"]]


async def test_a_writer_writes_from_the_reasoners_notes() -> None:
    script = by_role(r1=Said(f"ANSWER\n{NOTES}", "Let me see."), writer=ANSWER)
    heard = await hear(script, others=("writer",))
    assert heard.asked == ["r1", "writer"]
    assert heard.text == ANSWER
    assert heard.of(WriteDecision) == [WriteDecision("answer")]
    assert NOTES in heard.server.requests[1].prompt
    assert len(heard.of(CallCost)) == 2


async def test_a_writer_that_declares_its_answer_has_not_written_that_word() -> None:
    heard = await hear(by_role(r1=f"ANSWER\n{NOTES}", writer=f"ANSWER\n\n{ANSWER}"), others=("writer",))
    assert heard.text == ANSWER


async def test_the_notes_are_shown_as_thoughts_and_not_as_the_answer() -> None:
    heard = await hear(by_role(r1=f"ANSWER\n{NOTES}", writer=ANSWER), others=("writer",))
    assert heard.reasoning.strip() == NOTES


async def test_a_writer_sees_the_pages_that_the_notes_cite_and_no_others() -> None:
    pages = [*EVIDENCE, source(7, "An unrelated page about tea.")]
    heard = await hear(by_role(r1=f"ANSWER\n{NOTES}", writer=ANSWER), others=("writer",), evidence=pages)
    noted, written = (request.prompt for request in heard.server.requests)
    assert "about tea" in noted
    assert "about tea" not in written
    assert "[webpage 1 begin]" in written
    assert "[webpage 4 begin]" in written


@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "bare"])
@pytest.mark.parametrize("passed", [False, True])
async def test_a_writer_reads_the_thinking_only_if_the_user_asks_for_it(*, passed: bool, dialect: str) -> None:
    script = by_role(r1=Said(f"ANSWER\n{NOTES}", f"Hm, {MARKER}."), writer=ANSWER)
    heard = await hear(script, others=("writer",), pass_thinking=passed, dialect=dialect)
    assert (MARKER in heard.server.requests[1].prompt) is passed
    assert heard.text == ANSWER


async def test_the_reasoner_asks_for_more_without_troubling_the_writer() -> None:
    heard = await hear(by_role(r1=f"SEARCH\n{PLAN}"), brief=MAY_SEARCH, others=("writer",))
    assert heard.asked == ["r1"]
    assert heard.thoughts[0] == WriteDecision("search more")
    assert heard.of(Query) == QUERIES


async def test_no_answer_needs_no_writer() -> None:
    heard = await hear(by_role(r1="NO ANSWER\nThe pages are about tea."), others=("writer",))
    assert heard.asked == ["r1"]
    assert heard.of(WriteDecision) == [WriteDecision("no answer")]
    assert heard.text == "The pages are about tea."


async def test_notes_that_do_not_say_where_from_are_asked_for_once_more() -> None:
    heard = await hear(["ANSWER\n- released in 2025", f"ANSWER\n{NOTES}", ANSWER], others=("writer",))
    assert heard.asked == ["r1", "r1", "writer"]
    assert heard.text == ANSWER


@pytest.mark.parametrize("trouble", [Said(status=401), Said(""), Said(status=404)])
async def test_where_the_writer_fails_the_reasoner_writes_and_says_so(trouble: Said) -> None:
    def script(request: Request) -> Said | str:
        if request.body["model"] == "writer":
            return trouble
        return f"ANSWER\n{ANSWER if 'take notes' not in request.prompt else NOTES}"

    heard = await hear(script, others=("writer",))
    assert heard.text == ANSWER
    [caution] = heard.of(Notice)
    assert "the reasoner wrote the answer itself" in caution.text


async def test_what_a_failed_writer_had_begun_does_not_count() -> None:
    def script(request: Request) -> Said | str:
        if request.body["model"] == "writer":
            return Said(f"{ANSWER} {ANSWER}", fault="cut")
        return f"ANSWER\n{ANSWER if 'take notes' not in request.prompt else NOTES}"

    heard = await hear(script, others=("writer",), budget=RunBudget(retries=1, pause_s=0.01))
    assert any(isinstance(t, Delta) and t.text for t in heard.thoughts[: heard.thoughts.index(heard.of(Restart)[0])])
    assert heard.text == ANSWER


async def test_a_reasoner_that_fails_is_not_mended_by_its_writer() -> None:
    heard = await hear(by_role(r1=Said(status=402), writer=ANSWER), others=("writer",))
    assert isinstance(heard.error, ModelRefused)
    assert heard.asked == ["r1"]


async def test_the_roles_share_one_budget_of_retries() -> None:
    heard = await hear(
        by_role(r1=Said(status=503), writer=ANSWER), others=("writer",), budget=RunBudget(retries=1, pause_s=0.01)
    )
    assert isinstance(heard.error, ModelOverloaded)
    assert heard.asked == ["r1", "r1"]


async def test_a_writer_revises_what_it_wrote() -> None:
    heard = await hear(by_role(writer="1: drop\n2: drop"), "revise", others=("writer",))
    assert heard.asked == ["writer"]


async def test_a_fast_model_repairs_a_plan() -> None:
    heard = await hear(by_role(r1="First the date, then the licence.", fast=PLAN), "plan", others=("fast",))
    assert heard.asked == ["r1", "fast"]
    assert heard.of(Query) == QUERIES


async def test_notes_and_prose_that_were_kept_cost_nothing_again() -> None:
    journal = MemoryJournal()
    script = by_role(r1=f"ANSWER\n{NOTES}", writer=ANSWER)
    first = await hear(script, others=("writer",), journal=journal)
    again = await hear(script, others=("writer",), journal=journal)
    assert again.text == first.text == ANSWER
    assert again.server.requests == []


# ------------------------------------------------------------------------------------------------- language


async def test_an_answer_in_another_language_is_written_once_more() -> None:
    heard = await hear([f"ANSWER\n{CHINESE}", ANSWER])
    assert heard.text == ANSWER
    assert heard.of(Notice) == []
    assert "[citation:1]" in heard.server.requests[1].prompt
    assert len(heard.server.requests) == 2


async def test_a_fast_model_brings_an_answer_back() -> None:
    heard = await hear(by_role(r1=f"ANSWER\n{CHINESE}", fast=ANSWER), others=("fast",))
    assert heard.asked == ["r1", "fast"]
    assert heard.text == ANSWER


async def test_an_answer_that_stays_in_another_language_is_said_to_be() -> None:
    heard = await hear([f"ANSWER\n{CHINESE}", CHINESE])
    [caution] = heard.of(Notice)
    assert "not wholly in English" in caution.text
    assert heard.text == CHINESE


async def test_a_rewriting_that_loses_citations_is_not_taken() -> None:
    heard = await hear([f"ANSWER\n{CHINESE}", "R1 came out on 20 January 2025. It is under MIT [citation:4]."])
    assert heard.text == CHINESE
    assert len(heard.of(Notice)) == 1


async def test_a_rewriting_that_fails_leaves_the_answer_as_it_was() -> None:
    heard = await hear([f"ANSWER\n{CHINESE}", Said(status=401)])
    assert heard.error is None
    assert heard.text == CHINESE
    assert "could not be rewritten" in heard.of(Notice)[0].text


async def test_a_chinese_answer_to_a_chinese_question_is_left_alone() -> None:
    heard = await hear(f"ANSWER\n{CHINESE}", brief=replace(BRIEF, question="R1什么时候发布？", language="zh"))
    assert len(heard.server.requests) == 1


async def test_no_call_is_made_where_the_money_is_spent() -> None:
    heard = await hear(by_role(r1=f"ANSWER\n{NOTES}", writer=ANSWER), budget=RunBudget(usd=0.01, spent_usd=0.01))
    assert isinstance(heard.error, BudgetSpent)
    assert heard.asked == []
