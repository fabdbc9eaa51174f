from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from agent.errors import SettingsError
from agent.search.provider_base import ProviderContext
from agent.search.provider_registry import PROVIDERS, build


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[ProviderContext]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield ProviderContext(
            client=client,
            user_agent="lion-hunter/1",
            brave_api_key="lion",
            serper_api_key="lion",
            searxng_url="http://searx.example",
            folder=tmp_path,
            sample_search_url="http://127.0.0.1:1/search",
        )


def test_every_provider_of_this_version_is_there() -> None:
    assert sorted(PROVIDERS) == ["brave", "duckduckgo", "folder", "sample", "searxng", "serper", "tavily", "wikipedia"]


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_provider_is_built_under_its_own_name(name: str, parts: ProviderContext) -> None:
    assert build(name, parts).name == name


@pytest.mark.parametrize("name", ["google", "", "DuckDuckGo"])
def test_an_unknown_name_is_told_the_known_ones(name: str, parts: ProviderContext) -> None:
    with pytest.raises(
        SettingsError, match="brave, duckduckgo, folder, sample, searxng, serper, tavily, wikipedia"
    ) as caught:
        build(name, parts)
    assert f"AGENT_SEARCH={name!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "lacking", "variable"),
    [
        ("searxng", {"searxng_url": None}, "AGENT_SEARXNG_URL"),
        ("folder", {"folder": None}, "AGENT_FOLDER"),
        ("sample", {"sample_search_url": None}, "sample web"),
        ("brave", {"brave_api_key": None}, "AGENT_BRAVE_API_KEY"),
        ("brave", {"brave_url": "brave"}, "AGENT_BRAVE_URL"),
        ("serper", {"serper_api_key": ""}, "AGENT_SERPER_API_KEY"),
        ("serper", {"serper_url": "serper"}, "AGENT_SERPER_URL"),
        ("tavily", {"tavily_url": "tavily"}, "AGENT_TAVILY_URL"),
        ("wikipedia", {"wikipedia_url": "wiki"}, "AGENT_WIKIPEDIA_URL"),
    ],
)
def test_a_missing_or_useless_setting_is_named(
    name: str, lacking: dict[str, str | None], variable: str, parts: ProviderContext
) -> None:
    with pytest.raises(SettingsError, match=variable):
        build(name, replace(parts, **lacking))  # type: ignore[arg-type]


def test_naming_the_providers_loads_no_client_and_no_parser() -> None:
    heavy = "{'httpx2', 'ddgs', 'primp', 'lxml'}"
    code = f"import sys, agent.search.provider_registry; print({heavy} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
