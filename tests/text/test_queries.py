"""When two queries are the same, and how long one may be."""

from __future__ import annotations

import pytest

from agent.text.queries import cut_query, query_key
from agent.types import Query


@pytest.mark.parametrize("other", ["what  is r1?", " What is R1 ", "What is Ｒ１", "WHAT IS R1 ?!"])
def test_case_width_spaces_and_punctuation_at_the_ends_make_no_new_query(other: str) -> None:
    assert query_key(other) == query_key("What is R1")


@pytest.mark.parametrize("other", ["C performance", "C# performance", "performance C++"])
def test_what_stands_between_makes_one(other: str) -> None:
    assert query_key(other) != query_key("C++ performance")


@pytest.mark.parametrize("text", ["", "  ", "???", "— …"])
def test_a_query_without_a_word_has_no_key(text: str) -> None:
    assert query_key(text) == ""


def test_a_query_of_a_later_round_is_cut_to_twelve_words() -> None:
    long = Query(" ".join(f"w{i}" for i in range(30)), "why")
    assert cut_query(long) == Query(" ".join(f"w{i}" for i in range(12)), "why")
    assert cut_query(Query("  short  one ")) == Query("short one")


def test_a_script_without_spaces_is_cut_by_its_characters() -> None:
    assert cut_query(Query("深" * 60)).text == "深" * 24
    assert cut_query(Query("DeepSeek R1 发布日期 许可证")).text == "DeepSeek R1 发布日期 许可证"
