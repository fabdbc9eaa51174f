"""`It` in a later part of a question is put back to what the part before was about, or is left alone."""

import pytest

from agent.text.question_parts import has_pronoun, keywords, resolved, subject

SUBJECTS = {
    "What is the reasoning_content field": "the reasoning_content field",
    "What does the figure of 5.5 million dollars count": "the figure of 5.5 million dollars",
    "Who wrote the 5.5 million dollar article": "the 5.5 million dollar article",
    "Who made DeepSeek-R1": "DeepSeek-R1",
    "How do volcanoes erupt": "volcanoes",
    'How long is the "aha moment"': "aha moment",
    "什么是强化学习": "强化学习",
}
RESOLVED = {
    ("how does it differ from V3", "R1"): "how does R1 differ from V3",
    ("what are its limits", "R1"): "what are R1’s limits",
    ("wann wurde es veröffentlicht", "R1"): "wann wurde R1 veröffentlicht",
    ("谁开发了它", "R1"): "谁开发了 R1",
}
UNCHANGED = [
    ("is it true that R1 is free", "DeepSeek"),
    ("seit wann gibt es R1", "V3"),
    ("does R1 know what it says", "R1"),
    ("what is it", ""),
    ("when was V3 released", "R1"),
    ("其他模型", "R1"),
]


@pytest.mark.parametrize(("text", "told"), SUBJECTS.items())
def test_the_subject_of_a_part_is_known(text, told):
    assert subject(text, keywords(text), "") == told


def test_a_part_that_speaks_of_the_subject_before_keeps_it():
    assert subject("what does it cost in Germany", "cost Germany", "R1") == "R1"


def test_a_long_part_without_a_plain_subject_takes_none():
    text = "explain how models that were trained on lots and lots of mathematics problems think"
    assert subject(text, keywords(text), "") == ""


@pytest.mark.parametrize(("asked", "told"), RESOLVED.items())
def test_a_pronoun_gives_way_to_the_subject(asked, told):
    assert resolved(*asked) == told


@pytest.mark.parametrize("asked", UNCHANGED)
def test_a_pronoun_that_stands_for_nothing_or_for_what_is_there_stays(asked):
    assert resolved(*asked) == asked[0]


def test_pronouns_are_seen_in_several_languages():
    assert all(map(has_pronoun, ("what is it", "was kostet er", "cuál es su precio", "它的价格")))
    assert not has_pronoun("what is R1")
