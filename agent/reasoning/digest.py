"""A digest without a model: for each part of a question, the few sentences of the evidence that answer it best.

Chosen by how much of the part a sentence covers, how near it is in meaning where an embedder says so, whether it has
what is asked for (a date, a number, a name), and how little it repeats.  Sentences are taken word for word.  Knows
nothing of models, nor of how a digest is shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.reasoning.asked import Asked, asked
from agent.reasoning.candidates import Candidate, Taken
from agent.reasoning.signs import tells
from agent.text.questions import Part

Alike = Mapping[str, float]  # a sentence's text -> cosine to a part of the question; without what cannot be compared

SENTENCES = 3  # for one part, at most: more than that is no longer an answer
_FAR_BELOW = 0.8  # of the best sentence's score: a sentence below adds little
_REPEATS = 0.5  # of the terms that the question does not have: two sentences that say the same


@dataclass(frozen=True, slots=True)
class Section:
    """What the evidence says about one part of the question; no sentences: nothing."""

    part: Part
    taken: tuple[tuple[Taken, ...], ...]  # best first, then as they stand; each after the sentence that it leans on


def digest(parts: Sequence[Part], found: Sequence[Candidate], alike: Sequence[Alike] = ()) -> list[Section]:
    """One section for each part, in order.  `alike`: one for each part, or none."""
    rarity = _rarity(found)
    wanted = [asked(part, rarity, cosines) for part, cosines in zip(parts, alike or [{}] * len(parts), strict=True)]
    return [Section(part, _told(chosen)) for part, chosen in zip(parts, _chosen(wanted, found), strict=True)]


def worth_comparing(parts: Sequence[Part], found: Sequence[Candidate], limit: int) -> list[str]:
    """The sentences that have anything of any part, most of it first: the others cannot be chosen."""
    rarity = _rarity(found)
    wanted = [asked(part, rarity, {}) for part in parts]
    covered = {c.taken.text: max(one.covered(c) for one in wanted) for c in found}
    return sorted((text for text, share in covered.items() if share), key=lambda text: -covered[text])[:limit]


def _rarity(found: Sequence[Candidate]) -> dict[str, float]:
    """Term -> 0.5 for one that every sentence has, towards 1 for one that few have."""
    counts = Counter(term for candidate in found for term in candidate.terms)
    size = math.log(1 + len(found)) or 1.0
    return {term: 0.5 + 0.5 * math.log(1 + len(found) / (1 + n)) / size for term, n in counts.items()}


def _chosen(wanted: Sequence[Asked], found: Sequence[Candidate]) -> list[list[Candidate]]:
    """For each part, best first.

    The parts choose by turns, so that an early one does not take the best sentence of a later one for its own third.
    What another part has taken does not put the rest in the shade.
    """
    orders = [_ranked(one, [other for other in wanted if other is not one], found) for one in wanted]
    chosen: list[list[Candidate]] = [[] for _ in wanted]
    least = [0.0] * len(wanted)
    for _ in range(SENTENCES):
        for at, (order, one) in enumerate(zip(orders, wanted, strict=True)):
            shown = [candidate for these in chosen for candidate in these]
            near = ((score, c) for score, c in order if score >= least[at])
            new = next(((score, c) for score, c in near if not any(_say_the_same(c, s, one) for s in shown)), None)
            if new or (order and not chosen[at]):  # one sentence may answer two parts: better twice than "not found"
                score, candidate = new or order[0]
                chosen[at].append(candidate)
                least[at] = least[at] or _FAR_BELOW * score
    return chosen


def _ranked(wanted: Asked, others: Sequence[Asked], found: Sequence[Candidate]) -> list[tuple[float, Candidate]]:
    """Those that answer a part with their scores, best first; those of sources that hide their text behind all others.

    Where some say by what means, or why, as the part asks, the others say something else of the matter.
    """
    answering = [candidate for candidate in found if wanted.is_answered_by(candidate)]
    if wanted.part.wanted in ("way", "reason"):
        answering = [c for c in answering if tells(c.taken.text, wanted.part)] or answering
    scored = [(wanted.score(candidate, others), candidate) for candidate in answering]
    return sorted(scored, key=lambda pair: (pair[1].last, -pair[0], pair[1].taken.place))


def _told(chosen: Sequence[Candidate]) -> tuple[tuple[Taken, ...], ...]:
    """The best first, the rest as they stand in the sources.

    A sentence that leans on the one before is shown with it, unless that one is shown anyway.
    """
    shown = {candidate.taken for candidate in chosen}
    told = []
    for candidate in [*chosen[:1], *sorted(chosen[1:], key=lambda candidate: candidate.taken.place)]:
        before = {candidate.before.taken} - shown if candidate.before else set()
        told.append((*before, candidate.taken))
        shown |= before
    return tuple(told)


def _say_the_same(one: Candidate, other: Candidate, wanted: Asked) -> bool:
    """The words of the question stand in every answer to it, so only what each says beyond them counts."""
    told, known = one.terms - wanted.weights.keys(), other.terms - wanted.weights.keys()
    fewest = min(len(told), len(known))
    return not fewest or len(told & known) > _REPEATS * fewest
