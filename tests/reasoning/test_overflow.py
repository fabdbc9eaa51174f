"""A prompt that is too long, in the words of every server: it is the one refusal that a smaller prompt mends."""

from __future__ import annotations

import json

import pytest

from agent.errors import ContextExceeded, ModelRefused
from agent.reasoning.models import Endpoint, model_error, open_chat_model
from tests.model_server import ModelServer, Said
from tests.reasoning.ways import WAYS, ask

STREAM = {"Content-Type": "text/event-stream"}


def body(message: str, **beside: object) -> str:
    return json.dumps({"error": {"message": message, **beside}})


REQUESTED = (
    "This model's maximum context length is 65536 tokens. However, you requested 69135 tokens (61135 in the messages, "
    "8000 in the completion). Please reduce the length of the messages or completion."
)
LLAMA_CPP = {
    "code": 400,
    "message": "request (14429 tokens) exceeds the available context size (8192 tokens), try increasing it",
    "type": "exceed_context_size_error",
    "n_prompt_tokens": 14429,
    "n_ctx": 8192,
}
OPENROUTER = (
    "This endpoint's maximum context length is 131072 tokens. However, you requested about 141607 tokens (10535 of "
    'text input, 131072 in the output). Please reduce the length of either one, or use the "middle-out" transform to '
    "compress your prompt automatically."
)
TOO_LONG = {
    "DeepSeek": (400, body(REQUESTED, type="invalid_request_error", param=None, code="invalid_request_error")),
    "vLLM, until 0.10": (
        400,
        json.dumps({"object": "error", "message": REQUESTED, "type": "BadRequestError", "param": None, "code": 400}),
    ),
    "vLLM": (
        400,
        body(
            "'max_tokens' or 'max_completion_tokens' is too large: 32768. This model's maximum context length is 8192 "
            "tokens and your request has 500 input tokens (32768 > 8192 - 500).",
            type="BadRequestError",
            code=400,
        ),
    ),
    "vLLM, the prompt alone": (
        400,
        body(
            "The decoder prompt (length 140000) is longer than the maximum model length of 131072. Make sure that "
            "`max_model_len` is no smaller than the number of text tokens.",
            type="BadRequestError",
            code=400,
        ),
    ),
    "llama.cpp": (400, json.dumps({"error": LLAMA_CPP})),
    "llama.cpp, September 2025": (500, json.dumps({"error": {**LLAMA_CPP, "code": 500}})),
    "Ollama": (400, body("the input length exceeds the context length", type="invalid_request_error", code=None)),
    "OpenRouter": (400, body(OPENROUTER, code=400, metadata={"provider_name": "Chutes"})),
    "OpenRouter, what its provider said": (
        502,
        body(f'ConnectionError: {{"object": "error", "message": "{REQUESTED}", "code": 400}}', code=502),
    ),
    "SGLang, the prompt alone": (
        400,
        json.dumps(
            {
                "object": "error",
                "message": "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            }
        ),
    ),
    "SGLang": (
        400,
        body(
            "Requested token count exceeds the model's maximum context length of 40960 tokens. You requested a total "
            "of 61000 tokens: 28232 tokens from the input messages and 32768 tokens for the completion."
        ),
    ),
    "LM Studio": (
        400,
        json.dumps(
            {
                "error": "The number of tokens to keep from the initial prompt is greater than the context length "
                "(n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length."
            }
        ),
    ),
    "Together": (
        422,
        body(
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32769. Given: 31000 `inputs` tokens "
            "and 32768 `max_new_tokens`",
            type="invalid_request_error",
        ),
    ),
    "Fireworks": (400, body("The prompt is too long: 170000, model maximum context length: 163839")),
    "LiteLLM": (400, body(f"litellm.ContextWindowExceededError: OpenAIException - {REQUESTED}", code="400")),
    "a proxy": (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
}
NOT_TOO_LONG = {
    "max_tokens of DeepSeek": "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "max_tokens of OpenAI": "Unsupported parameter: 'max_tokens' is not supported with this model.",
    "pass-back": "The `reasoning_content` in the thinking mode must be passed back to the API.",
    "tool choice": "Thinking mode does not support this tool_choice",
    "JSON mode": "deepseek-reasoner does not support Json Output.",
}


async def failure(said: Said, way: str = "astream") -> Exception:
    with ModelServer(said) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            try:
                await ask(model, way)
            except Exception as error:  # noqa: BLE001 - which it is, is the question
                return model_error(error, Endpoint("r1", server.url))
    raise AssertionError("the call did not fail")


@pytest.mark.parametrize(("status", "told"), TOO_LONG.values(), ids=TOO_LONG)
async def test_every_servers_word_for_it_is_known(status: int, told: str) -> None:
    for way in WAYS:
        error = await failure(Said(status=status, body=told), way)
        assert isinstance(error, ContextExceeded), (way, error)
        assert "--depth" in str(error)


@pytest.mark.parametrize("way", WAYS)
async def test_it_is_known_when_it_comes_with_status_200(way: str) -> None:
    assert isinstance(await failure(Said(body=body(OPENROUTER, code=400)), way), ContextExceeded)


@pytest.mark.parametrize(
    "event",
    [
        'data: {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "x"}}',
        'data: {"object": "error", "message": "The input (9 tokens) is longer than the model\'s context length (8).", '
        '"type": "BadRequestError", "code": 400}',
        'event: error\ndata: {"error": {"message": "Trying to keep the first 11149 tokens when context the overflows. '
        'However, the model is loaded with context length of only 4096 tokens, which is not enough."}}',
    ],
    ids=["llama.cpp", "SGLang", "LM Studio"],
)
async def test_it_is_known_when_it_comes_as_an_event_of_a_stream(event: str) -> None:
    begun = 'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}'
    error = await failure(Said(body=f"{begun}\n\n{event}\n\n", headers=STREAM))
    assert isinstance(error, ContextExceeded)


@pytest.mark.parametrize("message", NOT_TOO_LONG.values(), ids=NOT_TOO_LONG)
async def test_other_refusals_are_not_taken_for_it(message: str) -> None:
    error = await failure(Said(status=400, body=body(message, type="invalid_request_error")))
    assert type(error) is ModelRefused
    assert message[:30] in str(error)


async def test_a_limit_on_tokens_a_minute_is_not_taken_for_it() -> None:
    error = await failure(Said(status=429, body=body("Rate limit: the input is too long for this minute's tokens")))
    assert not isinstance(error, ContextExceeded)
