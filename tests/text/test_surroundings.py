"""What stands around a chosen passage is shown with it, as far as there is room."""

from __future__ import annotations

from dataclasses import replace

from agent.graph.steps.retrieve import surrounded
from agent.text.chunking import passage_id, slices
from agent.types import Evidence, Passage, Source

TEXT = "\n\n".join(f"# Chapter {n}\n\n" + f"What chapter {n} says at some length. " * 22 for n in range(6))
PLACES = [(piece.start, piece.end) for piece in slices(TEXT)]


def chosen(*places: int, document: str = "a", score: float = 0.9) -> Evidence:
    about = Source(0, document, f"snapshot of {document}", "https://a.example/", "A", "a.example", "2026-11-24")
    passages = [PLACES[n] for n in places]
    return Evidence(
        about, tuple(Passage(passage_id(document, a, z), document, a, z, TEXT[a:z]) for a, z in passages), score
    )


def shown(evidence: Evidence) -> list[int]:
    return [PLACES.index((p.start, p.end)) for p in evidence.passages]


def test_the_text_has_a_passage_for_each_chapter() -> None:
    assert len(PLACES) == 6


def test_the_passages_after_and_before_are_shown_in_the_order_of_the_text() -> None:
    [grown] = surrounded([chosen(2, 4)], {"a": TEXT}, budget_tokens=10_000)
    assert shown(grown) == [1, 2, 3, 4, 5]
    assert all(TEXT[p.start : p.end] == p.text for p in grown.passages)


def test_what_comes_after_goes_before_what_stands_before() -> None:
    """Room for one more passage of some 220 tokens."""
    [grown] = surrounded([chosen(2)], {"a": TEXT}, budget_tokens=450)
    assert shown(grown) == [2, 3]


def test_the_best_source_is_served_first() -> None:
    texts = {"a": TEXT, "b": TEXT}
    best, other = surrounded([chosen(1), chosen(1, document="b", score=0.4)], texts, budget_tokens=700)
    assert (shown(best), shown(other)) == ([1, 2], [1])


def test_without_room_nothing_is_added_and_nothing_is_taken() -> None:
    [grown] = surrounded([chosen(1, 3)], {"a": TEXT}, budget_tokens=10)
    assert shown(grown) == [1, 3]


def test_a_source_that_hides_its_text_gets_no_more_of_it_shown() -> None:
    hiding = chosen(2)
    hiding = replace(hiding, source=replace(hiding.source, suspect=True))
    assert surrounded([hiding], {"a": TEXT}, budget_tokens=10_000) == [hiding]


def test_a_passage_that_the_text_is_no_longer_cut_into_has_no_neighbours() -> None:
    odd = replace(chosen(2), passages=(Passage("p", "a", 3, 9, TEXT[3:9]),))
    assert surrounded([odd], {"a": TEXT}, budget_tokens=10_000) == [odd]
