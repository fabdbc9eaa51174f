"""How near texts are to one another in meaning, by whichever embedder is set up.

Knows that an embedder reads only some languages.  Does not know whose texts these are, nor the stored vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import LibraryError
from agent.library.embed import Embedder


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
