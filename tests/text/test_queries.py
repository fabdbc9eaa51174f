"""When two queries are the same, and how long one may be."""

from __future__ import annotations

import pytest

from agent.text.tokens import cut_query, query_key
from agent.types import Query


@pytest.mark.parametrize("other", ["what  is r1?", " What is R1 ", "What is Ｒ１", "WHAT IS R1 ?!"])
def test_case_width_spaces_and_punctuation_at_the_ends_make_no_new_query(other: str) -> None:
    assert query_key(other) == query_key("What is R1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DeepSeek-R1 training cost", "training costs of DeepSeek R1"),
        ("What is the price of R1?", "what is R1's price"),
        ("R1 vs o1 benchmarks", "benchmarks: R1 vs. o1"),
        ("licence of the R1 weights", "R1 weights licence"),
        ("(R1) 'aha moment'", "aha moment R1"),
    ],
)
def test_order_small_words_hyphens_and_plurals_make_no_new_query(one: str, other: str) -> None:
    assert query_key(one) == query_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("convert Python to Java", "convert Java to Python"),
        ("R1 before V3", "V3 before R1"),
        ("who released R1", "when released R1"),
        ("R1 cost 2024", "R1 cost 2025"),
        ("R1 with tools", "R1 without tools"),
        ('"reasoning model" R1', "reasoning model R1"),
        ("R1 site:arxiv.org", "R1 arxiv.org site"),
        ("R1 -distill", "R1 distill"),
        ("the news about R1", "new about R1"),
        ("R1", "R1-Zero"),
        ("DeepSeek R1 发布日期", "DeepSeek R1 训练费用"),
    ],
)
def test_what_asks_something_else_is_another_query(one: str, other: str) -> None:
    assert query_key(one) != query_key(other)


@pytest.mark.parametrize("text", ["the", "is the a", "to be"])
def test_a_query_of_small_words_only_has_a_key(text: str) -> None:
    assert query_key(text)


@pytest.mark.parametrize("other", ["C performance", "C# performance", "performance C"])
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
