"""What went wrong, told in one line with the way out: over real HTTP, through the client that is used."""

from __future__ import annotations

import json
import socket

import httpx
import httpx2
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
from agent.reasoning.models import Endpoint, Profile, model_error, open_chat_model
from tests.model_server import ModelServer, Said

KEY = "sk-planted-0123456789abcdef"


async def failure(url: str, *, idle_seconds: float = 5, model: str = "deepseek-r1") -> ModelError:
    """Our error for what a streamed call to this URL raises."""
    profile = Profile("test", temperature=0.6, top_p=0.95, max_tokens=100, system="fold", idle_seconds=idle_seconds)
    key = SecretStr(KEY)
    async with open_chat_model(model=model, base_url=url, api_key=key, profile=profile) as chat:
        try:
            async for _ in chat.astream("Hi"):
                pass
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


async def test_a_prompt_that_is_too_long_is_told_from_other_bad_requests() -> None:
    told = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
    with ModelServer(refusal(400, told)) as server:
        assert isinstance(await failure(server.url), ContextExceeded)
    assert isinstance(model_error(ContextOverflowError("too long"), Endpoint("r1")), ContextExceeded)


async def test_a_quota_that_is_used_up_is_not_a_reason_to_wait() -> None:
    with ModelServer(refusal(429, "You exceeded your current quota (insufficient_quota)")) as server:
        assert isinstance(await failure(server.url), ModelRefused)


async def test_the_servers_wish_to_wait_is_kept() -> None:
    with ModelServer(refusal(429, **{"Retry-After": "7"})) as server:
        assert (await failure(server.url)).retry_after == 7
    with ModelServer(refusal(503, **{"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})) as server:
        assert (await failure(server.url)).retry_after is None


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


async def test_an_address_that_answers_with_a_web_page_is_told_as_a_wrong_address() -> None:
    with ModelServer(Said(body="<html>Welcome</html>", headers={"Content-Type": "text/html"})) as server:
        assert "OpenAI-compatible" in str(await failure(server.url))


@pytest.mark.parametrize("fault", ["cut", "hang midway", "error event", "not json", "no finish", "hang"])
async def test_a_reply_that_breaks_off_may_be_asked_for_again(fault: str) -> None:
    with ModelServer(Said("one two three four", "five six", fault=fault)) as server:
        error = await failure(server.url, idle_seconds=0.3)
    assert type(error) is ModelOverloaded
    assert "\n" not in str(error)


async def test_an_error_event_with_a_fatal_status_is_fatal() -> None:
    body = {"error": {"message": "Insufficient Balance", "code": 402}}
    event = Said(body=f"data: {json.dumps(body)}\n\n", headers={"Content-Type": "text/event-stream"})
    with ModelServer(event) as server:
        error = await failure(server.url)
    assert isinstance(error, ModelRefused)
    assert "balance" in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_no_error_repeats_a_key(status: int) -> None:
    with ModelServer(refusal(status, f"Incorrect API key provided: {KEY}, or Bearer {KEY}")) as server:
        error = await failure(server.url)
    assert KEY not in str(error)
    assert "planted" not in str(error)


def test_a_password_in_the_url_is_not_repeated() -> None:
    at = Endpoint("r1", "http://user:planted@models.example/v1")
    assert "planted" not in str(model_error(httpx2.ConnectError("refused"), at))


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_both_generations_of_the_http_library_are_understood(library: object) -> None:
    at = Endpoint("r1", "http://models.example/v1")
    assert isinstance(model_error(library.ConnectError("refused"), at), ModelUnreachable)
    assert isinstance(model_error(library.ConnectTimeout("slow"), at), ModelUnreachable)
    assert isinstance(model_error(library.ReadTimeout("silent"), at), ModelOverloaded)
    assert isinstance(model_error(library.RemoteProtocolError("broke"), at), ModelOverloaded)
    assert isinstance(model_error(library.ReadError("reset"), at), ModelOverloaded)


def test_an_error_of_some_other_library_is_told_with_its_name() -> None:
    error = model_error(KeyError("choices"), Endpoint("r1"))
    assert type(error) is ModelError
    assert "KeyError" in str(error)


def test_our_own_errors_stay_what_they_are() -> None:
    mine = ModelOverloaded("busy", retry_after=3)
    assert model_error(mine, Endpoint("r1")) is mine
