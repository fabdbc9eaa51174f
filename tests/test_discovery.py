"""Which model is used, and why: told from settings, an environment and servers that are a test's own."""

import pytest

from agent.errors import ModelRefused, ModelUnreachable, SettingsError
from agent.settings import EXTRACTIVE, Settings
from agent.wiring.model_discovery import NONE, best_r1, discovered, keys_found, nearby, shown, usual_servers
from agent.wiring.model_setup import Offer, Server
from tests.nearby import Nearby, Sends, closed_port, listed, tags


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch):
    import os

    for name in [n for n in os.environ if n.startswith("AGENT_")]:
        monkeypatch.delenv(name)


def ollama(server: Nearby) -> Server:
    return Server("ollama", "Ollama", server.url)


def vllm(server: Nearby) -> Server:
    return Server("vllm", "vLLM", server.url)


def nobody() -> Server:
    return Server("vllm", "vLLM", f"http://127.0.0.1:{closed_port()}/v1")


def without_model(url: str, **given: object) -> Settings:
    return Settings().model_copy(update={"base_url": url, **given})


# --------------------------------------------------------------------------------------------------- what is configured


def test_the_built_in_model_is_used_where_it_is_asked_for_whatever_there_is():
    with Nearby({"/api/tags": tags("deepseek-r1:8b")}) as server:
        found = discovered(Settings(model=EXTRACTIVE), {"OPENROUTER_API_KEY": "k"}, servers=[ollama(server)])
        assert (found.settings.model, found.why) == (EXTRACTIVE, "as configured; no model is asked")
        assert server.asked == []


def test_a_model_and_its_endpoint_stay_as_they_are_and_nobody_is_asked():
    with Nearby({"/api/tags": tags("deepseek-r1:671b"), "/v1/models": listed("deepseek-r1")}) as server:
        settings = Settings(model="mine", base_url=server.url)
        found = discovered(settings, {"OPENROUTER_API_KEY": "k"}, servers=[ollama(server)])
        assert (found.settings, found.why) == (settings, "as configured")
        assert server.asked == []


def test_an_endpoint_without_a_model_is_asked_for_its_best_r1_with_its_key():
    names = ("gpt-oss:20b", "deepseek-r1-distill-qwen-32b", "deepseek-r1", "r1-zero")
    with Nearby({"/v1/models": listed(*names)}) as server:
        found = discovered(without_model(server.url, api_key=Settings(api_key="k1").api_key), {}, servers=[])
        assert found.settings.model == "deepseek-r1"
        assert found.why == f"{shown(server.url)} offers deepseek-r1"
        assert [a.headers["authorization"] for a in server.asked] == ["Bearer k1"]


def test_an_endpoint_that_serves_one_model_means_that_one_whatever_its_name():
    with Nearby({"/v1/models": listed("the-big-one")}) as server:
        assert discovered(without_model(server.url), {}, servers=[]).settings.model == "the-big-one"


def test_an_endpoint_without_an_r1_says_what_it_has_and_what_to_set():
    with Nearby({"/v1/models": listed(*"abcdefg")}) as server, pytest.raises(SettingsError) as caught:
        discovered(without_model(server.url), {}, servers=[])
    assert "no R1 (a, b, c, d, e, …): set AGENT_MODEL" in str(caught.value)


def test_an_endpoint_that_is_not_there_is_told_at_once():
    with pytest.raises(ModelUnreachable, match="nothing answers at 127"):
        discovered(without_model(f"http://127.0.0.1:{closed_port()}/v1"), {}, servers=[])


def test_an_endpoint_that_refuses_the_key_names_the_variable():
    with Nearby({"/v1/models": Sends(b"{}", 401)}) as server, pytest.raises(ModelRefused, match="AGENT_API_KEY"):
        discovered(without_model(server.url), {}, servers=[])


def test_an_address_without_v1_is_told_to_be_looked_at():
    with Nearby({"/v1/models": listed("r1")}) as server, pytest.raises(SettingsError, match="/v1"):
        discovered(without_model(server.root), {}, servers=[])


# ---------------------------------------------------------------------------------------------------- profiles and keys


def test_a_profile_brings_its_address_its_model_and_the_key_of_its_variable():
    found = discovered(Settings(profile="openrouter"), {"OPENROUTER_API_KEY": " k2\n"}, servers=[])
    made = found.settings
    assert (made.base_url, made.model) == ("https://openrouter.ai/api/v1", "deepseek/deepseek-r1-0528")
    assert made.api_key.get_secret_value() == "k2"


def test_a_key_of_our_own_variable_wins_over_the_provider_s():
    settings = Settings(profile="together", model="m", api_key="ours")
    made = discovered(settings, {"TOGETHER_API_KEY": "theirs"}, servers=[]).settings
    assert (made.model, made.api_key.get_secret_value()) == ("m", "ours")


def test_a_profile_without_a_key_names_both_variables():
    with pytest.raises(SettingsError, match="FIREWORKS_API_KEY or AGENT_API_KEY"):
        discovered(Settings(profile="fireworks"), {}, servers=[])


