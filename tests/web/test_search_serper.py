from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import pytest

from agent.errors import SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.providers.serper import Serper
from agent.text.source_filters import SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer
from tests.contracts.search_provider import THREE, GivesDates, GivesLinks, NeedsAKey, TellsBounds

TODAY = date(2026, 11, 24)


class TestSerper(NeedsAKey, TellsBounds, GivesLinks, GivesDates):
    name = "serper"
    variable = "AGENT_SERPER_API_KEY"

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return Serper(self.client, key=self.secret, url=self.peer.url, seconds=seconds)

    def bounded(self, bounds: SourceFilter) -> SearchProvider:
        return Serper(self.client, key=self.secret, url=self.peer.url, bounds=bounds)

    def body(self, rows: Sequence[HitRow]) -> bytes:
        organic = [
            {"link": r.url, "title": r.title, "snippet": r.snippet, "position": n, "date": r.published}
            for n, r in enumerate(rows, 1)
        ]
        return json.dumps({"searchParameters": {"q": "lion"}, "organic": organic, "credits": 1}).encode()

    def asked(self) -> str:
        return str(json.loads(self.peer.seen[-1].body)["q"])

    async def test_the_key_goes_into_its_header(self) -> None:
        await self.found(THREE, limit=7)
        [seen] = self.peer.seen
        assert (seen.method, seen.target) == ("POST", "/search")
        assert seen.headers["x-api-key"] == self.secret
        assert json.loads(seen.body) == {"q": "lion", "num": 10}

    async def test_a_second_price_is_paid_only_where_more_results_are_wanted(self) -> None:
        await self.found(THREE, limit=100)
        assert json.loads(self.peer.seen[-1].body)["num"] == 20

    async def test_a_reply_without_results_is_nothing_found(self) -> None:
        self.peer.answer = Answer(b'{"searchParameters": {"q": "lion"}, "credits": 1}')
        assert await self.provider().search(Query("lion"), limit=3) == []

    @pytest.mark.parametrize(
        ("since", "told"),
        [
            (date(2026, 11, 23), "qdr:d"),
            (date(2026, 11, 18), "qdr:w"),
            (date(2026, 11, 1), "qdr:m"),
            (date(2026, 1, 1), "qdr:y"),
            (date(2024, 3, 9), "cdr:1,cd_min:03/09/2024"),
        ],
    )
    async def test_a_time_is_told_as_google_takes_it(self, since: date, told: str) -> None:
        assert json.loads((await self.asked_within(SourceFilter(since, TODAY))).body)["tbs"] == told

    async def test_sites_are_told_in_the_query(self) -> None:
        await self.asked_within(SourceFilter(sites=("one.example",), not_sites=("two.example",)))
        assert self.asked() == "lion site:one.example -site:two.example"

    @pytest.mark.parametrize(
        ("shown", "day"), [("Jan 20, 2025", "2025-01-20"), ("2 days ago", "2026-11-22"), ("2 weeks ago", None)]
    )
    async def test_a_date_as_google_shows_it_is_a_day_where_it_says_one(self, shown: str, day: str | None) -> None:
        self.peer.answer = self.good([HitRow("http://one.example/", "A lion", "x", shown)])
        [hit] = await self.bounded(SourceFilter(today=TODAY)).search(Query("lion"), limit=1)
        assert hit.published == day

    async def test_credits_that_are_spent_are_throttled_and_not_broken(self) -> None:
        error = await self.failure(Answer(b'{"message": "Not enough credits", "statusCode": 400}', status=400))
        assert isinstance(error, SearchThrottled)
        assert "AGENT_SERPER_API_KEY" in str(error)
