"""Rankings of several searches become one list of pages."""

from __future__ import annotations

from agent.types import SearchHit
from agent.web.page_selection import PageCandidate, fused


def ranking(*urls: str) -> list[PageCandidate]:
    return [PageCandidate.of(SearchHit(url, "", "", n, "one")) for n, url in enumerate(urls, 1)]


def urls(*rankings: list[PageCandidate]) -> list[str]:
    return [page.url for page in fused(rankings)]


def test_what_several_searches_found_comes_first() -> None:
    assert urls(
        ranking("http://a.example/", "http://both.example/"), ranking("http://b.example/", "http://both.example/")
    ) == ["http://both.example/", "http://a.example/", "http://b.example/"]


def test_spellings_of_a_page_count_together() -> None:
    assert (
        urls(
            ranking("http://a.example/", "https://www.x.example/p?utm_source=mail"),
            ranking("http://b.example/", "http://x.example/p/#top"),
        )[0]
        == "https://www.x.example/p"
    )


def test_of_a_page_and_its_copy_for_small_screens_the_page_is_read() -> None:
    mobile, amp, full = "https://m.x.org/p", "https://www.x.org/p/amp", "https://www.x.org/p"
    assert urls(ranking(mobile), ranking(amp), ranking(full)) == [full]
    assert urls(ranking(full), ranking(mobile)) == [full]
    assert urls(ranking(mobile, amp)) == [mobile]


def test_googles_copy_is_read_at_its_publisher() -> None:
    assert urls(ranking("https://www.google.com/amp/s/a.example/x")) == ["https://a.example/x"]
