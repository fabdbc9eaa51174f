"""The rules keep their bars on the labelled claims, and the bars would notice if a rule were gone."""

import pytest

from agent.verify.verdicts import NoChecker, RuleChecker
from tests.verify.evaluate import report
from tests.verify.mutations import MUTATIONS, fallen, measured, mutated


def test_the_bars_hold_and_two_runs_say_the_same():
    table, holds = report(RuleChecker())
    assert holds, table
    assert report(RuleChecker())[0] == table


def test_a_checker_that_decides_nothing_fails():
    assert not report(NoChecker())[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_figure_falls_when_a_rule_is_gone(name):
    whole = measured()
    with mutated(*MUTATIONS[name]):
        assert fallen(whole, measured())
    assert measured() == whole
