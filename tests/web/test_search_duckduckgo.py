from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from html import escape
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.errors import SearchBroken, SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_http import HitRow
from agent.search.provider_state import NotYet, RateLimiter
from agent.search.providers.duckduckgo import DuckDuckGo
from agent.text.source_filters import SourceFilter
from agent.types import Query
from tests.contracts.search_peer import Answer, Peer, TlsPeer, authority
from tests.contracts.search_provider import THREE, AsksOverHttp, GivesDates, GivesLinks

_PAGE = """<!DOCTYPE html><html><head><title>lion at DuckDuckGo</title></head><body>
<form id="search_form_homepage" action="/html/" method="post"><input name="q" value="lion"></form>
<div id="links" class="results">{results}</div></body></html>"""

_NO_RESULT = """<div class="result results_links result--no-result"><div class="no-results">No results.</div></div>"""


class TestDuckDuckGo(AsksOverHttp, GivesLinks, GivesDates):
    """Through the real ddgs and primp, TLS included: a proxy on loopback answers for html.duckduckgo.com."""

    name = "duckduckgo"
    throttled = (202, 403, 429)

    @pytest.fixture(name="peer")
    async def _peer(self) -> AsyncIterator[Peer]:
        async with TlsPeer() as peer:
            yield peer

    @pytest.fixture(autouse=True)
    def _trust(self, tmp_path: Path) -> None:
        self.ca_file = tmp_path / "ca.pem"
        authority().cert_pem.write_to_path(str(self.ca_file))

    def provider(self, seconds: float = 5.0) -> SearchProvider:
        return DuckDuckGo(seconds=seconds, pace=RateLimiter(0), proxy=self.peer.url, ca_file=str(self.ca_file))

    def body(self, rows: Sequence[HitRow]) -> bytes:
        if not rows:
            return _PAGE.format(results=_NO_RESULT).encode()
        return _PAGE.format(results="".join(_result(row) for row in rows)).encode()

    def good(self, rows: Sequence[HitRow]) -> Answer:
        return Answer(self.body(rows), type="text/html; charset=UTF-8")

    def asked(self) -> str:
        return self.peer.seen[-1].form["q"]

    async def test_it_asks_duckduckgo_alone_and_for_the_first_page_only(self) -> None:
        await self.found(THREE)
        [seen] = self.peer.seen
        assert (seen.method, seen.target, seen.headers["host"]) == ("POST", "/html/", "html.duckduckgo.com")
        assert seen.form == {"q": "lion", "b": "", "l": "wt-wt"}

    async def test_it_looks_like_a_browser(self) -> None:
        await self.found(THREE)
        assert self.peer.seen[0].headers["user-agent"].startswith("Mozilla/5.0")

    @pytest.mark.parametrize("mark", ['<div class="anomaly-modal__mask">', '<form id="challenge-form">'])
    async def test_a_captcha_with_status_200_is_throttled_and_not_nothing(self, mark: str) -> None:
        page = _PAGE.format(results=mark + "Unfortunately, bots use DuckDuckGo too.").encode()
        assert isinstance(await self.failure(Answer(page, type="text/html")), SearchThrottled)

    async def test_a_page_without_results_that_does_not_say_so_is_not_taken_for_nothing_found(self) -> None:
        error = await self.failure(Answer(_PAGE.format(results="").encode(), type="text/html"))
        assert isinstance(error, SearchBroken)
        assert "soft block" in str(error)

    async def test_a_page_of_advertisements_only_is_nothing_found(self) -> None:
        assert await self.found([HitRow("https://duckduckgo.com/y.js?ad_domain=shop.example", "Buy a lion", "x")]) == []

    async def test_bounds_go_into_the_form_and_the_query(self) -> None:
        self.peer.answer = self.good(THREE)
        bounds = SourceFilter(date(2025, 1, 20), date(2026, 11, 24), ("one.example",), ("two.example",))
        ddg = DuckDuckGo(bounds=bounds, pace=RateLimiter(0), proxy=self.peer.url, ca_file=str(self.ca_file))
        await ddg.search(Query("lion"), limit=3)
        assert self.peer.seen[-1].form["df"] == "2025-01-20..2026-11-24"
        assert self.peer.seen[-1].form["q"] == "lion site:one.example -site:two.example"

    async def test_redirect_wrappers_are_undone(self) -> None:
        wrapped = "//duckduckgo.com/l/?uddg=" + quote("https://x.example/a%2Fb?q=a%26b+c", safe="") + "&rut=0123"
        [hit] = await self.found([HitRow(wrapped, "A lion", "x")])
        assert hit.url == "https://x.example/a%2Fb?q=a%26b+c"

    @pytest.mark.parametrize(
        "ad",
        [
            "https://duckduckgo.com/y.js?ad_domain=shop.example&u3=x",
            "//duckduckgo.com/y.js?ad_domain=shop.example",
            "//duckduckgo.com/l/?uddg=" + quote("https://duckduckgo.com/y.js?ad_domain=shop.example", safe=""),
        ],
    )
    async def test_advertisements_are_left_out(self, ad: str) -> None:
        assert [hit.url for hit in await self.found([HitRow(ad, "Buy a lion", "x"), THREE[0]])] == [THREE[0].url]

    async def test_the_certificate_is_checked(self) -> None:
        self.peer.answer = self.good(THREE)
        with pytest.raises(SearchBroken):
            await DuckDuckGo(pace=RateLimiter(0), proxy=self.peer.url).search(Query("lion"), limit=3)
        assert self.peer.seen == []


def _result(row: HitRow) -> str:
    """As DuckDuckGo writes a result, told from published descriptions of the page of 2026."""
    date = f"<span>&nbsp; &nbsp; {row.published}</span>" if row.published else ""
    url, title, snippet = escape(row.url), escape(row.title), escape(row.snippet)
    return f"""<div class="result results_links results_links_deep web-result ">
      <div class="links_main links_deep result__body">
        <h2 class="result__title"><a rel="nofollow" class="result__a" href="{url}">{title}</a></h2>
        <div class="result__extras"><div class="result__extras__url"><a class="result__url" href="{url}">x.example</a>
          {date}</div></div>
        <a class="result__snippet" href="{url}">{snippet}</a>
        <div class="clear"></div>
      </div>
    </div>"""


def test_requests_of_the_whole_process_are_kept_apart() -> None:
    pace = RateLimiter(2.0)
    waits = [pace.take(100) for _ in range(4)]
    assert waits[0] == 0
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert all(1.9 <= gap <= 2.6 for gap in gaps)


def test_a_queue_that_is_too_long_is_throttled_at_once_and_takes_no_turn() -> None:
    pace = RateLimiter(2.0)
    pace.take(0)
    for _ in range(3):
        with pytest.raises(NotYet) as caught:
            pace.take(1.0)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after <= 2.5


async def test_two_providers_share_the_pace() -> None:
    pace = RateLimiter(60)
    one = DuckDuckGo(seconds=5.0, pace=pace, proxy="http://127.0.0.1:9")
    other = DuckDuckGo(seconds=5.0, pace=pace, proxy="http://127.0.0.1:9")
    told = await asyncio.gather(
        *(p.search(Query("lion"), limit=1) for p in (one, other, one)),
        return_exceptions=True,
    )
    assert [type(error) for error in told] == [SearchBroken, NotYet, NotYet]
