"""How near sentences are to questions is told for those that the embedder reads, and is unknown for the others."""

from math import isnan

import pytest

from agent.errors import LibraryError
from agent.library.embedder import cosines
from tests.library.conftest import WordEmbedder

QUESTION = "How was the model trained?"
SENTENCES = ["Training the model took weeks.", "模型训练了几周。", "Bread needs flour, water and salt."]


async def test_what_speaks_of_the_same_is_nearer():
    ((training, _, bread),) = await cosines(WordEmbedder(), [QUESTION], SENTENCES)
    assert training > bread
    assert -1.001 <= bread <= training <= 1.001


async def test_a_sentence_that_the_embedder_does_not_read_is_like_nothing_known():
    ((*_, bread), other) = await cosines(WordEmbedder(), [QUESTION, "模型是怎么训练的？"], SENTENCES)
    assert [isnan(cosine) for cosine in other] == [True, True, True]
    assert not isnan(bread)


async def test_only_what_is_read_is_given_to_the_embedder():
    embedder = WordEmbedder()
    await cosines(embedder, [QUESTION], SENTENCES)
    assert embedder.asked == [QUESTION, SENTENCES[0], SENTENCES[2]]


@pytest.mark.parametrize(("questions", "sentences"), [([], SENTENCES), ([QUESTION], []), (["怎么？"], SENTENCES)])
async def test_where_there_is_nothing_to_compare_no_embedder_is_asked(questions, sentences):
    embedder = WordEmbedder()
    found = await cosines(embedder, questions, sentences)
    assert [len(row) for row in found] == [len(sentences)] * len(questions)
    assert embedder.asked == []


class Uneven(WordEmbedder):
    async def embed(self, texts, *, query=False, urgent=False):
        return (await super().embed(texts))[:, : 32 if query else 64]


async def test_vectors_that_do_not_fit_one_another_are_the_embedders_error():
    with pytest.raises(LibraryError, match="32 numbers and sentences 64"):
        await cosines(Uneven(), [QUESTION], SENTENCES)
