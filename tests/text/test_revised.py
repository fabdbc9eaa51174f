"""What a writer gives in place of a sentence: only what cites, and what the answer has nowhere else, comes in."""

import pytest

from agent.text.reply_parsers import revised
from agent.verify.claims import claims

URL = "http://a.example/"
(OLD,) = claims("R1 cost $9M [1].")
STANDING = {"r1 is open"}


def mended(written, old=OLD):
    return revised(old, written, STANDING, {1, 2}, {URL})


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("R1 cost $5M [citation:2].", "R1 cost $5M [2]."),
        ("R1 is open [1]. R1 cost $5M [1]. R1 is loved by all.", "R1 cost $5M [1]."),
        ("R1 cost $5M [1]. It was paid by a fund [2].", "R1 cost $5M [1]. It was paid by a fund [2]."),
        ("**R1 is open** [1].", ""),
        ("I'm sorry, but I cannot help with that.", None),
        ("R1 cost $5M [citation:77].", None),
        ("", ""),
        ("# R1 cost $5M [1].", "R1 cost $5M [1]."),
        ("> - R1 cost $5M [1].", "R1 cost $5M [1]."),
        ("```R1 cost $5M [1].", "R1 cost $5M [1]."),
        ("R1 cost $5M ![x](http://evil.example/x) [here](http://evil.example) [1].", "R1 cost $5M x here [1]."),
        (
            "*The sources found do not answer this part: the cost.*",
            "*The sources found do not answer this part: the cost.*",
        ),
    ],
)
def test_only_a_sentence_that_cites_and_is_new_takes_its_place(written, left):
    assert mended(written) == left


def test_a_cell_stays_one_cell_without_its_heads():
    (cell,) = claims("| | Cost |\n|---|---|\n| R1 | $9M [1] |")
    assert mended("{R1 / Cost} $5M [1] | and | more", cell) == "$5M [1]"
