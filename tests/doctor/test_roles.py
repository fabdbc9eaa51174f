"""The one tiny request to a model, and what is said of each way in which it can fail."""

import pytest

from agent.doctor.diagnosis_item import DiagnosisItem, Machine
from agent.doctor.model_checks import REPLY_TOKENS, asked, nobody_there
from agent.settings import Settings
from agent.wiring.model_setup import role_configs
from tests.nearby import Nearby, Sends, closed_port, listed, streamed, tags

HERE = Machine()
IN_CONTAINER = Machine(in_container=True)
EVIDENCE = 12_000
CHAT = "/v1/chat/completions"
KEY = "sk-planted-0123456789"


def error(status: int, message: str) -> Sends:
    return Sends(f'{{"error": {{"message": "{message}"}}}}', status)


async def findings(url: str, machine: Machine = HERE, *, seconds: float = 20, **given: object) -> list[DiagnosisItem]:
    settings = Settings(**{"model": "deepseek-r1:8b", "base_url": url, **given})
    return await asked(role_configs(settings)["reasoner"], EVIDENCE, machine, seconds=seconds)


async def problem(url: str, machine: Machine = HERE, **given: object) -> DiagnosisItem:
    (found,) = await findings(url, machine, **given)
    assert found.state == "problem"
    assert found.part == "reasoner"
    assert "planted" not in repr(found)
    return found


def ollama(*, given: int | None = 32_768, chat: object = None) -> Nearby:
    running = {"models": [{"name": "deepseek-r1:8b", "context_length": given}] if given else []}
    shown = {"parameters": "", "model_info": {"qwen3.context_length": 131_072}}
    return Nearby(
        {
            CHAT: chat or streamed(),
            "/v1/models": listed("deepseek-r1:8b"),
            "/api/tags": tags("deepseek-r1:8b"),
            "/api/version": {"version": "0.12.6"},
            "/api/show": shown,
            "/api/ps": running,
        }
    )


# ---------------------------------------------------------------------------------------------------- well


async def test_a_model_that_thinks_and_answers_is_well():
    with Nearby({CHAT: streamed()}) as server:
        first, *_ = await findings(server.url, model="deepseek-r1")
    assert first.state == "ok"
    assert "thinks and answers" in first.told
    assert "deepseek-r1 at 127.0.0.1" in first.told


async def test_the_request_is_tiny_and_asked_as_the_profile_wants_it():
    with Nearby({CHAT: streamed()}) as server:
        await findings(server.url, model="deepseek-r1", api_key=KEY)
        sent = next(a for a in server.asked if a.path == CHAT)
    assert (sent.body["max_tokens"], sent.body["temperature"], sent.body["stream"]) == (REPLY_TOKENS, 0.6, True)
    assert [m["role"] for m in sent.body["messages"]] == ["user"]
    assert sent.headers["authorization"] == f"Bearer {KEY}"


async def test_thinking_that_the_limit_cuts_off_is_well_too():
    with Nearby({CHAT: streamed("", finish="length")}) as server:
        first, *_ = await findings(server.url, model="deepseek-r1")
    assert (first.state, "thinks;" in first.told) == ("ok", True)


async def test_an_r1_that_does_not_show_its_thinking_is_said_to_be_one():
    with Nearby({CHAT: streamed(reasoning="")}) as server:
        first, *_ = await findings(server.url, model="deepseek-r1")
    assert (first.state, "without showing that it thinks" in first.told) == ("ok", True)


async def test_what_is_to_be_known_of_a_model_is_said():
    with Nearby({CHAT: streamed()}) as server:
        *_, last = await findings(server.url, model="deepseek-r1-zero")
    assert (last.state, "mixes languages" in last.told) == ("weak", True)


# ---------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_accepted_names_the_variable_and_does_not_show_the_key(status):
    with Nearby({CHAT: error(status, f"Incorrect API key provided: {KEY}")}) as server:
        found = await problem(server.url, api_key=KEY)
    assert "AGENT_API_KEY" in found.mend


async def test_a_missing_key_is_told_from_a_wrong_one():
    with Nearby({CHAT: error(401, "no key")}) as server:
        found = await problem(server.url)
        other = await problem(server.url, api_key=KEY)
    assert "wants a key (401), and none is set" in found.told
    assert "does not accept the key (401)" in other.told


async def test_an_account_without_balance_is_told():
    with Nearby({CHAT: error(402, "Insufficient Balance")}) as server:
        assert "no balance left" in (await problem(server.url, api_key=KEY)).told


# ---------------------------------------------------------------------------------------------------- addresses


async def test_an_address_without_v1_is_mended_with_the_one_that_answers():
    with Nearby({"/v1/models": listed("deepseek-r1:8b")}) as server:
        found = await problem(server.root)
        assert found.mend == f"set AGENT_BASE_URL to {server.url}"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api", "/v1/chat"])
