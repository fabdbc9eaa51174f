"""What a run says of its searches: throttled, broken and nothing are told apart, and who answered instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.errors import SearchBroken, SearchThrottled
from agent.events import Searched, Warned, decode
from agent.graph.graph_builder import build
from agent.result import MadeWith
from agent.types import Document, Page, Query, SearchHit
from tests.parts import ANSWER, MemorySearch, PlainExtractor, ScriptedReasoner, World

QUESTION = "When was R1 released, and at what temperature is it used?"


class Failing:
    def __init__(self, error: Exception, name: str = "first") -> None:
        self.error = error
        self.name = name

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        raise self.error


async def ask(*search: object, **made_with: Any) -> dict[str, Any]:
    services = World(search=search).services()
    graph = build(replace(services, made_with=MadeWith(**made_with)))
    return (await graph.ainvoke({"question": QUESTION}))["answer"]  # type: ignore[no-any-return]


async def test_each_search_stands_in_the_result_with_its_outcome() -> None:
    answer = await ask(MemorySearch())
    assert {(s["query"], s["outcome"], s["provider"]) for s in answer["searches"]} == {
        (QUESTION, "found", "memory"),
        ("R1 release licence", "found", "memory"),
        ("R1 temperature", "found", "memory"),
    }
    assert all(s["hits"] > 0 and s["tried"] == [] and s["why"] == "" for s in answer["searches"])
    assert answer["warnings"] == []


@pytest.mark.parametrize(
    ("error", "outcome"), [(SearchThrottled("HTTP 202"), "throttled"), (SearchBroken("HTTP 500"), "broken")]
)
async def test_where_another_provider_answered_the_reader_hears_of_it(error: Exception, outcome: str) -> None:
    answer = await ask(Failing(error), MemorySearch())
    assert all(s["outcome"] == "found" and s["provider"] == "memory" for s in answer["searches"])
    assert [t for s in answer["searches"] for t in s["tried"]] == [
        {"provider": "first", "outcome": outcome, "why": str(error)}
    ] * 3
    assert answer["warnings"] == [f"Search degraded (3 of 3 queries): first: {error}; memory answered instead"]


async def test_nothing_found_by_the_first_provider_is_no_degradation() -> None:
    class Nothing(MemorySearch):
        async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
            return []

    answer = await ask(Nothing(name="first"), MemorySearch())
    assert answer["searches"][0]["tried"] == [{"provider": "first", "outcome": "nothing", "why": ""}]
    assert answer["warnings"] == []


async def test_where_every_search_failed_the_reader_hears_why() -> None:
    answer = await ask(Failing(SearchThrottled("HTTP 202")), Failing(SearchBroken("HTTP 500"), "second"))
    assert answer["status"] == "abstained"
    assert {s["outcome"] for s in answer["searches"]} == {"throttled"}
    assert answer["searches"][0]["tried"] == [{"provider": "second", "outcome": "broken", "why": "HTTP 500"}]
    assert "Search failed: first: HTTP 202; second: HTTP 500" in answer["warnings"]


async def test_nothing_found_anywhere_is_not_told_as_a_failure() -> None:
    answer = await ask(MemorySearch({}))
    assert {s["outcome"] for s in answer["searches"]} == {"nothing"}
    assert not any("Search" in warning for warning in answer["warnings"])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SearchThrottled("HTTP 202"), "searches refused for now: 3 (first)"),
        (SearchBroken("HTTP 500"), "searches that did not work: 3 (first)"),
        (None, "searched for 3"),
    ],
)
async def test_an_answer_that_abstains_says_which_it_was(error: Exception | None, said: str) -> None:
    answer = await ask(Failing(error) if error else MemorySearch({}))
    assert said in answer["answer"]
    assert answer["answer"].count("searches ") == (1 if error else 0)


async def test_the_events_tell_who_was_left_before() -> None:
    graph = build(World(search=[Failing(SearchThrottled("HTTP 202")), MemorySearch()]).services())
    items = [decode(item) async for item in graph.astream({"question": QUESTION}, stream_mode="custom")]
    searched = [item.search for item in items if isinstance(item, Searched)]
    assert len(searched) == 3
    assert {(s.tried[0].provider, s.tried[0].outcome) for s in searched} == {("first", "throttled")}


class Undated(PlainExtractor):
    async def extract(self, page: Page) -> Document:
        document = await super().extract(page)
        return replace(document, published=None) if "docs.example" in page.url else document


@pytest.mark.parametrize(("since", "told"), [("2025-01-01", 1), ("", 0)])
async def test_with_a_recency_bound_undated_sources_are_kept_and_marked(since: str, told: int) -> None:
    services = replace(World(extractor=Undated()).services(), made_with=MadeWith(since=since))
    answer = (await build(services).ainvoke({"question": QUESTION}))["answer"]
    [undated] = [source["number"] for source in answer["sources"] if source["published"] is None]
    marked = f"Of 1 of 2 cited sources no date is known, so --since 2025-01-01 is unproved: {undated}"
    assert answer["warnings"] == [marked] * told
    assert answer["made_with"]["since"] == since
    items = [decode(item) async for item in build(services).astream({"question": QUESTION}, stream_mode="custom")]
    assert [item.text for item in items if isinstance(item, Warned)] == [marked] * told


async def test_queries_that_ask_the_same_in_other_words_are_asked_once() -> None:
    search = MemorySearch()
    plan = [
        Query("R1 release licence"),
        Query("licence of the R1 releases"),
        Query("R1 licence"),
        Query("release R1 licence"),
    ]
    world = World(reasoner=ScriptedReasoner(plan=plan, write=[ANSWER]), search=[search])
    answer = (await build(world.services()).ainvoke({"question": QUESTION}))["answer"]
    assert search.asked == [QUESTION, "R1 release licence", "R1 licence"]
    assert [s["query"] for s in answer["searches"]] == search.asked
