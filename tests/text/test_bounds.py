"""Bounds on sources: which day is the first, which host is meant, which pages pass."""

from __future__ import annotations

from datetime import date

import pytest

from agent.text.source_filters import SourceFilter, first_day, is_allowed, is_too_old, operators, period, site_name

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("day", "2026-11-23"),
        ("week", "2026-11-17"),
        ("Month", "2026-10-24"),
        (" year ", "2025-11-23"),
        ("2025-01-20", "2025-01-20"),
        ("2025-01", "2025-01-01"),
        ("2025", "2025-01-01"),
        ("2026-11-24", "2026-11-24"),
    ],
)
def test_a_period_or_a_date_says_the_first_day(text: str, first: str) -> None:
    assert first_day(text, TODAY).isoformat() == first


@pytest.mark.parametrize("text", ["", "yesterday", "20.01.2025", "2025-13", "2025-02-30", "2026-11-25", "2027", "0000"])
def test_what_is_no_past_day_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither day, week|is after today, 2026-11-24"):
        first_day(text, TODAY)


@pytest.mark.parametrize(
    ("since", "name"),
    [
        ("day", "day"),
        ("2026-11-20", "week"),
        ("month", "month"),
        ("2026-01-01", "year"),
        ("year", "year"),
        ("2024-01-01", None),
    ],
)
def test_a_provider_that_knows_periods_only_is_told_the_shortest_that_holds_the_time(
    since: str, name: str | None
) -> None:
    assert period(SourceFilter(first_day(since, TODAY), TODAY)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.org", "example.org"),
        ("https://www.example.org/", "www.example.org"),
        ("*.example.org", "example.org"),
        (".edu", "edu"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("example.org.", "example.org"),
        ("localhost", "localhost"),
    ],
)
def test_a_site_is_a_host_however_it_is_given(text: str, name: str) -> None:
    assert site_name(text) == name


@pytest.mark.parametrize(
    "text",
    ["", "example.org/path", "two words", "me@example.org", "exa mple.org", "-a.example", "a..example", "site:x"],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a host"):
        site_name(text)


@pytest.mark.parametrize(
    ("url", "passes"),
    [
        ("https://example.org/x", True),
        ("https://docs.EXAMPLE.org./x", True),
        ("https://notexample.org/", False),
        ("https://example.org.evil.example/", False),
        ("https://example.org@evil.example/", False),
        ("https://old.example.org/", False),
        ("https://deep.old.example.org/", False),
        ("file:///home/me/note.md", True),
    ],
)
def test_a_site_stands_for_its_subdomains_and_what_is_excluded_wins(url: str, passes: bool) -> None:
    assert is_allowed(SourceFilter(sites=("example.org",), not_sites=("old.example.org",)), url) is passes


@pytest.mark.parametrize(
    ("published", "old"),
    [
        ("2025-01-19", True),
        ("2025-01-20", False),
        ("2024-12", True),
        ("2025-01", False),
        ("2024", True),
        ("2025", False),
        (None, False),
        ("", False),
        ("recently", False),
        ("2025-02-31", False),
    ],
)
def test_only_what_is_known_to_be_older_is_too_old(published: str | None, old: bool) -> None:
    bounds = SourceFilter(date(2025, 1, 20), TODAY)
    assert is_too_old(bounds, published) is old
    assert is_allowed(bounds, "https://a.example/", published) is not old


def test_sites_are_told_in_the_operators_that_search_engines_share() -> None:
    assert operators(SourceFilter()) == ""
    assert operators(SourceFilter(sites=("a.example",))) == "site:a.example"
    both = SourceFilter(sites=("a.example", "b.example"), not_sites=("c.example", "d.example"))
    assert operators(both) == "(site:a.example OR site:b.example) -site:c.example -site:d.example"


def test_no_bounds_let_everything_pass() -> None:
    assert not SourceFilter().any
    assert is_allowed(SourceFilter(), "https://a.example/", "1999-01-01")
