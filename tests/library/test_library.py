"""What the steps and the page pool may rely on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from agent.errors import LibraryError
from agent.library.chroma_index import FILTERED, PassagesToIndex
from agent.library.dense_search import PROBE
from agent.library.embedder import NO_EMBEDDER
from agent.library.stored_library import StoredLibrary
from agent.protocols import Library
from agent.text.search_terms import match
from agent.types import Document
from tests.library.conftest import WordEmbedder, document
from tests.library.test_index import ALL_IDS, chroma, until

PAGES = {
    "cats": "Cats sleep on mats for most of the day. " * 20,
    "rewards": "A reward model rates replies, and a policy learns from the ratings. " * 12,
    "costs": "The last training run cost 5.576 million dollars, on 2,048 processors. " * 12,
    "bread": "Bread rises because yeast makes gas. " * 20,
}


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def library(tmp_path: Path, embedder: WordEmbedder):
    library = StoredLibrary(tmp_path, embedder)
    yield library
    library._record.close()


async def filled(library: StoredLibrary, *, embed: bool = True) -> list[str]:
    pages = [document(text, url=f"https://{name}.example/", title=name) for name, text in PAGES.items()]
    for page in pages:
        await library.store(page, run_id="run")
        if embed:
            await library.embed(page.id, run_id="run")
    return [page.id for page in pages]


async def first(library: StoredLibrary, documents: list[str], *texts: str) -> str:
    found = await library.find(texts, documents=documents, limit=5)
    return found[0].passage.text if found else ""


def test_it_fulfils_the_contract(library):
    contract: Library = library
    assert contract


async def test_making_one_touches_nothing(tmp_path, embedder):
    StoredLibrary(tmp_path / "library", embedder)
    assert list(tmp_path.iterdir()) == []


async def test_a_stored_document_can_be_recalled_and_its_text_read(library):
    page = document("One page.")
    assert await library.store(page, run_id="run") == 1
    assert await library.recall(page.url, since=datetime(2026, 1, 1, tzinfo=UTC)) == page
    assert await library.text(page.snapshot) == page.text


async def test_an_unknown_text_is_an_error(library):
    with pytest.raises(LibraryError, match="holds no text"):
        await library.text("0" * 64)


# ------------------------------------------------------------------------------------------------- finding


async def test_what_is_meant_is_found_where_the_words_are_others(library):
    documents = await filled(library)
    assert "cost" in await first(library, documents, "costing")  # no common word: only the beginning is alike


async def test_without_an_embedder_words_find_and_one_line_says_so(tmp_path):
    library = StoredLibrary(tmp_path)
    documents = await filled(library)
    assert "reward model" in await first(library, documents, "What does a reward model rate?")
    assert await first(library, documents, "zebra") == ""
    assert library.note == NO_EMBEDDER
    assert "\n" not in library.note


async def test_with_an_embedder_there_is_nothing_to_tell(library):
    await filled(library)
    assert library.note == ""


async def test_only_the_given_documents_are_searched(library):
    documents = await filled(library)
    found = await library.find(["reward model"], documents=documents[:1], limit=5)
    assert {r.passage.document_id for r in found} <= {documents[0]}
    assert await library.find(["reward model"], documents=[], limit=5) == []
    assert await library.find(["reward model"], documents=["unknown"], limit=5) == []


async def test_no_texts_find_nothing(library):
    assert await library.find([], documents=await filled(library), limit=5) == []


async def test_scores_fall_from_at_most_one(library):
    found = await library.find(["reward model", "yeast"], documents=await filled(library), limit=5)
    scores = [r.score for r in found]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1


async def test_each_text_gets_its_best_passage_among_the_first(library):
    documents = await filled(library)
    found = await library.find(["what cats do", "why bread rises"], documents=documents, limit=2)
    assert {r.passage.text.split()[0] for r in found} == {"Cats", "Bread"}


async def test_no_more_is_found_than_asked_for(library):
    assert len(await library.find(["cats bread reward cost"], documents=await filled(library), limit=3)) == 3


async def test_passages_that_have_no_vector_yet_get_one_when_words_find_them(library, embedder):
    documents = await filled(library, embed=False)
    before = len(embedder.asked)
    await first(library, documents, "yeast makes gas")
    made = [text for text in embedder.asked[before:] if "yeast" in text]
    assert made
    assert not any("Cats" in text for text in embedder.asked)


async def test_a_vector_that_one_texts_words_bring_is_there_for_what_another_means(library):
    rows = library._record.rows_of(await filled(library, embed=False))

    async def by_words() -> list[dict[int, float]]:
        return [library._record.with_words(match("million dollars"), rows, 9), {}]

    found = await library._dense.rankings(["million dollars", "costing"], rows, by_words(), 5)
    assert found[0].keys() == found[1].keys() != set()


async def test_chinese_is_found_without_vectors_of_it(library, embedder):
    page = document("深度求索在一月公布了推理模型的权重,采用宽松的许可证。", url="https://zh.example/")
    documents = [*await filled(library), page.id]
    await library.store(page, run_id="run")
    await library.embed(page.id, run_id="run")
    assert "权重" in await first(library, documents, "推理模型的权重什么时候公布?")
    assert not any("权重" in text for text in embedder.asked)


def book(name: str) -> Document:
    chapters = [f"# Chapter {n}\n\n" + f"Words of chapter {n} of {name}. " * 40 for n in range(400)]
    return document(
        "\n\n".join([*chapters, f"# Last\n\n{name} ends with a pangolin. " * 30]), url=f"https://{name}.example/"
    )


async def test_a_run_that_reads_two_books_embeds_600_passages_before_anybody_asks(library, embedder):
    books = [book("one"), book("two")]
    for each in books:
        assert await library.store(each, run_id="run") > 400
        await library.embed(each.id, run_id="run")
    made = [text for text in embedder.asked if text != PROBE]
    assert len(made) == 600
    assert any("one ends with a pangolin" in text for text in made)
    assert not any("two ends with a pangolin" in text for text in made)
    assert "pangolin" in await first(library, [books[1].id], "where does the pangolin appear")
    await library.embed(books[1].id, run_id="another run")
    assert len([text for text in embedder.asked if text != PROBE]) > 700


async def test_of_a_text_the_hundred_passages_that_words_find_best_are_compared_by_meaning(library):
    many = document("\n\n".join(f"# Part {n}\n\n" + f"A zebra of part {n}. " * 50 for n in range(120)))
    await library.store(many, run_id="run")
    assert len(await library.find(["zebra"], documents=[many.id], limit=200)) == 100


# ----------------------------------------------------------------------------------------------- an embedder that fails


class Failing(WordEmbedder):
    broken = True

    async def embed(self, texts, *, query=False, urgent=False):
        if self.broken:
            raise LibraryError("the embeddings endpoint http://e.example refused the key")
        return await super().embed(texts, query=query, urgent=urgent)


async def test_an_embedder_that_fails_costs_its_part_only_and_is_told(tmp_path):
    embedder = Failing()
    library = StoredLibrary(tmp_path, embedder)
    async with library.in_use():
        documents = await filled(library)
        assert "reward model" in await first(library, documents, "a reward model")
    assert "refused the key" in library.note
    assert "\n" not in library.note


async def test_an_embedder_that_is_back_is_used_again(tmp_path):
    embedder = Failing()
    library = StoredLibrary(tmp_path, embedder)
    documents = await filled(library)
    embedder.broken, library._dense._not_before = False, 0.0
    await library.embed(documents[0], run_id="run")
    assert embedder.asked
    assert library.note == ""


class Slow(WordEmbedder):
    async def embed(self, texts, *, query=False, urgent=False):
        if not query and len(self.asked) > 1:
            await asyncio.Event().wait()
        return await super().embed(texts, query=query, urgent=urgent)


async def test_a_question_does_not_wait_long_for_missing_vectors(tmp_path):
    library = StoredLibrary(tmp_path, Slow())
    documents = await filled(library, embed=False)
    assert "yeast" in await first(library, documents, "yeast makes gas")


async def test_another_embedder_does_not_meet_the_first_ones_vectors(tmp_path):
    before = StoredLibrary(tmp_path, WordEmbedder())
    documents = await filled(before)
    after = StoredLibrary(tmp_path, WordEmbedder("others", dimension=16))
    assert "cost" in await first(after, documents, "million dollars cost")
    assert {len(v) for (v,) in after._record.rows("SELECT vector FROM vectors WHERE embedder = 1")} == {64}
    assert {len(v) for (v,) in after._record.rows("SELECT vector FROM vectors WHERE embedder = 2")} == {16}


# ------------------------------------------------------------------------------------------------- Chroma in it


async def ready(library: StoredLibrary) -> None:
    index = library._dense._known[1]
    newest = library._record.rows("SELECT max(row) FROM vectors")[0][0]
    await until(lambda: index.state == "open" and index.mark == newest)


async def test_what_a_run_embeds_is_in_chroma_and_gives_the_same_answer_there(library, tmp_path):
    async with library.in_use():
        documents = await filled(library)
        texts = ["how are replies rated", "costing of training"]
        exactly = await library.find(texts, documents=documents, limit=20)
        await ready(library)
        assert await library.find(texts, documents=documents, limit=20) == exactly
    await until(lambda: library._dense._known[1].state == "closed")
    in_chroma = chroma(tmp_path / "chroma" / "embedder-1", ALL_IDS)
    assert {int(row) for row in in_chroma} == {row for (row,) in library._record.rows("SELECT row FROM passages")}


async def test_finding_goes_through_chroma_once_it_is_ready(library, tmp_path):
    """A vector is taken out of Chroma alone: what is found changes with it."""
    async with library.in_use():
        documents = await filled(library)
        await ready(library)
    await until(lambda: library._dense._known[1].state == "closed")
    assert "Cats" in await first(library, documents, "matsu")  # no such word; it begins like one, so it is meant
    chroma(tmp_path / "chroma" / "embedder-1", "collection.delete(ids=['1'])")
    async with library.in_use():
        await ready(library)
        while "Cats" in await first(library, documents, "matsu"):  # it may just be at something else
            await asyncio.sleep(0.01)


async def test_a_large_index_is_asked_for_everything_once_it_has_everything_and_else_not(library):
    async with library.in_use():
        documents = library._record.rows_of(await filled(library))
        await ready(library)
        dense, (number, index) = library._dense, library._dense._known
        dense._vectors.hold(number)
        small, index._told = index._told, {**index._told, "count": FILTERED + 1}
        assert dense._wanted(documents, (number, index)) == PassagesToIndex(documents, index.mark, everything=True)
        index._told = {**index._told, "mark": index.mark - 1}
        assert dense._wanted(documents, (number, index)) is None
        index._told = {**small, "mark": index.mark}
        assert dense._wanted([1], (number, index)) == PassagesToIndex([1], 1)


async def test_a_run_ends_without_tasks(library):
    async with library.in_use():
        await filled(library)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_several_loops_may_use_one_library(library):
    documents = await filled(library)

    def elsewhere() -> str:
        async def ask() -> str:
            async with library.in_use():
                return await first(library, documents, "yeast makes gas")

        return asyncio.run(ask())

    asked = [asyncio.to_thread(elsewhere) for _ in range(4)]
    assert all("yeast" in text for text in await asyncio.gather(*asked))


async def test_the_event_loop_goes_on_while_the_library_works(library):
    async with library.in_use():
        with blockbuster_ctx("agent.library"):
            documents = await filled(library)
        await ready(library)
        with blockbuster_ctx("agent.library"):
            await first(library, documents, "how are replies rated")


# ----------------------------------------------------------------------------------------------- nobody else is called

GUARD = """
import os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open(os.environ["CALLS"], "a") as calls:
            calls.write(f"{event} {arguments[1:]}\\n")
