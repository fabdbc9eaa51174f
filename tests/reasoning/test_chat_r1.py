"""ChatR1 over real HTTP: every place where servers put reasoning, the request it sends, and how replies break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGenerationChunk
from langgraph.graph import END, START, MessagesState, StateGraph
from openai import APIError
from pydantic import SecretStr

from agent.errors import ModelOverloaded
from agent.reasoning.models import R1, ChatR1, Profile, open_chat_model
from agent.reasoning.models.replies import StreamReader
from tests.model_server import DIALECTS, ModelServer, Said

THOUGHT = "I think 3 < 4.\n\nReally."
ANSWER = "The answer is **42**.\n\nYes."
READABLE = sorted(set(DIALECTS) - {"misfiled"})
WAYS = ["invoke", "ainvoke", "stream", "astream"]


def told(message: BaseMessage) -> tuple[str, str]:
    """The reasoning and the text of a message's standard content blocks."""
    blocks = message.content_blocks
    reasoning = "".join(b["reasoning"] for b in blocks if b["type"] == "reasoning")
    return reasoning, "".join(b["text"] for b in blocks if b["type"] == "text")


async def ask(model: ChatR1, way: str, prompt: object = "Hi") -> BaseMessage:
    if way == "invoke":
        return await asyncio.to_thread(model.invoke, prompt)
    if way == "ainvoke":
        return await model.ainvoke(prompt)
    first, *others = await chunks(model, way, prompt)
    return add_ai_message_chunks(first, *others)


async def chunks(model: ChatR1, way: str, prompt: object = "Hi") -> list[AIMessageChunk]:
    if way == "stream":
        return await asyncio.to_thread(lambda: list(model.stream(prompt)))
    return [chunk async for chunk in model.astream(prompt)]


def model_at(server: ModelServer, **given: object) -> ChatR1:
    return ChatR1(model="deepseek-r1", base_url=server.url, max_retries=0, **given)


@pytest.mark.parametrize("dialect", READABLE)
@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_and_answer_are_told_apart_in_every_dialect(way: str, dialect: str) -> None:
    with ModelServer(Said(ANSWER, THOUGHT), dialect=dialect) as server:
        for server.cut in (0, 1, 3):
            message = await ask(model_at(server), way)
            assert told(message) == (THOUGHT, ANSWER)
            assert message.response_metadata["finish_reason"] == "stop"
            assert message.usage_metadata["output_token_details"] == {"reasoning": 6}


@pytest.mark.parametrize("way", WAYS)
async def test_content_is_a_list_of_standard_blocks_where_the_caller_wants_it(way: str) -> None:
    with ModelServer(Said(ANSWER, THOUGHT), dialect="think") as server:
        message = await ask(model_at(server, output_version="v1"), way)
    assert [b["type"] for b in message.content] == ["reasoning", "text"]
    assert told(message) == (THOUGHT, ANSWER)


@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "bare"])
async def test_reasoning_comes_before_the_answer_in_langgraphs_messages_stream(dialect: str) -> None:
    with ModelServer([Said("ok", "hm"), Said(ANSWER, THOUGHT)], dialect=dialect) as server:
        model = model_at(server)
        await model.ainvoke("the first reply teaches where the reasoning is")

        async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
            return {"messages": [await model.ainvoke(state["messages"])]}

        graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").add_edge("answer", END)
        stream = graph.compile().astream({"messages": [HumanMessage("Hi")]}, stream_mode="messages")
        pieces = [told(chunk) async for chunk, _ in stream]
    assert "".join(r for r, _ in pieces) == THOUGHT
    assert "".join(t for _, t in pieces) == ANSWER
    kinds = ["reasoning" if r else "text" for r, t in pieces if r or t]
    assert kinds == sorted(kinds)
    assert kinds.count("reasoning") > 1
    assert kinds.count("text") > 1


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_bare_thinking_is_held_back_on_the_first_reply_and_streamed_from_the_second_on(way: str) -> None:
    with ModelServer(Said(ANSWER, THOUGHT), dialect="bare") as server:
        model = model_at(server)
        first = [told(chunk) for chunk in await chunks(model, way)]
        second = [told(chunk) for chunk in await chunks(model, way)]
    assert "".join(t for _, t in first) == ANSWER
    assert sum(bool(r) for r, _ in first) == 1
    assert sum(bool(r) for r, _ in second) > 1
    assert "".join(t for _, t in second) == ANSWER


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dialect", ["reasoning_content", "think"])
async def test_an_answer_that_talks_about_the_tags_survives(way: str, dialect: str) -> None:
    answer = "R1 thinks between <think> and </think>\nand then answers."
    with ModelServer(Said(answer, "hm"), dialect=dialect) as server:
        assert told(await ask(model_at(server), way)) == ("hm", answer)


