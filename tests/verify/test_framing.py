"""A label and the page's own day are left out of what is checked; what judges or dates otherwise is not."""

import pytest

from agent.verify.framing import bare

PAGE = "2026-07-25"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Openness: the weights are open.", "the weights are open."),
        ("**Cost**: it cost $5.", "it cost $5."),
        ("价格: 它很便宜。", "它很便宜。"),
        ("As of 25 July 2026, R1 is open.", "R1 is open."),
        ("R1 is open (as of July 2026).", "R1 is open."),
        ("Licence: R1 is open (Stand: 25. Juli 2026).", "R1 is open."),
    ],
)
def test_labels_and_the_days_of_pages_are_left_out(said, left):
    assert bare(said, PAGE) == left


@pytest.mark.parametrize(
    "said",
    [
        "Wrong: the weights are open.",
        "A common myth: the weights are open.",
        "Not available: the weights.",
        "In 2025: the weights were open.",
        "As of 1 May 2026, R1 is open.",
        "He said this of the model that everybody knows: it is open.",
    ],
)
def test_what_judges_and_other_days_stay(said):
    assert bare(said, PAGE) == said


def test_without_a_date_of_the_page_no_day_is_left_out():
    assert bare("As of 25 July 2026, R1 is open.", None) == "As of 25 July 2026, R1 is open."