sys.addaudithook(watch)
"""

RUN = """
import asyncio, sys
from pathlib import Path
from agent.library.stored_library import StoredLibrary
from agent.library.minilm import installed
from agent.library.minilm_setup import setup
from tests.library import tiny
from tests.library.test_library import filled, first, ready

async def main(place):
    wheel, source = tiny.wheel(place)
    setup(place / "cache", wheel=wheel, source=source)
    library = StoredLibrary(place / "library", installed(place / "cache"))
    async with library.in_use():
        documents = await filled(library)
        await ready(library)
        await first(library, documents, "what is the reward model")

asyncio.run(main(Path(sys.argv[1])))
print("done")
"""


def run_guarded(tmp_path: Path, *before: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    env = {
        **os.environ,
        "CALLS": str(tmp_path / "calls"),
        "PYTHONPATH": f"{tmp_path / 'guard'}{os.pathsep}{Path.cwd()}",
    }
    return subprocess.run(
        [*before, sys.executable, "-c", RUN, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env=env,
        check=False,
    )


def test_a_run_calls_no_other_host(tmp_path):
    done = run_guarded(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    calls = tmp_path / "calls"
    assert not calls.exists(), calls.read_text()


def test_the_guard_against_calls_sees_one(tmp_path):
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    program = "import socket; s = socket.socket(); s.settimeout(1); s.connect_ex(('127.0.0.1', 9))"
    env = {**os.environ, "CALLS": str(tmp_path / "calls"), "PYTHONPATH": str(tmp_path / "guard")}
    subprocess.run([sys.executable, "-c", program], env=env, check=True, timeout=30)
    assert "socket.connect" in (tmp_path / "calls").read_text()
