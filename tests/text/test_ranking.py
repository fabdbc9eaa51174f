"""What fusing, choosing and packing promise."""

from __future__ import annotations

import pytest

from agent.text.ranking import rrf


def test_what_two_rankings_agree_on_comes_first():
    assert [key for key, _ in rrf([["a", "b", "c"], ["b", "d", "a"]])] == ["b", "a", "d", "c"]


def test_a_score_is_the_sum_of_reciprocal_ranks():
    assert dict(rrf([["a", "b"], ["b"]], k=10)) == pytest.approx({"a": 1 / 11, "b": 1 / 12 + 1 / 11})


def test_a_key_named_twice_in_one_ranking_counts_once():
    assert rrf([["a", "a", "b"]], k=0) == [("a", 1.0), ("b", 0.5)]


def test_ties_keep_the_order_in_which_they_were_met():
    assert [key for key, _ in rrf([["x"], ["y"], ["z"]])] == ["x", "y", "z"]


def test_no_ranking_gives_nothing():
    assert rrf([]) == []
