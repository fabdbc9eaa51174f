"""What of a claim's figures, dates, names and quoted words stands in none of its sources, in whatever notation."""

import pytest

from agent.types import Source
from agent.verify.figures import figures_of, missing_and_found, said_instead

PAGE = """# The Halden survey

The survey of 3 April 2024 counted 412 boats, 5,576,123 crates and 62 percent of the 1,900 berths. Marta Kvist said:
“the harbour is full”. Version 1.20 of the plan was ready at 8:15 p.m. in Q3 2023. The site covers 1.5 million m².
It is 4.2 km long. ١٥١٩ is the year of the charter.
"""


def checked(claim: str, page: str = PAGE, **about: str):
    source = Source(
        1, "d", "s", "https://port.example/halden", "Boats of Halden", "port.example", "2026-01-01", **about
    )
    return missing_and_found(claim, [(source, page)])


@pytest.mark.parametrize(
    ("claim", "missing"),
    [
        ("The survey counted 431 boats [1].", ("431",)),
        ("The survey counted 412 boats [1].", ()),
        ("Some 5.6 million crates were counted [1].", ()),
        ("Some 5.9 million crates were counted [1].", ("5.9 million",)),
        ("It was made on April 3, 2024 [1].", ()),
        ("It was made on 2024-04-03, in Q2 2024 [1].", ()),
        ("It was made on April 4, 2024 [1].", ("April 4, 2024",)),
        ("It was made in 2019 [1].", ("2019",)),
        ("The charter is of 1519 [1].", ()),
        ("The plan, version 1.20, was ready at 20:15 [1].", ()),
        ("The plan, version 1.2, was ready at 21:15 [1].", ("1.2", "21:15")),
        ("Of the berths 62% were taken [1].", ()),
        ("It was led by Marta Kvist [1].", ()),
        ("It was led by Greta Holm [1].", ("Greta Holm",)),
        ("She said “the harbour is full” [1].", ()),
        ("She said “the harbour is empty” [1].", ("“the harbour is empty”",)),
        ("There were two of them [1].", ()),
        ("调查统计了431艘船[1]。", ("431",)),
    ],
)
def test_what_stands_nowhere_is_missing(claim, missing):
    assert checked(claim)[0] == missing


def test_what_stands_there_is_found():
    assert checked("Marta Kvist counted 412 boats in 1931 [1].") == (("1931",), ("Marta Kvist", "412"))


def test_title_site_and_date_of_a_source_count():
    assert checked("Halden reported it on 5 May 2025 [1].", published="2025-05-05")[0] == ()


def test_one_of_several_sources_is_enough():
    source = Source(1, "d", "s", "https://a.example", "A", "a.example", "2026-01-01")
    assert missing_and_found("It has 7 halls and 9 doors.", [(source, "7 halls"), (source, "9 doors")])[0] == ()


@pytest.mark.parametrize(
    ("missing", "passage", "instead"),
    [
        (["431"], "The survey counted 412 boats.", ["412"]),
        (["2019"], "It was founded in 2021 with 40 euros.", ["2021"]),
        (["40 euros"], "It was founded in 2021 with 45 euros.", ["45 euros"]),
        (["431"], "1 and 2 and 3 and 4", []),
        (["Holm"], "Kvist was there.", []),
    ],
)
def test_what_stands_there_instead_is_of_the_same_kind(missing, passage, instead):
    assert said_instead(missing, passage) == instead


def test_the_figures_of_a_claim_come_in_order_and_none_twice_in_one_place():
    assert [f.text for f in figures_of("In 2019 Ada Holt paid $5 million for “all of it” [1].")] == [
        "2019",
        "Ada Holt",
        "$5 million",
        "“all of it”",
    ]


def test_german_nouns_are_no_names():
    assert [f.text for f in figures_of("Die Firma baute 2019 ein Werk mit dem BMW-Konzern.")] == ["2019", "BMW-Konzern"]
