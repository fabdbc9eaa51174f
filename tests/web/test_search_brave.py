from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import pytest

from agent.errors import SearchBroken, SearchThrottled, SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.provider_state import NotYet, RateLimiter
from agent.search.providers.brave import Brave
from agent.text.source_filters import SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer
from tests.contracts.search_provider import THREE, GivesDates, GivesLinks, NeedsAKey, TellsBounds


class TestBrave(NeedsAKey, TellsBounds, GivesLinks, GivesDates):
    name = "brave"
    variable = "AGENT_BRAVE_API_KEY"

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return Brave(self.client, key=self.secret, url=self.peer.url, seconds=seconds, pace=RateLimiter(0))

    def bounded(self, bounds: SourceFilter) -> SearchProvider:
        return Brave(self.client, key=self.secret, url=self.peer.url, bounds=bounds, pace=RateLimiter(0))

    def body(self, rows: Sequence[HitRow]) -> bytes:
        results = [
            {"type": "search_result", "url": r.url, "title": r.title, "description": r.snippet, "page_age": r.published}
            for r in rows
        ]
        found = {"web": {"type": "search", "results": results}} if rows else {}
        return json.dumps({"type": "search", "query": {"original": "lion"}, **found}).encode()

    def asked(self) -> str:
        return self.peer.seen[-1].query["q"]

    async def test_the_key_goes_into_its_header(self) -> None:
        await self.found(THREE, limit=7)
        [seen] = self.peer.seen
        assert (seen.method, seen.target.partition("?")[0]) == ("GET", "/res/v1/web/search")
        assert seen.headers["x-subscription-token"] == self.secret
        assert seen.query == {"q": "lion", "count": "7"}

    @pytest.mark.parametrize(
        ("query", "language", "code"),
        [
            ("狮子 怎么 睡觉", None, "zh-hans"),
            ("ライオンはどこで寝る", None, "jp"),
            ("Löwe Schlaf", None, None),
            ("Löwe Schlaf", "de-AT", "de"),
            ("狮子 怎么 睡觉", "de", "zh-hans"),
        ],
    )
    async def test_a_language_is_told_in_its_own_codes_where_it_is_sure(
        self, query: str, language: str | None, code: str | None
    ) -> None:
        self.peer.answer = self.good([])
        brave = Brave(self.client, key=self.secret, url=self.peer.url, language=language, pace=RateLimiter(0))
        await brave.search(Query(query), limit=1)
        assert self.peer.seen[-1].query.get("search_lang") == code

    async def test_more_results_and_words_than_it_takes_are_not_asked_for(self) -> None:
        await self.found(THREE, query="lion " * 80, limit=100)
        assert self.peer.seen[-1].query["count"] == "20"
        assert len(self.asked().split()) == 50

    async def test_bounds_are_told_as_a_range_of_days_and_in_the_query(self) -> None:
        bounds = SourceFilter(date(2025, 1, 20), date(2026, 11, 24), ("one.example", "two.example"), ("three.example",))
        seen = await self.asked_within(bounds)
        assert seen.query["freshness"] == "2025-01-20to2026-11-24"
        assert seen.query["q"] == "lion (site:one.example OR site:two.example) -site:three.example"

    @pytest.mark.parametrize(
        ("age", "day"),
        [("January 20, 2025", "2025-01-20"), ("3 days ago", "2026-11-21"), ("5 hours ago", "2026-11-24"), ("", None)],
    )
    async def test_an_age_in_words_is_a_day_where_it_says_one(self, age: str, day: str | None) -> None:
        row = {"url": "http://one.example/", "title": "A lion", "description": "x", "age": age}
        self.peer.answer = Answer(json.dumps({"type": "search", "web": {"results": [row]}}).encode())
        [hit] = await self.bounded(SourceFilter(today=date(2026, 11, 24))).search(Query("lion"), limit=1)
        assert hit.published == day

    async def test_a_token_that_is_not_valid_is_broken_and_names_the_variable(self) -> None:
        envelope = {"type": "ErrorResponse", "error": {"code": "SUBSCRIPTION_TOKEN_INVALID", "status": 422}}
        error = await self.failure(Answer(json.dumps(envelope).encode(), status=422))
        assert isinstance(error, SearchBroken)
        assert "check AGENT_BRAVE_API_KEY" in str(error)

    async def test_another_422_is_not_laid_on_the_key(self) -> None:
        error = await self.failure(Answer(b'{"error": {"code": "VALIDATION"}}', status=422))
        assert isinstance(error, SearchBroken)
        assert "AGENT_BRAVE_API_KEY" not in str(error)

    async def test_a_used_up_second_is_told_from_a_used_up_month(self) -> None:
        headers = {"X-RateLimit-Remaining": "0, 1999", "X-RateLimit-Reset": "1, 1419704"}
        second = await self.failure(Answer(b'{"error": {"code": "RATE_LIMITED"}}', status=429, headers=headers))
        month = await self.failure(Answer(b'{"error": {"code": "QUOTA_LIMITED"}}', status=429))
        assert isinstance(second, SearchThrottled)
        assert isinstance(month, SearchThrottled)
        assert (second.retry_after, month.retry_after) == (1.0, 3_600.0)

    async def test_a_long_queue_is_told_at_once(self) -> None:
        brave = Brave(self.client, key=self.secret, url=self.peer.url, pace=(pace := RateLimiter(30, "Brave")))
        pace.take(0)
        with pytest.raises(NotYet, match="Brave is asked once every 30 seconds"):
            await brave.search(Query("lion"), limit=1)
        assert self.peer.seen == []

    def test_a_key_that_cannot_be_one_is_refused_without_being_shown(self) -> None:
        with pytest.raises(SettingsError, match="AGENT_BRAVE_API_KEY") as caught:
            Brave(self.client, key="schlüssel")
        assert "schlüssel" not in str(caught.value)
