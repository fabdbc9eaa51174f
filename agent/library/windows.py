"""Texts that may be longer than an embedder reads: cut into windows, and the windows' vectors put together again.

Knows that an embedder of which nothing is told reads 512 tokens and may drop the rest without a word.  Does not know
which embedder it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agent.text.ranking import estimate_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

TOKENS = 400  # estimated: tables and addresses have up to a quarter more, and 512 is what small models read
OVERLAP = 100  # characters that two windows of one text share
LONGEST = 20_000  # characters of one text that are read: some 15 windows
_SPACE = re.compile(r"\s")


def windows(text: str) -> list[str]:
    """The text, or overlapping pieces of it that together are all of it, each of at most TOKENS; at least one."""
    return list(_cut(text[:LONGEST]))


def _cut(text: str) -> Iterator[str]:
    while estimate_tokens(text) > TOKENS:
        end = _fitting(text)
        yield text[:end]
        text = text[max(1, end - OVERLAP) :]
    yield text


def _fitting(text: str) -> int:
    """Where the first window ends: at a space in its last fifth, where there is one."""
    end = min(len(text), 4 * TOKENS)
    while estimate_tokens(text[:end]) > TOKENS:
        end = max(1, end * 4 // 5)
    spaces = [found.start() for found in _SPACE.finditer(text, end * 4 // 5, end)]
    return spaces[-1] if spaces else end


def together(matrix: Matrix, counts: Sequence[int]) -> Matrix:
    """A unit vector a text: the mean of its windows' unit vectors, which stand one text's after the other's."""
    import numpy as np

    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    mean = np.add.reduceat(matrix, starts, axis=0)
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12), np.float32)
