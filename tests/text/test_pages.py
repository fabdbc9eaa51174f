"""Which addresses are one page, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.urls import at_publisher, is_reduced, page_key

PAGE = "https://www.example.org/news/r1?id=3&lang=en"


@pytest.mark.parametrize(
    "other",
    [
        "http://example.org/news/r1?id=3&lang=en",
        "https://example.org/news/r1/?lang=en&id=3",
        "https://m.example.org/news/r1?id=3&lang=en#part",
        "https://mobile.example.org/news/r1?id=3&lang=en&utm_source=x",
        "https://amp.example.org/news/r1?id=3&lang=en",
        "https://www.example.org/news/r1/amp?id=3&lang=en",
        "https://www.example.org/news/r1/amp/?id=3&lang=en",
        "https://www.example.org/amp/news/r1?id=3&lang=en",
        "https://www.example.org/news/r1.amp?id=3&lang=en",
        "https://www.example.org/news/r1?amp=1&id=3&lang=en",
        "https://www.example.org/news/r1?amp&id=3&lang=en",
        "HTTPS://WWW.EXAMPLE.ORG:443/news/%72%31?id=3&lang=en",
        "https://www.google.com/amp/s/www.example.org/news/r1?id=3&lang=en",
        "https://www-example-org.cdn.ampproject.org/c/s/www.example.org/news/r1?id=3&lang=en",
    ],
)
def test_other_spellings_of_a_page_have_its_key(other: str) -> None:
    assert page_key(other) == page_key(PAGE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a", "https://example.org/b"),
        ("https://example.org/a?id=1", "https://example.org/a?id=2"),
        ("https://example.org/a", "https://example.org:8443/a"),
        ("https://blog.example.org/a", "https://example.org/a"),
        ("https://de.wikipedia.org/wiki/Deep", "https://en.m.wikipedia.org/wiki/Deep"),
        ("https://example.org/Amplifier", "https://example.org/lifier"),
        ("https://example.org/camp", "https://example.org/c"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://m.example/a", "https://example/a"),
        ("http://[::1]:80/a", "http://[::1]:81/a"),
        ("http://10.0.0.1/a", "http://0.0.0.1/a"),
    ],
)
def test_other_pages_have_another_key(one: str, other: str) -> None:
    assert page_key(one) != page_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://en.m.wikipedia.org/wiki/DeepSeek", "http://en.wikipedia.org/wiki/DeepSeek"),
        ("https://example.org/", "http://www.example.org"),
        ("https://example.org/a/index.html", "https://example.org/a/"),
        ("https://example.org/a.amp.html", "https://example.org/a.html"),
    ],
)
def test_customs_of_the_web_are_known(one: str, other: str) -> None:
    assert page_key(one) == page_key(other)


@pytest.mark.parametrize(
    ("url", "reduced"),
    [
        ("https://en.m.wikipedia.org/wiki/DeepSeek", True),
        ("https://amp.example.org/a", True),
        ("https://example.org/a/amp", True),
        ("https://example.org/a?outputType=amp", True),
        ("https://www.example.org/a", False),
        ("https://m.example/a", False),
    ],
)
def test_a_copy_for_small_screens_is_known(url: str, reduced: bool) -> None:
    assert is_reduced(url) is reduced


def test_a_publishers_address_is_taken_out_of_googles_and_nothing_else_is() -> None:
    assert at_publisher("https://www.google.com/amp/s/a.example/x?y=1") == "https://a.example/x?y=1"
    assert at_publisher("https://www.google.co.uk/amp/a.example/x") == "http://a.example/x"
    for url in ("https://www.google.com/amp/s/settings", "https://evil.example/amp/s/a.example/x", "file:///a/amp"):
        assert at_publisher(url) == url


@given(st.text())
def test_anything_has_a_key(url: str) -> None:
    assert isinstance(page_key(url), str)
    is_reduced(url)
