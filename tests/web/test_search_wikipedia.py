from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from agent.errors import SearchBroken, SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.providers.wikipedia import Wikipedia, wiki_language
from agent.text.source_filters import SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer
from tests.contracts.search_provider import THREE, AsksForJson


class TestWikipedia(AsksForJson):
    name = "wikipedia"

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return Wikipedia(self.client, user_agent="lion-hunter/1 (me@one.example)", url=self.api, seconds=seconds)

    @property
    def api(self) -> str:
        return f"{self.peer.url}/w/api.php"

    def body(self, rows: Sequence[HitRow]) -> bytes:
        search = [{"ns": 0, "title": r.title, "pageid": 7, "snippet": r.snippet} for r in rows]
        general = {"server": "//en.wiki.example", "articlepath": "/wiki/$1", "lang": "en"}
        return json.dumps({"batchcomplete": True, "query": {"search": search, "general": general}}).encode()

    def asked(self) -> str:
        return self.peer.seen[-1].query["srsearch"]

    async def test_articles_stand_where_the_wiki_says(self) -> None:
        hits = await self.found(
            [HitRow("", "Lion", ""), HitRow("", "C++ & C/D: 100%?", ""), HitRow("", "獅子 (動物)", "")]
        )
        assert [hit.url for hit in hits] == [
            "http://en.wiki.example/wiki/Lion",
            "http://en.wiki.example/wiki/C%2B%2B_%26_C/D:_100%25%3F",
            "http://en.wiki.example/wiki/%E7%8D%85%E5%AD%90_(%E5%8B%95%E7%89%A9)",
        ]

    async def test_a_wiki_that_does_not_say_where_articles_stand_is_its_own_server(self) -> None:
        body = json.loads(self.body(THREE))
        del body["query"]["general"]
        self.peer.answer = Answer(json.dumps(body).encode())
        hits = await self.provider().search(Query("lion"), limit=1)
        assert hits[0].url == f"{self.peer.url}/wiki/First_lion"

    async def test_the_marks_around_found_words_are_cleaned_away(self) -> None:
        [hit] = await self.found([HitRow("", "Lion", 'A <span class="searchmatch">lion</span>&#039;s share')])
        assert hit.snippet == "A lion's share"

    async def test_a_last_edit_is_not_taken_for_a_date_of_publication(self) -> None:
        body = json.loads(self.body(THREE))
        body["query"]["search"][0]["timestamp"] = "2026-01-01T00:00:00Z"
        self.peer.answer = Answer(json.dumps(body).encode())
        hits = await self.provider().search(Query("lion"), limit=1)
        assert hits[0].published is None

    async def test_a_wiki_that_is_not_among_the_sites_is_not_asked(self) -> None:
        for bounds in (SourceFilter(sites=("nature.example",)), SourceFilter(not_sites=("127.0.0.1",))):
            wiki = Wikipedia(self.client, user_agent="lion-hunter/1", url=self.api, bounds=bounds)
            assert await wiki.search(Query("lion"), limit=3) == []
        assert self.peer.seen == []

    async def test_it_says_who_asks(self) -> None:
        await self.found(THREE, limit=4)
        [seen] = self.peer.seen
        assert seen.headers["user-agent"] == "lion-hunter/1 (me@one.example)"
        assert seen.query["srlimit"] == "4"

    async def test_an_error_with_status_200_is_broken(self) -> None:
        error = await self.failure(Answer(b'{"error": {"code": "badvalue", "info": "Unrecognized value"}}'))
        assert isinstance(error, SearchBroken)
        assert "Unrecognized value" in str(error)

    async def test_too_many_requests_with_status_200_is_throttled(self) -> None:
        error = await self.failure(
            Answer(b'{"error": {"code": "ratelimited", "info": "slow"}}', headers={"Retry-After": "5"})
        )
        assert isinstance(error, SearchThrottled)
        assert error.retry_after == 5.0


@pytest.mark.parametrize(
    ("query", "language", "wiki"),
    [
        ("how do lions sleep", None, "en"),
        ("DeepSeek-R1", None, "en"),
        ("wie schläft ein Löwe und warum", None, "de"),
        ("狮子 怎么 睡觉", None, "zh"),
        ("DeepSeek-R1 训练费用是多少", None, "zh"),
        ("ライオンはどこで寝る", None, "ja"),
        ("как спят львы", None, "ru"),
        ("як сплять леви", "uk", "uk"),
        ("DeepSeek-R1", "de", "de"),
        ("DeepSeek-R1", "pt-BR", "pt"),
        ("how do lions sleep", "zh", "en"),
        ("狮子 怎么 睡觉", "en", "zh"),
    ],
)
def test_the_wiki_asked_is_of_the_querys_script_and_else_of_the_language(
    query: str, language: str | None, wiki: str
) -> None:
    assert wiki_language(query, language) == wiki
