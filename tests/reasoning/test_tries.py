"""What is done about a call that failed: each failure has one remedy, and then an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace

import pytest

from agent.errors import BudgetSpent, ContextExceeded, ModelOverloaded, ModelRefused, ReplyUnusable
from agent.reasoning.call_stream import Role, Roles
from agent.reasoning.model_calls import RunBudget
from agent.reasoning.models import Endpoint, open_chat_model
from agent.reasoning.prompt_builder import halved
from agent.reasoning.r1_reasoner import R1Reasoner
from agent.types import CallCost, Evidence, Notice, Passage, Restart
from tests.memory_journal import MemoryJournal
from tests.model_server import ModelServer, Request, Said
from tests.reasoning.asked import ANSWER, BRIEF, CALM, EVIDENCE, hear, source

LOOP = "Wait, let me re-check the release date of the model once more. " * 300
THOUGHT = " ".join(f"Webpage {n} says something else about it." for n in range(200))
PAGES = [replace(source(n, f"Page {n} says: " + "words and more words. " * 40), score=n / 10) for n in range(1, 9)]


def test_half_of_the_evidence_is_the_better_half_in_its_order() -> None:
    assert [one.source.number for one in halved(PAGES)] == [5, 6, 7, 8]


def test_half_of_one_passage_is_that_passage() -> None:
    assert halved(EVIDENCE[:1]) == EVIDENCE[:1]


def test_half_of_one_long_source_is_its_first_passages() -> None:
    passages = tuple(Passage(f"p{n}", "d1", n * 10, n * 10 + 10, "ten chars.") for n in range(6))
    [kept] = halved([Evidence(EVIDENCE[0].source, passages, 0.9)])
    assert kept.passages == passages[:3]


# ------------------------------------------------------------------------------------------------- too long


def overflowing(most: int) -> Callable[[Request], Said | str]:
    """A server that takes prompts of so many characters."""
    told = {"error": {"message": "This model's maximum context length is 8192 tokens."}}
    return lambda request: Said(status=400, body=told) if len(request.prompt) > most else f"ANSWER\n{ANSWER}"


@pytest.mark.parametrize("what", ["write", "revise"])
async def test_a_prompt_that_is_too_long_is_sent_once_more_with_half_of_the_evidence(what: str) -> None:
    heard = await hear(overflowing({"write": 10_500, "revise": 7_000}[what]), what, evidence=PAGES)
    first, second = heard.server.requests[:2]
    assert len(second.prompt) < len(first.prompt) - 3_000
    assert second.body["max_tokens"] < first.body["max_tokens"]
    assert what == "revise" or heard.text == ANSWER


async def test_a_prompt_that_is_still_too_long_is_not_sent_a_third_time() -> None:
    heard = await hear(overflowing(100), evidence=PAGES)
    assert isinstance(heard.error, ContextExceeded)
    assert len(heard.server.requests) == 2


async def test_a_reply_is_never_given_more_room_than_the_window_has_left() -> None:
    small = replace(CALM, context_tokens=8_192)
    heard = await hear(f"ANSWER\n{ANSWER}", evidence=PAGES, profile=small)
    asked = heard.server.requests[0]
    assert asked.body["max_tokens"] + len(asked.prompt) / 4 < 8_192


# ------------------------------------------------------------------------------------------------- without end


@pytest.mark.parametrize("dialect", ["reasoning_content", "think"])
async def test_thinking_that_goes_in_circles_is_stopped_and_hurried(dialect: str) -> None:
    heard = await hear([Said("", LOOP), f"ANSWER\n{ANSWER}"], dialect=dialect)
    first, second = heard.server.requests
    assert heard.text == ANSWER
    assert second.prompt.startswith(first.prompt)
    assert "Before you reply" in second.prompt
    assert len(heard.of(CallCost)) == 2
    assert sum(len(t.reasoning) for t in heard.thoughts if hasattr(t, "reasoning")) < len(LOOP) / 2


async def test_a_loop_closes_its_connection() -> None:
    heard = await hear([Said("", LOOP * 20), f"ANSWER\n{ANSWER}"])
    for _ in range(100):
        if heard.server.hung_up:
            break
        await asyncio.sleep(0.02)
    assert heard.server.hung_up == 1


async def test_an_answer_that_goes_in_circles_is_stopped_too() -> None:
    heard = await hear([Said("ANSWER\n" + LOOP), f"ANSWER\n{ANSWER}"])
    assert heard.text == ANSWER


async def test_a_model_that_goes_in_circles_twice_is_given_up() -> None:
    heard = await hear(Said("", LOOP))
    assert isinstance(heard.error, ReplyUnusable)
    assert "circles" in str(heard.error)
    assert len(heard.server.requests) == 2


@pytest.mark.parametrize("dialect", ["reasoning_content", "think"])
async def test_a_thought_that_is_cut_off_is_hurried_with_more_room_where_the_window_has_it(dialect: str) -> None:
    thinking = Said(f"<think>{THOUGHT}", finish="length") if dialect == "think" else Said("", THOUGHT, finish="length")
    roomy = replace(CALM, context_tokens=131_072)
    heard = await hear([thinking, f"ANSWER\n{ANSWER}"], dialect=dialect, profile=roomy)
    first, second = heard.server.requests
    assert heard.text == ANSWER
    assert "Before you reply" in second.prompt
    assert second.body["max_tokens"] == 2 * first.body["max_tokens"]
    assert "mid-thought" in heard.of(Restart)[0].why


async def test_a_thought_that_is_cut_off_twice_is_given_up() -> None:
    heard = await hear(Said("", THOUGHT, finish="length"))
    assert isinstance(heard.error, ReplyUnusable)
    assert "mid-thought" in str(heard.error)
    assert len(heard.server.requests) == 2


async def test_a_chinese_question_is_hurried_in_chinese() -> None:
    brief = replace(BRIEF, question="R1什么时候发布？", language="zh")
    heard = await hear([Said("", LOOP), "ANSWER\nR1于2025年发布 [citation:1]。"], brief=brief)
    assert "同一点不要反复推敲" in heard.server.requests[1].prompt


async def test_a_call_that_never_ends_is_ended_by_its_limit_however_busily_it_is_kept_alive() -> None:
    slow = Said(f"ANSWER\n{ANSWER}", fault="hang", keep_alive_s=0.05)
    heard = await hear(slow, profile=replace(CALM, call_seconds=0.4), budget=RunBudget(retries=0))
    assert isinstance(heard.error, ModelOverloaded)
    assert "not done after" in str(heard.error)


async def test_an_answer_without_its_end_is_said_to_be_so() -> None:
    heard = await hear(Said("ANSWER\nR1 came out on 20 January 2025 [citation:1]. It is und", "hm", finish="length"))
    [caution] = heard.of(Notice)
    assert "token limit" in caution.text
    assert len(heard.server.requests) == 1


async def test_half_a_sentence_takes_no_sentences_place() -> None:
    heard = await hear([Said("1: R1 came out on 20", finish="length"), "1: drop"], "revise")
    assert heard.text == "1: drop"


async def test_half_a_rewriting_takes_no_answers_place() -> None:
    chinese = (
        "R1于2025年1月20日发布，这是一个开放权重的推理模型 [citation:1]。"
        "它采用MIT许可证，可以自由使用和修改，也可以商用 [citation:1]。"
    )
    half = Said("R1 came out on 20 January 2025 [citation:1]. It is und", finish="length")
    heard = await hear([f"ANSWER\n{chinese}", half, half])
    assert heard.text == chinese
    assert "could not be rewritten" in heard.of(Notice)[0].text


# ------------------------------------------------------------------------------------------------- money

PRICED = replace(CALM, name="deepseek")  # the name of the endpoint, by which prices are known


async def test_the_limit_on_money_is_looked_at_before_each_call() -> None:
    heard = await hear(Said(status=503), budget=RunBudget(usd=1.0, spent_usd=1.0, pause_s=0.01))
    assert isinstance(heard.error, BudgetSpent)
    assert heard.asked == []


async def test_what_a_run_had_spent_before_it_was_resumed_counts() -> None:
    heard = await hear(f"ANSWER\n{ANSWER}", brief=replace(BRIEF, spent_usd=0.02), budget=RunBudget(usd=0.01))
    assert isinstance(heard.error, BudgetSpent)
    assert "0.01 US dollars" in str(heard.error)


async def test_a_price_that_is_not_known_is_null_with_a_word_on_why() -> None:
    heard = await hear(f"ANSWER\n{ANSWER}")
    [spent] = heard.of(CallCost)
    assert spent.usage.usd is None
    assert "no price is known for 'r1'" in spent.usage.usd_why


async def charged(said: Said, seconds: float) -> float:
    """US dollars that a budget has spent when an answer, 20 tokens a second, was listened to for so long."""
    priced, budget = replace(CALM, name="together"), RunBudget(usd=1.0)
    with ModelServer(said, pace=20) as server:
        async with open_chat_model(model="deepseek-r1-0528", base_url=server.url, profile=priced) as chat:
            role = Role(chat, Endpoint("deepseek-r1-0528", server.url), priced)
            thoughts = R1Reasoner(Roles(role), MemoryJournal(), budget).write(BRIEF, EVIDENCE)
            with suppress(TimeoutError, ModelRefused):
                async with asyncio.timeout(seconds), aclosing(thoughts):
                    async for _ in thoughts:
                        pass
    return budget.spent_usd


async def test_a_call_that_is_given_up_is_charged_with_what_had_come() -> None:
    assert 0.001 < await charged(Said(f"ANSWER\n{ANSWER}", "Let me think about it. " * 100), seconds=1) < 0.01


async def test_a_reply_that_is_withheld_in_the_middle_is_charged() -> None:
    assert 0.001 < await charged(Said("ANSWER\nR1", finish="content_filter"), seconds=10) < 0.01