@pytest.mark.parametrize("profile", ["azure", "unknown"])
def test_a_profile_without_an_address_of_its_own_says_what_to_set(profile):
    with pytest.raises(SettingsError, match="AGENT_BASE_URL"):
        discovered(Settings(profile=profile, api_key="k"), {}, servers=[])


def test_a_profile_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match="openrouter"):
        discovered(Settings(profile="openruter"), {}, servers=[])


def test_a_local_profile_is_asked_at_the_address_that_ollama_host_names():
    with Nearby({"/api/tags": tags("deepseek-r1:14b")}) as server:
        made = discovered(Settings(profile="ollama"), {"OLLAMA_HOST": f"127.0.0.1:{server.port}"}, servers=[]).settings
        assert (made.model, made.base_url) == ("deepseek-r1:14b", f"http://localhost:{server.port}/v1")


def test_a_family_as_the_profile_stays_beside_the_endpoint_that_is_found():
    with Nearby({"/v1/models": listed("deepseek-r1")}) as server:
        assert discovered(Settings(profile="r1-0528"), {}, servers=[vllm(server)]).settings.profile == "vllm/r1-0528"


def test_a_model_with_a_family_and_no_endpoint_is_not_exchanged_for_another_one():
    with Nearby({"/v1/models": listed("deepseek-r1")}) as server, pytest.raises(SettingsError, match="AGENT_BASE_URL"):
        discovered(Settings(model="ours", profile="r1-0528"), {}, servers=[vllm(server)])


@pytest.mark.parametrize(
    ("url", "variable", "sent"),
    [
        ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", True),
        ("https://api.together.xyz/v1", "TOGETHER_API_KEY", True),
        ("http://openrouter.ai/api/v1", "OPENROUTER_API_KEY", False),  # where everybody on the way could read it
        ("https://openrouter.ai.example/api/v1", "OPENROUTER_API_KEY", False),
        ("https://notopenrouter.ai/api/v1", "OPENROUTER_API_KEY", False),
        ("https://me@evil.example/openrouter.ai", "OPENROUTER_API_KEY", False),
        ("https://api.deepseek.com", "OPENROUTER_API_KEY", False),
        ("https://me.openai.azure.com/v1", "OPENAI_API_KEY", False),
        ("https://api.openai.com/v1", "OPENAI_API_KEY", True),
    ],
)
def test_a_provider_s_key_goes_to_its_own_host_only(url, variable, sent):
    made = discovered(Settings(model="m", base_url=url), {variable: "planted"}, servers=[]).settings
    assert (made.api_key is not None) is sent


def test_a_writer_s_endpoint_gets_the_key_of_its_own_provider():
    settings = Settings(
        model="m", base_url="http://localhost:1/v1", writer_model="w", writer_base_url="https://api.deepseek.com"
    )
    made = discovered(settings, {"DEEPSEEK_API_KEY": "d", "OPENROUTER_API_KEY": "o"}, servers=[]).settings
    assert (made.api_key, made.writer_api_key.get_secret_value()) == (None, "d")


# ---------------------------------------------------------------------------------------------------- this machine


def test_a_local_r1_is_taken_before_any_key():
    with Nearby({"/api/tags": tags("llama3.2:3b", "deepseek-r1:32b", "deepseek-r1:8b")}) as server:
        found = discovered(Settings(), {"OPENROUTER_API_KEY": "k"}, servers=[ollama(server)])
        made = found.settings
        assert found.why == f"local Ollama at {shown(server.url)} offers deepseek-r1:32b"
        assert (made.model, made.base_url, made.profile) == ("deepseek-r1:32b", server.url, "ollama")


def test_the_best_model_of_all_servers_is_taken():
    with (
        Nearby({"/api/tags": tags("deepseek-r1:70b")}) as one,
        Nearby({"/v1/models": listed("deepseek-ai/DeepSeek-R1-0528")}) as other,
    ):
        made = discovered(Settings(), {}, servers=[ollama(one), vllm(other)]).settings
        assert (made.model, made.profile) == ("deepseek-ai/DeepSeek-R1-0528", "vllm")


def test_no_key_is_ever_sent_to_a_local_server():
    with Nearby({"/api/tags": tags("deepseek-r1:8b")}) as server:
        made = discovered(Settings(api_key="planted"), {"OPENROUTER_API_KEY": "k"}, servers=[ollama(server)]).settings
        assert made.api_key is None
        assert [a.headers.get("authorization") for a in server.asked] == [None]


BEST = [
    "deepseek-ai/DeepSeek-R1-0528",
    "DeepSeek-R1-UD-IQ1_S.gguf",
    "DeepSeek-R1-Distill-Llama-70B-AWQ-4bit",
    "deepseek-r1:32b",
    "deepseek-r1-0528-qwen3-8b",
    "deepseek-r1-distill-llama-8b",
    "DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf",
    "deepseek-ai/DeepSeek-R1-Zero",
]


