"""A comparison names two things, and what is said of one only by sharing words with the other is given to both."""

import pytest

from agent.text.comparisons import compared

COMPARED = {
    "Compare R1 and V3": ["R1", "V3"],
    "Compare R1 and V3 hallucination rates": ["R1 hallucination rates", "V3 hallucination rates"],
    "Compare New York and London house prices": ["New York house prices", "London house prices"],
    "iPhone 15 vs Samsung S23 battery life": ["iPhone 15 battery life", "Samsung S23 battery life"],
    "What is the difference between the price of R1 and V3": ["the price of R1", "price of V3"],
    "Compare the GDP of France and Germany in 2023": ["the GDP of France: 2023", "GDP of Germany: 2023"],
    "Vergleiche die Kosten von R1 und o1": ["die Kosten von R1", "Kosten von o1"],
    "Compare DeepSeek-R1 and R1-Zero in training and readability": [
        "DeepSeek-R1: training and readability",
        "R1-Zero: training and readability",
    ],
    "What is the difference in price between R1 and o1": ["R1: price", "o1: price"],
    "How does Python compare to Java in speed": ["Python: speed", "Java: speed"],
    "Which is cheaper, R1 or o1": ["R1: cheaper", "o1: cheaper"],
    "Was unterscheidet R1 von V3": ["R1", "V3"],
    "Wie unterscheidet R1-Zero sich von R1": ["R1-Zero", "R1"],
    "Wie unterscheiden sich R1 und V3": ["R1", "V3"],
    "R1 versus o1: price": ["R1: price", "o1: price"],
    "比较 R1 和 V3 的价格": ["R1: 价格", "V3: 价格"],
    "DeepSeek-R1 和 V3 在训练成本上有什么区别": ["DeepSeek-R1: 训练成本", "V3: 训练成本"],
}


@pytest.mark.parametrize(("question", "things"), COMPARED.items())
def test_a_comparison_has_two_things(question, things):
    assert compared(question) == things


@pytest.mark.parametrize("question", ["What is R1", "Why did France and Germany sign a treaty", "R1是什么", ""])
def test_what_compares_nothing_has_no_things(question):
    assert compared(question) == []


def test_a_name_with_of_in_it_is_no_shared_head():
    assert compared("Compare the Bank of England and Barclays") == ["the Bank of England", "Barclays"]


def test_the_mit_licence_is_not_taken_for_the_german_word():
    assert compared("Compare the MIT licence and the Apache licence") == ["the MIT licence", "the Apache licence"]
