"""An embeddings endpoint as an embedder: asked within its bounds, and never believed unseen."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime

import numpy as np
import pytest

from agent.errors import LibraryError, SettingsError
from agent.library.embedding_endpoint import (
    BATCH,
    OLLAMA,
    OVERLAP,
    TOKENS,
    EmbeddingsEndpoint,
    EndpointEmbedder,
    Instructions,
    instructions_for,
    windows,
)
from agent.library.stored_library import StoredLibrary
from agent.settings import Settings
from agent.text.ranking import estimate_tokens
from agent.wiring.model_setup import embedder_of
from tests.embeddings_server import EmbeddingsServer
from tests.library.conftest import document

KEY = "sk-this-is-a-secret-key"


@pytest.fixture
def server():
    with EmbeddingsServer() as server:
        yield server


@pytest.fixture
def embedder(server) -> EndpointEmbedder:
    return EndpointEmbedder(EmbeddingsEndpoint("some-model", server.url, KEY))


def like(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other)


# ------------------------------------------------------------------------------------------------- what is asked


async def test_vectors_come_in_the_order_of_the_texts_whatever_the_order_of_the_reply(embedder, server):
    matrix = await embedder.embed(["first thing", "second thing", "third matter"])
    expected = np.array([server.vector(text) for text in ("first thing", "second thing", "third matter")])
    assert matrix == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-5)


async def test_texts_are_sent_as_strings_with_the_model_and_the_key(embedder, server):
    await embedder.embed(["one text"])
    assert server.requests == [{"model": "some-model", "input": ["one text"], "encoding_format": "float"}]
    assert server.keys == [f"Bearer {KEY}"]
    assert server.paths == ["/v1/embeddings"]


async def test_many_texts_go_in_batches(embedder, server):
    texts = [f"text number {n}" for n in range(BATCH * 2 + 1)]
    assert len(await embedder.embed(texts)) == len(texts)
    assert sorted(len(request["input"]) for request in server.requests) == [1, BATCH, BATCH]


async def test_a_server_that_takes_fewer_texts_gets_fewer(embedder, server):
    server.largest_batch = 5
    texts = [f"word{chr(97 + n)}zzz" for n in range(20)]
    matrix = await embedder.embed(texts)
    assert like(matrix[13], np.array(server.vector(texts[13]))) > 0.99 * np.linalg.norm(server.vector(texts[13]))


@pytest.mark.parametrize(
    "refusal", [(400, "maximum context length"), (413, "too long"), (500, "input is too large to process")]
)
async def test_a_text_that_is_too_long_for_the_server_is_halved_until_it_fits(embedder, server, refusal):
    server.longest, server.too_long = 300, refusal
    text = "nothing here " * 60 + "zebra zebra zebra"
    matrix = await embedder.embed([text])
    assert any("zebra" in each and len(each) <= 300 for each in server.texts)
    without, zebra = await embedder.embed(["nothing here " * 60, "zebra"])
    assert like(matrix[0], zebra) > like(without, zebra) + 0.03


async def test_the_end_of_a_long_text_counts_even_where_a_server_would_drop_it_silently(embedder, server):
    """No refusal comes: the cutting is ours."""
    text = "plain words " * 400 + "zebra"
    await embedder.embed([text])
    assert all(estimate_tokens(each) <= TOKENS for each in server.texts)
    assert "zebra" in server.texts[-1] or any("zebra" in each for each in server.texts)


async def test_an_empty_text_and_half_a_pair_are_made_sendable(embedder, server):
    assert len(await embedder.embed(["", " \n", "half \ud800 pair"])) == 3
    assert all(text.strip() for text in server.texts)


async def test_no_texts_ask_nothing(embedder, server):
    assert len(await embedder.embed([])) == 0
    assert server.requests == []


async def test_an_address_without_a_path_is_below_v1(server):
    await EndpointEmbedder(EmbeddingsEndpoint("some-model", f"http://{server.host}/")).embed(["one"])
    assert server.paths == ["/v1/embeddings"]
    assert server.keys == [""]


async def test_one_embedder_serves_several_event_loops(embedder):
    def elsewhere() -> np.ndarray:
        return asyncio.run(embedder.embed(["some text"]))

    found = await asyncio.gather(embedder.embed(["some text"]), asyncio.to_thread(elsewhere))
    assert found[0] == pytest.approx(found[1])


# ------------------------------------------------------------------------------------------------- instructions


async def test_questions_and_passages_get_what_their_model_wants_before_them(server):
    embedder = EndpointEmbedder(EmbeddingsEndpoint("nomic-embed-text:latest", server.url))
    await embedder.embed(["who?"], query=True)
    await embedder.embed(["he."])
    assert server.texts == ["search_query: who?", "search_document: he."]


async def test_each_window_of_a_long_passage_gets_it(server):
    await EndpointEmbedder(EmbeddingsEndpoint("intfloat/e5-base-v2", server.url)).embed(["long words " * 500])
    assert len(server.texts) > 2
    assert all(text.startswith("passage: ") for text in server.texts)


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("text-embedding-3-small", "", ""),
        ("BAAI/bge-m3", "", ""),
        ("all-minilm", "", ""),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("bge-large", "Represent this sentence for searching relevant passages: ", ""),
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("snowflake-arctic-embed2:568m", "query: ", ""),
    ],
)
def test_a_family_is_known_by_the_models_name(model, query, passage):
    assert instructions_for(model) == Instructions(query, passage)


# ------------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    "text", ["short", "", "word " * 2_000, "x" * 9_000, "没有空格的长文字" * 300, "ab 汉字 " * 900, "\n" * 5_000]
)
def test_windows_are_short_enough_and_together_the_whole_text(text):
    pieces = windows(text)
    assert all(estimate_tokens(piece) <= TOKENS for piece in pieces)
    whole = pieces[0]
    for piece in pieces[1:]:
        shared = next(n for n in range(min(OVERLAP, len(whole), len(piece)), -1, -1) if whole.endswith(piece[:n]))
        whole += piece[shared:]
    assert "".join(whole.split()) == "".join(text.split()) or len(set(text)) < 9  # repetitions overlap in many ways
    assert text.endswith(pieces[-1])


# ------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_a_server_that_is_busy_for_a_moment_is_asked_again(embedder, server, status):
    server.statuses = [(status, {"retry-after": "0"})]
    assert len(await embedder.embed(["text"])) == 1
    assert len(server.requests) == 2


async def test_a_server_that_stays_busy_is_asked_three_times(embedder, server):
    server.statuses = [(503, {})] * 9
    with pytest.raises(LibraryError, match="refuses \\(503\\): not now"):
        await embedder.embed(["text"])
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "told"), [(401, "AGENT_EMBEDDINGS_API_KEY"), (404, "AGENT_EMBEDDINGS_MODEL"), (302, "302")]
)
async def test_a_refusal_names_the_way_out_and_is_not_repeated(embedder, server, status, told):
    server.statuses = [(status, {})] * 9
    with pytest.raises(LibraryError, match=told):
        await embedder.embed(["text"])
    assert len(server.requests) == 1


async def test_no_error_shows_the_key_or_more_than_a_line(embedder, server):
    server.answer = lambda _: (418, {}, {"error": {"message": f"bad key\n {KEY}\x1b[31m {'x' * 999}"}})
    with pytest.raises(LibraryError) as told:
        await embedder.embed(["text"])
    assert KEY not in str(told.value)
    assert "\n" not in str(told.value)
    assert "\x1b" not in str(told.value)
    assert len(str(told.value)) < 400


@pytest.mark.parametrize("key", ["sk-with\nbreak", "sk-ключ"])
async def test_what_is_no_key_is_refused_unseen(server, key):
    with pytest.raises(LibraryError, match="AGENT_EMBEDDINGS_API_KEY is no key") as told:
        await EndpointEmbedder(EmbeddingsEndpoint("m", server.url, key)).embed(["text"])
    assert key not in str(told.value)
    assert KEY not in repr(EmbeddingsEndpoint("m", server.url, KEY))


def vectors(*rows: object) -> dict[str, object]:
    return {"data": [{"index": i, "embedding": row} for i, row in enumerate(rows)]}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(vectors([1.0, 0.0]), id="too few"),
        pytest.param(vectors([1.0], [1.0], [1.0]), id="too many"),
        pytest.param(vectors([1.0, 0.0], [1.0]), id="of two lengths"),
        pytest.param(vectors([1.0, 0.0], [float("nan"), 1.0]), id="NaN"),
        pytest.param(vectors([1.0, 0.0], [0.0, 0.0]), id="zeros"),
        pytest.param(vectors([1.0, 0.0], [10**400, 1.0]), id="too large"),
        pytest.param(vectors([], []), id="empty"),
        pytest.param(vectors([1.0], ["x"]), id="words"),
        pytest.param(vectors("AAAA", "AAAA"), id="base64"),
        pytest.param({"data": [{"index": 0, "embedding": [1.0]}] * 2}, id="one twice"),
        pytest.param(
            {"data": [{"index": 7, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]}, id="unknown index"
        ),
        pytest.param({"data": None}, id="nothing"),
        pytest.param({"error": "no"}, id="an error with 200"),
        pytest.param([], id="a list"),
        pytest.param(b"<html>", id="a page"),
    ],
)
async def test_a_reply_that_cannot_be_used_is_an_error_in_one_line(embedder, server, reply):
    server.reply = reply
    with pytest.raises(LibraryError, match=r"the embedder 'some-model' at 127") as told:
        await embedder.embed(["one", "two"])
    assert "\n" not in str(told.value)


async def test_nobody_there_is_an_error_that_names_the_host():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(LibraryError, match=f"at {at} does not answer"):
        await EndpointEmbedder(EmbeddingsEndpoint("m", f"http://{at}/v1")).embed(["text"], query=True)


async def test_a_caller_that_leaves_is_not_held_up(embedder, server):
    server.delay.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await embedder.embed(["text"])
    assert asyncio.all_tasks() == {asyncio.current_task()}


# ------------------------------------------------------------------------------------------------- in a library


async def test_it_finds_by_meaning_in_any_language(tmp_path, embedder):
    library = StoredLibrary(tmp_path, embedder)
    page = document("推理模型 zebras 用强化学习训练。 " * 10 + "\n\n" + "Bread rises. " * 90, title="")
    await library.store(page, run_id="run")
    await library.embed(page.id, run_id="run")
    found = await library.find(["zebraic"], documents=[page.id], limit=1)
    assert "推理" in found[0].passage.text
    assert await library.recall(page.url, since=datetime(2026, 1, 1, tzinfo=UTC))
    library._record.close()


# ------------------------------------------------------------------------------------------------- settings


def test_only_a_model_name_means_ollama_on_this_machine():
    embedder = embedder_of(Settings(embeddings_model="nomic-embed-text"))
    assert isinstance(embedder, EndpointEmbedder)
    assert embedder.name == "nomic-embed-text"
    assert embedder._at == EmbeddingsEndpoint("nomic-embed-text", OLLAMA, "")


def test_the_reasoners_key_goes_to_its_own_endpoint_only():
    told = {"model": "r", "api_key": KEY, "embeddings_model": "m"}
    there, elsewhere = "https://api.example/v1", "https://other.example/v1"
    same = embedder_of(Settings(**told, base_url=there, embeddings_base_url=there))
    other = embedder_of(Settings(**told, base_url=there, embeddings_base_url=elsewhere))
    assert (same._at.key, other._at.key) == (KEY, "")


def test_an_endpoint_without_a_model_is_refused():
    with pytest.raises(SettingsError, match="AGENT_EMBEDDINGS_MODEL"):
        Settings(embeddings_base_url="http://localhost:1/v1")


def test_without_a_model_name_the_built_in_one_is_meant(tmp_path):
    assert embedder_of(Settings(cache_dir=tmp_path)) is None


# ------------------------------------------------------------------------------------------------- a switch of models


async def answered(library: StoredLibrary, documents: list[str], text: str) -> str:
    found = await library.find([text], documents=documents, limit=1)
    return found[0].passage.text if found else ""


async def test_a_server_that_changes_its_model_under_a_run_costs_meaning_for_a_while_and_no_error(
    tmp_path, embedder, server
):
    library = StoredLibrary(tmp_path, embedder)
    page = document("Zebras graze in herds. " * 20)
    await library.store(page, run_id="run")
    await library.embed(page.id, run_id="run")
    assert "Zebras" in await answered(library, [page.id], "zebraic")
    server.dimension = 16
    assert await answered(library, [page.id], "zebraic") == ""
    assert "gives 16 numbers where it gave 64" in library.note
    assert "Zebras" in await answered(library, [page.id], "zebras")
    library._dense._not_before = 0.0
    assert "Zebras" in await answered(library, [page.id], "zebras")  # found by its words, it gets its new vector …
    assert "Zebras" in await answered(library, [page.id], "zebraic")  # … and is found by meaning from then on
    assert library.note == ""
    library._record.close()
