"""The rules keep their bars on the labelled claims, and the bars would notice if a rule were gone."""

import asyncio

import pytest

from agent.verify.verdicts import NoChecker, RuleChecker
from tests.pace import limit
from tests.verify.evaluate import report
from tests.verify.mutations import MUTATIONS, fallen, measured, mutated
from tests.verify.timing import rules_seconds


def test_the_bars_hold_and_two_runs_say_the_same():
    told, holds = report(RuleChecker())
    assert holds, told
    assert report(RuleChecker())[0] == told


def test_a_checker_that_decides_nothing_fails():
    assert not report(NoChecker())[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_figure_falls_when_a_rule_is_gone(name):
    whole = measured()
    with mutated(*MUTATIONS[name]):
        assert fallen(whole, measured())
    assert measured() == whole


def test_a_long_answer_is_ruled_on_in_half_a_second():
    assert min(asyncio.run(rules_seconds())[0] for _ in range(3)) < limit(0.5)
