"""What ChatR1 sends, endpoint by endpoint, as a server records it; and how it minds each server's rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks
from openai import BadRequestError
from pydantic import BaseModel, SecretStr

from agent.errors import ModelRefused, SettingsError
from agent.reasoning.models import ENDPOINTS, ChatR1, Profile, open_chat_model
from tests.model_server import ModelServer, Request, Said

Json = dict[str, Any]
WAYS = ["invoke", "ainvoke", "stream", "astream"]
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SYSTEM = [SystemMessage("Be brief."), HumanMessage("Hi")]


async def ask(model: ChatR1, way: str, prompt: object = "Hi", **call: object) -> AIMessage:
    if way == "invoke":
        return await asyncio.to_thread(lambda: model.invoke(prompt, **call))
    if way == "ainvoke":
        return await model.ainvoke(prompt, **call)
    if way == "stream":
        pieces = await asyncio.to_thread(lambda: list(model.stream(prompt, **call)))
    else:
        pieces = [chunk async for chunk in model.astream(prompt, **call)]
    return add_ai_message_chunks(pieces[0], *pieces[1:])


async def sent(
    profile: Profile | str,
    model: str,
    prompt: object = "Hi",
    *,
    way: str = "astream",
    given: Json | None = None,
    **call: object,
) -> Json:
    with ModelServer(Said("ok")) as server:
        chat = ChatR1(model=model, base_url=server.url, profile=profile, max_retries=0, **(given or {}))
        await ask(chat, way, prompt, **call)
    return server.requests[0].body


def about(body: Json) -> Json:
    """The body without what every request has."""
    return {name: value for name, value in body.items() if name not in ("messages", "model", "stream")}


# ------------------------------------------------------------------------------------------------- R1 everywhere


@pytest.mark.parametrize("endpoint", [e.name for e in ENDPOINTS])
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_r1_is_sent_its_sampling_and_neither_system_message_nor_forced_tool_nor_schema(
    endpoint: str, way: str
) -> None:
    forced = {"tools": [LOOK], "tool_choice": "required", "logprobs": True}
    wanted = {"response_format": {"type": "json_object"}}
    body = await sent(endpoint, "deepseek-r1-distill-qwen-32b", SYSTEM, way=way, **forced, **wanted)
    assert [(m["role"], m["content"]) for m in body["messages"]] == [("user", "Be brief.\n\nHi")]
    assert (body["temperature"], body["top_p"]) == (0.6, 0.95)
    assert not {"tool_choice", "logprobs", "response_format", "reasoning_effort", "thinking"} & body.keys()
    limit = "max_completion_tokens" if endpoint == "openai" else "max_tokens"
    assert body[limit] == 32_768
    assert not {"max_tokens", "max_completion_tokens"} - {limit} & body.keys()
    assert body.get("stream_options") == ({"include_usage": True} if way == "astream" else None)


async def test_r1_0528_takes_a_system_message_and_twice_the_room() -> None:
    body = await sent("vllm", "deepseek-ai/DeepSeek-R1-0528", SYSTEM)
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert body["max_tokens"] == 64_000


async def test_openrouter_is_asked_what_a_call_costs() -> None:
    assert about(await sent("openrouter", "deepseek/deepseek-r1")) == {
        "temperature": 0.6,
        "top_p": 0.95,
        "max_tokens": 16_000,
        "stream_options": {"include_usage": True},
        "usage": {"include": True},
    }


async def test_a_plain_writer_is_sent_its_messages_as_they_are() -> None:
    body = await sent("openrouter", "anthropic/claude-sonnet-4.5", SYSTEM, tools=[LOOK], tool_choice="required")
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert (body["max_tokens"], body["tool_choice"]) == (8_192, "required")
    assert not {"temperature", "top_p", "reasoning"} & body.keys()


@pytest.mark.parametrize("model", ["deepseek-r1", "deepseek-flash", "claude-sonnet"])
async def test_text_in_parts_is_sent_as_one_string_and_a_picture_as_it_is(model: str) -> None:
    words = [{"type": "text", "text": "What is"}, {"type": "text", "text": "this?"}]
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    body = await sent("unknown", model, [HumanMessage(words), HumanMessage([*words, picture])])
    assert [m["content"] for m in body["messages"]] == ["What is\n\nthis?", [*words, picture]]


async def test_a_token_limit_for_one_call_goes_under_the_endpoints_name() -> None:
    assert (await sent("openai", "gpt-5.1", max_tokens=99))["max_completion_tokens"] == 99
    assert (await sent("vllm", "deepseek-r1", max_tokens=99))["max_tokens"] == 99


# ------------------------------------------------------------------------------------------------- effort and modes

EFFORTS = [  # endpoint, model, effort -> what is sent beside what is always sent
    ("deepseek", "deepseek-flash", None, {"thinking": {"type": "enabled"}}),
    ("deepseek", "deepseek-flash", "low", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
    ("deepseek", "deepseek-v4-pro", "none", {"thinking": {"type": "disabled"}}),
    ("openrouter", "deepseek/deepseek-v4-pro", None, {"reasoning": {"enabled": True}}),
    ("openrouter", "deepseek/deepseek-v4-pro", "high", {"reasoning": {"enabled": True, "effort": "high"}}),
    ("openrouter", "deepseek/deepseek-v4-pro", "none", {"reasoning": {"enabled": False}}),
    ("openrouter", "deepseek/deepseek-r1", "low", {}),
    (
        "together",
        "deepseek-ai/DeepSeek-V4-Pro-0813",
        "high",
        {"reasoning": {"enabled": True}, "reasoning_effort": "high"},
    ),
    ("together", "deepseek-ai/DeepSeek-R1-0528", "low", {}),
    ("fireworks", "accounts/fireworks/models/deepseek-r1", "low", {"reasoning_effort": "low"}),
    ("fireworks", "accounts/fireworks/models/deepseek-v4p1-flash", "none", {"reasoning_effort": "none"}),
    ("nvidia", "deepseek-ai/deepseek-v3.2", "low", {"chat_template_kwargs": {"thinking": True}}),
    ("vllm", "deepseek-ai/DeepSeek-V3.1", "none", {"chat_template_kwargs": {"thinking": False}}),
    ("sglang", "deepseek-r1", "low", {}),
    ("ollama", "deepseek-r1:8b", "low", {}),
    ("ollama", "deepseek-r1:8b", "none", {"reasoning_effort": "none"}),
    ("litellm", "deepseek-r1", "low", {}),
    ("unknown", "who-knows", "low", {}),
]
MODES = ("reasoning_effort", "reasoning", "thinking", "chat_template_kwargs", "effort")


@pytest.mark.parametrize(("endpoint", "model", "effort", "expected"), EFFORTS)
@pytest.mark.parametrize("given", [True, False], ids=["model", "call"])
async def test_effort_is_sent_as_the_endpoint_wants_it_or_not_at_all(
    endpoint: str, model: str, effort: str | None, expected: Json, given: bool
) -> None:
    wanted = {"effort": effort} if effort else {}
    body = await sent(endpoint, model, **({"given": wanted} if given else wanted))
    assert {name: body[name] for name in MODES if name in body} == expected


async def test_an_effort_under_openais_name_is_translated_too() -> None:
    assert "reasoning_effort" not in await sent("ollama", "deepseek-r1:8b", given={"reasoning_effort": "low"})
    assert (await sent("openrouter", "deepseek/deepseek-v4-pro", reasoning_effort="low"))["reasoning"][
        "effort"
    ] == "low"


async def test_what_the_caller_puts_into_the_body_wins_over_the_profile() -> None:
    body = await sent(
        "deepseek", "deepseek-flash", given={"extra_body": {"thinking": {"type": "disabled"}, "user_id": "7"}}
    )
    assert (body["thinking"], body["user_id"]) == ({"type": "disabled"}, "7")


# ------------------------------------------------------------------------------------------------- JSON mode


@pytest.mark.parametrize("way", WAYS)
async def test_json_mode_is_sent_where_it_goes_with_thinking_and_the_reasoning_still_comes(way: str) -> None:
    with ModelServer(Said('{"a": 1}', "hm")) as server:
        model = ChatR1(model="deepseek-flash", base_url=server.url, profile="deepseek", max_retries=0)
        message = await ask(model, way, "json", response_format={"type": "json_object"})
    assert server.requests[0].body["response_format"] == {"type": "json_object"}
    assert message.text == '{"a": 1}'
    assert message.additional_kwargs["reasoning_content"] == "hm"


async def test_json_mode_is_not_sent_unless_it_is_asked_for_and_allowed() -> None:
    assert "response_format" not in await sent("deepseek", "deepseek-flash")
    assert "response_format" not in await sent("vllm", "deepseek-flash", response_format={"type": "json_object"})


async def test_a_schema_is_for_models_that_do_not_think() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    assert "response_format" not in await sent("deepseek", "deepseek-flash", way="ainvoke", response_format=schema)
    body = await sent("openai", "gpt-5.1", way="ainvoke", response_format=schema)
    assert body["response_format"] == schema


class Person(BaseModel):
    """A person."""

    name: str
    age: int


METHODS = ["function_calling", "json_mode", "json_schema"]
ANN = '{"name": "Ann", "age": 7}'


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["deepseek-r1", "deepseek-flash"])
@pytest.mark.parametrize("reply", [ANN, f"```json\n{ANN}\n```"], ids=["bare", "fenced"])
@pytest.mark.parametrize("dialect", ["reasoning_content", "think"])
async def test_an_object_is_asked_for_in_words_and_comes_whatever_the_method(
    method: str, model: str, reply: str, dialect: str
) -> None:
    with ModelServer(Said(reply, "A draft: {}"), dialect=dialect) as server:
        chat = ChatR1(model=model, base_url=server.url, profile="deepseek", max_retries=0)
        found = await chat.with_structured_output(Person, method=method).ainvoke("Who is it?")
    assert found == Person(name="Ann", age=7)
    [message] = server.requests[0].body["messages"]
    assert message["content"].startswith("Who is it?\n\nReply with one JSON object")
    assert '"age"' in message["content"]
    assert not {"tools", "tool_choice"} & server.requests[0].body.keys()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reply", ["Ann is seven.", '{"name": "Ann"}', ""])
async def test_a_reply_that_is_no_such_object_is_an_error_and_never_nothing(method: str, reply: str) -> None:
    with ModelServer(Said(reply, "hm")) as server:
        chat = ChatR1(model="deepseek-r1", base_url=server.url, max_retries=0)
        with pytest.raises(OutputParserException):
            await chat.with_structured_output(Person, method=method).ainvoke("Who is it?")
        raw = await chat.with_structured_output(Person, method=method, include_raw=True).ainvoke("Who is it?")
    assert (raw["raw"].text, raw["parsed"], bool(raw["parsing_error"])) == (reply, None, True)


async def test_a_model_that_does_not_think_is_given_the_schema_itself() -> None:
    with ModelServer(Said(ANN)) as server:
        chat = ChatR1(model="gpt-5.1", base_url=server.url, profile="openai", max_retries=0)
        assert (await chat.with_structured_output(Person, method="json_schema").ainvoke("Who is it?")).age == 7
    assert server.requests[0].body["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_of_several_answers_a_stream_gives_the_first(way: str) -> None:
    def piece(index: int, text: str, finish: str | None = None) -> Json:
        return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]}

    events = [piece(0, "for"), piece(1, "thir"), piece(1, "teen", "stop"), piece(0, "ty"), piece(0, "", "stop")]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    with ModelServer(Said(body=body, headers={"Content-Type": "text/event-stream"})) as server:
        message = await ask(ChatR1(model="r1", base_url=server.url), way, n=2)
    assert message.text == "forty"


# ------------------------------------------------------------------------------------------------- history


def rules_of_r1(request: Request) -> Said:
    """DeepSeek's API of early 2025: reasoning in the input is an error."""
    if any("reasoning_content" in m for m in request.body["messages"]):
        return refused("reasoning_content is not allowed in the input")
    return Said("42", "MARKER")


