"""The answer at a terminal: all that the Markdown tells is told there, too, and nothing that a terminal would obey."""

from dataclasses import replace

from agent.cli.answer_layout import typeset
from agent.types import Conflict, Side
from tests.cli.recorded import answer


def shown(capsys, **changed) -> str:
    typeset(replace(answer(), **changed))
    return capsys.readouterr().out


def test_where_sources_disagree_both_sides_are_shown_with_their_dates(capsys):
    sides = (Side("It cost $5M.", (1,)), Side("It cost $7M.\x1b[2J", (2,)))
    out = shown(capsys, conflicts=(Conflict("It cost …", sides),))
    assert "The sources disagree" in out
    assert "[1] " in out.partition("It cost …")[2]
    assert "It cost $7M." in out
    assert "\x1b[2J" not in out


def test_what_was_left_out_and_how_far_the_evidence_goes_is_said(capsys):
    out = shown(capsys, left_out=2, sufficiency="thin", as_of="2025-01-20")
    assert "left out without support: 2" in out
    assert "The evidence is thin. As of 2025-01-20." in " ".join(out.split())
