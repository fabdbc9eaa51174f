"""A switch of embedders in one library: nothing breaks, what is asked for is embedded as it is met, and all at once."""

from __future__ import annotations

import json
import os
import pty
import sys

import numpy as np
import pytest

from agent.cli import main
from agent.errors import LibraryError
from agent.library.catalogue import LibraryPaths
from agent.library.repair import BATCH, Reindexed, reindex
from agent.library.stored_library import StoredLibrary
from tests.embeddings_server import EmbeddingsServer
from tests.library.conftest import WordEmbedder, document
from tests.library.test_index import ALL_IDS, chroma
from tests.library.test_library import filled, first

PASSAGES = 300


async def stored(library: StoredLibrary, *, passages: int = PASSAGES) -> str:
    text = "\n\n".join(f"# Part {n}\n\n" + f"Sentence {n}. " * 60 for n in range(passages))
    page = document(text, url="https://book.example/")
    await library.store(page, run_id="run")
    return page.id


async def all_of(shelf: LibraryPaths, embedder: WordEmbedder) -> list[Reindexed]:
    return [each async for each in reindex(shelf, embedder)]


@pytest.fixture
def shelf(tmp_path) -> LibraryPaths:
    return LibraryPaths(tmp_path / "library")


def vectors(shelf: LibraryPaths) -> list[tuple[int, int, int]]:
    """(embedder, dimension, how many)."""
    return shelf.record().rows("SELECT embedder, length(vector), count(*) FROM vectors GROUP BY 1, 2 ORDER BY 1")


async def test_all_passages_get_a_vector_and_chroma_has_them(shelf):
    await stored(StoredLibrary(shelf.directory))
    told = await all_of(shelf, WordEmbedder())
    assert told[0] == Reindexed(0, PASSAGES, 0)
    assert told[-1] == Reindexed(PASSAGES, PASSAGES, PASSAGES, "Chroma has all of them")
    assert [each.looked_at for each in told] == sorted(each.looked_at for each in told)
    assert vectors(shelf) == [(1, 64, PASSAGES)]
    assert len(chroma(shelf.indexes / "embedder-1", ALL_IDS)) == PASSAGES


async def test_another_time_there_is_nothing_to_do(shelf):
    await stored(StoredLibrary(shelf.directory))
    await all_of(shelf, WordEmbedder())
    embedder = WordEmbedder()
    assert (await all_of(shelf, embedder))[-1].of == 0
    assert len(embedder.asked) == 1  # by which it is recognised


async def test_broken_off_it_goes_on_where_it_was(shelf):
    await stored(StoredLibrary(shelf.directory))
    steps = reindex(shelf, WordEmbedder())
    await anext(steps)
    await anext(steps)
    await steps.aclose()
    assert vectors(shelf) == [(1, 64, BATCH)]
    assert (await all_of(shelf, WordEmbedder()))[-1].embedded == PASSAGES - BATCH


async def test_what_is_not_read_gets_none_and_is_counted(shelf):
    library = StoredLibrary(shelf.directory)
    await library.store(document("深度求索公布了模型的权重。", title=""), run_id="run")
    await stored(library, passages=3)
    assert (await all_of(shelf, WordEmbedder()))[-1] == Reindexed(4, 4, 3, "Chroma has all of them")


class Halting(WordEmbedder):
    """Gives out on the way."""

    async def embed(self, texts, *, query: bool = False, urgent: bool = False) -> np.ndarray:
        if len(self.asked) > BATCH:
            raise LibraryError("the embedder words is out of breath")
        return await super().embed(texts, query=query, urgent=urgent)


async def test_an_embedder_that_fails_on_the_way_is_an_error_and_what_was_made_stays(shelf):
    await stored(StoredLibrary(shelf.directory))
    with pytest.raises(LibraryError, match="out of breath"):
        await all_of(shelf, Halting())
    assert vectors(shelf) == [(1, 64, BATCH)]


# ------------------------------------------------------------------------------------------------- a switch


@pytest.mark.parametrize("dimension", [64, 16])
async def test_after_a_switch_what_is_asked_for_is_embedded_as_it_is_met(shelf, dimension):
    before = StoredLibrary(shelf.directory, WordEmbedder())
    documents = await filled(before)
    switched = WordEmbedder("another", dimension)
    after = StoredLibrary(shelf.directory, switched)
    async with before.in_use(), after.in_use():
        assert await first(after, documents, "matsu") == ""  # no such word, and no vector of the new one's yet
        assert "Cats" in await first(after, documents, "mats")
        assert "Cats" in await first(after, documents, "matsu")
        assert "Cats" in await first(before, documents, "matsu")  # who still has the old one is not disturbed
    assert not any("yeast" in text for text in switched.asked)


async def test_after_a_switch_all_can_be_embedded_at_once_and_the_way_back_costs_nothing(shelf):
    documents = await filled(StoredLibrary(shelf.directory, WordEmbedder()))
    await all_of(shelf, WordEmbedder("another", 16))
    assert "Cats" in await first(StoredLibrary(shelf.directory, WordEmbedder("another", 16)), documents, "matsu")
    assert {(embedder, dimension) for embedder, dimension, _ in vectors(shelf)} == {(1, 64), (2, 16)}
    back = WordEmbedder()
    assert (await all_of(shelf, back))[-1].of == 0
    assert "Cats" in await first(StoredLibrary(shelf.directory, back), documents, "matsu")


# ------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A data directory with a book in it, and an embeddings endpoint."""
    with EmbeddingsServer() as server:
        monkeypatch.setenv("AGENT_EMBEDDINGS_MODEL", "some-model")
        monkeypatch.setenv("AGENT_EMBEDDINGS_BASE_URL", server.url)
        text = "\n\n".join(f"# Part {n}\n\n" + f"Sentence {n}. " * 60 for n in range(5))
        record = LibraryPaths(tmp_path / "library").record()
        record.store(document(text, title="A book"), "run")
        record.close()
        yield tmp_path


def test_the_command_says_what_it_did(home, capsys):
    assert main(["library", "reindex", "--data-dir", str(home)]) == 0
    assert capsys.readouterr() == ("5 passages got a vector of some-model; Chroma has all of them\n", "")
    assert main(["library", "reindex", "--data-dir", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["of"] == 0


def test_the_command_draws_a_bar_in_a_terminal(home, monkeypatch, capsys):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert main(["library", "reindex", "--data-dir", str(home)]) == 0
        drawn = os.read(ours, 10_000).decode()
    os.close(ours)
    assert f"[{'#' * 30}] 5 of 5 passages" in drawn


def test_without_an_embedder_the_command_says_how_to_get_one(home, monkeypatch, capsys):
    monkeypatch.delenv("AGENT_EMBEDDINGS_MODEL")
    monkeypatch.delenv("AGENT_EMBEDDINGS_BASE_URL")
    monkeypatch.setenv("AGENT_CACHE_DIR", str(home / "cache"))
    assert main(["library", "reindex", "--data-dir", str(home)]) == 1
    assert "setup-embeddings" in capsys.readouterr().err
