"""Two sources with two values of one thing are a conflict; other things, other years and copies of a fact are none."""

import pytest

from agent.types import Source
from agent.verify.claims import claims
from agent.verify.verdicts import RuleChecker

SAID = "The final run of the model cost 5.5 million dollars [1]."
FIRST = "The final run of the model cost 5.5 million dollars. It took two months."


def source(number, **more):
    return Source(number, f"d{number}", f"s{number}", f"https://{number}.example/a", "T", "x", "2026-01-01", **more)


async def found(other, said=SAID, **more):
    sources = {1: (source(1), FIRST), 2: (source(2, **more), other)}
    checker = RuleChecker()
    return await checker.conflicts(await checker.check(claims(said), sources), sources)


@pytest.mark.parametrize(
    "other",
    [
        "The final run of the model cost 6.2 million dollars.",
        "Critics do sums. The final run of the model cost 6.2 million dollars, they found.",
        "In all the final run of the model cost more than 50 million dollars.",
    ],
)
async def test_another_value_of_the_same_thing_is_a_conflict_with_both_sides(other):
    (conflict,) = await found(other)
    assert conflict.about == "The final run of the model cost …."
    assert [side.sources for side in conflict.sides] == [(1,), (2,)]
    assert "5.5 million" in conflict.sides[0].says
    assert conflict.sides[1].says in other


@pytest.mark.parametrize(
    "other",
    [
        "The final run of the model cost 5.5 million dollars.",
        "The final run of the model cost about 5,500,000 dollars.",
        "The final run of the older model V3 cost 6.2 million dollars.",
        "The first run of the model cost 6.2 million dollars.",
        "The final run of the model did not cost 6.2 million dollars.",
        "The building cost 6.2 million dollars.",
        "Cats sleep for 16 hours.",
    ],
)
async def test_the_same_value_and_other_things_are_no_conflict(other):
    assert await found(other) == []


async def test_a_source_that_hides_its_text_takes_no_side():
    assert await found("The final run of the model cost 6.2 million dollars.", suspect=True) == []


async def test_only_what_was_found_supported_can_be_in_conflict():
    assert await found("The final run of the model cost 6.2 million dollars.", SAID.replace("5.5", "7.7")) == []


async def test_a_conflict_that_both_of_two_claims_show_is_told_once():
    said = SAID + " The final run of the model cost 6.2 million dollars [2]."
    assert len(await found("The final run of the model cost 6.2 million dollars.", said)) == 1
