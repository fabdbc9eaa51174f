"""A claim is shown with the very words that bear it, or with none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.verify.quotes import Quote, SourceIndex

PAGE = (
    "# About V3\n\nMenu Home Contact\n\nThe ﬁnal training run of DeepSeek‑V3 cost about\n$5.576\u00a0million. "
    "It used 2,048 H800 GPUs[12] for two months. Cook\u00adies are used on “this” site.\n\n"
    "| Model | Price |\n|---|---|\n| R1 | $0.55 |\n| o1 | $15 |\n"
)
FOUND = {
    "V3's final training run cost about $5.576 million [1].": "The ﬁnal training run of DeepSeek‑V3 cost about\n"
    "$5.576\u00a0million.",
    "Cookies are used on this site [1].": "Cook\u00adies are used on “this” site.",
    "It used ２０４８ H800 GPUs for two months.": "It used 2,048 H800 GPUs[12] for two months.",
    "训练使用了2048块H800 GPU。[1]": "It used 2,048 H800 GPUs[12] for two months.",
    "R1 costs $0.55.": "| R1 | $0.55 |",
}


@pytest.mark.parametrize(("claim", "quote"), FOUND.items())
def test_the_bearing_passage_is_found_however_it_is_written(claim, quote):
    found = best_quote(claim, PAGE)
    assert found
    assert PAGE[found.start : found.end] == quote


def best_quote(claim: str, text: str | SourceIndex) -> Quote | None:
    ready = text if isinstance(text, SourceIndex) else SourceIndex(text)
    return next(iter(ready.best(claim, 1)), None)


def test_a_claim_that_two_sentences_bear_gets_both():
    found = best_quote("The training run cost $5.576 million and used 2,048 H800 GPUs.", PAGE)
    assert found
    assert PAGE[found.start : found.end].startswith("The ﬁnal")
    assert PAGE[found.start : found.end].endswith("two months.")


@pytest.mark.parametrize("claim", ["Paris is the capital of France.", "巴黎是法国首都。", "", "[1]", "the of and"])
def test_where_nothing_bears_the_claim_there_is_no_quote(claim):
    assert best_quote(claim, PAGE) is None


def test_an_empty_text_bears_nothing():
    assert best_quote("R1 is open.", "") is None


def test_a_quote_does_not_run_over_the_end_of_a_page_and_knows_its_page():
    text = "The training run cost $5.576 million.\n\nIt used 2,048 H800 GPUs."
    quotable = SourceIndex(text, (0, 39))
    found = best_quote("The training run cost $5.576 million and used 2,048 H800 GPUs.", quotable)
    assert found
    assert (found.start < 39) == (found.end <= 39)
    assert quotable.page_of(40) == 2
    assert SourceIndex(text).page_of(40) is None


@given(st.text(max_size=200), st.text(max_size=60))
def test_a_quote_is_a_slice_of_the_text_whatever_the_text(text, claim):
    found = best_quote(claim, text)
    assert found is None or (0 <= found.start < found.end <= len(text) and found.score <= 1.001)


def test_the_number_of_an_item_is_no_figure_of_the_sentence_before():
    page = (
        "There are 5 rules for all of the licences.\n\n1. Keep the notice.\n2. Say what was changed in the licences.\n"
    )
    held = SourceIndex(page)
    assert [page[slice(*held.spans[at])] for at in held._places["#5"]] == ["There are 5 rules for all of the licences."]
    assert "#2" not in held._places
