from __future__ import annotations

import json
from collections.abc import Sequence

from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.providers.sample import SampleSearch
from agent.types import Query
from tests.contracts.search_provider import THREE, AsksForJson, GivesDates, GivesLinks


class TestSampleSearch(AsksForJson, GivesLinks, GivesDates):
    name = "sample"

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return SampleSearch(self.client, f"{self.peer.url}/search", seconds=seconds)

    def body(self, rows: Sequence[HitRow]) -> bytes:
        results = [
            {"url": r.url, "title": r.title, "snippet": r.snippet, "published": r.published or None} for r in rows
        ]
        return json.dumps({"results": results}).encode()

    def asked(self) -> str:
        return self.peer.seen[-1].query["q"]

    async def test_it_says_how_many_it_wants(self) -> None:
        self.peer.answer = self.good(THREE)
        await self.provider().search(Query("lion"), limit=2)
        assert self.peer.seen[-1].query["limit"] == "2"
