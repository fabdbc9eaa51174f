"""Sentences end where a reader would end them, and their offsets are exact."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.sentences import sentences, split


def cut(text):
    return [text[s.start : s.end] for s in sentences(text)]


WHOLE = [
    "Dr. Smith met J. R. Jones of Acme Inc. in Washington.",
    "See Fig. 3 and No. 7, e.g. the one on p. 12 of vol. 2, for the U.S. figures.",
    "Set temperature 0.6 and top_p 0.95 in version 3.11.7 of python.org.",
    "Wir treffen uns am 3. Oktober z. B. mit Prof. Meier, d. h. bald.",
    "La Sra. García vive en la av. Central, p. ej. con el Dr. Ruiz.",
    "“Why?” he asked, and left.",
    "He left ... and came back.",
    "Yahoo! is a company.",
    "La température est de 3.5 degrés env. partout.",
    "It rained . . . all day.",
]


@pytest.mark.parametrize("sentence", WHOLE)
def test_a_stop_inside_a_sentence_does_not_end_it(sentence):
    assert cut(sentence) == [sentence]


PARTS = [
    ["R1 is open.", "It has 671B parameters!", "Is it good?", "Yes."],
    ["It costs $5.5M. [1][2]", "Set it to 0.6.[3]", "Next."],
    ["He said “no.”", "Then he left.", "The answer is no.", "The end."],
    ["(It is old.)", "It was 30°C.", "It rained."],
    ["See https://a.example/b.c.", "It is there."],
    ["She works for Acme Inc.", "The firm is old."],
    ["¿Qué es?", "Es un modelo.", "¡Bien!"],
]


@pytest.mark.parametrize("parts", PARTS)
def test_sentences_are_told_apart(parts):
    assert cut(" ".join(parts)) == parts


def test_chinese_and_japanese_need_no_space():
    assert cut("模型已发布。[3]它是开源的！“真的吗？”他问。") == ["模型已发布。[3]", "它是开源的！", "“真的吗？”他问。"]
    assert cut("これは本です。安いですか？") == ["これは本です。", "安いですか？"]


def test_headings_items_and_cells_are_sentences_of_their_own_without_their_markers():
    text = "# Head\nFirst. Second.\n\n- one\n- two. Three.\n1. four\n> five\n\n| A | B |\n|---|---|\n| c is 1. | d |\n"
    assert cut(text) == ["Head", "First.", "Second.", "one", "two.", "Three.", "four", "five", "A", "B", "c is 1.", "d"]


def test_code_and_formulas_on_lines_of_their_own_are_left_out():
    assert cut("Before.\n\n```py\nx. Y\n```\n\n$$\nx. Y\n$$\n\nAfter.") == ["Before.", "After."]


def test_a_sentence_goes_on_over_a_broken_line_but_a_title_does_not():
    text = "About us\nThis is a line that was broken at a width by whoever wrote it\nand goes on here. Next."
    assert cut(text) == ["About us", text[9:88], "Next."]


@given(st.text(alphabet="aB1 .!?。“”[]1\n#|-`", max_size=60))
def test_offsets_are_in_order_and_nothing_but_white_space_is_lost_of_prose(text):
    found = sentences(text)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(text[s.start : s.end] == text[s.start : s.end].strip() != "" for s in found)


@pytest.mark.parametrize(
    "text",
    [
        "El presidente de los EE. UU. firmó el acuerdo.",
        "The VW ID. Buzz is electric.",
        "Die 3. Liga beginnt im Juli.",
        "Der Verein spielt in der 2. Bundesliga.",
        "Le 1er janv. 2024 est férié.",
        "Yahoo! Finance reported it.",
        "M. A. K. Halliday was a linguist.",
        "L'art. 5 dit cela.",
        "Nel sec. XIX nacque la banca.",
        "Art. 12 ust. 3 mówi o tym.",
        "Ст. 5 кодекса гласит так.",
        "It rose (by 3 per cent.) [1][2].",
    ],
)
def test_abbreviations_ordinals_and_names_end_no_sentence(text):
    assert split_in(f"{text} Then it ended.") == [text, "Then it ended."]


@pytest.mark.parametrize(
    "text",
    ["She scored 5. He scored 6.", "He came from the UK. She did not.", "That was old. It fell."],
)
def test_short_words_and_numbers_may_end_one(text):
    assert len(split_in(text)) == 2


def split_in(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Pourquoi ? Parce que la ville ferme.", 2),
        ("He left . She stayed . 3 people came .", 3),
        ("They said . . . Then nothing.", 1),
        ("« Non ! » dit-il. Oui.", 2),
        ("The U.S . Army came.", 1),
    ],
)
def test_a_stop_behind_a_space_ends_a_sentence_too(text, count):
    assert len(sentences(text)) == count
