"""Finding keeps its bars on the labelled questions, and the bars would notice if a half of it were gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.library.minilm import MiniLM, installed
from agent.settings import Settings
from tests.library.evaluate import Found, Question, below, found, interval, load, ndcg, recall, wrong_offsets


@pytest.fixture
def embedder() -> MiniLM:
    there = installed(Settings().cache_home)
    if there is None:
        pytest.skip("no embedder in the cache directory: `python -m agent setup-embeddings`")
    return there


class Guesses:
    """Its vectors say nothing of the texts."""

    name = "guesses"

    def reads(self, text: str) -> bool:
        return True

    async def embed(self, texts, *, query: bool = False, urgent: bool = False) -> np.ndarray:
        seeds = [sum(map(ord, text[:60])) for text in texts]
        rows = np.array([np.random.default_rng(seed).standard_normal(64) for seed in seeds], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def test_words_and_meaning_together_hold_the_bars_in_every_language(tmp_path: Path, embedder: MiniLM):
    assert below(await found(tmp_path, embedder, *load())) == []


async def test_an_embedder_that_guesses_misses_them(tmp_path: Path):
    questions, pages = load()
    english = [q for q in questions if q.language == "en"], [page for page in pages if page.language == "en"]
    missed = below(await found(tmp_path, Guesses(), *english))
    assert any("below words alone" in each for each in missed), missed


async def test_every_passage_is_exactly_what_stands_at_its_place(tmp_path: Path):
    wrong, count = await wrong_offsets(tmp_path, load()[1])
    assert wrong == 0
    assert count > 600


def test_a_find_counts_the_less_the_further_down_it_stands():
    right = frozenset({"a", "b"})
    assert ndcg(["a", "b", "c"], right) == 1
    assert 0 < ndcg(["c", "a"], right) < ndcg(["a", "c"], right) < 1
    assert recall(["a", "c"], right) == 0.5
    assert recall([*"cdefghijkl", "a"], right) == 0


def test_an_interval_spans_the_mean_and_is_the_same_twice():
    values = np.array([0.0, 1.0] * 50)
    low, high = interval(values)
    assert 0.35 < low < 0.5 < high < 0.65
    assert interval(values) == (low, high)


def test_a_language_that_loses_by_meaning_is_named():
    question = Question("de", "?", frozenset({"a"}))
    assert "de: words and meaning" in below(Found([question], {"words": [["a"]], "both": [["b", "a"]]}))[0]
