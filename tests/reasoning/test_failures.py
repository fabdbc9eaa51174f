"""What went wrong, told in one line with the way out: over real HTTP, through the client that is used."""

from __future__ import annotations

import json
import socket
import time
from email.utils import formatdate
from types import ModuleType
from typing import Any

import httpx
import httpx2
import openai
import pytest
from langchain_core.exceptions import ContextOverflowError
from pydantic import SecretStr

from agent.errors import (
    ContextExceeded,
    ModelError,
    ModelOverloaded,
    ModelRefused,
    ModelUnreachable,
)
from agent.reasoning.models import Endpoint, model_error, open_chat_model
from tests.model_server import ModelServer, Said
from tests.reasoning.ways import WAYS, ask, quick

KEY = "sk-planted-0123456789abcdef"


async def failure(url: str, *, key: str = KEY, way: str = "astream") -> Any:
    """The `ModelError` for what a call to this URL raises."""
    model = "deepseek-r1"
    async with open_chat_model(model=model, base_url=url, api_key=SecretStr(key), profile=quick()) as chat:
        try:
            await ask(chat, way)
        except Exception as error:  # noqa: BLE001 - which it is, is the question
            return model_error(error, Endpoint(model=model, url=url))
    raise AssertionError("the call did not fail")


def refusal(status: int, message: str = "no", **headers: str) -> Said:
    return Said(status=status, body={"error": {"message": message}}, headers=headers)


@pytest.mark.parametrize(
    ("status", "kind", "names"),
    [
        (400, ModelRefused, "no"),
        (401, ModelRefused, "AGENT_API_KEY"),
        (402, ModelRefused, "balance"),
        (403, ModelRefused, "AGENT_API_KEY"),
        (404, ModelRefused, "AGENT_MODEL"),
        (404, ModelRefused, "AGENT_BASE_URL"),
        (404, ModelRefused, "'deepseek-r1'"),
        (413, ContextExceeded, "--depth"),
        (422, ModelRefused, "422"),
        (308, ModelRefused, "AGENT_BASE_URL"),
        (408, ModelOverloaded, "408"),
        (429, ModelOverloaded, "too many requests"),
        (500, ModelOverloaded, "500"),
        (503, ModelOverloaded, "service unavailable"),
        (529, ModelOverloaded, "529"),
    ],
)
async def test_each_status_has_its_meaning_and_its_way_out(status: int, kind: type[ModelError], names: str) -> None:
    with ModelServer(refusal(status, location="http://127.0.0.1:9/")) as server:
        error = await failure(server.url)
    assert type(error) is kind
    assert names in str(error)
    assert "\n" not in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "message", "kind", "names"),
    [
        (400, "Model Not Exist", ModelRefused, "AGENT_MODEL"),
        (400, "/v1/chat/completions: Invalid model name passed in model=r1", ModelRefused, "AGENT_MODEL"),
        (400, "API key not valid. Please pass a valid API key.", ModelRefused, "AGENT_API_KEY"),
        (401, "Authentication Fails, Your api key: ****cdef is invalid", ModelRefused, "AGENT_API_KEY"),
        (402, "Insufficient Balance", ModelRefused, "no balance"),
        (422, "Failed to deserialize the JSON body into the target type", ModelRefused, "Failed to deserialize"),
        (429, "Rate Limit Reached", ModelOverloaded, "Rate Limit"),
        (500, "Internal Server Error", ModelOverloaded, "500"),
        (503, "Service is too busy. We advise users to temporarily switch", ModelOverloaded, "too busy"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
async def test_what_deepseek_and_its_gateways_say_is_told_with_its_way_out(
    way: str, status: int, message: str, kind: type[ModelError], names: str
) -> None:
    with ModelServer(refusal(status, message)) as server:
        error = await failure(server.url, way=way)
    assert type(error) is kind
    assert names in str(error)


def test_langchains_word_for_a_prompt_that_is_too_long_is_known() -> None:
    assert isinstance(model_error(ContextOverflowError("too long"), Endpoint("r1")), ContextExceeded)


async def test_a_quota_that_is_used_up_is_not_a_reason_to_wait() -> None:
    with ModelServer(refusal(429, "You exceeded your current quota (insufficient_quota)")) as server:
        assert isinstance(await failure(server.url), ModelRefused)


async def test_the_servers_wish_to_wait_is_kept() -> None:
    with ModelServer(refusal(429, **{"Retry-After": "7"})) as server:
        assert (await failure(server.url)).retry_after == 7
    with ModelServer(refusal(503, **{"Retry-After": "as you like"})) as server:
        assert (await failure(server.url)).retry_after is None


@pytest.mark.parametrize(("away", "least", "most"), [(3_600, 3_500, 3_600), (-3_600, 0, 0)])
async def test_a_wish_to_wait_until_a_time_is_kept_too(away: float, least: float, most: float) -> None:
    when = formatdate(time.time() + away, usegmt=True)
    with ModelServer(refusal(503, **{"Retry-After": when})) as server:
        assert least <= (await failure(server.url)).retry_after <= most


def a_closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


async def test_an_address_where_nothing_listens_is_unreachable() -> None:
    port = a_closed_port()
    error = await failure(f"http://127.0.0.1:{port}/v1")
    assert isinstance(error, ModelUnreachable)
    assert f"127.0.0.1:{port}" in str(error)
    assert "AGENT_BASE_URL" in str(error)


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    assert isinstance(await failure("http://no-such-host.invalid/v1"), ModelUnreachable)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "http://127.0.0.1:99999/v1"])
async def test_a_url_that_cannot_be_asked_names_its_setting(url: str) -> None:
    error = await failure(url)
    assert isinstance(error, ModelRefused)
    assert f"AGENT_BASE_URL={url!r}" in str(error)


