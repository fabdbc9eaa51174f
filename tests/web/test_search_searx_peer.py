"""SearXNG's interface as a real program serves it: Debian's searx, with the sample web or a fake engine behind it.

`tests/system_packages.sh` installs it.  searx is SearXNG's ancestor and speaks the same JSON.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import httpx2
import pytest

from agent.errors import SearchBroken, SearchThrottled
from agent.sample.sample_server import SampleWeb
from agent.search.provider_wrappers import FilteredProvider
from agent.search.providers.searxng import SearXNG
from agent.text.source_filters import UNBOUNDED, SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer, Peer

SEARX = shutil.which("searx-run", path="/usr/bin")
START_SECONDS = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SEARX is None, reason="searx is not installed: tests/system_packages.sh does it on Debian"),
]


def _settings(port: int, engine: str, *, dated: bool) -> dict[str, object]:
    """All that searx 1.1 needs; Debian leaves its defaults out."""
    return {
        "general": {"debug": False, "instance_name": "peer", "contact_url": False, "enable_stats": False},
        "brand": dict.fromkeys(
            ("git_url", "git_branch", "issue_url", "docs_url", "public_instances", "wiki_url", "twitter_url"), ""
        ),
        "search": {
            "safe_search": 0,
            "autocomplete": "",
            "default_lang": "",
            "ban_time_on_fail": 5,
            "max_ban_time_on_fail": 120,
        },
        "server": {
            "port": port,
            "bind_address": "127.0.0.1",
            "secret_key": "of a test",
            "base_url": False,
            "image_proxy": False,
            "http_protocol_version": "1.0",
            "method": "GET",
            "default_http_headers": {},
        },
        "ui": {
            "static_path": "/usr/share/python3-searx/static",
            "templates_path": "/usr/share/python3-searx/templates",
            "default_theme": "simple",
            "default_locale": "",
            "theme_args": {},
        },
        "outgoing": {"request_timeout": 3.0, "useragent_suffix": "", "pool_connections": 10, "pool_maxsize": 5},
        "doi_resolvers": {"none": "https://doi.example/"},
        "default_doi_resolver": "none",
        "locales": {"en": "English"},
        "engines": [
            {
                "name": "sample",
                "engine": "json_engine",
                "shortcut": "sa",
                "search_url": engine + "?q={query}",
                "results_query": "results",
                "url_query": "url",
                "title_query": "title",
                "content_query": "snippet",
                "categories": "general",
                "enable_http": True,
            },
            {
                "name": "dated",
                "engine": "xpath",
                "shortcut": "da",
                "search_url": engine + "?q={query}{time_range}",
                "results_xpath": "//li",
                "url_xpath": "./a/@href",
                "title_xpath": "./a",
                "content_xpath": "./p",
                "time_range_support": True,
                "time_range_url": "&days={time_range_val}",
                "time_range_map": {"day": 1, "week": 7, "month": 30, "year": 365},
                "categories": "general",
                "enable_http": True,
                "disabled": not dated,
            },
        ],
    }


@asynccontextmanager
async def _searx(
    engine: str, home: Path, *, bounds: SourceFilter = UNBOUNDED, dated: bool = False
) -> AsyncIterator[SearXNG]:
    """A searx whose engine asks the given address; `dated`: beside it one that knows of times."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    settings = home / "settings.yml"
    settings.write_text(json.dumps(_settings(port, engine, dated=dated)))  # JSON is YAML
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "SEARX_SETTINGS_PATH": str(settings)}
    assert SEARX
    with (home / "searx.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            "/usr/bin/python3", SEARX, env=environment, stdout=log, stderr=log, cwd=home
        )
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            await _ready(client, f"http://127.0.0.1:{port}/", home / "searx.log")
            yield SearXNG(client, f"http://127.0.0.1:{port}", bounds=bounds)
    finally:
        server.terminate()
        await server.wait()


async def _ready(client: httpx2.AsyncClient, url: str, log: Path) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    await client.get(url)
                    return
                except httpx2.ConnectError:
                    await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"searx did not start:\n{log.read_text()[-2000:]}")


async def test_its_results_are_hits(tmp_path: Path) -> None:
    async with SampleWeb() as web, _searx(web.search_url, tmp_path) as searx:
        hits = await searx.search(Query("Which temperature should I use with DeepSeek-R1?"), limit=4)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert "http://docs.inference-cookbook.example/r1/settings" in [hit.url for hit in hits]
    assert all(hit.title and hit.snippet and "<" not in hit.snippet for hit in hits)


async def test_chinese_and_signs_reach_its_engines(tmp_path: Path) -> None:
    async with SampleWeb() as web, _searx(web.search_url, tmp_path) as searx:
        hits = await searx.search(Query("训练费用 & R1-Zero?"), limit=10)
    assert "http://www.shenduo-biji.example/ai/deepseek-r1-yi-wen-du-dong" in [hit.url for hit in hits]


async def test_nothing_found_is_nothing(tmp_path: Path) -> None:
    async with SampleWeb() as web, _searx(web.search_url, tmp_path) as searx:
        assert await searx.search(Query("zebra"), limit=5) == []


@pytest.mark.parametrize(("status", "outcome"), [(429, SearchThrottled), (403, SearchThrottled), (500, SearchBroken)])
async def test_a_failing_engine_is_not_nothing(status: int, outcome: type[Exception], tmp_path: Path) -> None:
    async with Peer() as engine, _searx(f"{engine.url}/search", tmp_path) as searx:
        engine.answer = Answer(b"{}", status=status)
        with pytest.raises(outcome, match="sample"):
            await searx.search(Query("lion"), limit=5)


TODAY = date(2026, 11, 24)


async def test_a_time_reaches_the_engine_that_knows_of_times(tmp_path: Path) -> None:
    bounds = SourceFilter(since=date(2026, 11, 20), today=TODAY)
    async with (
        Peer() as engine,
        _searx(f"{engine.url}/search", tmp_path, bounds=bounds, dated=True) as searx,
    ):
        engine.answer = Answer(b"<li><a href='http://one.example/'>A lion</a><p>It sleeps.</p></li>", type="text/html")
        hits = await searx.search(Query("lion"), limit=5)
    assert [hit.url for hit in hits] == ["http://one.example/"]
    assert [seen.query["days"] for seen in engine.seen] == ["7"]


async def test_where_no_engine_knows_of_times_there_are_hits_all_the_same(tmp_path: Path) -> None:
    bounds = SourceFilter(since=date(2026, 11, 20), today=TODAY)
    async with SampleWeb() as web, _searx(web.search_url, tmp_path, bounds=bounds) as searx:
        assert len(await searx.search(Query("DeepSeek-R1"), limit=4)) == 4


async def test_sites_hold_though_its_engine_knows_no_operators(tmp_path: Path) -> None:
    host = "docs.inference-cookbook.example"
    bounds = SourceFilter(sites=(host,))
    async with SampleWeb() as web, _searx(web.search_url, tmp_path, bounds=bounds) as searx:
        hits = await FilteredProvider(searx, bounds).search(
            Query("Which temperature should I use with DeepSeek-R1?"), limit=4
        )
    assert hits
    assert {hit.url.split("/")[2] for hit in hits} == {host}
