"""What a host's LangChain embeddings become."""

from __future__ import annotations

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from agent.errors import LibraryError
from agent.library.embedder import HostEmbedder


class Theirs(Embeddings):
    def __init__(self, vectors: list[list[float]], model: str = "their-model") -> None:
        self.vectors = vectors
        self.model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.vectors[: len(texts)]

    def embed_query(self, text: str) -> list[float]:
        return [0.0, 0.0, float(len(text))]


async def test_vectors_are_brought_to_length_one():
    matrix = await HostEmbedder(Theirs([[3.0, 4.0], [0.0, 2.0]])).embed(["a", "b"])
    assert matrix == pytest.approx(np.array([[0.6, 0.8], [0.0, 1.0]]))


async def test_questions_go_through_the_hosts_own_method_for_them():
    matrix = await HostEmbedder(Theirs([])).embed(["one", "three"], query=True)
    assert matrix == pytest.approx(np.array([[0, 0, 1], [0, 0, 1]]))


def test_the_name_tells_class_and_model():
    assert HostEmbedder(Theirs([])).name.endswith("Theirs their-model")
    assert HostEmbedder(Theirs([])).name != HostEmbedder(Theirs([], model="another")).name


class Broken(Theirs):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise KeyError("no key")


async def test_an_error_of_the_hosts_object_is_ours():
    with pytest.raises(LibraryError, match="KeyError: 'no key'"):
        await HostEmbedder(Broken([])).embed(["a"])


@pytest.mark.parametrize(
    "vectors", [[], [[1.0]], [[1.0], [1.0, 2.0]], [[float("nan")], [1.0]], [[float("inf")], [1.0]]]
)
async def test_vectors_that_cannot_be_used_are_an_error(vectors):
    with pytest.raises(LibraryError, match="gave"):
        await HostEmbedder(Theirs(vectors)).embed(["a", "b"])


async def test_a_vector_of_zeros_stays_finite():
    assert np.isfinite(await HostEmbedder(Theirs([[0.0, 0.0]])).embed(["a"])).all()
