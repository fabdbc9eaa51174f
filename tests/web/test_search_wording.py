from __future__ import annotations

import pytest

from agent.search.provider_http import worded
from agent.text.source_filters import SourceFilter

SITES = SourceFilter(sites=("one.example",), not_sites=("two.example",))


@pytest.mark.parametrize("characters", [70, 100, 400])
def test_a_long_query_is_cut_and_its_sites_stay_whole(characters: int) -> None:
    asked = worded("lion " * 200, SITES, characters=characters)
    assert asked.startswith("lion lion")
    assert asked.endswith(" site:one.example -site:two.example")
    assert characters - 6 <= len(asked) <= characters


def test_a_limit_of_words_counts_the_sites_too() -> None:
    asked = worded("lion " * 200, SITES, characters=4_000, words=10)
    assert asked == "lion " * 8 + "site:one.example -site:two.example"


def test_more_sites_than_a_query_holds_are_left_to_the_filter_and_the_words_stay() -> None:
    many = SourceFilter(sites=tuple(f"site{n}.example" for n in range(40)))
    assert worded("how do lions sleep", many, characters=400) == "how do lions sleep"


def test_without_sites_the_text_stays_as_it_is() -> None:
    assert worded("two\nlines  here", SourceFilter(), characters=400) == "two\nlines  here"
