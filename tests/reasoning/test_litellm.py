"""ChatR1 and a whole run through LiteLLM's proxy, with the scripted server behind it.

Slow.  `tests/litellm_gateway.py` installs the proxy; the tests are skipped where pip reaches no index.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.errors import ContextExceeded, ModelError, ModelOverloaded, ModelRefused
from agent.reasoning.models import Endpoint, model_error, open_chat_model
from agent.research import ResearchAgent
from agent.settings import Settings
from tests.litellm_gateway import KEY, MODEL, NoIndex, gateway
from tests.model_server import ModelServer, Said, Script
from tests.reasoning.ways import ANSWER, STREAMS, THOUGHT, WAYS, ask, told

pytestmark = pytest.mark.slow

BOTH = Said(ANSWER, THOUGHT)
QUESTION = "Under which licence was DeepSeek-R1 released, and at what temperature should it be used?"


class Chain:
    """The gateway's base URL, and the scripted server behind it."""

    def __init__(self, url: str, upstream: ModelServer) -> None:
        self.url, self.upstream = url, upstream

    def says(self, script: Script | None, dialect: str = "reasoning_content") -> None:
        self.upstream.says(script, dialect)

    async def failure(self, way: str, *, key: str = KEY, model: str = MODEL) -> ModelError:
        at = Endpoint(model, self.url)
        async with open_chat_model(model=model, base_url=self.url, api_key=SecretStr(key), profile="litellm") as chat:
            try:
                await ask(chat, way)
            except Exception as error:  # noqa: BLE001 - which it is, is the question
                return model_error(error, at)
        raise AssertionError("the call did not fail")


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with ModelServer() as upstream:
        try:
            with gateway(upstream.url, tmp_path_factory.mktemp("litellm")) as url:
                yield Chain(url, upstream)
        except NoIndex as why:
            pytest.skip(f"LiteLLM's proxy cannot be installed: {why}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dialect", ["reasoning_content", "reasoning", "both", "openrouter", "think", "bare"])
async def test_reasoning_and_answer_come_apart_behind_a_gateway(chain: Chain, dialect: str, way: str) -> None:
    chain.says(BOTH, dialect)
    async with open_chat_model(model=MODEL, base_url=chain.url, api_key=SecretStr(KEY), profile="litellm") as model:
        message = await ask(model, way)
    reasoning, answer = told(message)
    assert (reasoning.strip(), answer) == (THOUGHT, ANSWER)  # it leaves the line ends that stand beside the tags
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.usage_metadata["output_token_details"] == {"reasoning": 6}


@pytest.mark.parametrize("way", WAYS)
async def test_the_answer_is_clean_where_the_gateway_itself_loses_the_reasoning(chain: Chain, way: str) -> None:
    chain.says(BOTH, "reasoning_details")  # of a stream, LiteLLM 1.102 drops the pieces that have only details
    async with open_chat_model(model=MODEL, base_url=chain.url, api_key=SecretStr(KEY), profile="litellm") as model:
        assert told(await ask(model, way)) == ("", ANSWER)


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_about_the_tags_survives_a_gateway(chain: Chain, way: str) -> None:
    answer = "R1 thinks between <think> and </think>\nand then answers."
    chain.says(Said(answer, THOUGHT))
    async with open_chat_model(model=MODEL, base_url=chain.url, api_key=SecretStr(KEY), profile="litellm") as model:
        assert told(await ask(model, way)) == (THOUGHT, answer)


async def test_the_request_arrives_as_r1_must_be_driven(chain: Chain) -> None:
    chain.says(BOTH)
    async with open_chat_model(model=MODEL, base_url=chain.url, api_key=SecretStr(KEY), profile="litellm") as model:
        await ask(model, "astream", [("system", "Be brief."), ("human", "Hi")])
    (request,) = chain.upstream.requests
    assert [m["role"] for m in request.body["messages"]] == ["user"]
    assert (request.body["temperature"], request.body["top_p"]) == (0.6, 0.95)
    assert request.body["max_tokens"] >= 32_768
    assert KEY not in str(request)


# ------------------------------------------------------------------------------------------------- errors

TOO_LONG = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."


@pytest.mark.parametrize("way", ["ainvoke", "astream"])
@pytest.mark.parametrize(
    ("status", "said", "kind", "names"),
    [
        (400, TOO_LONG, ContextExceeded, "--depth"),
        (401, "Authentication Fails", ModelRefused, "AGENT_API_KEY"),
        (402, "Insufficient Balance", ModelRefused, "balance"),
        (404, "model not found", ModelRefused, "AGENT_MODEL"),
        (429, "Rate limit reached", ModelOverloaded, "Rate limit"),
        (500, "Internal Server Error", ModelOverloaded, "500"),
        (503, "Service is too busy", ModelOverloaded, "too busy"),
    ],
)
async def test_what_the_server_behind_it_refuses_is_told_with_its_way_out(
    chain: Chain, status: int, said: str, kind: type[ModelError], names: str, way: str
) -> None:
    chain.says(Said(status=status, body={"error": {"message": said}}))
    error = await chain.failure(way)
    assert type(error) is kind
    assert names.lower() in str(error).lower()
    assert KEY not in str(error)


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("fault", ["error event", "cut"])
async def test_a_reply_that_breaks_off_behind_it_may_be_asked_for_again(chain: Chain, fault: str, way: str) -> None:
    chain.says(Said(ANSWER, THOUGHT, fault=fault))
    assert type(await chain.failure(way)) is ModelOverloaded


async def test_a_wrong_key_and_an_unknown_model_are_the_gateways_own_refusals(chain: Chain) -> None:
    chain.says(BOTH)
    wrong_key = await chain.failure("astream", key="sk-planted-0123456789abcdef")
    assert "AGENT_API_KEY" in str(wrong_key)
    assert "planted" not in str(wrong_key)
    assert "AGENT_MODEL" in str(await chain.failure("astream", model="no-such-model"))
    assert chain.upstream.requests == []


# ------------------------------------------------------------------------------------------------- a whole run


@pytest.mark.parametrize("dialect", ["reasoning_content", "think"])
def test_a_whole_run_ends_in_a_cited_answer(chain: Chain, dialect: str, tmp_path: Path) -> None:
    chain.says(None, dialect)
    places = {"data_dir": tmp_path / "data", "cache_dir": tmp_path / "cache", "search": "sample"}
    endpoint = {"model": MODEL, "base_url": chain.url, "api_key": KEY, "profile": "litellm"}
    answer = ResearchAgent(Settings(**places, **endpoint)).invoke(QUESTION)
    assert answer.status == "complete"
    assert any(claim.citations and claim.citations[0].quote for claim in answer.claims)
    assert all(step.reasoning for step in answer.steps if step.name in ("plan", "write"))
    assert "think>" not in answer.answer
    assert answer.usage.reasoning_tokens > 0