def test_r1_0528_goes_before_r1_and_r1_before_distills_by_size():
    left = [Offer(Server("vllm", "vLLM", ""), name) for name in reversed(BEST)]
    order = []
    while best := best_r1(left):
        order.append(best.model)
        left.remove(best)
    assert order == BEST


@pytest.mark.parametrize(
    "name", ["qwen3:32b", "deepseek-coder:33b", "nomic-embed-text", "r10k", "gpt-oss", "claude-r12"]
)
def test_other_models_are_none(name):
    assert best_r1([Offer(Server("ollama", "Ollama", ""), name)]) is None


def test_an_ollama_without_an_r1_is_told_how_to_get_one():
    with Nearby({"/api/tags": tags("llama3.2:3b")}) as server:
        found = discovered(Settings(), {}, servers=[ollama(server)])
        assert found.settings.model == EXTRACTIVE
        assert f"Ollama at {shown(server.url)} has no R1; `ollama pull deepseek-r1:8b`" in found.why


@pytest.mark.parametrize("routes", [Sends(b"\x00\xff" * 1000), Sends(b"<html>"), Sends(status=500), {"/api/tags": [1]}])
def test_garbage_on_a_port_is_no_model_server(routes):
    with Nearby(routes) as server:
        assert discovered(Settings(), {}, servers=[ollama(server), vllm(server)]).why == NONE


def test_nothing_on_any_port_is_no_model_server():
    assert discovered(Settings(), {}, servers=[nobody() for _ in range(5)]).why == NONE


def test_servers_that_stay_silent_or_drip_are_left():
    with Nearby(Sends(silent=True)) as one, Nearby(Sends(b" " * 100_000, pause_s=0.01)) as other:
        found = discovered(Settings(), {}, servers=[ollama(one), vllm(one), vllm(other)])
    assert found.settings.model == EXTRACTIVE


def test_one_that_stays_silent_does_not_hide_one_that_answers():
    with Nearby(Sends(silent=True)) as one, Nearby({"/v1/models": listed("deepseek-r1")}) as other:
        assert [each.server.kind for each in nearby([ollama(one), vllm(other)])] == ["vllm"]


# ---------------------------------------------------------------------------------------------------- keys


def test_keys_are_taken_in_a_fixed_order_whatever_the_environment_s():
    variables = {"DEEPSEEK_API_KEY": "d", "TOGETHER_API_KEY": "t", "OPENROUTER_API_KEY": " "}
    found = discovered(Settings(), variables, servers=[nobody()])
    assert found.why == "TOGETHER_API_KEY is set"
    assert found.settings.base_url.startswith("https://api.together.")
    assert found.settings.model == "deepseek-ai/DeepSeek-R1-0528"
    assert found.settings.api_key.get_secret_value() == "t"


def test_a_key_of_a_provider_without_r1_is_left_alone():
    assert keys_found({"OPENAI_API_KEY": "k", "AZURE_AI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}) == ()


def test_with_nothing_at_all_the_built_in_reasoner_answers_and_says_what_to_do():
    found = discovered(Settings(), {}, servers=[nobody()])
    assert found.settings.model == EXTRACTIVE
    assert "set AGENT_BASE_URL and AGENT_MODEL" in found.why


def test_no_key_is_shown_by_what_was_found():
    found = discovered(Settings(), {"OPENROUTER_API_KEY": "sk-planted"}, servers=[nobody()])
    assert "planted" not in repr(found)


# ---------------------------------------------------------------------------------------------------- where to look


def test_the_usual_servers_are_those_of_their_usual_ports():
    urls = {server.kind: server.url for server in usual_servers({})}
    assert urls == {
        "ollama": "http://localhost:11434/v1",
        "vllm": "http://localhost:8000/v1",
        "llama.cpp": "http://localhost:8080/v1",
        "lmstudio": "http://localhost:1234/v1",
        "sglang": "http://localhost:30000/v1",
    }


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("0.0.0.0", "http://localhost:11434/v1"),
        (":11500", "http://localhost:11500/v1"),
        ("127.0.0.1:11500", "http://localhost:11500/v1"),
        ("http://gpu-box:11434/", "http://gpu-box:11434/v1"),
        ("http://192.168.1.5", "http://192.168.1.5:80/v1"),
        ("https://ollama.home.arpa", "https://ollama.home.arpa:443/v1"),
        ("[::1]:11500", "http://localhost:11500/v1"),
        ("[fd00::5]", "http://[fd00::5]:11434/v1"),
        ("ollama.com", "http://localhost:11434/v1"),  # a paid service
        ("https://ollama.example.org", "http://localhost:11434/v1"),  # a stranger's, as far as we know
        ("localhost:notaport", "http://localhost:11434/v1"),
        ("", "http://localhost:11434/v1"),
        ("ftp://localhost", "http://localhost:11434/v1"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it_within_this_network(value, url):
    assert usual_servers({"OLLAMA_HOST": value})[0].url == url