async def test_https_to_a_server_without_it_is_told_as_that() -> None:
    with ModelServer(Said("ok")) as server:
        error = await failure(server.url.replace("http:", "https:"))
    assert isinstance(error, ModelUnreachable)
    assert "secure connection" in str(error)
    assert "AGENT_BASE_URL" in str(error)


# ------------------------------------------------------------------------------------------------- no chat reply

LOGIN = Said(body="<html><title>Log in</title></html>", headers={"Content-Type": "text/html; charset=utf-8"})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("instead", "names"),
    [
        (LOGIN, "a web page"),
        (Said(body="[1, 2]"), "[1, 2]"),
        (Said(body={"detail": "ok", "models": []}), "detail"),
        (Said(body='"pong"'), "pong"),
    ],
    ids=["a login page", "an array", "another object", "a string"],
)
async def test_something_else_with_status_200_is_told_as_a_wrong_address(instead: Said, names: str, way: str) -> None:
    with ModelServer(instead) as server:
        error = await failure(server.url, way=way)
    assert type(error) is ModelRefused
    assert names in str(error)
    assert "OpenAI-compatible" in str(error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"message": "no capacity", "code": 503}, ModelOverloaded),
        ({"message": "Insufficient credits", "code": 402}, ModelRefused),
        ("model runner has unexpectedly stopped", ModelOverloaded),
    ],
    ids=["busy", "no balance", "a text"],
)
async def test_an_error_with_status_200_is_an_error(told: object, kind: type[ModelError], way: str) -> None:
    """OpenRouter has begun to answer when its provider fails; llama.cpp and Ollama have done so too."""
    with ModelServer(Said(body={"error": told})) as server:
        error = await failure(server.url, way=way)
    assert type(error) is kind
    assert "balance" in str(error) or str(told["message"] if isinstance(told, dict) else told) in str(error)


@pytest.mark.parametrize("way", WAYS)
async def test_a_reply_without_a_choice_may_be_asked_for_again(way: str) -> None:
    with ModelServer(Said(body={"choices": []})) as server:
        assert type(await failure(server.url, way=way)) is ModelOverloaded


async def test_a_server_that_cannot_stream_is_told_as_that() -> None:
    reply = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    with ModelServer(Said(body=reply)) as server:
        assert "stream" in str(await failure(server.url))


async def test_an_error_event_with_a_fatal_status_is_fatal() -> None:
    body = {"error": {"message": "Insufficient Balance", "code": 402}}
    event = Said(body=f"data: {json.dumps(body)}\n\n", headers={"Content-Type": "text/event-stream"})
    with ModelServer(event) as server:
        error = await failure(server.url)
    assert isinstance(error, ModelRefused)
    assert "balance" in str(error)


# ------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 422, 429, 500, 503])
@pytest.mark.parametrize(
    "key",
    [KEY, "planted", "planted.with.dots", "gsk_planted0123456789abcdefghij", "eyJplanted.eyJzdWIi.c2lnbmF0dXJl"],
)
async def test_no_error_repeats_a_key_whatever_it_looks_like(key: str, status: int) -> None:
    told = f"Incorrect API key provided: {key}, or Bearer {key}, or {key}."
    with ModelServer(refusal(status, told)) as server:
        for way in ("ainvoke", "astream"):
            error = await failure(server.url, key=key, way=way)
            assert "planted" not in f"{error} {error!r} {error.args}"


@pytest.mark.parametrize("key", ["sk-planted…", "planted\nkey"])
async def test_a_key_that_cannot_be_sent_is_told_without_it(key: str) -> None:
    with ModelServer(Said("ok")) as server:
        error = await failure(server.url, key=key)
    assert isinstance(error, ModelRefused)
    assert "AGENT_API_KEY" in str(error)
    assert "planted" not in str(error)