def rules_of_v4(request: Request) -> Said:
    """DeepSeek's thinking mode: the reasoning of a turn with tool calls has to come back, if only as ""."""
    turns = [m for m in request.body["messages"] if m["role"] == "assistant"]
    if any(m.get("tool_calls") and m.get("reasoning_content") is None for m in turns):
        return refused("The `reasoning_content` in the thinking mode must be passed back to the API.")
    if request.body.get("tool_choice") not in (None, "auto", "none"):
        return refused("Thinking mode does not support this tool_choice")
    return Said("42", "MARKER")


def refused(why: str) -> Said:
    return Said(status=400, body={"error": {"message": why, "type": "invalid_request_error"}})


def history(thought: str) -> list[BaseMessage]:
    """Question, tool call, tool's result, answer, next question."""
    kept = {"reasoning_content": thought} if thought else {}
    call = {"name": "look", "args": {}, "id": "1", "type": "tool_call"}
    return [
        HumanMessage("Hi"),
        AIMessage("", tool_calls=[call], additional_kwargs=kept, response_metadata={"model_provider": "r1"}),
        ToolMessage("seen", tool_call_id="1"),
        AIMessage("42", additional_kwargs=kept, response_metadata={"model_provider": "r1"}),
        HumanMessage("And now?"),
    ]


