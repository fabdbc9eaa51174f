"""Numbers mean the same in every spelling, and differ only where no reading makes them agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text import numbers
from agent.text.dates import dates
from agent.text.numbers import agree, quantities

READ = {
    "1,500,000 tokens": [(1_500_000, "")],
    "1,5 Mio. Euro sind viel": [(1_500_000, "eur")],
    "$5.5M": [(5_500_000, "usd")],
    "5.5 million US dollars": [(5_500_000, "usd")],
    "550万美元": [(5_500_000, "usd")],
    "671B parameters": [(671e9, "")],
    "128K": [(128_000, "")],
    "百分之五十": [(50, "%")],
    "twenty-five people": [(25, "")],
    "二十三个": [(23, "")],
    "3rd": [(3, "ordinal")],
    "3 out of 4": [(75.0, "%")],
    "20 km": [(20_000, "m")],
    "5m long": [(5, "m")],
    "-5 °C": [(-5, "°c")],
    "$5.5-6 million": [(5_500_000, "usd"), (6_000_000, "")],
    "提高5个百分点": [(5, "points")],
    "R1, GPT-4, H800, o1-mini and 4o": [],
    "released on 20 January 2025": [],
}


@pytest.mark.parametrize(("text", "expected"), READ.items())
def test_a_quantity_is_read_with_its_magnitude_and_unit(text, expected):
    found = quantities(text)
    assert [(pytest.approx(q.values[0]), q.dimension) for q in found] == expected
    assert all(text[q.start : q.end].strip() for q in found)


AGREE = [
    ("1.5 million", "1,500,000", True),
    ("1.5 million", "1,487,000", True),
    ("64%", "63.6%", True),
    ("3 days", "72 hours", True),
    ("over 500", "512", True),
    ("about 500", "512", True),
    ("550万美元", "$5.5 million", True),
    ("2,000", "1,800", False),
    ("10", "12", False),
    ("over 500", "480", False),
    ("5 miles", "5 km", False),
    ("5%", "5 percentage points", None),
    ("512", "over 500", None),
    ("5", "5–7", None),
    ("$5.5M", "$5.576 million", None),
    ("$5", "5 euros", None),
]


@pytest.mark.parametrize(("claimed", "told", "verdict"), AGREE)
def test_quantities_agree_up_to_rounding_and_differ_only_where_they_can_be_compared(claimed, told, verdict):
    assert agree(quantities(claimed)[0], quantities(told)[0]) is verdict


def test_a_separator_is_read_as_the_language_uses_it():
    assert quantities("Das sind 1.500 Menschen und mehr")[0].values == (1500.0, 1.5)
    assert quantities("That is 1.125 of the whole")[0].values == (1.125,)


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("half a million people", 500_000, ""),
        ("half a million dollars", 500_000, "usd"),
        ("medio millón de personas", 500_000, ""),
        ("eine halbe Million Euro", 500_000, "eur"),
        ("two thirds of it", 200 / 3, "%"),
        ("drei Viertel der Stimmen", 75, "%"),
        ("dos tercios de las ventas", 200 / 3, "%"),
        ("四分之三的人", 75, "%"),
        ("one in five", 20, "%"),
        ("三亿六千万元", 360_000_000, "cny"),
        ("三万亿元", 3e12, "cny"),
        ("95 gigawatt hours", 95e9, "wh"),
        ("5백만 명", 5e6, ""),
        ("코로나19 백신", 19, ""),
        ("3亿M 部", 3e14, ""),  # no person writes it; it is read all the same
    ],
)
def test_parts_of_a_whole_and_long_numerals_in_words(text, value, dimension):
    (found,) = quantities(text)
    assert found.values[0] == pytest.approx(value)
    assert found.dimension == dimension


def test_a_quarter_of_a_year_is_no_share():
    assert [q.dimension for q in quantities("It fell for three quarters in a row.")] == [""]


# fmt: off
PARTS = (
    "$", "US$", "HK$", "USD", "EUR", "€", "¥", "-", "−", "+", "5", "12", "1,500", "3.25", "2025", "R1", "GPT-4",
    "two", "Twenty", "-five", "seventy", "tens", "million", "M", "bn", "k", "Mio.", "亿", "%", "km", "°", "百",
    "二十三", "三", "个", "分", "½", "x", "A", "_", ".", ",", "(", ")", "/", "st",
)
# fmt: on


@given(st.lists(st.sampled_from([*PARTS, " ", "\u00a0", "\n"]), max_size=25).map("".join))
def test_looking_around_digits_and_number_words_misses_nothing(text):
    whole = [match.span() for match in numbers._QUANTITY.finditer(text)]
    assert [match.span() for match in numbers._matches(text, numbers._hearts(text))] == whole


@given(st.lists(st.sampled_from([*PARTS, "May", "in", "2020", "January", "1", "Q3", " ", " ", "\n"]), max_size=20))
def test_passing_over_the_numbers_in_dates_changes_none_of_the_others(parts):
    text = "".join(parts)
    taken = bytearray(len(text))
    for date in dates(text):
        numbers._take(taken, date.start, date.end)
    every, outside = numbers._hearts(text), numbers._outside(taken, numbers._hearts(text))
    free = [[m.span() for m in numbers._matches(text, hearts) if numbers._is_free(taken, *m.span())]
            for hearts in (every, outside)]  # fmt: skip
    assert free[0] == free[1]
