"""Which profile an address and a model's name lead to, and what the tables hold."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import ModelRefused, SettingsError
from agent.reasoning.models import ENDPOINTS, R1, Profile, fitted, profile_for
from agent.reasoning.models.model_profiles import FAMILIES, LIMITS, WAYS, profile_names

OPENROUTER, DEEPSEEK, LOCAL = "https://openrouter.ai/api/v1", "https://api.deepseek.com", "http://localhost:9/v1"

AT = [  # address, model -> endpoint, family
    (OPENROUTER, "deepseek/deepseek-r1-0528", "openrouter", "r1-0528"),
    (OPENROUTER, "deepseek/deepseek-r1-0528:free", "openrouter", "r1-0528"),
    (OPENROUTER, "deepseek/deepseek-r1", "openrouter", "r1"),
    (OPENROUTER, "deepseek/deepseek-r1-distill-llama-70b", "openrouter", "r1-distill-llama"),
    (OPENROUTER, "anthropic/claude-sonnet-4.5", "openrouter", "plain"),
    (OPENROUTER, "deepseek/deepseek-v4-pro-0813", "openrouter", "deepseek-v4"),
    (OPENROUTER, "deepseek/deepseek-chat-v3-0324", "openrouter", "plain"),
    (OPENROUTER, "deepseek/deepseek-chat-v3.1", "openrouter", "deepseek-v3.1"),
    (OPENROUTER, "deepseek/deepseek-v3.2-exp", "openrouter", "deepseek-v3.2"),
    (OPENROUTER, "~deepseek/deepseek-flash-latest", "openrouter", "deepseek-v4"),
    (DEEPSEEK, "deepseek-flash", "deepseek", "deepseek-v4"),
    ("https://api.deepseek.com/v1", "deepseek-v4-pro", "deepseek", "deepseek-v4"),
    ("https://api.deepseek.com/beta", "deepseek-v4-flash", "deepseek", "deepseek-v4"),
    ("https://api.together.xyz/v1", "deepseek-ai/DeepSeek-R1-0528", "together", "r1-0528"),
    ("https://api.together.ai/v1", "deepseek-ai/DeepSeek-V3", "together", "plain"),
    ("https://api.fireworks.ai/inference/v1", "accounts/fireworks/models/deepseek-r1", "fireworks", "r1"),
    (
        "https://api.fireworks.ai/inference/v1",
        "accounts/fireworks/models/deepseek-v4p1-flash",
        "fireworks",
        "deepseek-v4",
    ),
    ("https://integrate.api.nvidia.com/v1", "deepseek-ai/deepseek-v3.2", "nvidia", "deepseek-v3.2"),
    ("https://mine.services.ai.azure.com/openai/v1", "DeepSeek-R1-0528", "azure", "r1-0528"),
    ("https://DeepSeek-R1-abc.eastus.models.ai.azure.com", "DeepSeek-R1", "azure", "r1"),
    ("https://api.deepinfra.com/v1/openai", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "deepinfra", "r1-distill-qwen"),
    ("https://api.sambanova.ai/v1", "DeepSeek-R1", "sambanova", "r1"),
    ("https://api.openai.com/v1", "gpt-5.1", "openai", "plain"),
    ("http://localhost:11434/v1", "deepseek-r1", "ollama", "r1-0528-qwen3"),
    ("http://localhost:11434/v1", "deepseek-r1:14b", "ollama", "r1-distill-qwen"),
    ("http://localhost:11434/v1", "deepseek-r1:8b", "ollama", "r1-0528-qwen3"),
    ("http://127.0.0.1:11434/v1", "deepseek-r1:70b", "ollama", "r1-distill-llama"),
    ("http://host.docker.internal:11434/v1", "deepseek-r1:671b", "ollama", "r1-0528"),
    ("http://ollama:80/v1", "deepseek-r1:8b-llama-distill-q4_K_M", "ollama", "r1-distill-llama"),
    ("http://gpu.lan:8000/v1", "deepseek-ai/DeepSeek-R1-Zero", "vllm", "r1-zero"),
    ("http://[::1]:30000/v1", "deepseek-ai/DeepSeek-R1", "sglang", "r1"),
    ("http://localhost:8080/v1", "DeepSeek-R1-0528-Qwen3-8B-Q4_K_M.gguf", "llama.cpp", "r1-0528-qwen3"),
    ("http://localhost:1234/v1", "deepseek-r1-distill-llama-8b", "lmstudio", "r1-distill-llama"),
    ("localhost:1234/v1", "deepseek-r1-distill-qwen-7b", "lmstudio", "r1-distill-qwen"),
    ("http://localhost:4000/v1", "deepseek_r1", "litellm", "r1"),
    ("http://proxy.example/v1", "deepseek-reasoner", "unknown", "r1"),
    (LOCAL, "reasoner-of-my-own", "unknown", "other"),
    (LOCAL, "r1x-7b", "unknown", "other"),
    ("https://notopenrouter.ai/v1", "mistral-large", "unknown", "plain"),
    ("http://openrouter.ai.example/v1", "deepseek-r1", "unknown", "r1"),
    ("http://localhost:99999/v1", "deepseek-r1", "unknown", "r1"),
    ("http://[half/v1", "deepseek-r1", "unknown", "r1"),
    ("", "deepseek-r1", "unknown", "r1"),
    (LOCAL, "deepseek-r1-0528-distill-qwen3-8b", "unknown", "r1-0528-qwen3"),
    (LOCAL, "deepseek-r1:8b-0528-qwen3-q4_K_M", "unknown", "r1-0528-qwen3"),
    (LOCAL, "deepseek-prover-v2-671b", "unknown", "other"),
]


@pytest.mark.parametrize(("url", "model", "endpoint", "family"), AT)
def test_address_and_model_lead_to_a_profile(url: str, model: str, endpoint: str, family: str) -> None:
    profile = profile_for(url, model)
    assert (profile.name, profile.family) == (endpoint, family)


@pytest.mark.parametrize("model", ["deepseek-reasoner", "deepseek-chat", "DeepSeek-Reasoner"])
def test_a_name_that_deepseek_has_retired_is_refused_with_the_way_out(model: str) -> None:
    with pytest.raises(ModelRefused, match=r"2026-07-24.*deepseek-flash.*deepseek/deepseek-r1-0528 at openrouter\.ai"):
        profile_for(DEEPSEEK, model)


def test_a_name_overrules_what_the_address_and_the_model_say() -> None:
    assert profile_for(LOCAL, "reasoner", "vllm").name == "vllm"
    assert profile_for(LOCAL, "reasoner", "r1-0528").family == "r1-0528"
    both = profile_for(OPENROUTER, "reasoner", "sglang/r1-zero")
    assert (both.name, both.family) == ("sglang", "r1-zero")


def test_a_name_that_is_no_profile_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match=r"'olama'.*openrouter.*ollama.*r1-distill-qwen"):
        profile_for(LOCAL, "r1", "olama")


@pytest.mark.parametrize("model", ["deepseek-r1", "DeepSeek-R1-Zero", "DeepSeek-R1-Distill-Qwen-32B", "r1-0528"])
@pytest.mark.parametrize("endpoint", [e.name for e in ENDPOINTS])
def test_every_r1_keeps_to_what_its_makers_recommend_at_every_endpoint(endpoint: str, model: str) -> None:
    profile = profile_for("", model, endpoint)
    assert 0.5 <= (profile.temperature or 0) <= 0.7
    assert profile.top_p == 0.95
    assert profile.pass_back == "never"
    assert not profile.json_mode
    assert profile.reasons


def test_r1_has_room_to_think_wherever_the_endpoint_gives_it() -> None:
    limits = {endpoint.name: profile_for("", "DeepSeek-R1", endpoint.name).max_tokens for endpoint in ENDPOINTS}
    assert {name: limit for name, limit in limits.items() if limit != 32_768} == {
        "openrouter": 16_000,
        "fireworks": 20_480,
        "sambanova": 16_384,
        "ollama": 64_000,  # what it calls deepseek-r1 is a distill of R1-0528
    }
    assert profile_for(LOCAL, "DeepSeek-R1-0528").max_tokens == 64_000
    assert profile_for(OPENROUTER, "deepseek/deepseek-r1-0528").max_tokens == 32_768
    assert profile_for(OPENROUTER, "deepseek/deepseek-r1-0528:free").max_tokens == 32_768


def test_a_small_window_is_shared_between_prompt_and_reply() -> None:
    small = profile_for(OPENROUTER, "deepseek/deepseek-r1-distill-llama-70b")
    assert (small.context_tokens, small.max_tokens) == (8_192, 4_096)
    assert fitted(R1, 16_384).max_tokens == 8_192
    assert fitted(R1, 1_000_000).max_tokens == R1.max_tokens
    assert fitted(profile_for(LOCAL, "whatever"), 8_192).max_tokens == 4_096


@pytest.mark.parametrize("name", ["ollama", "llama.cpp", "lmstudio", "unknown"])
def test_a_window_that_somebody_else_sets_is_not_known(name: str) -> None:
    assert profile_for("", "deepseek-r1:8b", name).context_tokens is None


def test_a_model_that_thinks_by_mode_is_told_to_and_given_no_sampling() -> None:
    flash = profile_for(DEEPSEEK, "deepseek-flash")
    assert flash.extra == {"thinking": {"type": "enabled"}}
    assert flash.thinking_off == {"thinking": {"type": "disabled"}}
    assert (flash.temperature, flash.top_p) == (None, None)
    assert (flash.effort, flash.pass_back, flash.json_mode, flash.system) == (
        "reasoning_effort",
        "always",
        True,
        "send",
    )
    assert profile_for("http://gpu:8000", "deepseek-ai/DeepSeek-V3.2").extra == {
        "chat_template_kwargs": {"thinking": True}
    }


def test_only_models_with_tool_calls_in_their_thinking_get_their_reasoning_back() -> None:
    passed = {model: profile_for(OPENROUTER, model).pass_back for model in ("deepseek-v4-pro", "deepseek-v3.2")}
    assert set(passed.values()) == {"tool turns"}
    assert {profile_for(DEEPSEEK, m).pass_back for m in ("deepseek-r1", "claude-opus", "deepseek-v3.1")} == {"never"}


def test_a_plain_writer_is_sent_its_system_message_and_nothing_of_r1() -> None:
    claude = profile_for(OPENROUTER, "anthropic/claude-sonnet-4.5")
    assert (claude.temperature, claude.top_p, claude.system, claude.reasons) == (None, None, "send", False)
    assert claude.max_tokens == 8_192


def test_an_unknown_model_at_an_unknown_endpoint_is_sent_as_little_as_can_be() -> None:
    unknown = profile_for(LOCAL, "reasoner-of-my-own")
    assert (unknown.temperature, unknown.top_p, unknown.max_tokens, unknown.effort) == (None, None, None, "")
    assert (unknown.tags, unknown.json_mode, unknown.extra, unknown.pass_back) == ("auto", False, {}, "never")


def test_the_user_is_told_that_r1_zero_mixes_languages_and_that_a_distill_is_small() -> None:
    assert "mixes languages" in profile_for(LOCAL, "deepseek-r1-zero").note
    assert "distill" in profile_for(LOCAL, "deepseek-r1:7b").note
    assert R1.note == ""


def test_the_tables_fit_each_other() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert len({*names, *(family.name for family in FAMILIES)}) == len(profile_names())
    assert list(WAYS) == names
    assert {endpoint for endpoint, _ in LIMITS} <= set(names)
    assert all(model == model.casefold() and "/" not in model for _, model in LIMITS)
    assert {name for ways in WAYS.values() for name in ways.graded} <= {family.name for family in FAMILIES}


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.base_url and e.model], ids=lambda e: e.name)
def test_an_endpoints_own_address_and_model_lead_back_to_it_and_think(endpoint: Any) -> None:
    profile = profile_for(endpoint.base_url, endpoint.model)
    assert profile.name == endpoint.name
    assert profile.reasons
    assert profile.family != "other"


def test_a_profile_is_a_value() -> None:
    assert isinstance(R1, Profile)
    assert profile_for("", "deepseek-r1") == R1
    assert len({R1, profile_for("", "deepseek-r1")}) == 1