@pytest.mark.parametrize("thought", ["MARKER", ""])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("profile", "model", "rules"),
    [
        ("unknown", "deepseek-r1", rules_of_r1),
        ("sglang", "deepseek-ai/DeepSeek-R1-0528", rules_of_r1),
        ("deepseek", "deepseek-flash", rules_of_v4),
        ("together", "deepseek-ai/DeepSeek-V4-Pro-0813", rules_of_v4),
        ("nvidia", "deepseek-ai/deepseek-v3.2", rules_of_v4),
    ],
)
async def test_a_history_with_tool_calls_is_accepted_by_the_server_whose_rule_it_is(
    profile: str, model: str, rules: Callable[[Request], Said], way: str, thought: str
) -> None:
    with ModelServer(rules) as server:
        chat = ChatR1(model=model, base_url=server.url, profile=profile, max_retries=0)
        assert (await ask(chat, way, history(thought), tools=[LOOK], tool_choice="required")).text == "42"
    if rules is rules_of_r1:
        assert "MARKER" not in json.dumps(server.requests[0].body)


@pytest.mark.parametrize(
    ("profile", "model", "rules"),
    [("unknown", "deepseek-r1", rules_of_v4), ("deepseek", "deepseek-flash", rules_of_r1)],
)
async def test_the_two_rules_exclude_each_other(profile: str, model: str, rules: Callable[[Request], Said]) -> None:
    with ModelServer(rules) as server, pytest.raises(BadRequestError):
        await ask(ChatR1(model=model, base_url=server.url, profile=profile), "ainvoke", history("MARKER"))


