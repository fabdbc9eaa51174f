"""What every search provider must do.  A provider's test subclasses the parts that are true of it.

`SearchProviderContract` holds for all; `GivesLinks` for those that are told addresses; `GivesDates` for those that are
told dates; `AsksOverHttp` for those with a server at the other end, played by a real one on loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from urllib.parse import urlsplit

import httpx2
import pytest

from agent.errors import SearchBroken, SearchError, SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.text.source_filters import SourceFilter
from agent.types import Query, SearchHit
from tests.contracts.search_peer import Answer, Peer, Seen

THREE = [
    HitRow("http://one.example/a", "First lion", "Lions sleep."),
    HitRow("http://two.example/b", "Second lion", "Lions hunt."),
    HitRow("http://three.example/c", "Third lion", "Lions roar."),
]


class SearchProviderContract:
    name: str
    schemes = frozenset({"http", "https"})

    async def found(self, rows: Sequence[HitRow], *, query: str = "lion", limit: int = 10) -> list[SearchHit]:
        """What a search gives where the provider knows just these rows."""
        raise NotImplementedError

    async def test_hits_have_ranks_from_one_and_carry_the_providers_name(self) -> None:
        hits = await self.found(THREE)
        assert [hit.rank for hit in hits] == [1, 2, 3]
        assert {hit.provider for hit in hits} == {self.name}

    async def test_every_hit_has_an_absolute_address_and_a_title(self) -> None:
        for hit in await self.found(THREE):
            assert urlsplit(hit.url).scheme in self.schemes
            assert hit.title

    async def test_there_are_no_more_hits_than_asked_for(self) -> None:
        assert len(await self.found(THREE, limit=2)) == 2

    async def test_nothing_found_is_an_empty_list_and_no_error(self) -> None:
        assert await self.found([]) == []

    async def test_titles_and_snippets_are_plain_text_on_one_line(self) -> None:
        [hit] = await self.found(
            [
                HitRow(
                    "http://one.example/a", "The lion", "A <b>lion</b> &amp; a\ncub\x07\u200b &lt;i&gt;asleep&lt;/i&gt;"
                )
            ]
        )
        assert hit.snippet == "A lion & a cub asleep"

    @pytest.mark.parametrize(
        "text", ["a&b=c#d \"e\" 'f' %20 +g", "强化学习 训练", "zwei\nZeilen", "'); DROP TABLE x; --"]
    )
    async def test_any_text_can_be_searched_for(self, text: str) -> None:
        assert await self.found([], query=text) == []


class GivesLinks(SearchProviderContract):
    async def test_the_providers_order_is_kept(self) -> None:
        hits = await self.found(THREE)
        assert [hit.url for hit in hits] == [row.url for row in THREE]
        assert [hit.title for hit in hits] == [row.title for row in THREE]

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://old.example/x", "mailto:a@b.example", "http://", ""])
    async def test_what_is_no_web_address_is_left_out_and_ranks_close_up(self, url: str) -> None:
        hits = await self.found([HitRow(url, "A lion", "x"), THREE[0]])
        assert [(hit.url, hit.rank) for hit in hits] == [(THREE[0].url, 1)]

    @pytest.mark.parametrize(
        "url",
        [
            "http://x.example/a%2Fb?q=a%26b&r=100%25",
            "https://x.example/wiki/C%2B%2B#History",
            "https://x.example/?q=a+b&lang=de",
            "https://x.example/straße/日本",
        ],
    )
    async def test_escapes_in_addresses_stay_as_they_are(self, url: str) -> None:
        assert [hit.url for hit in await self.found([HitRow(url, "A lion", "x")])] == [url]

    async def test_an_address_that_comes_twice_is_one_hit(self) -> None:
        assert [hit.rank for hit in await self.found([THREE[0], THREE[0], THREE[1]])] == [1, 2]

    async def test_a_hit_without_a_title_is_named_by_its_address(self) -> None:
        [hit] = await self.found([HitRow("http://one.example/a", "", "Lions sleep.")])
        assert hit.title == "http://one.example/a"


class GivesDates(SearchProviderContract):
    @pytest.mark.parametrize(
        ("given", "day"),
        [
            ("2025-01-20", "2025-01-20"),
            ("2025-01-20T07:30:00Z", "2025-01-20"),
            ("2025-01-20T07:30:00.0000000", "2025-01-20"),
            ("", None),
            ("2025-13-45T00:00:00", None),
        ],
    )
    async def test_dates_are_days_or_nothing(self, given: str, day: str | None) -> None:
        [hit] = await self.found([HitRow("http://one.example/a", "A lion", "x", published=given)])
        assert hit.published == day


class AsksOverHttp(SearchProviderContract):
    throttled = (202, 429)
    broken = (400, 401, 404, 500, 502, 503)
    secret = "tvly-very-secret"
    peer: Peer
    client: httpx2.AsyncClient

    @pytest.fixture(name="peer")
    async def _peer(self) -> AsyncIterator[Peer]:
        async with Peer() as peer:
            yield peer

    @pytest.fixture(name="client")
    async def _client(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(trust_env=False) as client:
            yield client

    @pytest.fixture(autouse=True)
    def _bring(self, peer: Peer, client: httpx2.AsyncClient) -> None:
        self.peer = peer
        self.client = client

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        raise NotImplementedError

    def body(self, rows: Sequence[HitRow]) -> bytes:
        """A page of results in the service's own form."""
        raise NotImplementedError

    def asked(self) -> str:
        """The text of the last query as the service saw it."""
        raise NotImplementedError

    async def found(self, rows: Sequence[HitRow], *, query: str = "lion", limit: int = 10) -> list[SearchHit]:
        self.peer.answer = self.good(rows)
        return list(await self.provider().search(Query(query), limit=limit))

    def good(self, rows: Sequence[HitRow]) -> Answer:
        return Answer(self.body(rows))

    async def failure(self, answer: Answer, *, seconds: float = 5.0) -> SearchError:
        self.peer.answer = answer
        with pytest.raises(SearchError) as caught:
            await self.provider(seconds).search(Query("lion"), limit=5)
        assert self.secret not in str(caught.value)
        assert "\n" not in str(caught.value)
        return caught.value

    @pytest.mark.parametrize("text", ["a&b=c#d \"e\" 'f' %20 +g", "强化学习 训练", "zwei\nZeilen"])
    async def test_the_service_sees_the_query_unharmed(self, text: str) -> None:
        await self.found([], query=text)
        assert self.asked() == text

    async def test_a_very_long_query_is_cut_and_not_refused(self) -> None:
        await self.found([], query="lion " * 1000)
        assert self.asked().startswith("lion lion")

    async def test_a_refusal_for_now_is_throttled(self) -> None:
        for status in self.throttled:
            assert isinstance(await self.failure(Answer(status=status)), SearchThrottled)

    @pytest.mark.parametrize(("header", "wait"), [("17", 17.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)])
    async def test_a_refusal_says_how_long_where_the_service_does(self, header: str, wait: float | None) -> None:
        error = await self.failure(Answer(status=429, headers={"Retry-After": header}))
        assert isinstance(error, SearchThrottled)
        assert error.retry_after == wait

    async def test_an_error_of_the_service_is_broken_and_names_the_status(self) -> None:
        for status in self.broken:
            error = await self.failure(Answer(status=status))
            assert isinstance(error, SearchBroken)
            assert str(status) in str(error)

    async def test_a_foreign_page_is_broken_and_not_nothing(self) -> None:
        foreign = Answer(b"<html><body><h1>Welcome to the hotel</h1><form>Room</form></body></html>", type="text/html")
        assert isinstance(await self.failure(foreign), SearchBroken)

    @pytest.mark.parametrize("status", [200, 403, 503])
    @pytest.mark.parametrize(
        "wall",
        [
            "<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/x.js'></script>",
            "<p>Our systems have detected unusual traffic from your computer network.</p>",
            "<div class='g-recaptcha'></div>",
            "<h1>Making sure you're not a bot!</h1>",
        ],
    )
    async def test_a_captcha_or_bot_wall_is_throttled_whatever_its_status(self, wall: str, status: int) -> None:
        page = Answer(f"<html><body>{wall}</body></html>".encode(), status=status, type="text/html")
        assert isinstance(await self.failure(page), SearchThrottled)

    async def test_an_empty_body_is_broken_and_not_nothing(self) -> None:
        assert isinstance(await self.failure(Answer(b"")), SearchBroken)

    async def test_a_reply_that_breaks_off_is_broken(self) -> None:
        answer = self.good(THREE)
        answer.breaks_off = True
        assert isinstance(await self.failure(answer), SearchBroken)

    async def test_a_silent_service_is_broken_within_its_time(self) -> None:
        assert isinstance(await self.failure(Answer(wait=3_600), seconds=0.3), SearchBroken)

    async def test_an_endless_reply_is_broken_off(self) -> None:
        assert isinstance(await self.failure(Answer(b"[0]," * 16_384, endless=True)), SearchBroken)
        assert self.peer.sent < 64 << 20  # what the sockets held is sent too

    async def test_nobody_listening_is_broken(self) -> None:
        provider = self.provider()
        await self.peer.__aexit__(None, None, None)
        with pytest.raises(SearchBroken):
            await provider.search(Query("lion"), limit=5)

    async def test_a_cancelled_search_leaves_at_once_and_closes_its_connection(self) -> None:
        self.peer.answer = Answer(wait=3_600)
        search = asyncio.create_task(_until_done(self.provider()))
        while not self.peer.seen:
            await asyncio.sleep(0.005)
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        await self.peer.wait_until_closed()

    async def test_a_failure_does_not_stick(self) -> None:
        await self.failure(Answer(status=500))
        assert len(await self.found(THREE)) == 3

    async def test_searches_may_run_at_once(self) -> None:
        self.peer.answer = self.good(THREE)
        provider = self.provider()
        replies = await asyncio.gather(*(provider.search(Query(f"lion {i}"), limit=5) for i in range(4)))
        assert [len(hits) for hits in replies] == [3, 3, 3, 3]