def test_a_password_in_the_url_is_not_repeated() -> None:
    at = Endpoint("r1", "http://user:planted@models.example/v1")
    assert "planted" not in str(model_error(httpx2.ConnectError("refused"), at))


# ------------------------------------------------------------------------------------------------- packages' errors

AT = Endpoint("r1", "http://models.example/v1")


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConnectError", ModelUnreachable),
        ("ConnectTimeout", ModelUnreachable),
        ("ProxyError", ModelUnreachable),
        ("UnsupportedProtocol", ModelRefused),
        ("LocalProtocolError", ModelRefused),
        ("ReadTimeout", ModelOverloaded),
        ("WriteTimeout", ModelOverloaded),
        ("PoolTimeout", ModelOverloaded),
        ("ReadError", ModelOverloaded),
        ("WriteError", ModelOverloaded),
        ("CloseError", ModelOverloaded),
        ("RemoteProtocolError", ModelOverloaded),
        ("DecodingError", ModelOverloaded),
    ],
)
def test_both_generations_of_the_http_library_are_understood(
    name: str, kind: type[ModelError], library: ModuleType
) -> None:
    error = getattr(library, name)("scripted")
    assert type(model_error(error, AT)) is kind
    assert type(model_error(caused_by(openai.APIConnectionError(request=a_request(library)), error), AT)) is kind


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_status_is_understood_in_both_generations_of_the_http_library(library: ModuleType) -> None:
    sent = a_request(library)
    for status, kind in {401: ModelRefused, 402: ModelRefused, 429: ModelOverloaded, 503: ModelOverloaded}.items():
        reply = library.Response(status, headers={"retry-after": "7"}, request=sent)
        error = model_error(library.HTTPStatusError("scripted", request=sent, response=reply), AT)
        assert type(error) is kind
        assert getattr(error, "retry_after", 7) == 7


@pytest.mark.parametrize(
    ("kind_of_openai", "status", "kind"),
    [
        (openai.BadRequestError, 400, ModelRefused),
        (openai.AuthenticationError, 401, ModelRefused),
        (openai.APIStatusError, 402, ModelRefused),
        (openai.PermissionDeniedError, 403, ModelRefused),
        (openai.NotFoundError, 404, ModelRefused),
        (openai.ConflictError, 409, ModelOverloaded),
        (openai.APIStatusError, 413, ContextExceeded),
        (openai.UnprocessableEntityError, 422, ModelRefused),
        (openai.RateLimitError, 429, ModelOverloaded),
        (openai.InternalServerError, 503, ModelOverloaded),
    ],
)
def test_openais_errors_are_understood(
    kind_of_openai: type[openai.APIStatusError], status: int, kind: type[ModelError]
) -> None:
    reply = httpx2.Response(status, request=a_request(httpx2))
    error = model_error(kind_of_openai("scripted", response=reply, body={"message": "scripted"}), AT)
    assert type(error) is kind


def test_openais_errors_without_a_status_are_understood() -> None:
    sent = a_request(httpx2)
    assert type(model_error(openai.APITimeoutError(request=sent), AT)) is ModelOverloaded
    assert type(model_error(openai.APIConnectionError(request=sent), AT)) is ModelOverloaded
    assert type(model_error(openai.ContentFilterFinishReasonError(), AT)) is ModelRefused
    late = openai.APIError("Service busy", request=sent, body={"message": "Service busy", "code": 503})
    assert type(model_error(late, AT)) is ModelOverloaded


def test_an_error_of_ours_that_another_wraps_is_found() -> None:
    mine = ModelRefused("a web page came")
    assert model_error(caused_by(openai.APIConnectionError(request=a_request(httpx2)), mine), AT) is mine


def a_request(library: ModuleType) -> Any:
    return library.Request("POST", "http://models.example/v1/chat/completions")


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_an_error_of_some_other_library_is_told_with_its_name() -> None:
    error = model_error(KeyError("choices"), Endpoint("r1"))
    assert type(error) is ModelError
    assert "KeyError" in str(error)


def test_our_own_errors_stay_what_they_are() -> None:
    mine = ModelOverloaded("busy", retry_after=3)
    assert model_error(mine, Endpoint("r1")) is mine


@pytest.mark.parametrize("status", [None, 404])
async def test_a_password_in_an_address_is_not_shown(status: int | None) -> None:
    with ModelServer(refusal(status or 200)) as server:
        url = server.url.replace("//", "//me:hunter22@") if status else "ftp://me:hunter22@localhost/v1"
        told = str(await failure(url))
    assert "hunter22" not in told
    assert "/v1" in told
