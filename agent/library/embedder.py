"""What an embedder is, and the one that a host program brings.

Knows the contract and LangChain's `Embeddings`.  Does not know MiniLM, the record or who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from agent.errors import LibraryError

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

NO_EMBEDDER = (
    "No embedder is set up, so passages are found by their words alone; "
    "`python -m agent setup-embeddings` adds finding by meaning."
)


class Embedder(Protocol):
    """Makes vectors of texts.  Raises `LibraryError`."""

    name: str  # of the model and its form: vectors of two embedders of one name are expected to be comparable

    def reads(self, text: str) -> bool:
        """Was the model made for texts like this one?  Others get no vector."""
        ...

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> Matrix:
        """Unit vectors (texts, dimension), in order; whatever is too long for the model is still taken in whole.

        `query`: the texts are questions, not passages.  `urgent`: somebody waits, so they go before other passages.
        """
        ...


class HostEmbedder:
    """Any LangChain `Embeddings` as an embedder; it is trusted to read every language."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        kind = type(embeddings)
        model = next(
            (v for a in ("model", "model_name", "model_id") if isinstance(v := getattr(embeddings, a, 0), str)), ""
        )
        self.name = f"{kind.__module__}.{kind.__qualname__} {model}".rstrip()

    def reads(self, text: str) -> bool:
        return True

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> Matrix:
        """`urgent` has no meaning here: the host's object has no queue of ours."""
        try:
            if query:
                rows = [await self._embeddings.aembed_query(text) for text in texts]
            else:
                rows = await self._embeddings.aembed_documents(list(texts))
        except Exception as e:
            raise LibraryError(f"the embedder {self.name} failed: {type(e).__name__}: {e}") from e
        return unit_vectors(rows, len(texts), self.name)


def unit_vectors(rows: Sequence[Sequence[float]], count: int, name: str) -> Matrix:
    """What an embedder gave, checked and brought to length one."""
    import numpy as np

    try:
        matrix = np.asarray(rows, np.float32)
    except ValueError as e:
        raise LibraryError(f"the embedder {name} gave vectors of different lengths: {e}") from e
    if matrix.ndim != 2 or len(matrix) != count or not np.isfinite(matrix).all():
        raise LibraryError(f"the embedder {name} gave no usable vectors: {matrix.shape} for {count} texts")
    return np.asarray(matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12), np.float32)


# ------------------------------------------------------------------------------------------ likeness

# How near texts are to one another in meaning, by whichever embedder is set up.
#
# Knows that an embedder reads only some languages.  Does not know whose texts these are, nor the stored vectors.


async def cosines(embedder: Embedder, questions: Sequence[str], sentences: Sequence[str]) -> list[list[float]]:
    """A row for each question, a cosine for each sentence in it; NaN where the embedder does not read one of the two.

    Raises `LibraryError`.
    """
    import numpy as np

    found = np.full((len(questions), len(sentences)), np.nan, np.float32)
    rows = [row for row, text in enumerate(questions) if embedder.reads(text)]
    columns = [column for column, text in enumerate(sentences) if embedder.reads(text)]
    if rows and columns:
        asked = await embedder.embed([questions[row] for row in rows], query=True)
        told = await embedder.embed([sentences[column] for column in columns], urgent=True)
        if asked.shape[1] != told.shape[1]:
            raise LibraryError(
                f"the embedder {embedder.name} gives questions {asked.shape[1]} numbers and sentences {told.shape[1]}"
            )
        found[np.ix_(rows, columns)] = asked @ told.T
    return [[float(cosine) for cosine in row] for row in found]
