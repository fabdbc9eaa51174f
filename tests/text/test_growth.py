"""Three times the text takes at most about three times the calls, whatever its shape.  `growth` measures time."""

import pytest

from tests.text.growth import calls, rows

SIZE = 2_000  # characters: more than a passage has
SLACK = 3_000  # calls that have nothing to do with the length, or begin with the second passage
ROWS = [pytest.param(run, made, id=f"{name}-{shape}") for name, shape, run, made in rows()]


@pytest.mark.parametrize(("run", "made"), ROWS)
def test_work_grows_with_the_text_and_no_faster(run, made):
    run(made(SIZE // 2))  # what is made once is made before the counting
    small, large = calls(run, made(SIZE)), calls(run, made(3 * SIZE))
    assert large <= 3.5 * small + SLACK
