"""Marks of every form become `[n]`, for sources that exist only, however the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.citation_marks import Mark, MarkFilter, marks, without_marks, without_page_marks

KNOWN = (1, 2, 3, 4, 5)


def filtered(text, known=KNOWN, cuts=()):
    marks_filter = MarkFilter(known)
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    out = "".join(marks_filter.feed(text[a:b]) for a, b in pairwise(edges))
    return out + marks_filter.close(), marks_filter.unknown


FORMS = {
    "R1 is open [citation:3].": "R1 is open [3].",
    "a [citation:3,5] b": "a [3][5] b",
    "a [citation:3-5] b": "a [3][4][5] b",
    "a [citation 3] b": "a [3] b",
    "a [citation:3][citation:5].": "a [3][5].",
    "a [citation:1, citation:2].": "a [1][2].",
    "a [citations: 1 and 2].": "a [1][2].",
    "a [Citation: 3].": "a [3].",
    "a 【citation:3】": "a [3]",
    "a 【3】": "a [3]",
    "a 【3†L1-L5】": "a [3]",
    "a [3]": "a [3]",
    "a [1, 3]": "a [1][3]",
    "a [1-3]": "a [1][2][3]",
    "a ［３］": "a [3]",
    "a [[3]]": "a [3]",
    "a [^3]": "a [3]",
    r"a \[3\]": "a [3]",
    "a (citation:2)": "a [2]",
    "模型开源[引用3]。": "模型开源[3]。",
    "a stop.³ Next": "a stop.[3] Next",
    "a word⁴.": "a word[4].",
    "a ⁽³⁾": "a [3]",
}


@pytest.mark.parametrize(("written", "shown"), FORMS.items())
def test_every_form_of_a_mark_becomes_one_form(written, shown):
    assert filtered(written) == (shown, 0)


def test_numbers_of_no_source_are_taken_out_and_counted():
    assert filtered("So it is [citation:99]. And [7, 3] so [98][99], x.") == ("So it is. And [3] so, x.", 4)


UNCHANGED = [
    "`x[3]` and ``y[citation:3]``",
    "```py\na[99]\n```\nb",
    "1. ```\n   a[99] [citation:1]\n   ```\n",
    "~~~\n[99]\n~~~~\n",
    "$a[99] + b$ and $$c[98]$$",
    r"\[ x_{[99]} \] and \(y[98]\)",
    "in the interval [0, 1]",
    "10⁶ km², x² and 5 metres² or 3 inches²",
    "It costs $5 and $6 in all.",
    "[a note] (see there) [citing] [source]",
    "- item\n\n  more\n",
]


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_is_no_mark_stays(text):
    assert filtered(text) == (text, 0)


def test_money_is_not_math():
    assert filtered("between $5 [99] and $6 [2]") == ("between $5 and $6 [2]", 1)


def test_what_a_removed_mark_held_apart_does_not_become_a_mark_or_code():
    assert filtered("see [9[99]9] now") == ("see [9 9] now", 1)
    assert filtered("a ``[99]` b") == ("a `` ` b", 1)


def test_a_year_in_brackets_is_no_mark_and_does_not_look_like_one():
    assert filtered("he said [2024] it") == ("he said (2024) it", 0)


def test_a_raised_number_of_no_source_is_left_alone():
    assert filtered("a word⁹ and") == ("a word⁹ and", 0)


def test_an_unclosed_mark_comes_out_at_the_end():
    assert filtered("so [citation:3") == ("so [citation:3", 0)


def test_ordinary_text_is_not_held_back():
    marks_filter = MarkFilter(KNOWN)
    assert marks_filter.feed("R1 is a model of DeepSeek") == "R1 is a model of DeepSeek"
    assert marks_filter.feed(", [and more") == ", [and more"
    assert marks_filter.feed(" (see below) cost $5") == " (see below) cost"  # $5$ would be math


PARTS = """[ ] [citation: citation 3 99 5 - , ` `` ``` ~~~ $ $$ \\ \\( \\[ \\] \\) 【 】 ³ ¹² word 。 ( ) [[ ]] † and [^
[3] [99] . é 网页 source"""
PIECES = st.sampled_from([" ", "\n", "\n\n", "- ", "> ", "1. ", "[3, 5]", *PARTS.split()])
TEXTS = st.lists(PIECES, max_size=16).map("".join)


@given(TEXTS, st.lists(st.integers(1, 60), max_size=30))
def test_however_the_stream_is_cut_the_output_is_the_same(text, cuts):
    assert filtered(text, cuts=cuts) == filtered(text)
    assert filtered(text, cuts=range(len(text))) == filtered(text)


@given(TEXTS)
def test_no_number_of_no_source_is_left(text):
    assert all(mark.number in KNOWN for mark in marks(filtered(text)[0]))


def test_marks_are_found_outside_code_and_math():
    answer = "A [1][12]. `x[2]` $y[3]$\n\n```\n[4]\n```\nB [5]"
    assert marks(answer) == [Mark(1, 2, 5), Mark(12, 5, 9), Mark(5, 40, 43)]
    assert all(answer[m.start : m.end] == f"[{m.number}]" for m in marks(answer))


def test_a_sentence_without_its_marks():
    assert without_marks("R1 is open [1][2], and `x[3]` too. [4]") == "R1 is open, and `x[3]` too."


def test_a_pages_own_marks_are_taken_out():
    sentence = "Paris is the capital[12] of France.[a][citation needed] It is old [note 3][4, 5] [x1]."
    assert without_page_marks(sentence) == "Paris is the capital of France. It is old [x1]."


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("```\nR1 is open to all of us [citation:1].\n```\nB.\n", "R1 is open to all of us [1].\nB.\n"),
        ("```markdown\nR1 is open to all of us [1].\n\nIt is old.", "R1 is open to all of us [1].\n\nIt is old."),
        ("```\n这个模型是完全开源的[citation:3]。\n```", "这个模型是完全开源的[3]。\n"),
        ("So: `R1 is open to all of us [citation:1].` Yes.", "So: R1 is open to all of us [1]. Yes."),
        ("```python\n# R1 is open to all of us [citation:1].\n```\n", None),
        ("```\nx = rows[1]\n```\n", None),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_prose_that_cites_is_no_code_whatever_stands_around_it(written, shown, size):
    marks = MarkFilter({1, 3})
    told = "".join(marks.feed(written[at : at + size]) for at in range(0, len(written), size)) + marks.close()
    assert told == (written if shown is None else shown)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("R1 is open [^1^].", "R1 is open [1]."),
        ("R1 is open (Source 1).", "R1 is open [1]."),
        ("R1 ist offen [Quelle 1].", "R1 ist offen [1]."),
        ("R1 ist offen (Quellen 1 und 3).", "R1 ist offen [1][3]."),
        ("R1 is open [citation:1 to 3].", "R1 is open [1][2][3]."),
        ("R1 is open<sup>1</sup>.", "R1 is open[1]."),
        ("R1 is open <sup>[1]</sup>.", "R1 is open [1]."),
        ("R1 es abierto (Fuente 2).", "R1 es abierto [2]."),
        ("R1 is open [the report](https://a.example/x).", "R1 is open the report [3]."),
        ("R1 is open [3](https://a.example/x/).", "R1 is open [3]."),
        ("It covers 5 km<sup>2</sup> and x<sup>2</sup>.", "It covers 5 km<sup>2</sup> and x<sup>2</sup>."),
        ("It is so (Source: Reuters, source 2019).", "It is so (Source: Reuters, source 2019)."),
        ("See [the other](https://b.example/y) (2).", "See [the other](https://b.example/y) (2)."),
    ],
)
def test_forms_that_models_use_become_marks_however_they_are_cut(written, shown):
    for size in (1, 3, 1_000):
        filtered = MarkFilter({1, 2, 3}, {"https://a.example/x": 3})
        pieces = [filtered.feed(written[at : at + size]) for at in range(0, len(written), size)]
        assert "".join([*pieces, filtered.close()]) == shown
