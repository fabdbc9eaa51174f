"""From settings to providers that hold to them: order, bounds, refusals over several commands, memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from agent.errors import SearchBroken, SearchThrottled, SettingsError
from agent.sample.sample_server import SampleWeb
from agent.settings import Settings
from agent.types import Query, SearchHit
from agent.wiring import web_setup
from agent.wiring.web_setup import SearchContext
from tests.contracts.search_peer import Answer, Peer

TODAY = date(2026, 11, 24)
OCCASION = SearchContext(TODAY, seconds=5.0)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        peer.answer = answer("a.example", "b.example", "sub.a.example")
        yield peer


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"AGENT_{name.upper()}", raising=False)


def answer(*hosts: str, published: str | None = None) -> Answer:
    results = [{"url": f"http://{host}/", "title": host, "publishedDate": published} for host in hosts]
    return Answer(json.dumps({"results": results}).encode())


async def found(
    settings: Settings, text: str = "lion", occasion: SearchContext = OCCASION, limit: int = 5
) -> list[SearchHit]:
    """As one command asks its first provider."""
    async with AsyncExitStack() as stack:
        providers = await web_setup.open_providers(settings, web_setup.names(settings), stack, occasion)
        return list(await next(iter(providers.values())).search(Query(text), limit=limit))


def searxng(peer: Peer, cache: Path, **given: object) -> Settings:
    return Settings(search=("searxng",), searxng_url=peer.url, cache_dir=cache, **given)


# ------------------------------------------------------------------------------------------------- which, and why


@pytest.mark.parametrize(
    ("given", "names", "why"),
    [
        ({}, ("duckduckgo", "wikipedia"), "none is configured"),
        ({"brave_api_key": "k"}, ("brave",), "AGENT_BRAVE_API_KEY is set"),
        ({"serper_api_key": "k"}, ("serper",), "AGENT_SERPER_API_KEY is set"),
        (
            {"serper_api_key": "k", "brave_api_key": "k", "tavily_api_key": "k", "searxng_url": "http://s.example"},
            ("searxng", "tavily", "brave", "serper"),
            "AGENT_SEARXNG_URL is set, AGENT_TAVILY_API_KEY is set, AGENT_BRAVE_API_KEY is set, "
            "AGENT_SERPER_API_KEY is set",
        ),
        ({"search": ("wikipedia",), "brave_api_key": "k"}, ("wikipedia",), "as configured"),
    ],
)
def test_without_a_choice_those_that_are_configured_are_asked_in_the_promised_order(
    given: dict[str, object], names: tuple[str, ...], why: str
) -> None:
    settings = Settings(**given)
    assert (web_setup.names(settings), web_setup.why(settings)) == (names, why)


@pytest.mark.parametrize("name", ["brave", "serper"])
def test_a_provider_that_lacks_its_key_is_refused_at_once(name: str) -> None:
    with pytest.raises(SettingsError, match=f"AGENT_{name.upper()}_API_KEY"):
        Settings(search=(name,))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"since": "yesterday"}, "AGENT_SINCE='yesterday': is neither day, week, month or year nor a date"),
        ({"site": "example.org/path"}, "AGENT_SITE"),
        ({"not_site": ["two words"]}, "AGENT_NOT_SITE"),
    ],
)
def test_bounds_that_are_none_are_refused_by_the_variables_name(given: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**given)
    assert told in str(caught.value)


def test_sites_are_hosts_however_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_SITE", "https://Example.org/, *.edu")
    assert Settings(not_site=["old.example.org"]).site == ("example.org", "edu")


def test_a_time_since_tomorrow_is_refused_when_the_day_is_known() -> None:
    with pytest.raises(SettingsError, match="AGENT_SINCE='2026-11-25': is after today, 2026-11-24"):
        web_setup.bounds(Settings(since="2026-11-25"), TODAY)


# ------------------------------------------------------------------------------------------------- bounds


async def test_a_site_and_its_subdomains_are_all_that_comes_through(peer: Peer, tmp_path: Path) -> None:
    hits = await found(searxng(peer, tmp_path, site="a.example"))
    assert [(hit.url, hit.rank) for hit in hits] == [("http://a.example/", 1), ("http://sub.a.example/", 2)]
    assert peer.seen[-1].query["q"] == "lion site:a.example"


async def test_an_excluded_site_does_not_come_through(peer: Peer, tmp_path: Path) -> None:
    assert [hit.url for hit in await found(searxng(peer, tmp_path, not_site="a.example"))] == ["http://b.example/"]


async def test_older_pages_do_not_come_through_and_undated_ones_do(peer: Peer, tmp_path: Path) -> None:
    settings = searxng(peer, tmp_path, since="month")
    peer.answer = answer("a.example", published="2026-01-01T00:00:00")
    assert await found(settings) == []
    peer.answer = answer("a.example")
    assert [hit.published for hit in await found(settings)] == [None]
    assert peer.seen[-1].query["time_range"] == "month"


async def test_the_sample_web_keeps_within_bounds_too() -> None:
    async with SampleWeb() as web:
        here = replace(OCCASION, sample_search_url=web.search_url)
        every = await found(Settings(search=("sample",)), "DeepSeek-R1", here, limit=20)
        days = sorted(hit.published for hit in every if hit.published)
        since = days[len(days) // 2]
        recent = await found(Settings(search=("sample",), since=since), "DeepSeek-R1", here, limit=20)
        [host] = {hit.url.split("/")[2] for hit in every[:1]}
        only = await found(Settings(search=("sample",), site=host), "DeepSeek-R1", here, limit=3)
    assert {hit.url for hit in every if (hit.published or since) >= since} <= {hit.url for hit in recent}
    assert all((hit.published or since) >= since for hit in recent)
    assert len(recent) < len(every)
    assert {hit.url.split("/")[2] for hit in only} == {host}


async def test_a_callers_own_provider_keeps_within_bounds_too() -> None:
    class Mine:
        name = "mine"

        async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
            urls = ["http://a.example/", "http://b.example/"]
            return [SearchHit(url, "", "", n, "mine") for n, url in enumerate(urls, 1)][:limit]

    [bounded] = web_setup.within([Mine()], Settings(site="b.example"), TODAY)
    assert [(hit.url, hit.rank) for hit in await bounded.search(Query("q"), limit=5)] == [("http://b.example/", 1)]


# ------------------------------------------------------------------------------------------------- several commands


async def test_the_next_command_does_not_ask_who_refused_the_last_one(peer: Peer, tmp_path: Path) -> None:
    peer.answer = Answer(b"{}", status=429, headers={"Retry-After": "600"})
    for _ in range(3):
        with pytest.raises(SearchThrottled):
            await found(searxng(peer, tmp_path))
    assert len(peer.seen) == 1
    with pytest.raises(SearchThrottled, match=r"not asked for another 1[0-2] minutes: SearXNG at 127\.0\.0\.1"):
        await found(searxng(peer, tmp_path))


async def test_a_new_key_is_tried_though_the_old_one_was_refused(peer: Peer, tmp_path: Path) -> None:
    given = {"search": ("tavily",), "tavily_url": peer.url, "cache_dir": tmp_path}
    peer.answer = Answer(b"{}", status=432)
    with pytest.raises(SearchThrottled):
        await found(Settings(**given, tavily_api_key="old"))
    peer.answer = answer("a.example")
    assert len(await found(Settings(**given, tavily_api_key="new"))) == 1
    assert b"old" not in (tmp_path / "search.sqlite").read_bytes()


async def test_a_fault_is_tried_again_by_the_next_command(peer: Peer, tmp_path: Path) -> None:
    peer.answer = Answer(b"{}", status=500)
    with pytest.raises(SearchBroken):
        await found(searxng(peer, tmp_path))
    peer.answer = answer("a.example")
    assert len(await found(searxng(peer, tmp_path))) == 1


async def test_the_next_command_is_given_recent_hits_without_asking(peer: Peer, tmp_path: Path) -> None:
    first = await found(searxng(peer, tmp_path))
    assert await found(searxng(peer, tmp_path)) == first
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("given", "occasion"),
    [({"since": "week"}, OCCASION), ({}, replace(OCCASION, remembers=False))],
    ids=["a recency bound", "doctor"],
)
async def test_with_a_recency_bound_and_for_doctor_everything_is_asked_anew(
    given: dict[str, object], occasion: SearchContext, peer: Peer, tmp_path: Path
) -> None:
    for _ in range(2):
        await found(searxng(peer, tmp_path, **given), occasion=occasion)
    assert len(peer.seen) == 2
    await found(searxng(peer, tmp_path))
    assert len(peer.seen) == 3, "nor was anything kept"


async def test_with_other_sites_hits_are_asked_anew(peer: Peer, tmp_path: Path) -> None:
    await found(searxng(peer, tmp_path))
    await found(searxng(peer, tmp_path, site="a.example"))
    assert len(peer.seen) == 2
