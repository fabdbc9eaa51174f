"""A question is taken apart as a person would, and each part keeps its names."""

import pytest

from agent.text.question_parts import keywords, parts

QUERIES = {
    "What is R1?": ["R1"],
    "Who made DeepSeek-R1 and when was it released?": ["made DeepSeek-R1", "DeepSeek-R1 released"],
    "What is the difference between R1 and R1-Zero?": ["R1 R1-Zero"],
    "Compare R1 and o1 in price": ["R1 o1 price"],
    "R1 vs o1": ["R1 o1"],
    "How does R1 differ from V3?": ["R1 differ V3"],
    "How do X and Y compare in range and battery size?": ["X Y compare range battery size"],
    "What are the price, the licence and the size of R1?": ["price R1", "licence R1", "size R1"],
    "1. What is R1?\n2. How much does it cost?": ["R1", "R1 cost"],
    "Who invented the steam engine and when?": ["invented steam engine"],
    "How do volcanoes erupt and why are they dangerous?": ["volcanoes erupt", "volcanoes dangerous"],
    "Is R1 open source?": ["R1 open source"],
    "Why was the plumber jailed, and for how long?": ["plumber jailed long"],
    "DeepSeek-R1 和 OpenAI o1 有什么区别？": ["DeepSeek-R1 OpenAI o1 区别"],
    "R1是什么？谁开发了它？": ["R1", "开发 R1"],
    "什么是强化学习，为什么它重要？": ["强化学习", "强化学习 重要"],
    "Wer hat R1 gemacht und wann wurde es veröffentlicht?": ["R1 gemacht", "R1 veröffentlicht"],
    "Unterschied zwischen R1 und V3?": ["R1 V3"],
    "Compare R1 and V3 hallucination rates": ["R1 V3 hallucination rates"],
    "How many GPUs did V3's final training run use, and what does the figure of 5.5 million dollars leave out?": [
        "GPUs V3's final training run use",
        "figure 5.5 million dollars leave",
    ],
    "What does the figure of 5.5 million dollars count and what does it leave out?": [
        "figure 5.5 million dollars count",
        "figure 5.5 million dollars leave",
    ],
    "When was R1 released and under which licence?": ["R1 released", "R1 licence"],
    "What is R1 and how does it differ from V3?": ["R1", "R1 differ V3"],
    "Compare vitamin C and vitamin D": ["vitamin C vitamin D"],
    "比较 R1 和 V3 的价格": ["R1 V3 价格"],
    "¿Qué es R1 y cuánto cuesta?": ["R1", "R1 cuesta"],
    "Quelle est la différence entre R1 et V3 ?": ["R1 V3"],
}


@pytest.mark.parametrize(("question", "queries"), QUERIES.items())
def test_a_question_has_these_parts(question, queries):
    assert [part.query for part in parts(question)] == queries


def test_a_pronoun_is_told_by_its_name_in_the_heading_of_its_part():
    assert [part.text for part in parts("What is R1 and what does it cost?")] == ["What is R1", "what does R1 cost"]


def test_names_numbers_and_quoted_words_stay():
    assert keywords('How long is the "aha moment" of Gengis Kan in 1206?') == 'long Gengis Kan 1206 "aha moment"'


@pytest.mark.parametrize("question", ["", "?", "the of", "是什么", "\n\n", "a" * 5_000, " " * 100_000])
def test_a_question_of_nothing_but_small_words_is_one_part(question):
    assert len(parts(question)) == 1


def test_there_are_never_many_parts():
    assert len(parts(" ".join(f"What is thing{n}?" for n in range(30)))) == 5


def test_a_part_that_does_not_name_its_matter_is_about_what_stood_before():
    assert [part.about for part in parts("When was R1 released and under which licence?")] == [
        "When was R1 released",
        "R1: under which licence",
    ]
