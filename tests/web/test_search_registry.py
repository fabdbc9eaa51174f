from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

import agent
from agent.errors import SettingsError
from agent.search.provider_base import ProviderContext
from agent.search.provider_registry import PROVIDERS, build


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[ProviderContext]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield ProviderContext(
            client=client,
            user_agent="lion-hunter/1",
            options={"brave_api_key": "lion", "serper_api_key": "lion", "searxng_url": "http://searx.example"},
            folder=tmp_path,
            sample_search_url="http://127.0.0.1:1/search",
        )


def without(parts: ProviderContext, lacking: dict[str, str | None]) -> ProviderContext:
    fields = {name: value for name, value in lacking.items() if name in ("folder", "sample_search_url")}
    options = {**parts.options, **{name: value for name, value in lacking.items() if name not in fields}}
    return replace(parts, options=options, **fields)  # type: ignore[arg-type]


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
        build(name, without(parts, lacking))


def test_naming_the_providers_loads_no_client_and_no_parser() -> None:
    heavy = "{'httpx2', 'ddgs', 'primp', 'lxml'}"
    code = f"import sys, agent.search.provider_registry; print({heavy} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


PROVIDER_OF_ONE_FILE = """
from agent.search.provider_base import Provider, ProviderSetting
from agent.types import SearchHit

class Lions:
    name = "lions"

    def __init__(self, key):
        self.key = key

    async def search(self, query, *, limit):
        return [SearchHit("http://lions.example/", self.key, "", 1, "lions")]

PROVIDER = Provider(
    "lions", lambda parts: Lions(parts.options["lions_api_key"]), (ProviderSetting("api_key", "the lions' key"),),
    needs="api_key", enabled_by="api_key", hint="feed the lions",
)
"""
ASKED = """
import asyncio
from contextlib import AsyncExitStack
from datetime import date
from agent.errors import SettingsError
from agent.settings import Settings, table
from agent.types import Query
from agent.wiring.web_setup import SearchContext, names, open_providers, why

async def main():
    settings = Settings(cache_dir="cache")
    async with AsyncExitStack() as stack:
        found = await open_providers(settings, names(settings), stack, SearchContext(date(2026, 12, 1), seconds=5.0))
        [hit] = await found["lions"].search(Query("lion"), limit=1)
    print(hit.title, "|", why(settings), "|", "`AGENT_LIONS_API_KEY` |  | the lions' key" in table())

asyncio.run(main())
try:
    Settings(search=("lions",), lions_api_key="")
except SettingsError as e:
    print(e)
"""


@pytest.mark.tree
def test_a_provider_is_one_file_and_one_line(tmp_path: Path) -> None:
    """Its settings, the reason why it is asked, the configuration table and its errors come from the file."""
    tree = Path(agent.__file__).parent
    shutil.copytree(tree, tmp_path / "agent", ignore=shutil.ignore_patterns("__pycache__", "pages"))
    (tmp_path / "agent/search/providers/lions.py").write_text(PROVIDER_OF_ONE_FILE)
    registry = tmp_path / "agent/search/provider_registry.py"
    registry.write_text(registry.read_text().replace('    "searxng",\n', '    "searxng",\n    "lions",\n'))
    given = {**os.environ, "AGENT_LIONS_API_KEY": "roar", "PYTHONPATH": str(tmp_path)}
    run = [sys.executable, "-c", ASKED]
    told = subprocess.run(run, env=given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.stderr == ""
    assert told.stdout.splitlines() == [
        "roar | AGENT_LIONS_API_KEY is set | True",
        "the search provider 'lions' needs a key: set AGENT_LIONS_API_KEY",
    ]
