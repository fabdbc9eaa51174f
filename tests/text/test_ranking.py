"""What fusing, choosing and packing promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from agent.text.ranking import CANDIDATES, blended, estimate_tokens, evidence, near_the_best, newest_up, reranked, rrf
from agent.types import Passage, RankedPassage, Source
from tests.text.growth import calls


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


def source(document: str) -> Source:
    return Source(
        number=0, document_id=document, snapshot=f"text of {document}", url=f"https://{document}.example/",
        title=document, site=f"{document}.example", fetched_at="2026-01-01T00:00:00Z",
    )  # fmt: skip


def ranked(*found: tuple[str, int, str]) -> list[RankedPassage]:
    """(document, start, text), best first."""
    return [
        RankedPassage(Passage(f"{document}:{start}", document, start, start + len(text), text), 1 / rank)
        for rank, (document, start, text) in enumerate(found, start=1)
    ]


SOURCES = {name: source(name) for name in ("a", "b", "c")}


def distinct(n: int) -> str:
    return " ".join(f"word{n}x{i}" for i in range(20))


def test_sources_come_best_first_and_their_passages_in_the_order_of_the_text():
    found = ranked(("b", 900, distinct(1)), ("a", 0, distinct(2)), ("b", 100, distinct(3)))
    shown = evidence(found, SOURCES, budget_tokens=10_000, per_source=5)
    assert [(e.source.document_id, [p.start for p in e.passages], e.score) for e in shown] == [
        ("b", [100, 900], 1.0),
        ("a", [0], 0.5),
    ]


def test_a_source_gets_no_more_than_its_share():
    found = ranked(*[("a", n, distinct(n)) for n in range(5)], ("b", 0, distinct(9)))
    shown = evidence(found, SOURCES, budget_tokens=10_000, per_source=2)
    assert [(e.source.document_id, len(e.passages)) for e in shown] == [("a", 2), ("b", 1)]
    assert [p.start for p in shown[0].passages] == [0, 1]


def test_the_budget_is_kept_and_filled_with_what_still_fits():
    found = ranked(("a", 0, distinct(1)), ("b", 0, distinct(2) * 50), ("c", 0, distinct(3)))
    budget = estimate_tokens(distinct(1)) + estimate_tokens(distinct(3))
    shown = evidence(found, SOURCES, budget_tokens=budget, per_source=5)
    assert [e.source.document_id for e in shown] == ["a", "c"]
    assert sum(estimate_tokens(p.text) for e in shown for p in e.passages) <= budget


def test_a_copy_on_another_site_is_shown_once():
    found = ranked(("a", 0, distinct(1)), ("b", 0, "Reprinted: " + distinct(1)), ("c", 0, distinct(2)))
    shown = evidence(found, SOURCES, budget_tokens=10_000, per_source=5)
    assert [e.source.document_id for e in shown] == ["a", "c"]


def test_a_chinese_copy_is_seen_too():
    text = "深度求索公布了模型的权重,采用宽松的许可证。"
    shown = evidence(ranked(("a", 0, text), ("b", 0, f"转载:{text}")), SOURCES, budget_tokens=999, per_source=5)
    assert [e.source.document_id for e in shown] == ["a"]


def test_of_two_equal_passages_the_one_that_says_something_new_is_preferred():
    first, partly_alike = distinct(1), " ".join([*distinct(1).split()[:12], *distinct(2).split()[12:]])
    found = [
        RankedPassage(r.passage, 0.9) for r in ranked(("a", 0, first), ("b", 0, partly_alike), ("c", 0, distinct(3)))
    ]
    shown = evidence(found, SOURCES, budget_tokens=2 * estimate_tokens(first) + 5, per_source=5)
    assert [e.source.document_id for e in shown] == ["a", "c"]


def test_passages_of_unknown_documents_are_left_out():
    assert evidence(ranked(("z", 0, distinct(1))), SOURCES, budget_tokens=999, per_source=5) == []


def test_nothing_ranked_gives_no_evidence():
    assert evidence([], SOURCES, budget_tokens=999, per_source=5) == []


def test_numbers_are_left_to_the_graph():
    shown = evidence(ranked(("a", 0, distinct(1))), SOURCES, budget_tokens=999, per_source=5)
    assert [e.source.number for e in shown] == [0]


def test_choosing_among_many_passages_costs_no_more_than_choosing_among_the_best_of_them():
    def choose(passages):
        evidence(passages, SOURCES, budget_tokens=32_000, per_source=1_000)

    found = ranked(*[("abc"[n % 3], n, distinct(n)) for n in range(3 * CANDIDATES)])
    assert calls(choose, found) <= 1.1 * calls(choose, found[:CANDIDATES])


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd" * 10, 10), ("abcde", 2), ("深度求索", 4), ("R1模型", 3)])
def test_tokens_are_estimated_from_characters(text, tokens):
    assert estimate_tokens(text) == tokens


def test_a_suspect_source_comes_last_and_gets_what_the_others_leave():
    found = ranked(("a", 0, distinct(1)), ("b", 0, distinct(2)), ("c", 0, distinct(3)))
    sources = {**SOURCES, "a": replace(SOURCES["a"], suspect=True)}
    shown = evidence(found, sources, budget_tokens=10_000, per_source=5)
    assert [e.source.document_id for e in shown] == ["b", "c", "a"]
    little = 2 * estimate_tokens(distinct(2)) + 5
    assert [e.source.document_id for e in evidence(found, sources, budget_tokens=little, per_source=5)] == ["b", "c"]


# ------------------------------------------------------------------------------------------------- words and meaning


def test_words_and_meaning_count_alike_each_brought_to_one_at_its_best():
    found = blended({"a": 8.0, "b": 4.0}, {"b": 0.6, "c": 0.3})
    assert found == pytest.approx({"a": 0.5 + 0.25, "b": 0.25 + 0.5, "c": 0.25})


def test_a_clear_lead_in_one_of_them_outweighs_a_small_one_in_the_other():
    """Ranks alone would call this a draw."""
    found = blended({"wordy": 10.0, "meant": 9.5}, {"meant": 0.8, "wordy": 0.2})
    assert found["meant"] > found["wordy"] + 0.3


def test_what_could_not_be_compared_counts_as_the_least_alike():
    found = blended({"no vector": 1.0, "alike": 1.0, "unlike": 1.0}, {"alike": 0.9, "unlike": 0.3})
    assert found["alike"] > found["unlike"] == pytest.approx(found["no vector"])


def test_where_only_one_of_them_finds_anything_it_decides():
    assert blended({"a": 4.0, "b": 1.0}, {}) == {"a": 1.0, "b": 0.25}
    assert blended({}, {"a": 0.5, "b": 0.25}) == {"a": 1.0, "b": 0.5}
    assert blended({}, {}) == {}


def test_what_is_contrary_in_meaning_does_not_get_less_than_nothing():
    assert blended({}, {"a": 0.5, "b": -0.2}) == {"a": 1.0, "b": 0.0}
    assert blended({}, {"a": -0.1}) == {"a": 0.0}


# ------------------------------------------------------------------------------------------------- further orders


def test_a_rerankers_scores_on_any_scale_become_an_order_from_one_to_zero():
    found = ranked(("a", 0, "first"), ("b", 0, "second"), ("c", 0, "third"))
    assert [(one.passage.text, one.score) for one in reranked(found, [-7.0, 3.0, -2.0])] == [
        ("second", 1.0),
        ("third", 0.5),
        ("first", 0.0),
    ]


def test_a_reranker_that_finds_all_equal_changes_nothing():
    found = ranked(("a", 0, "first"), ("b", 0, "second"))
    assert reranked(found, [0.4, 0.4]) == found


@pytest.mark.parametrize("scores", [[1.0], [1.0, 2.0, 3.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_scores_that_are_none_are_refused(scores: list[float]):
    with pytest.raises(ValueError, match="2 passages"):
        reranked(ranked(("a", 0, "first"), ("b", 0, "second")), scores)


TODAY = date(2026, 11, 28)


def dated(**published: str | None) -> dict[str, Source]:
    return {name: replace(source(name), published=day) for name, day in published.items()}


def test_of_two_passages_that_fit_equally_the_newer_page_comes_first():
    found = [replace(one, score=0.8) for one in ranked(("a", 0, "old"), ("b", 0, "new"), ("c", 0, "undated"))]
    order = newest_up(found, dated(a="2019-03-01", b="2026-11-20", c=None), TODAY)
    assert [one.passage.text for one in order] == ["new", "undated", "old"]


def test_an_old_page_that_fits_far_better_still_comes_first():
    found = ranked(("a", 0, "old and right"), ("b", 0, "new and beside it"))
    found = [replace(found[0], score=0.9), replace(found[1], score=0.4)]
    order = newest_up(found, dated(a="2019-03-01", b="2026-11-28"), TODAY)
    assert [one.passage.document_id for one in order] == ["a", "b"]


@pytest.mark.parametrize("day", ["2031-01-01", "soon", "2026-13-40", ""])
def test_a_date_that_cannot_be_is_no_date(day: str):
    [of_none] = newest_up(ranked(("a", 0, "text")), dated(a=None), TODAY)
    assert newest_up(ranked(("a", 0, "text")), dated(a=day), TODAY) == [of_none]


def test_a_page_that_was_renewed_is_as_new_as_that():
    renewed = {"a": replace(source("a"), published="2019-03-01", modified="2026-11-28")}
    assert newest_up(ranked(("a", 0, "text")), renewed, TODAY)[0].score == 1.0


def test_one_site_does_not_take_the_room_of_the_others():
    sources = {name: replace(source(name), site="same.example") for name in ("a", "b")} | {"c": source("c")}
    found = ranked(*((name, 100 * n, distinct(10 * n + ord(name))) for n in range(4) for name in ("a", "b")))
    found += [replace(one, score=0.05) for one in ranked(("c", 0, distinct(999)))]
    room = 6 * max(estimate_tokens(one.passage.text) for one in found)
    shown = evidence(found, sources, budget_tokens=room, per_source=4, per_origin=5)
    assert {e.source.document_id: len(e.passages) for e in shown} == {"a": 3, "b": 2, "c": 1}


def test_what_the_others_leave_of_the_room_goes_to_the_site_after_all():
    sources = {name: replace(source(name), site="same.example") for name in ("a", "b")} | {"c": source("c")}
    found = ranked(*((name, 100 * n, distinct(10 * n + ord(name))) for n in range(4) for name in ("a", "b")))
    found += [replace(one, score=0.05) for one in ranked(("c", 0, distinct(999)))]
    shown = evidence(found, sources, budget_tokens=10_000, per_source=4, per_origin=5)
    assert {e.source.document_id: len(e.passages) for e in shown} == {"a": 4, "b": 4, "c": 1}


def test_files_of_one_folder_are_each_their_own_origin():
    files = {n: replace(source(n), site="papers", url=f"file:///papers/{n}.pdf") for n in ("a", "b")}
    found = ranked(*((name, 100 * n, distinct(10 * n + ord(name))) for n in range(3) for name in ("a", "b")))
    shown = evidence(found, files, budget_tokens=10_000, per_source=3, per_origin=3)
    assert [len(e.passages) for e in shown] == [3, 3]


def test_documents_far_below_the_best_and_stray_passages_are_not_shown():
    found = ranked(("a", 0, "x"), ("b", 0, "y"), ("c", 0, "z"), ("b", 9, "far"), ("a", 50, "w"), ("a", 70, "v"))
    kept = [(one.passage.document_id, one.passage.start) for one in near_the_best(found)]
    assert kept == [("a", 0), ("b", 0), ("b", 9), ("a", 50)]  # c: .33 of the best; a at 70: .17
    assert ("c", 0) in [(one.passage.document_id, one.passage.start) for one in near_the_best(found, {"c"})]


def test_where_nothing_stands_out_nothing_is_dropped():
    found = [replace(one, score=0.3) for one in ranked(("a", 0, "x"), ("b", 0, "y"))]
    assert near_the_best(found) == found
    assert near_the_best([]) == []
