from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import pytest

from agent.errors import SearchBroken, SearchThrottled, SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.providers.searxng import SearXNG
from agent.text.source_filters import SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer
from tests.contracts.search_provider import THREE, AsksForJson, GivesDates, GivesLinks, TellsBounds


class TestSearXNG(AsksForJson, TellsBounds, GivesLinks, GivesDates):
    name = "searxng"

    def bounded(self, bounds: SourceFilter) -> SearchProvider:
        return SearXNG(self.client, self.peer.url, bounds=bounds)

    async def test_a_period_is_told_in_its_own_parameter_and_sites_in_the_query(self) -> None:
        bounds = SourceFilter(date(2026, 11, 20), date(2026, 11, 24), ("one.example",))
        self.peer.answer = self.good(THREE)
        await self.bounded(bounds).search(Query("lion"), limit=5)
        [seen] = self.peer.seen
        assert (seen.query["time_range"], seen.query["q"]) == ("week", "lion site:one.example")

    async def test_where_no_engine_knows_of_times_it_is_asked_again_without(self) -> None:
        await self.asked_within(SourceFilter(date(2026, 11, 20), date(2026, 11, 24)))
        assert ["time_range" in seen.query for seen in self.peer.seen] == [True, False]

    async def test_of_a_time_longer_than_a_year_it_is_told_nothing(self) -> None:
        assert "time_range" not in (await self.asked_within(SourceFilter(date(2020, 1, 1), date(2026, 11, 24)))).query

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return SearXNG(self.client, self.peer.url, user_agent="lion-hunter/1", seconds=seconds)

    def body(self, rows: Sequence[HitRow]) -> bytes:
        results = [
            {"url": r.url, "title": r.title, "content": r.snippet, "publishedDate": r.published or None} for r in rows
        ]
        return json.dumps({"query": "lion", "results": results, "unresponsive_engines": []}).encode()

    def asked(self) -> str:
        return self.peer.seen[-1].query["q"]

    async def test_it_asks_for_json_and_says_who_asks(self) -> None:
        await self.found(THREE)
        [seen] = self.peer.seen
        assert seen.target.startswith("/search?")
        assert seen.query["format"] == "json"
        assert seen.headers["user-agent"] == "lion-hunter/1"

    async def test_the_instance_may_be_given_with_its_search_path(self) -> None:
        self.peer.answer = self.good(THREE)
        for url in (f"{self.peer.url}/", f"{self.peer.url}/search"):
            await SearXNG(self.client, url).search(Query("lion"), limit=1)
        assert {seen.target.partition("?")[0] for seen in self.peer.seen} == {"/search"}

    async def test_json_that_is_switched_off_says_how_to_switch_it_on(self) -> None:
        error = await self.failure(Answer(status=403))
        assert isinstance(error, SearchBroken)
        assert "search.formats: [html, json]" in str(error)

    @pytest.mark.parametrize("reason", ["too many requests", "Suspended: CAPTCHA", "access denied"])
    async def test_blocked_engines_are_throttled_and_not_nothing(self, reason: str) -> None:
        error = await self.failure(Answer(json.dumps(_failing(reason)).encode()))
        assert isinstance(error, SearchThrottled)
        assert f"duckduckgo: {reason}" in str(error)

    async def test_engines_that_failed_otherwise_are_broken_and_not_nothing(self) -> None:
        error = await self.failure(Answer(json.dumps(_failing("timeout")).encode()))
        assert isinstance(error, SearchBroken)

    async def test_results_count_though_some_engines_failed(self) -> None:
        body = json.loads(self.body(THREE)) | {"unresponsive_engines": [["duckduckgo", "CAPTCHA"]]}
        self.peer.answer = Answer(json.dumps(body).encode())
        assert len(await self.provider().search(Query("lion"), limit=5)) == 3

    @pytest.mark.parametrize("url", ["searx.example", "ftp://searx.example", "http://", "http://[bad", "http://a b/"])
    def test_an_address_that_cannot_be_asked_is_refused_by_the_variables_name(self, url: str) -> None:
        with pytest.raises(SettingsError, match="AGENT_SEARXNG_URL"):
            SearXNG(self.client, url)

    async def test_a_password_in_the_address_is_used_and_not_shown(self) -> None:
        url = self.peer.url.replace("http://", "http://me:very-secret@")
        self.peer.answer = Answer(status=500)
        with pytest.raises(SearchBroken) as caught:
            await SearXNG(self.client, url).search(Query("lion"), limit=1)
        assert self.peer.seen[-1].headers["authorization"].startswith("Basic ")
        assert "very-secret" not in str(caught.value)
        assert f"SearXNG at 127.0.0.1:{self.peer.port} " in str(caught.value)


def _failing(reason: str) -> dict[str, object]:
    return {"query": "lion", "results": [], "unresponsive_engines": [["duckduckgo", reason]]}
