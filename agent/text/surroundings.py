"""What stands around the passages that were chosen, as far as a budget of tokens has room.

A table of what fits where may be the passage before the one that matched, and what a colon announces the one after it.
Knows texts and how they are cut into passages; does not rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.text.chunking import passage_id, slices
from agent.text.ranking import estimate_tokens
from agent.types import Evidence, Passage


def surrounded(chosen: Sequence[Evidence], texts: Mapping[str, str], *, budget_tokens: int) -> list[Evidence]:
    """The evidence with the passage after each one, and then the one before, best source first.

    `texts`: by document.  `budget_tokens`: for everything together; what is chosen already is never left out.  A source
    that hides its text gets no more of it shown.
    """
    left = budget_tokens - sum(estimate_tokens(p.text) for one in chosen for p in one.passages)
    grown = list(chosen)
    for side in (1, -1):
        for at, one in enumerate(grown):
            if one.source.suspect or one.source.document_id not in texts:
                continue
            more = _beside(one, texts[one.source.document_id], side)
            added = []
            for passage in more:
                if (cost := estimate_tokens(passage.text)) <= left:
                    left -= cost
                    added.append(passage)
            passages = sorted((*one.passages, *added), key=lambda p: p.start)
            grown[at] = replace(one, passages=tuple(passages))
    return grown


def _beside(one: Evidence, text: str, side: int) -> list[Passage]:
    """The neighbours on that side (1: after, -1: before) of the source's passages that are not among them."""
    places = [(piece.start, piece.end) for piece in slices(text)]
    had = {(p.start, p.end) for p in one.passages}
    wanted = [places[at + side] for at, place in enumerate(places) if place in had and 0 <= at + side < len(places)]
    document = one.source.document_id
    return [Passage(passage_id(document, a, z), document, a, z, text[a:z]) for a, z in wanted if (a, z) not in had]
