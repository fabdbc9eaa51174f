"""Three times the text takes at most about three times the calls, whatever its shape; `growth` asks the clock, too."""

import pytest

from tests.text.growth import FUNCTIONS, SHAPES, calls

SIZE = 2_000  # characters: more than a passage has
SLACK = 3_000  # calls that have nothing to do with the length, or begin with the second passage


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_work_grows_with_the_text_and_no_faster(function, shape):
    run, made = FUNCTIONS[function], SHAPES[shape]
    run(made(SIZE // 2))  # what is made once is made before the counting
    small, large = calls(run, made(SIZE)), calls(run, made(3 * SIZE))
    assert large <= 3.5 * small + SLACK
