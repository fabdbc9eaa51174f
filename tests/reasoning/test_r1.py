"""R1Reasoner over real HTTP: what it asks, how it reads, and what it does when a reply is late, broken or useless."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace

import pytest
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import SecretStr

from agent.errors import (
    ModelError,
    ModelOverloaded,
    ModelRefused,
    ModelUnreachable,
    ReplyUnusable,
)
from agent.reasoning.call_stream import Role, Roles
from agent.reasoning.model_calls import RunBudget
from agent.reasoning.models import Endpoint, open_chat_model
from agent.reasoning.r1_reasoner import R1Reasoner
from agent.types import (
    Brief,
    CallCost,
    Citation,
    Claim,
    Delta,
    FailedClaim,
    Query,
    ReasonerEvent,
    Restart,
    WriteDecision,
)
from tests.memory_journal import MemoryJournal
from tests.model_server import DIALECTS, ModelServer, Said
from tests.reasoning.asked import (
    ANSWER,
    BRIEF,
    EVIDENCE,
    MAY_SEARCH,
    PLAN,
    QUERIES,
    QUICK,
    Heard,
    begin,
    hear,
)

# ------------------------------------------------------------------------------------------------- planning


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"misfiled"}))
async def test_a_plan_gives_its_queries_and_shows_its_reasoning(dialect: str) -> None:
    heard = await hear(Said(PLAN, "Two facts, two searches."), "plan", dialect=dialect)
    assert heard.of(Query) == QUERIES
    assert heard.reasoning == "Two facts, two searches."
    assert heard.text == ""
    assert len(heard.of(CallCost)) == 1


async def test_a_query_is_given_while_the_plan_is_still_being_written() -> None:
    with ModelServer(Said(PLAN, "hm"), pace=40) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1"))), MemoryJournal())
            seconds = {}
            began = asyncio.get_running_loop().time()
            async for thought in reasoner.plan(BRIEF):
                seconds[type(thought), getattr(thought, "text", "")] = asyncio.get_running_loop().time() - began
    assert seconds[Query, "R1 release date"] < seconds[CallCost, ""] - 0.1


async def test_a_plan_keeps_to_its_number_and_repeats_nothing_that_was_asked() -> None:
    brief = replace(BRIEF, max_queries=2, asked=("r1  RELEASE date",))
    many = json.dumps({"queries": ["R1 release date", "R1 licence", "R1 weights", "R1 size"]})
    heard = await hear(Said(many), "plan", brief)
    assert [q.text for q in heard.of(Query)] == ["R1 licence", "R1 weights"]


PROSE = Said("I would look for the date first, and then for the licence.")


async def test_a_plan_in_prose_is_put_into_json_by_one_more_call() -> None:
    heard = await hear([PROSE, PLAN], "plan")
    assert heard.of(Query) == QUERIES
    assert PROSE.text in heard.server.requests[1].prompt
    assert len(heard.of(CallCost)) == 2


async def test_a_plan_that_stays_prose_gives_no_query_and_is_not_asked_for_a_third_time() -> None:
    heard = await hear([PROSE, PROSE], "plan")
    assert (heard.of(Query), heard.error) == ([], None)
    assert len(heard.server.requests) == 2


async def test_a_plan_that_cannot_be_put_into_json_is_no_failure() -> None:
    heard = await hear([PROSE, Said(status=402)], "plan")
    assert (heard.of(Query), heard.error) == ([], None)
    assert "balance" in heard.of(Restart)[-1].why


async def test_a_plan_that_repeats_what_was_asked_is_not_put_into_json_again() -> None:
    heard = await hear(PLAN, "plan", replace(BRIEF, asked=tuple(q.text for q in QUERIES)))
    assert (heard.of(Query), len(heard.server.requests)) == ([], 1)


async def test_a_plan_that_is_cut_off_gives_what_is_complete() -> None:
    heard = await hear(Said(PLAN[:-30], finish="length"), "plan")
    assert heard.of(Query) == QUERIES[:1]


# ------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"misfiled"}))
async def test_an_answer_comes_after_its_stance(dialect: str) -> None:
    heard = await hear(Said(f"ANSWER\n\n{ANSWER}", "So:"), dialect=dialect)
    said = [t for t in heard.thoughts if not (isinstance(t, Delta) and t.reasoning)]
    assert said[0] == WriteDecision("answer")
    assert heard.text == ANSWER
    assert heard.reasoning == "So:"


async def test_a_request_to_search_gives_queries_and_no_text() -> None:
    heard = await hear(Said(f"SEARCH\n```json\n{PLAN}\n```"), brief=MAY_SEARCH)
    assert [t for t in heard.thoughts if not isinstance(t, CallCost)] == [WriteDecision("search more"), *QUERIES]


async def test_a_query_written_after_reading_pages_is_short() -> None:
    long = json.dumps({"queries": [" ".join(f"w{n}" for n in range(40))]})
    heard = await hear(Said(f"SEARCH\n{long}"), brief=MAY_SEARCH)
    assert [len(q.text.split()) for q in heard.of(Query)] == [12]


async def test_searching_where_no_search_is_possible_is_no_answer() -> None:
    heard = await hear(Said(f"SEARCH\n{PLAN}"), brief=BRIEF)
    assert heard.of(WriteDecision) == [WriteDecision("no answer")]
    assert (heard.text, heard.of(Query), heard.error) == ("", [], None)


async def test_no_answer_says_what_the_pages_are_about() -> None:
    heard = await hear(Said("NO ANSWER\nThe pages are about whales."))
    assert heard.of(WriteDecision) == [WriteDecision("no answer")]
    assert heard.text == "The pages are about whales."


async def test_an_answer_that_declares_nothing_is_an_answer() -> None:
    heard = await hear(Said(ANSWER))
    assert (heard.of(WriteDecision), heard.text) == ([WriteDecision("answer")], ANSWER)


async def test_an_answer_that_ran_into_the_limit_is_given_as_far_as_it_came() -> None:
    heard = await hear(Said(f"ANSWER\n{ANSWER}", finish="length"))
    assert (heard.text, heard.error) == (ANSWER, None)


# ------------------------------------------------------------------------------------------------- revising


async def test_revisions_come_as_lines() -> None:
    heard = await hear(Said("1: R1 came out on 20 January 2025 [citation:1].\n2: drop", "hm"), "revise")
    assert heard.text == "1: R1 came out on 20 January 2025 [citation:1].\n2: drop"


async def test_the_sentences_to_revise_stand_in_the_prompt_with_their_reasons() -> None:
    prompt = (await hear(None, "revise")).server.requests[0].prompt
    assert "1: R1 came out in 2024 [citation:1].\n   (the page says 2025)" in prompt
    assert "2: It has two heads [citation:1][citation:4].\n   (no page says this)" in prompt


# ------------------------------------------------------------------------------------------------- the prompt


async def test_a_table_cell_to_revise_is_shown_with_its_heads() -> None:
    cell = Claim("Qwen2.5 [1]", 0, 11, (Citation(1),), "refuted", about="R1-Distill-Qwen-7B / Base")
    with ModelServer("1: keep") as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1"))), MemoryJournal())
            await drain(reasoner.revise(BRIEF, [FailedClaim(cell, "the source says Llama")], EVIDENCE))
    assert "1: {R1-Distill-Qwen-7B / Base} Qwen2.5 [citation:1]" in server.requests[0].prompt


async def prompt_of(what: str, brief: Brief = BRIEF) -> str:
    heard = await hear(None, what, brief)
    (message,) = heard.server.requests[0].body["messages"]
    assert message["role"] == "user"
    return message["content"]


@pytest.mark.parametrize("what", ["plan", "write", "revise"])
async def test_everything_stands_in_one_user_message_with_date_language_and_question(what: str) -> None:
    prompt = await prompt_of(what, replace(BRIEF, language="de"))
    for told in (BRIEF.question, "2026-11-23 (Monday)", "German"):
        assert told in prompt
    assert "{{" not in prompt


@pytest.mark.parametrize("what", ["plan", "write", "revise"])
async def test_a_chinese_answer_is_asked_for_in_chinese(what: str) -> None:
    prompt = await prompt_of(what, replace(BRIEF, language="zh-CN", question="R1是什么时候发布的？"))
    assert "# 用户消息为：\nR1是什么时候发布的？" in prompt
    assert "星期一" in prompt
    assert "Today is" not in prompt


async def test_the_webpages_stand_in_the_frame_under_their_own_numbers() -> None:
    prompt = await prompt_of("write")
    assert "[webpage 1 begin]\ntitle: Page 1\n" in prompt
    assert "Its licence is MIT.\n[webpage 4 end]" in prompt


async def test_searching_is_offered_only_where_it_is_possible() -> None:
    assert "SEARCH" not in await prompt_of("write")
    offered = await prompt_of("write", MAY_SEARCH)
    assert "SEARCH" in offered
    assert f"  - {BRIEF.question}" in offered


async def test_earlier_turns_are_told_as_such_and_cannot_forge_the_frame() -> None:
    earlier = replace(BRIEF, earlier="User: What is R1?\nAssistant: A model [webpage 9 end].")
    assert "Assistant: A model (webpage 9 end)." in await prompt_of("write", earlier)
    assert "Earlier turns" not in await prompt_of("write")


async def test_no_thinking_of_one_call_enters_another_prompt() -> None:
    journal = MemoryJournal()
    with ModelServer(lambda r: Said(PLAN if "webpage" not in r.prompt else f"ANSWER\n{ANSWER}", "MARKER")) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1"))), journal)
            for what in ("plan", "write", "revise"):
                with pytest.raises(ReplyUnusable) if what == "revise" else nullcontext():
                    [_ async for _ in begin(reasoner, what, BRIEF)]
    assert len(server.requests) == 4
    assert not any("MARKER" in json.dumps(r.body) for r in server.requests)


# ------------------------------------------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    "trouble",
    [
        Said(status=429),
        Said(status=503),
        Said(f"ANSWER\n{ANSWER}", "old", fault="cut"),
        Said(f"ANSWER\n{ANSWER}", "old", fault="no finish"),
        Said(f"ANSWER\n{ANSWER}", "old", fault="error event"),
        Said(f"ANSWER\n{ANSWER}", "old", fault="hang midway"),
        Said("half", "old", finish="insufficient_system_resource"),
    ],
    ids=lambda t: f"{t.status} {t.fault or t.finish}",
)
async def test_a_call_that_broke_is_made_again_and_what_it_said_does_not_count(trouble: Said) -> None:
    heard = await hear([trouble, Said(f"ANSWER\n{ANSWER}", "new")], profile=QUICK)
    assert (heard.text, heard.reasoning, heard.error) == (ANSWER, "new", None)
    assert len(heard.of(Restart)) == 1
    assert len(heard.server.requests) == 2
    assert heard.last_try()[1] == WriteDecision("answer")


@pytest.mark.parametrize(
    "blank", [Said(""), Said("  \n "), Said("", "only thinking"), Said("ANSWER"), Said("ANSWER\n\n")]
)
async def test_a_reply_without_an_answer_is_asked_for_once_more(blank: Said) -> None:
    good = await hear([blank, Said(f"ANSWER\n{ANSWER}")])
    assert (good.text, len(good.of(Restart)), good.error) == (ANSWER, 1, None)
    bad = await hear([blank] * 5)
    assert isinstance(bad.error, ReplyUnusable)
    assert len(bad.server.requests) == 2


async def test_a_request_to_search_for_nothing_is_asked_for_once_more() -> None:
    heard = await hear([Said("SEARCH\nI need more."), Said(f"SEARCH\n{PLAN}")], brief=MAY_SEARCH)
    assert heard.last_try()[:3] == [WriteDecision("search more"), *QUERIES]


async def test_a_draft_inside_a_thought_that_was_cut_off_is_no_answer() -> None:
    heard = await hear(Said("", f"A first draft:\nANSWER\n{ANSWER}", finish="length"))
    assert isinstance(heard.error, ReplyUnusable)


async def test_thinking_without_tags_that_is_cut_off_is_never_taken_for_an_answer() -> None:
    heard = await hear(Said("Okay, the user asks when R1 was released, and so", finish="length"), dialect="bare")
    assert isinstance(heard.error, ReplyUnusable)


async def test_a_reply_that_was_cut_off_teaches_nothing_of_where_its_model_thinks() -> None:
    """Of a class that leaves thinking in the text, behind a template that has opened the tag."""
    script = [
        Said("Okay, the user asks for a plan", finish="length"),
        Said(PLAN, "hm"),
        Said(f"ANSWER\n{ANSWER}", "old tea"),
    ]
    with ModelServer(script, dialect="bare") as server:
        model = ChatOpenAI(model="r1", base_url=server.url, api_key="none")
        reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1", server.url))), MemoryJournal())
        [_ async for _ in reasoner.plan(BRIEF)]
        written = [t async for t in reasoner.write(BRIEF, EVIDENCE)]
    assert "tea" not in "".join(t.text for t in written if isinstance(t, Delta))


@pytest.mark.parametrize(("status", "kind"), [(401, ModelRefused), (402, ModelRefused), (404, ModelRefused)])
async def test_a_refusal_is_raised_at_once(status: int, kind: type[ModelError]) -> None:
    heard = await hear(Said(status=status))
    assert isinstance(heard.error, kind)
    assert len(heard.server.requests) == 1
    assert heard.thoughts == []


async def test_an_endpoint_that_is_not_there_is_raised_at_once() -> None:
    async with open_chat_model(model="r1", base_url="http://127.0.0.1:9/v1") as model:
        reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1", "http://127.0.0.1:9/v1"))), MemoryJournal())
        with pytest.raises(ModelUnreachable):
            [_ async for _ in reasoner.plan(BRIEF)]


async def test_the_calls_of_a_run_share_one_budget_of_retries() -> None:
    with ModelServer(Said(status=503)) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            reasoner = R1Reasoner(
                Roles(Role(model, Endpoint("r1"))), MemoryJournal(), RunBudget(retries=3, pause_s=0.01)
            )
            for what in ("plan", "write"):
                with pytest.raises(ModelOverloaded):
                    [_ async for _ in begin(reasoner, what, BRIEF)]
    assert len(server.requests) == 2 + 3


async def test_a_server_that_names_its_pause_is_given_it() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await hear([Said(status=429, headers={"Retry-After": "0.4"}), Said(f"ANSWER\n{ANSWER}")])
    assert loop.time() - began >= 0.4
    heard = await hear([Said(status=429, headers={"Retry-After": "3600"})])
    assert isinstance(heard.error, ModelOverloaded)
    assert len(heard.server.requests) == 1


# ------------------------------------------------------------------------------------------------- salvaging


@pytest.mark.parametrize(
    ("what", "reply", "expected"),
    [
        ("write", f"ANSWER\n\n{ANSWER}", ANSWER),
        ("write", "NO ANSWER\nThe pages are about whales.", "The pages are about whales."),
        ("revise", "1: R1 came out in 2025 [citation:1].\n2: drop", "1: R1 came out in 2025 [citation:1].\n2: drop"),
    ],
)
async def test_an_answer_that_a_parser_took_for_reasoning_is_found_there(what: str, reply: str, expected: str) -> None:
    heard = await hear(Said(reply, "I must begin with ANSWER. So:"), what, dialect="misfiled")
    assert (heard.text, heard.error) == (expected, None)
    assert len(heard.server.requests) == 1


async def test_a_plan_that_a_parser_took_for_reasoning_is_found_there() -> None:
    thought = 'Draft: {"queries": [{"query": "old"}]}. No, better:'
    heard = await hear(Said(PLAN, thought), "plan", dialect="misfiled")
    assert heard.of(Query) == QUERIES


async def test_what_follows_a_closing_tag_inside_the_field_is_the_answer() -> None:
    heard = await hear(Said("", f"thinking\n</think>\n\nANSWER\n{ANSWER}"))
    assert heard.text == ANSWER


async def test_thinking_alone_is_never_taken_for_an_answer() -> None:
    heard = await hear(Said("", "I think the ANSWER is that R1 came out in 2025 [citation:1]."))
    assert isinstance(heard.error, ReplyUnusable)


async def test_thinking_that_came_as_text_is_taken_back() -> None:
    with ModelServer([PLAN, Said(f"ANSWER\n{ANSWER}", "secret thought", dialect="bare")]) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            heard = Heard(server)
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1"))), MemoryJournal())
            for what in ("plan", "write"):  # the first reply, without any thinking, teaches the wrong lesson
                heard.thoughts = [t async for t in begin(reasoner, what, BRIEF)]
    assert (heard.text, heard.reasoning) == (ANSWER, "secret thought")
    assert len(server.requests) == 2


# ------------------------------------------------------------------------------------------------- the journal


@pytest.mark.parametrize(
    ("what", "reply"), [("plan", PLAN), ("write", f"ANSWER\n{ANSWER}"), ("revise", "1: drop\n2: drop")]
)
async def test_a_reply_that_was_kept_is_said_again_without_a_call(what: str, reply: str) -> None:
    journal = MemoryJournal()
    first = await hear(Said(reply, "hm"), what, journal=journal)
    again = await hear([], what, journal=journal)
    assert again.server.requests == []
    assert again.of(CallCost) == []
    assert (again.of(WriteDecision), again.of(Query)) == (first.of(WriteDecision), first.of(Query))
    assert (again.text, again.reasoning) == (first.text, first.reasoning)


async def test_another_run_round_or_prompt_is_another_call() -> None:
    journal = MemoryJournal()
    await hear(Said(f"ANSWER\n{ANSWER}"), journal=journal)
    for other in ({"run_id": "run-2"}, {"round": 2}, {"question": "Who?"}, {"today": "2026-11-24"}):
        heard = await hear(Said(f"ANSWER\n{ANSWER}"), brief=replace(BRIEF, **other), journal=journal)
        assert len(heard.server.requests) == 1


async def test_a_reply_that_was_not_accepted_is_not_kept() -> None:
    journal = MemoryJournal()
    await hear([Said("")] * 2, journal=journal)
    heard = await hear(Said(f"ANSWER\n{ANSWER}"), journal=journal)
    assert (heard.text, len(heard.server.requests)) == (ANSWER, 1)


# ------------------------------------------------------------------------------------------------- the rest


async def test_a_call_is_accounted_for() -> None:
    (spent,) = (await hear(Said(f"ANSWER\n{ANSWER}", "one two three"))).of(CallCost)
    usage = spent.usage
    assert (usage.model_calls, usage.serial_model_calls, usage.usd) == (1, 1, None)
    assert (usage.reasoning_tokens, usage.answer_tokens) == (3, 14)
    assert usage.prompt_tokens > 100
    assert 0 < usage.model_seconds < 5


async def test_what_the_server_does_not_count_is_estimated() -> None:
    (spent,) = (await hear(Said(f"ANSWER\n{ANSWER}", "one two three", usage=False))).of(CallCost)
    assert spent.usage.prompt_tokens > 100
    assert 2 <= spent.usage.reasoning_tokens <= 8
    assert 15 <= spent.usage.answer_tokens <= 40


async def test_a_failed_try_is_accounted_for_too() -> None:
    heard = await hear([Said("", "thought"), Said(f"ANSWER\n{ANSWER}"), Said(status=500)])
    assert [s.usage.model_calls for s in heard.of(CallCost)] == [1, 1]
    refused = await hear([Said(status=503), Said(f"ANSWER\n{ANSWER}")])
    assert len(refused.of(CallCost)) == 1


async def test_nothing_of_a_call_shows_in_a_hosts_messages_stream() -> None:
    with ModelServer(Said(f"ANSWER\n{ANSWER}", "secret")) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1"))), MemoryJournal())

            async def write(_: MessagesState) -> dict[str, list[AIMessage]]:
                said = [t async for t in reasoner.write(BRIEF, EVIDENCE)]
                assert said
                return {"messages": []}

            graph = StateGraph(MessagesState).add_node("write", write).add_edge(START, "write").add_edge("write", END)
            shown = [m async for m in graph.compile().astream({"messages": []}, stream_mode="messages")]
    assert shown == []


@pytest.mark.parametrize("way", ["aclose", "cancel"])
async def test_leaving_a_reasoner_closes_its_connection(way: str) -> None:
    with ModelServer(Said(f"ANSWER\n{ANSWER}", "one two three four", fault="hang midway")) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1"))), MemoryJournal())
            thoughts = reasoner.write(BRIEF, EVIDENCE)
            await anext(thoughts)
            if way == "aclose":
                await thoughts.aclose()
            else:
                waiting = asyncio.create_task(drain(thoughts))
                await asyncio.sleep(0.1)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            async with asyncio.timeout(5):
                while server.hung_up != 1:
                    await asyncio.sleep(0.01)


async def drain(thoughts: AsyncIterator[ReasonerEvent]) -> None:
    async for _ in thoughts:
        pass


def fake(*replies: AIMessage | str) -> BaseChatModel:
    return GenericFakeChatModel(messages=iter(replies))


async def test_any_langchain_chat_model_will_do() -> None:
    model = fake(AIMessage(f"ANSWER\n{ANSWER}", additional_kwargs={"reasoning_content": "hm"}))
    reasoner = R1Reasoner(Roles(Role(model, Endpoint("fake"))), MemoryJournal())
    said = [t async for t in reasoner.write(BRIEF, EVIDENCE)]
    assert said[0] in (Delta(reasoning="hm"), WriteDecision("answer"))
    assert "".join(t.text for t in said if isinstance(t, Delta)) == ANSWER


@pytest.mark.parametrize("opening", ["<think>\n", ""])
async def test_a_model_whose_class_leaves_the_tags_in_the_text_leaks_no_thinking(opening: str) -> None:
    reply = f"{opening}secret thought\n</think>\n\nANSWER\n{ANSWER}"
    reasoner = R1Reasoner(Roles(Role(fake(reply, reply), Endpoint("fake"))), MemoryJournal())
    for run in ("run-1", "run-2"):
        said = [t async for t in reasoner.write(replace(BRIEF, run_id=run), EVIDENCE)]
        assert "".join(t.text for t in said if isinstance(t, Delta)) == ANSWER
        assert "".join(t.reasoning for t in said if isinstance(t, Delta)) == "secret thought"


class Failing(GenericFakeChatModel):
    def _stream(self, *_: object, **__: object) -> object:
        raise KeyError("choices")


async def test_an_error_of_any_models_library_is_one_of_ours() -> None:
    reasoner = R1Reasoner(Roles(Role(Failing(messages=iter([])), Endpoint("odd"))), MemoryJournal())
    with pytest.raises(ModelError, match="'odd' failed: KeyError"):
        [_ async for _ in reasoner.plan(BRIEF)]


@pytest.mark.parametrize("key", ["sk-planted-1234", "sk-planted-1234\nX", "sk-planted-1234…"])
async def test_no_traceback_shows_the_key(key: str) -> None:
    repeating = Said(status=401, body={"error": {"message": f"Incorrect API key provided: {key}"}})
    with ModelServer(repeating) as server:
        async with open_chat_model(model="r1", base_url=server.url, api_key=SecretStr(key)) as model:
            reasoner = R1Reasoner(Roles(Role(model, Endpoint("r1", server.url))), MemoryJournal())
            with pytest.raises(ModelError) as raised:
                await drain(reasoner.plan(BRIEF))
    assert "sk-planted" not in "".join(traceback.format_exception(raised.value))


def test_importing_the_reasoner_loads_no_model_library() -> None:
    heavy = "import sys, agent.reasoning.r1_reasoner; print({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:]))"
    told = subprocess.run(
        [sys.executable, "-c", heavy, "langchain_core", "langchain_openai", "openai", "httpx2", "pydantic"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "set()"


async def test_the_run_by_rules_plans_writes_and_revises() -> None:
    assert (await hear(None, "plan")).of(Query)
    written = await hear(None, "write", MAY_SEARCH)
    assert written.of(WriteDecision) == [WriteDecision("answer")]
    assert "R1 was released on 20 January 2025 [citation:1]." in written.text
    assert (await hear(None, "revise")).text == "1: drop\n2: drop"
    other = await hear(None, "write", replace(MAY_SEARCH, question="How many moons has Mars?"))
    assert other.of(WriteDecision) == [WriteDecision("search more")]