async def test_which_turns_are_sent_with_their_reasoning_is_the_profiles_rule() -> None:
    sent_back = {}
    for profile, model in [("deepseek", "deepseek-flash"), ("vllm", "deepseek-v4-flash"), ("vllm", "deepseek-r1")]:
        body = await sent(profile, model, history("MARKER"))
        sent_back[profile, model] = [m.get("reasoning_content") for m in body["messages"] if m["role"] == "assistant"]
    assert sent_back == {
        ("deepseek", "deepseek-flash"): ["MARKER", "MARKER"],
        ("vllm", "deepseek-v4-flash"): ["MARKER", None],
        ("vllm", "deepseek-r1"): [None, None],
    }


async def test_reasoning_that_came_as_blocks_or_between_tags_is_sent_back_as_a_field() -> None:
    call = {"type": "tool_call", "name": "look", "args": {}, "id": "1"}
    turns = [
        AIMessage(
            content=[{"type": "reasoning", "reasoning": "MARKER"}, call], response_metadata={"output_version": "v1"}
        ),
        AIMessage("<think>MARKER</think>42", tool_calls=[{"name": "look", "args": {}, "id": "1"}]),
    ]
    for turn in turns:
        prompt = [HumanMessage("Hi"), turn, ToolMessage("seen", tool_call_id="1")]
        message = (await sent("deepseek", "deepseek-flash", prompt))["messages"][1]
        assert message["reasoning_content"] == "MARKER"
        assert "MARKER" not in str(message["content"])


async def test_one_role_never_reads_what_another_thought() -> None:
    """A reasoner that thinks by mode calls a tool; R1 and a plain writer are given the same conversation."""
    call = {"index": 0, "id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "reasoning_content": "MARKER", "tool_calls": [call]}
    first = Said(body={"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "model": "m"})
    with ModelServer([first, Said("42", "MARKER"), Said("prose"), Said("more prose")]) as server:
        reasoner = ChatR1(model="deepseek-flash", base_url=server.url, profile="deepseek").bind_tools([LOOK])
        talk: list[BaseMessage] = [HumanMessage("Hi")]
        talk.append(await reasoner.ainvoke(talk))
        talk.append(ToolMessage("seen", tool_call_id="1"))
        talk.append(await reasoner.ainvoke(talk))
        for model in ("deepseek-r1", "anthropic/claude-sonnet-4.5"):
            await ChatR1(model=model, base_url=server.url).ainvoke([*talk, HumanMessage("Write it.")])
    bodies = [json.dumps(request.body) for request in server.requests]
    assert ["MARKER" in body for body in bodies] == [False, True, False, False]


@pytest.mark.parametrize("way", WAYS)
async def test_neither_reasoning_nor_key_is_in_a_log(way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with ModelServer([Said("42", "MARKER"), refused("MARKER KEY-planted")]) as server:
        chat = ChatR1(model="r1", base_url=server.url, api_key=SecretStr("KEY-planted"), max_retries=0)
        await ask(chat, way)
        with pytest.raises(BadRequestError):
            await ask(chat, way)
    assert "/chat/completions" in caplog.text  # the client's own line on each request
    assert "MARKER" not in caplog.text
    assert "KEY-planted" not in caplog.text


# ------------------------------------------------------------------------------------------------- what it cost


def priced(way: str, usage: Json) -> Said:
    """A reply with this `usage`, whole or as a stream in which OpenRouter's finish comes twice."""
    counts = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12, **usage}
    if way.endswith("invoke"):
        message = {"role": "assistant", "content": "ok", "reasoning": "hm"}
        return Said(body={"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": counts})
    end = {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}
    events = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "ok"}, "finish_reason": None}]},
        {"choices": [end]},
        {"choices": [end], "usage": counts},
    ]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Said(
        body=": waiting\n\n" + "".join(lines) + "data: [DONE]\n\n", headers={"Content-Type": "text/event-stream"}
    )


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_server_says_a_call_cost_is_told_once(way: str) -> None:
    with ModelServer(priced(way, {"cost": 0.0021})) as server:
        message = await ask(ChatR1(model="deepseek/deepseek-r1", base_url=server.url, profile="openrouter"), way)
    assert message.response_metadata["cost_usd"] == 0.0021
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.text == "ok"