def test_reasoning_that_a_server_sums_up_in_another_field_is_not_counted_twice() -> None:
    reader = StreamReader("auto")
    deltas = [
        {"reasoning": "I think"},
        {"reasoning": " so.", "reasoning_details": " so."},
        {"reasoning_details": "All."},
    ]
    read = [reader.read(ChatGenerationChunk(message=AIMessageChunk("")), fields) for fields in deltas]
    assert "".join(told(chunk.message)[0] for chunk in read) == "I think so."


async def test_an_empty_thinking_block_leaves_only_the_answer() -> None:
    with ModelServer(Said("<think>\n\n</think>\n\nForty-two.", dialect="reasoning")) as server:
        assert told(await ask(model_at(server), "astream")) == ("", "Forty-two.")


async def test_an_answer_that_a_parser_took_for_reasoning_is_left_for_the_caller_to_find() -> None:
    with ModelServer(Said("Forty-two.", "hm"), dialect="misfiled") as server:
        assert told(await ask(model_at(server), "astream")) == ("hm\n\nForty-two.", "")


# ------------------------------------------------------------------------------------------------- the request


async def sent(prompt: object = "Hi", *, way: str = "astream", call: dict[str, object] | None = None, **given: object):
    with ModelServer(Said("ok")) as server:
        model = model_at(server, **given)
        await ask(model.bind(**call) if call else model, way, prompt)
    return server.requests[0]


async def test_the_request_carries_r1s_sampling_and_room_to_think() -> None:
    body = (await sent()).body
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.6, 0.95, 32_768)
    assert body["stream_options"] == {"include_usage": True}
    assert "max_completion_tokens" not in body


async def test_what_the_caller_sets_wins_over_the_profile() -> None:
    body = (await sent(temperature=0.5, max_tokens=64_000)).body
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.5, 0.95, 64_000)


async def test_a_profile_of_the_users_own_is_taken() -> None:
    hot = Profile("hot", temperature=None, top_p=None, max_tokens=100, system="send")
    body = (await sent([SystemMessage("Be brief."), HumanMessage("Hi")], profile=hot)).body
    assert "temperature" not in body
    assert body["max_tokens"] == 100
    assert [m["role"] for m in body["messages"]] == ["system", "user"]


async def test_instructions_are_folded_into_the_first_user_message() -> None:
    body = (await sent([SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("Bye")])).body
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        ("user", "Be brief.\n\nHi"),
        ("assistant", "Hello"),
        ("user", "Bye"),
    ]


@pytest.mark.parametrize("dialect", READABLE)
async def test_no_reasoning_of_an_earlier_turn_is_sent_back(dialect: str) -> None:
    with ModelServer(Said(ANSWER, "MARKER " + THOUGHT), dialect=dialect) as server:
        model = model_at(server)
        first = await ask(model, "astream")
        await ask(model, "astream", [HumanMessage("Hi"), first, HumanMessage("And now?")])
        await ask(model, "invoke", [HumanMessage("Hi"), AIMessage("<think>MARKER</think>42"), HumanMessage("And now?")])
    second, third = server.requests[1:]
    assert second.body["messages"][1] == {"role": "assistant", "content": ANSWER}
    assert third.body["messages"][1]["content"] == "42"
    assert "MARKER" not in json.dumps([second.body, third.body])


async def test_no_tool_is_forced_and_no_log_probabilities_are_asked_for() -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    forced = {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "look"}}, "logprobs": True}
    assert {"tool_choice", "logprobs"} & (await sent(call=forced)).body.keys() == set()
    assert (await sent(call={"tools": [tool], "tool_choice": "auto"})).body["tool_choice"] == "auto"


