from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import pytest

from agent.errors import SearchBroken, SearchThrottled, SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.providers.tavily import Tavily
from agent.text.source_filters import SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer
from tests.contracts.search_provider import THREE, GivesDates, GivesLinks, NeedsAKey, TellsBounds


class TestTavily(NeedsAKey, TellsBounds, GivesLinks, GivesDates):
    name = "tavily"
    variable = "AGENT_TAVILY_API_KEY"

    def bounded(self, bounds: SourceFilter) -> SearchProvider:
        return Tavily(self.client, key=self.secret, url=self.peer.url, bounds=bounds)

    async def test_bounds_are_told_in_its_own_fields(self) -> None:
        bounds = SourceFilter(date(2025, 1, 20), date(2026, 11, 24), ("one.example", "two.example"), ("three.example",))
        seen = await self.asked_within(bounds)
        assert json.loads(seen.body) == {
            "query": "lion",
            "max_results": 5,
            "start_date": "2025-01-20",
            "include_domains": ["one.example", "two.example"],
            "exclude_domains": ["three.example"],
        }

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return Tavily(self.client, key=self.secret, url=self.peer.url, seconds=seconds)

    def body(self, rows: Sequence[HitRow]) -> bytes:
        results = [
            {"url": r.url, "title": r.title, "content": r.snippet, "score": 0.9, "published_date": r.published}
            for r in rows
        ]
        return json.dumps({"results": results, "answer": None, "response_time": 0.2}).encode()

    def asked(self) -> str:
        return str(json.loads(self.peer.seen[-1].body)["query"])

    async def test_the_key_goes_into_the_header(self) -> None:
        await self.found(THREE, limit=7)
        [seen] = self.peer.seen
        assert (seen.method, seen.target) == ("POST", "/search")
        assert seen.headers["authorization"] == f"Bearer {self.secret}"
        assert "x-tavily-access-mode" not in seen.headers
        assert json.loads(seen.body) == {"query": "lion", "max_results": 7}

    async def test_without_a_key_it_asks_for_keyless_access(self) -> None:
        self.peer.answer = self.good(THREE)
        await Tavily(self.client, key=" ", url=self.peer.url).search(Query("lion"), limit=3)
        [seen] = self.peer.seen
        assert seen.headers["x-tavily-access-mode"] == "keyless"
        assert "authorization" not in seen.headers

    async def test_more_results_than_it_gives_are_not_asked_for(self) -> None:
        await self.found(THREE, limit=100)
        assert json.loads(self.peer.seen[-1].body)["max_results"] == 20

    async def test_keyless_access_refused_says_to_set_a_key(self) -> None:
        self.peer.answer = Answer(status=401)
        with pytest.raises(SearchBroken, match="set AGENT_TAVILY_API_KEY"):
            await Tavily(self.client, url=self.peer.url).search(Query("lion"), limit=3)

    async def test_the_error_envelope_says_how_long_to_wait(self) -> None:
        envelope = {"error": {"code": "rate_limited", "message": "slow down", "retry_after_seconds": 42}}
        error = await self.failure(
            Answer(json.dumps(envelope).encode(), status=429, headers={"Retry-After": "7"}),
        )
        assert isinstance(error, SearchThrottled)
        assert error.retry_after == 42.0
        assert "rate_limited" in str(error)

    @pytest.mark.parametrize("status", [402, 432, 433])
    async def test_a_plan_that_is_used_up_is_throttled(self, status: int) -> None:
        error = await self.failure(Answer(status=status))
        assert isinstance(error, SearchThrottled)
        assert "AGENT_TAVILY_API_KEY" in str(error)

    async def test_a_date_in_mail_form_is_a_day(self) -> None:
        [hit] = await self.found([HitRow("http://a.example/", "A lion", "x", "Mon, 20 Jan 2025 07:30:00 GMT")])
        assert hit.published == "2025-01-20"

    @pytest.mark.parametrize("key", ["tvly-schlüssel", "tvly-\x00", "two\nlines"])
    def test_a_key_that_cannot_be_one_is_refused_without_being_shown(self, key: str) -> None:
        with pytest.raises(SettingsError, match="AGENT_TAVILY_API_KEY") as caught:
            Tavily(self.client, key=key)
        assert key not in str(caught.value)