async def test_other_addresses_of_the_same_server_are_mended_too(path):
    with Nearby({"/v1/models": listed("deepseek-r1:8b")}) as server:
        assert (await problem(server.root + path)).mend == f"set AGENT_BASE_URL to {server.url}"


async def test_a_web_page_is_no_endpoint():
    with Nearby(Sends("<html>Welcome</html>", headers={"Content-Type": "text/html"})) as server:
        assert "web page" in (await problem(server.url)).told


async def test_a_port_that_nobody_listens_on_is_told():
    found = await problem(f"http://localhost:{closed_port()}/v1", profile="ollama")
    assert "nothing answers at localhost" in found.told
    assert found.mend == "start it: ollama serve"


async def test_in_a_container_localhost_is_said_to_be_the_container_itself():
    port = closed_port()
    found = await problem(f"http://localhost:{port}/v1", IN_CONTAINER)
    assert "localhost is the container itself" in found.mend
    assert f"http://host.docker.internal:{port}/v1" in found.mend
    assert "http://ollama:11434/v1" in found.mend


def test_a_host_of_the_container_that_is_not_there_is_told_what_docker_needs():
    assert "--add-host" in nobody_there("http://host.docker.internal:11434/v1", IN_CONTAINER)


async def test_a_server_that_accepts_and_says_nothing_is_told_from_one_that_is_not_there():
    with Nearby({CHAT: Sends(silent=True)}) as server:
        found = await problem(server.url, seconds=0.3)
    assert "accepts the request, but nothing comes" in found.told
    assert "loading the model" in found.mend


async def test_a_server_that_is_busy_is_to_be_tried_again():
    with Nearby({CHAT: error(503, "overloaded")}) as server:
        found = await problem(server.url)
    assert ("busy (503" in found.told, "try again" in found.mend) == (True, True)


async def test_a_reply_with_nothing_in_it_is_a_problem():
    with Nearby({CHAT: streamed("", reasoning="")}) as server:
        assert "with nothing" in (await problem(server.url)).told


# ---------------------------------------------------------------------------------------------------- models


async def test_a_model_that_ollama_has_not_pulled_is_pulled():
    with ollama(chat=error(404, "model 'deepseek-r1:14b' not found")) as server:
        found = await problem(server.url, model="deepseek-r1:14b")
    assert found.mend == "ollama pull deepseek-r1:14b, or set AGENT_MODEL to one of deepseek-r1:8b"


async def test_an_ollama_with_no_model_at_all_is_known_too():
    routes = {CHAT: error(404, "model not found"), "/v1/models": {"data": None}, "/api/version": {"version": "0.12"}}
    with Nearby(routes) as server:
        assert (await problem(server.url)).mend == "ollama pull deepseek-r1:8b"


@pytest.mark.parametrize("status", [400, 404])
async def test_a_model_that_another_server_does_not_have_is_one_of_those_it_has(status):
    names = ("a/one", "a/two", "a/three", "a/four", "a/five", "a/six")
    with Nearby({CHAT: error(status, "The model does not exist."), "/v1/models": listed(*names)}) as server:
        found = await problem(server.url)
    assert found.mend == "set AGENT_MODEL to one of a/one, a/two, a/three, a/four, a/five, …"


# ---------------------------------------------------------------------------------------------------- windows


async def test_an_ollama_whose_context_cuts_the_evidence_off_is_a_problem():
    with ollama(given=4096) as server:
        first, second, *_ = await findings(server.url)
    assert first.state == "ok"
    assert second.state == "problem"
    assert "4,096 tokens" in second.told
    assert "12,000" in second.told
    assert "OLLAMA_CONTEXT_LENGTH=32768 ollama serve" in second.mend


async def test_a_context_that_leaves_little_for_thinking_is_a_weakness():
    with ollama(given=16_384) as server:
        assert (await findings(server.url))[1].state == "weak"


async def test_a_context_that_is_enough_is_well():
    with ollama(given=32_768) as server:
        assert (await findings(server.url))[1].state == "ok"


async def test_nothing_is_said_of_a_context_that_ollama_does_not_tell():
    with ollama(given=None) as server:
        assert "context" not in str(await findings(server.url))


@pytest.mark.parametrize(("given", "state"), [(8_192, "weak"), (4_096, "problem"), (65_536, "ok")])
async def test_a_vllm_is_told_in_its_own_words(given, state):
    """A run keeps to the window that vLLM tells: a small one means less evidence, a tiny one no answer."""
    with Nearby({CHAT: streamed(), "/v1/models": listed("deepseek-r1:8b", max_model_len=given)}) as server:
        found = (await findings(server.url, profile="vllm"))[1]
    assert found.state == state
    assert state == "ok" or "--max-model-len 32768" in found.mend