async def _until_done(provider: SearchProvider) -> None:
    await provider.search(Query("lion"), limit=5)


class AsksForJson(AsksOverHttp):
    """Interfaces whose every good reply is a JSON object."""

    @pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{}", b'{"results": 3}', b"[" * 100_000])
    async def test_json_of_another_form_is_broken(self, body: bytes) -> None:
        assert isinstance(await self.failure(Answer(body)), SearchBroken)

    async def test_a_503_that_says_when_to_come_back_is_a_refusal_for_now(self) -> None:
        error = await self.failure(Answer(b"{}", status=503, headers={"Retry-After": "30"}))
        assert isinstance(error, SearchThrottled)
        assert error.retry_after == 30.0

    async def test_a_403_without_a_wall_is_broken(self) -> None:
        assert isinstance(await self.failure(Answer(b'{"message": "no"}', status=403)), SearchBroken)

    async def test_a_redirect_is_not_followed(self) -> None:
        async with Peer() as other:
            other.answer = self.good(THREE)
            error = await self.failure(Answer(status=302, headers={"Location": f"{other.url}/search"}))
            assert isinstance(error, SearchBroken)
            assert other.seen == []


class NeedsAKey(AsksForJson):
    variable: str

    @pytest.mark.parametrize("status", [401, 403])
    async def test_a_wrong_key_is_broken_and_names_the_variable(self, status: int) -> None:
        error = await self.failure(Answer(b'{"message": "tvly-very-secret is not valid"}', status=status))
        assert isinstance(error, SearchBroken)
        assert f"check {self.variable}" in str(error)

    async def test_the_key_does_not_travel_with_a_redirect(self) -> None:
        async with Peer() as other:
            await self.failure(Answer(status=307, headers={"Location": f"{other.url}/search"}))
            assert other.seen == []

    async def test_a_plan_that_is_used_up_is_throttled_for_long(self) -> None:
        error = await self.failure(Answer(b"{}", status=402))
        assert isinstance(error, SearchThrottled)
        assert self.variable in str(error)
        assert error.retry_after == 3_600.0


class TellsBounds(AsksOverHttp):
    """Bounds go to the service itself."""

    def bounded(self, bounds: SourceFilter) -> SearchProvider:
        raise NotImplementedError

    async def asked_within(self, bounds: SourceFilter) -> Seen:
        self.peer.answer = self.good([])
        await self.bounded(bounds).search(Query("lion"), limit=5)
        return self.peer.seen[-1]

    async def test_without_bounds_nothing_is_said_of_any(self) -> None:
        assert await self.asked_within(SourceFilter()) == await self.asked_within(
            SourceFilter(today=date(2026, 11, 24))
        )
        assert self.asked() == "lion"
