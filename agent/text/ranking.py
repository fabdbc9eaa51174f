"""Orders made from other orders.

Knows ranks and scores.  Does not know who ranked, what a library is, or what a model reads.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

RRF_K = 60  # Cormack, Clarke, Büttcher, SIGIR 2009; their choice, not tuned here


def rrf(rankings: Sequence[Sequence[K]], k: int = RRF_K) -> list[tuple[K, float]]:
    """Reciprocal rank fusion: every key of the rankings (each best first) with its score, best first.

    A key's score is the sum of `1 / (k + rank)` over the rankings it stands in, ranks from 1; a key that a ranking
    names twice counts there once, at its better rank.  Ties keep the order in which the keys were first met.
    """
    scores: dict[K, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(dict.fromkeys(ranking), start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: -item[1])
