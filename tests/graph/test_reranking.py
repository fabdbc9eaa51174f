"""A host's own reranker orders the passages once more; whatever it does, the run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document

from agent.errors import SettingsError
from agent.graph.graph_builder import build
from agent.protocols import Reranker
from agent.types import Document as DocumentOfPage
from agent.types import Page
from agent.wiring.factory import build_graph, reranker_of
from tests.parts import LIMITS, MemoryFetcher, MemorySearch, PlainExtractor, World

QUESTION = "When was R1 released, and at what temperature is it used?"


class Preferring:
    """Scores by one word alone."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[tuple[str, int]] = []

    async def rerank(self, question: str, passages: Sequence[str]) -> list[float]:
        self.asked.append((question, len(passages)))
        return [float(self.word in passage) for passage in passages]


class Failing:
    async def rerank(self, question: str, passages: Sequence[str]) -> list[float]:
        raise RuntimeError("no such GPU")


class Short:
    async def rerank(self, question: str, passages: Sequence[str]) -> list[float]:
        return [1.0]


async def ask(reranker: Reranker | None) -> dict[str, Any]:
    services = replace(World(limits=replace(LIMITS, rounds=1)).services(), reranker=reranker)
    return (await build(services).ainvoke({"question": QUESTION}))["answer"]


def first_source(answer: dict[str, Any]) -> str:
    return min(answer["sources"], key=lambda source: source["number"])["url"]


async def test_what_the_reranker_prefers_comes_first() -> None:
    reranker = Preferring("temperature")
    urls = {word: first_source(await ask(Preferring(word))) for word in ("MIT licence", "temperature")}
    assert urls["MIT licence"] != urls["temperature"]
    await ask(reranker)
    [(question, count)] = reranker.asked
    assert question == QUESTION
    assert count > 1


@pytest.mark.parametrize(
    ("reranker", "told"),
    [(Failing(), "RuntimeError: no such GPU"), (Short(), "ValueError: 1 scores, or some that are no numbers")],
)
async def test_a_reranker_that_fails_costs_an_order_and_not_the_run(reranker: Reranker, told: str) -> None:
    plain, answer = await ask(None), await ask(reranker)
    assert answer["status"] == "complete"
    assert [s["url"] for s in answer["sources"]] == [s["url"] for s in plain["sources"]]
    assert any(warning.startswith(f"The reranker failed ({told}") for warning in answer["warnings"])


class LastFirst(BaseDocumentCompressor):
    """Gives back the second half, last first."""

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        return list(reversed(documents))[: len(documents) // 2]


async def test_a_compressor_of_langchain_is_a_reranker() -> None:
    reranker = reranker_of(LastFirst())
    assert reranker
    scores = await reranker.rerank("question", ["a", "b", "c", "d"])
    assert sorted(zip(scores, "abcd", strict=True), reverse=True)[:2] == [(scores[3], "d"), (scores[2], "c")]
    assert scores[:2] == [0.0, 0.0]
    assert (await ask(reranker))["status"] == "complete"


def test_what_cannot_rerank_is_refused_before_anything_begins() -> None:
    with pytest.raises(SettingsError, match="reranker=object can rerank nothing"):
        build_graph(reranker=object(), reasoner=World().reasoner)


class Dated(PlainExtractor):
    """Pages say when they were written."""

    def __init__(self, days: dict[str, str]) -> None:
        self.days = days

    async def extract(self, page: Page) -> DocumentOfPage:
        document = await super().extract(page)
        return replace(document, published=self.days[document.url])


@pytest.mark.parametrize(
    ("question", "first"), [("What is the latest price of R1?", "new"), ("The price of R1?", "old")]
)
async def test_a_question_about_now_has_the_newer_page_first(question: str, first: str) -> None:
    old, new = "http://a.example/old", "http://b.example/new"
    pages = {
        old: ("The price of R1", "# The price of R1\n\nThe price of R1 is two dollars for a million tokens."),
        new: (
            "R1 costs less",
            "# R1 costs less\n\nIt was announced that the price of R1 would be one dollar from now on.",
        ),
    }
    world = World(
        limits=replace(LIMITS, rounds=1),
        search=[MemorySearch(pages)],
        fetcher=MemoryFetcher(pages),
        extractor=Dated({old: "2025-01-20", new: "2026-11-20"}),
    )
    answer = (await build(world.services()).ainvoke({"question": question}))["answer"]
    assert first_source(answer).endswith(first)
