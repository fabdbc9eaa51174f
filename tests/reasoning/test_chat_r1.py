"""ChatR1 over real HTTP: the request it sends, and what it keeps to itself."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import SecretStr

from agent.reasoning.models import R1, ChatR1, Profile, open_chat_model
from tests.model_server import DIALECTS, ModelServer, Said
from tests.reasoning.ways import ANSWER, THOUGHT, ask, model_at

READABLE = sorted(set(DIALECTS) - {"misfiled"})


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


async def test_a_server_on_this_machine_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ModelServer("Hello.") as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            assert (await model.ainvoke("Hi")).text == "Hello."