@pytest.mark.parametrize("way", WAYS)
async def test_no_cost_is_told_where_the_server_says_none(way: str) -> None:
    with ModelServer(priced(way, {})) as server:
        message = await ask(ChatR1(model="r1", base_url=server.url), way)
    assert "cost_usd" not in message.response_metadata


@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_counts_nothing_is_read_all_the_same(way: str) -> None:
    with ModelServer(Said("ok", "hm", usage=False)) as server:
        message = await ask(ChatR1(model="r1", base_url=server.url), way)
    assert (message.text, message.usage_metadata) == ("ok", None)


@pytest.mark.parametrize("way", WAYS)
async def test_cached_tokens_are_counted_under_deepseeks_own_name(way: str) -> None:
    with ModelServer(priced(way, {"prompt_cache_hit_tokens": 7, "prompt_cache_miss_tokens": 3})) as server:
        message = await ask(ChatR1(model="r1", base_url=server.url), way)
    assert message.usage_metadata["input_token_details"]["cache_read"] == 7


# ------------------------------------------------------------------------------------------------- choosing


async def test_without_a_profile_the_address_and_the_model_choose() -> None:
    model = ChatR1(model="deepseek-flash", base_url="https://api.deepseek.com")
    assert (model.endpoint_profile.name, model.temperature, model.max_tokens) == ("deepseek", None, 64_000)
    async with open_chat_model(model="deepseek-r1:8b", base_url="http://localhost:11434/v1") as opened:
        assert opened.endpoint_profile.name == "ollama"
    async with open_chat_model(model="mine", base_url="http://localhost:9/v1", profile="vllm/r1") as opened:
        assert (opened.endpoint_profile.name, opened.temperature) == ("vllm", 0.6)


def test_an_endpoints_name_stands_for_its_address() -> None:
    model = ChatR1(model="deepseek/deepseek-r1-0528", profile="openrouter")
    assert str(model.openai_api_base) == "https://openrouter.ai/api/v1"


def test_without_an_address_nothing_is_sent_to_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://somebody.example/v1")
    with pytest.raises(SettingsError, match="base_url"):
        ChatR1(model="deepseek-r1")


async def test_a_proxy_for_openai_is_not_asked_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_PROXY", "http://user:password@127.0.0.1:9")
    with ModelServer(Said("ok")) as server:
        await ask(ChatR1(model="deepseek-r1", base_url=server.url), "ainvoke")
        async with open_chat_model(model="deepseek-r1", base_url=server.url) as model:
            await ask(model, "ainvoke")
    assert len(server.requests) == 2


async def test_a_retired_model_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ModelRefused, match="deepseek-flash"):
        ChatR1(model="deepseek-reasoner", base_url="https://api.deepseek.com")
    with pytest.raises(ModelRefused, match="deepseek-flash"):
        async with open_chat_model(model="deepseek-chat", base_url="https://api.deepseek.com"):
            pass


async def test_a_model_with_a_name_of_openais_is_sent_to_the_same_address_as_any_other() -> None:
    with ModelServer(Said("ok")) as server:
        await ask(ChatR1(model="gpt-5-pro", base_url=server.url), "ainvoke")
    assert server.requests[0].path == "/v1/chat/completions"


async def test_what_one_model_learned_of_its_server_is_not_another_ones() -> None:
    with ModelServer(Said("Forty-two.", "hm"), dialect="bare") as server:
        taught, fresh = (ChatR1(model="r1", base_url=server.url) for _ in range(2))
        await ask(taught, "astream")
    assert (taught._mode, fresh._mode) == ("prefilled", "auto")