async def test_a_key_from_the_environment_is_for_another_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "planted-secret")
    assert "planted-secret" not in str((await sent()).headers)
    assert (await sent(api_key=SecretStr("mine"))).headers["authorization"] == "Bearer mine"


def test_the_key_is_not_shown() -> None:
    model = ChatR1(model="r1", base_url="http://127.0.0.1:9/v1", api_key=SecretStr("planted-secret"))
    assert "planted-secret" not in f"{model!r} {model} {model.model_dump()}"


# ------------------------------------------------------------------------------------------------- how replies break


@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "bare"])
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_ends_without_a_finish_reason_is_an_error(way: str, dialect: str) -> None:
    with (
        ModelServer(Said(ANSWER, THOUGHT, fault="no finish"), dialect=dialect) as server,
        pytest.raises(ModelOverloaded, match="broke off"),
    ):
        await ask(model_at(server), way)


@pytest.mark.parametrize("finish", ["insufficient_system_resource", "error", None])
@pytest.mark.parametrize("way", WAYS)
async def test_a_reply_that_the_server_gave_up_on_is_an_error(way: str, finish: str | None) -> None:
    with ModelServer(Said("half an ans", finish=finish)) as server, pytest.raises(ModelOverloaded):
        await ask(model_at(server), way)


async def test_an_error_that_came_with_status_200_is_an_error() -> None:
    late = Said(body={"error": {"message": "no capacity"}, "choices": None})
    with ModelServer(late) as server, pytest.raises(APIError, match="no capacity"):
        await ask(model_at(server), "ainvoke")


async def test_a_reply_that_is_cut_off_in_mid_thought_has_no_answer() -> None:
    for dialect in ("reasoning_content", "think"):
        said = Said("<think>so and so" if dialect == "think" else "", "so and so" if dialect != "think" else "")
        with ModelServer(Said(said.text, said.reasoning, finish="length"), dialect=dialect) as server:
            message = await ask(model_at(server), "astream")
        assert told(message) == ("so and so", "")
        assert message.response_metadata["finish_reason"] == "length"


def quick(**given: float) -> Profile:
    return Profile("quick", temperature=0.6, top_p=0.95, max_tokens=100, system="fold", **given)


async def test_keep_alive_comments_hold_a_silent_call_open() -> None:
    waits = Said(ANSWER, THOUGHT, wait_s=0.6, keep_alive_s=0.1)
    with ModelServer(waits) as server:
        async with open_chat_model(model="r1", base_url=server.url, profile=quick(idle_seconds=0.3)) as model:
            assert told(await ask(model, "astream")) == (THOUGHT, ANSWER)
            assert told(await ask(model, "ainvoke")) == (THOUGHT, ANSWER)


async def test_a_server_that_says_nothing_at_all_is_left() -> None:
    with ModelServer(Said(fault="hang")) as server:
        async with open_chat_model(model="r1", base_url=server.url, profile=quick(idle_seconds=0.3)) as model:
            async with asyncio.timeout(5):
                with pytest.raises(Exception, match=r"(?i)timed out"):
                    await ask(model, "astream")


async def test_leaving_a_stream_closes_its_connection() -> None:
    with ModelServer(Said(ANSWER * 50, THOUGHT), pace=50) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            stream: AsyncIterator[AIMessageChunk] = model.astream("Hi")
            await anext(stream)
            await stream.aclose()
            del stream
            await until(lambda: server.hung_up == 1)


async def test_cancelling_a_call_closes_its_connection() -> None:
    with ModelServer(Said(ANSWER, THOUGHT, fault="hang midway")) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            call = asyncio.create_task(ask(model, "astream"))
            await until(lambda: bool(server.requests))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: server.hung_up == 1)


async def until(true: object, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def test_the_client_is_closed_with_the_model() -> None:
    with ModelServer(Said("ok")) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            await ask(model, "ainvoke")
            await ask(model, "invoke")
            assert not model.http_async_client.is_closed
            assert not model.http_client.is_closed
    assert model.http_async_client.is_closed
    assert model.http_client.is_closed


def test_r1s_profile_stays_within_what_its_makers_recommend() -> None:
    assert 0.5 <= R1.temperature <= 0.7
    assert R1.max_tokens >= 32_768
    assert R1.system == "fold"
