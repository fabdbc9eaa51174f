"""How each role is driven: by its endpoint and model, and by the window that its server was started with."""

from contextlib import AsyncExitStack

import pytest
from langchain_core.language_models import GenericFakeChatModel

from agent.errors import SettingsError
from agent.reasoning.models import ChatR1
from agent.settings import Settings
from agent.wiring.factory import build_graph
from agent.wiring.model_setup import fitting, measured, open_roles, role_configs
from tests.nearby import Nearby, listed


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_a_server_that_was_started_with_less_than_the_model_takes_is_believed(kind):
    with Nearby({"/v1/models": listed("deepseek-r1", max_model_len=16_384)}) as server:
        settings = Settings(model="deepseek-r1", base_url=server.url, profile=kind)
        roles = measured(role_configs(settings))
    assert roles["reasoner"].profile.context_tokens == 16_384
    assert roles["reasoner"].profile.max_tokens == 8_192
    assert fitting(settings.limits, roles).evidence_tokens == 8_192


def test_a_server_that_does_not_tell_its_window_leaves_the_models():
    with Nearby({"/v1/models": listed("deepseek-r1")}) as server:
        roles = measured(role_configs(Settings(model="deepseek-r1", base_url=server.url, profile="vllm")))
    assert roles["reasoner"].profile.context_tokens == 131_072


def test_roles_at_the_reasoners_address_are_driven_as_its_profile_says():
    given = {"base_url": "http://gpu.example:9999/v1", "profile": "sglang/r1-0528"}
    roles = role_configs(Settings(model="ours", writer_model="claude-sonnet", fast_model="deepseek-v3.1", **given))
    assert {one.profile.name for one in roles.values()} == {"sglang"}
    assert [one.profile.family for one in roles.values()] == ["r1-0528", "plain", "deepseek-v3.1"]


def test_a_role_elsewhere_is_driven_as_its_own_address_says():
    given = {"base_url": "http://gpu.example:9999/v1", "profile": "sglang"}
    roles = role_configs(Settings(model="r1", fast_model="r1", fast_base_url="https://openrouter.ai/api/v1", **given))
    assert roles["fast"].profile.name == "openrouter"


# ------------------------------------------------------------------------------------------------- the caller's own


@pytest.mark.parametrize("role", ["reasoner", "writer", "fast"])
def test_a_limit_in_dollars_cannot_be_kept_for_a_model_of_the_callers_own(role):
    given = {} if role == "reasoner" else {"model": "deepseek/deepseek-r1", "base_url": "https://openrouter.ai/api/v1"}
    with pytest.raises(SettingsError, match="max-total-tokens"):
        build_graph(Settings(max_usd=1, search="sample", **given), **{role: GenericFakeChatModel(messages=iter([]))})


def test_a_chat_r1_of_the_callers_own_is_priced_as_its_endpoint_is():
    mine = ChatR1(model="deepseek/deepseek-r1-0528", base_url="https://openrouter.ai/api/v1")
    build_graph(Settings(max_usd=1, search="sample"), reasoner=mine)


async def test_a_chat_r1_of_the_callers_own_is_driven_as_it_says_itself():
    mine = ChatR1(model="deepseek-r1", base_url="http://localhost:8000/v1")
    async with AsyncExitStack() as stack:
        roles = await open_roles({}, stack, {"reasoner": mine}, pass_thinking=False)
    assert roles.reasoner.profile == mine.endpoint_profile
    assert roles.reasoner.endpoint.host == "localhost:8000"
