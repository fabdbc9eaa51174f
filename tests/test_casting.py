"""How each role is driven: by its endpoint and model, and by the window that its server was started with."""

import pytest

from agent.casting import cast, fitting, measured
from agent.settings import Settings
from tests.nearby import Nearby, listed


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_a_server_that_was_started_with_less_than_the_model_takes_is_believed(kind):
    with Nearby({"/v1/models": listed("deepseek-r1", max_model_len=16_384)}) as server:
        settings = Settings(model="deepseek-r1", base_url=server.url, profile=kind)
        roles = measured(cast(settings))
    assert roles["reasoner"].profile.context_tokens == 16_384
    assert roles["reasoner"].profile.max_tokens == 8_192
    assert fitting(settings.limits, roles).evidence_tokens == 8_192


def test_a_server_that_does_not_tell_its_window_leaves_the_models():
    with Nearby({"/v1/models": listed("deepseek-r1")}) as server:
        roles = measured(cast(Settings(model="deepseek-r1", base_url=server.url, profile="vllm")))
    assert roles["reasoner"].profile.context_tokens == 131_072


def test_roles_at_the_reasoners_address_are_driven_as_its_profile_says():
    given = {"base_url": "http://gpu.example:9999/v1", "profile": "sglang/r1-0528"}
    roles = cast(Settings(model="ours", writer_model="claude-sonnet", fast_model="deepseek-v3.1", **given))
    assert {one.profile.name for one in roles.values()} == {"sglang"}
    assert [one.profile.family for one in roles.values()] == ["r1-0528", "plain", "deepseek-v3.1"]


def test_a_role_elsewhere_is_driven_as_its_own_address_says():
    given = {"base_url": "http://gpu.example:9999/v1", "profile": "sglang"}
    roles = cast(Settings(model="r1", fast_model="r1", fast_base_url="https://openrouter.ai/api/v1", **given))
    assert roles["fast"].profile.name == "openrouter"
