"""A date is the same in every form; what it leaves open it does not claim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text import dates as module
from agent.text.dates import agree, dates

READ = {
    "released on January 20, 2025": [(2025, 1, 20)],
    "20 January 2025 and Jan. 5th": [(2025, 1, 20), (0, 1, 5)],
    "am 20. Januar 2025": [(2025, 1, 20)],
    "el 20 de enero de 2025": [(2025, 1, 20)],
    "le 20 janvier 2025": [(2025, 1, 20)],
    "2025年1月20日": [(2025, 1, 20)],
    "2025-01-20 and 20.01.2025": [(2025, 1, 20), (2025, 1, 20)],
    "in 2024, 2048 GPUs": [(2024, 0, 0)],
    "a budget of 2000 dollars": [],
    "It may 5 be": [],
    "from 1914 to 1918": [(1914, 0, 0), (1918, 0, 0)],
    "Q1 2025": [(2025, -1, 0)],
}


@pytest.mark.parametrize(("text", "expected"), READ.items())
def test_dates_are_read_in_the_forms_people_write(text, expected):
    assert [(d.year, d.month, d.day) for d in dates(text)] == expected


AGREE = [
    ("January 2025", "January 20, 2025", True),
    ("January 20, 2025", "January 2025", None),
    ("5 June 2025", "05/06/2025", True),
    ("6 May 2025", "05/06/2025", True),
    ("January 21, 2025", "January 20, 2025", False),
    ("in 1994", "the 1990s", None),
    ("the 1990s", "in 1994", True),
    ("the 1980s", "in 1994", False),
]


@pytest.mark.parametrize(("claimed", "told", "verdict"), AGREE)
def test_dates_agree_where_one_says_all_that_the_other_claims(claimed, told, verdict):
    assert agree(dates(claimed)[0], dates(told)[0]) is verdict


@pytest.mark.parametrize("text", ["in the 1970s", "in the 70s", "in the '70s", "in the 70’s"])
def test_decades_are_named_with_two_digits_too(text):
    (found,) = dates(text)
    assert (found.year, found.decade) == (1970, True)


def test_a_century_may_be_meant_by_its_first_decade():
    (hundred,), (year,) = dates("the 1900s"), dates("in 1984")
    assert agree(hundred, year) is None


def test_a_season_is_the_two_years_that_it_runs_over():
    assert [date.year for date in dates("the 2018–19 season")] == [2018, 2019]
    assert dates("model 2018-45") == []


# fmt: off
PARTS = (
    "2025", "1914", "1990", "20", "5", "05", "31st", "3rd", "-", "/", ".", ",", "'", "年", "月", "日", "代", "年代",
    "January", "may", "MAY", "Sept.", "märz", "enero", "de", "of", "Q1", "q3", "s", "er", "Jahre", "%", "x", "$",
)
# fmt: on


@given(st.lists(st.sampled_from([*PARTS, " ", "\n"]), max_size=20).map("".join))
def test_looking_around_the_signs_of_a_form_misses_no_date(text):
    whole = [(form.pattern, m.span()) for _, _, form in module._PATTERNS for m in form.finditer(text)]
    assert [(m.re.pattern, m.span()) for m in module._matches(text)] == whole
