"""Orders made from other orders, and what of them a writer is shown.

Knows ranks, scores, likeness of texts and a budget of tokens.  Does not know who ranked, what a library is, or how a
prompt is written."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar
from zlib import crc32

from agent.text.chunking import CJK
from agent.types import Evidence, Passage, RankedPassage, Source

K = TypeVar("K", bound=Hashable)

RRF_K = 60  # Cormack, Clarke, Büttcher, SIGIR 2009; their choice, not tuned here
CANDIDATES = 300  # more than any budget holds; keeps the choosing under 50 ms
RELEVANCE = 0.7  # against likeness; Carbonell and Goldstein, SIGIR 1998, show 0.7 as the focused end
STALE = 0.5  # of a passage's score is lost with age, where the question is about now; first value, like …
HALF_LIFE = 90  # … days in which half of that is gone, and …
UNDATED = 365  # … days that a page without a date counts as old
MEANING = 0.5  # against words; see `blended`
# The page with the answer lay above .5 in 239 of 240 questions of four sets, one that a careful writer cited above .35.
FAR_BELOW = 0.35  # of the best passage's score …
STRAY = 0.2  # … and of the document's own best
NEARLY_THE_SAME = 0.8  # share of common three-word runs: syndicated copies lie above it, two reports of one event below

_CJK = re.compile(f"[{CJK}]")
_WORD = re.compile(rf"[{CJK}]|[^\W{CJK}]+")


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


def blended(by_words: Mapping[K, float], by_meaning: Mapping[K, float], meaning: float = MEANING) -> dict[K, float]:
    """One score, 0..1, for all that either has found: both brought to 1 at their best, then weighed.

    A convex combination of scores (Bruch, Gai, Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS
    2023), with BM25 and cosines as the two.  What has no cosine, since nothing was there to compare, counts as the
    least of them; without any, words decide.  Against reciprocal ranks nDCG@10 was .987 instead of .974 on ClapNQ, .968
    for .963 on XQuAD, and .816 for .771 where questions take up their passages' words (words alone: .825).
    """
    words = _to_one(by_words)
    if not by_meaning:
        return words
    likeness = _to_one(by_meaning)
    least = min(likeness.values())
    keys = dict.fromkeys([*words, *likeness])
    share = meaning if words else 1.0
    return {key: (1 - share) * words.get(key, 0.0) + share * likeness.get(key, least) for key in keys}


def _to_one(scores: Mapping[K, float]) -> dict[K, float]:
    best = max(scores.values(), default=0.0)
    return {key: max(score, 0.0) / best if best > 0 else 0.0 for key, score in scores.items()}


def reranked(ranked: Sequence[RankedPassage], scores: Sequence[float]) -> list[RankedPassage]:
    """The passages in the order of these scores, one for each, brought to 0..1.  Raises `ValueError`."""
    if len(scores) != len(ranked) or not all(map(math.isfinite, scores)):
        raise ValueError(f"{len(scores)} scores, or some that are no numbers, for {len(ranked)} passages")
    least, most = min(scores, default=0.0), max(scores, default=0.0)
    if least == most:
        return list(ranked)
    told = [replace(one, score=(score - least) / (most - least)) for one, score in zip(ranked, scores, strict=True)]
    return sorted(told, key=lambda one: -one.score)


def newest_up(
    ranked: Sequence[RankedPassage], sources_by_document: Mapping[str, Source], today: date
) -> list[RankedPassage]:
    """The order for a question about now: of two passages that fit equally well, the one of the newer page first.

    A page that does not say when it was written counts as a year old, and so does one that names a day to come.
    """
    aged = [
        replace(p, score=p.score * _freshness(sources_by_document.get(p.passage.document_id), today)) for p in ranked
    ]
    return sorted(aged, key=lambda one: -one.score)


def _freshness(source: Source | None, today: date) -> float:
    days = [_days(day, today) for day in (source.published, source.modified) if day] if source else []
    age = min((each for each in days if each is not None), default=UNDATED)
    return 1 - STALE + STALE * math.pow(0.5, age / HALF_LIFE)


def _days(day: str, today: date) -> int | None:
    """How many have passed since then; None where that is no day, or one to come."""
    try:
        age = (today - date.fromisoformat(day)).days
    except ValueError:
        return None
    return age if age >= 0 else None


def near_the_best(ranked: Sequence[RankedPassage], kept: Collection[str] = ()) -> list[RankedPassage]:
    """Without the documents whose best passage is far below the best of all, and without stray passages of the rest.

    A prompt is chosen, not filled: what is off topic costs a writer more than it can give.  `kept`: documents that stay
    whatever they score.
    """
    best: dict[str, float] = {}
    for one in ranked:
        best[one.passage.document_id] = max(best.get(one.passage.document_id, 0.0), one.score)
    top = max(best.values(), default=0.0)
    return [
        one
        for one in ranked
        if (document := one.passage.document_id) in kept
        or (best[document] >= FAR_BELOW * top and one.score >= STRAY * best[document])
    ]


def estimate_tokens(text: str) -> int:
    """About how many tokens a model makes of `text`: four characters a token, one where scripts have no spaces."""
    dense = sum(1 for _ in _CJK.finditer(text))
    return dense + math.ceil((len(text) - dense) / 4)


def evidence(
    ranked: Sequence[RankedPassage],
    sources_by_document: Mapping[str, Source],
    *,
    budget_tokens: int,
    per_source: int,
    per_origin: int | None = None,
) -> list[Evidence]:
    """The passages a writer is shown: whole, at most `per_source` of one source, together within the budget.

    `per_origin`: of all sources of one site at most, while other sites have something to say; what it leaves of the
    budget goes to the rest.  Files are the user's own, and each is one.  None: any number.

    `ranked` is best first.  Each choice weighs a passage's score against its likeness to what is chosen already
    (maximal marginal relevance); a passage that says nearly the same as a chosen one is dropped, whoever says it.
    Sources come best first, their passages in the order of the text; passages of unknown documents are left out.
    A suspect source comes after all others, and gets what they leave of the budget.
    """
    candidates = [
        _Candidate(source.suspect, _origin(source), place, found.passage, found.score, _shingles(found.passage.text))
        for place, found in enumerate(ranked[:CANDIDATES])
        if (source := sources_by_document.get(found.passage.document_id))
    ]
    chosen = _chosen(candidates, budget_tokens, per_source, per_origin or len(candidates))
    return _by_source(sorted(chosen, key=lambda c: (c.last, c.place)), sources_by_document)


@dataclass(slots=True)
class _Candidate:
    last: bool  # after all that are not
    origin: str
    place: int  # in the ranking, from 0
    passage: Passage
    score: float
    shingles: frozenset[str]
    likeness: float = 0.0  # to the chosen passage most like it, 0..1
    late: bool = False  # its origin has had its share


def _origin(source: Source) -> str:
    return source.url if source.url.startswith("file:") else source.site


def _chosen(candidates: list[_Candidate], budget: int, per_source: int, per_origin: int) -> list[_Candidate]:
    """What an origin has beyond its share comes after all that others have to say."""
    chosen: list[_Candidate] = []
    counts: Counter[str] = Counter()
    of_origin: Counter[str] = Counter()
    while candidates:
        best = max(candidates, key=_worth)
        candidates.remove(best)
        cost = estimate_tokens(best.passage.text)
        if cost > budget or counts[best.passage.document_id] >= per_source:
            continue
        chosen.append(best)
        budget -= cost
        counts[best.passage.document_id] += 1
        of_origin[best.origin] += 1
        for other in candidates:
            other.likeness = max(other.likeness, _likeness(best.shingles, other.shingles))
            other.late = of_origin[other.origin] >= per_origin
        candidates = [other for other in candidates if other.likeness < NEARLY_THE_SAME]
    return chosen


def _worth(candidate: _Candidate) -> tuple[bool, bool, float]:
    return not candidate.last, not candidate.late, RELEVANCE * candidate.score - (1 - RELEVANCE) * candidate.likeness


def _by_source(chosen: Sequence[_Candidate], sources: Mapping[str, Source]) -> list[Evidence]:
    """`chosen` is best first, and so are the sources."""
    groups: dict[str, list[_Candidate]] = {}
    for candidate in chosen:
        groups.setdefault(candidate.passage.document_id, []).append(candidate)
    return [
        Evidence(
            source=sources[document],
            passages=tuple(c.passage for c in sorted(group, key=lambda c: c.passage.start)),
            score=max(c.score for c in group),
        )
        for document, group in groups.items()
    ]


def _shingles(text: str) -> frozenset[str]:
    """Runs of three words; where words have no spaces between them, of three characters."""
    words = _WORD.findall(text.casefold())
    if len(words) < 3:
        return frozenset(words)
    return frozenset(" ".join(words[i : i + 3]) for i in range(len(words) - 2))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the smaller one that stands in the other too, 0..1: a passage within a longer one is like it."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


# ------------------------------------------------------------------------------------------ copies

# Pages that carry one text: which of several are copies, told from sketches of their words.
#
# Knows texts, sketches and sources.  Dates and names that pages give themselves do not make one the origin: the order
# in which the search ranked them does.

_CHARACTERS = 60_000  # of a text that are compared; a sketch of so many takes 10 ms
_RUN = 4  # words in a row; Broder, "On the resemblance and containment of documents", 1997, uses runs of such length
_KEPT = 400  # smallest hashes: resemblance is off by 0.02 at most times
_LEAST = 30  # runs; shorter texts are alike by chance
ALIKE = 0.7  # of their runs are common: an agency's report in two papers, each with its own head and foot
ALIKE_IF_DECLARED = 0.4  # where both declare the same address on their own site


@dataclass(frozen=True, slots=True)
class Sketch:
    """The smallest hashes of a text's runs of words, in order; empty for a text that is too short to compare."""

    hashes: tuple[int, ...] = ()


def sketch(text: str) -> Sketch:
    words = _WORD.findall(text[:_CHARACTERS].casefold())
    runs = {crc32(" ".join(words[i : i + _RUN]).encode("utf-8", "replace")) for i in range(len(words) - _RUN + 1)}
    return Sketch(tuple(sorted(runs)[:_KEPT])) if len(runs) >= _LEAST else Sketch()


def resemblance(one: Sketch, other: Sketch) -> float:
    """About which share of all their runs two texts have in common, 0..1; 0 where one is too short to tell."""
    if not one.hashes or not other.hashes:
        return 0.0
    both = sorted({*one.hashes, *other.hashes})[:_KEPT]
    return len({*one.hashes} & {*other.hashes} & {*both}) / len(both)


@dataclass(frozen=True, slots=True)
class KnownText:
    """A page of this run, as later ones are compared with it."""

    url: str
    declares: str  # its own address by its own word; empty: it says nothing that counts
    sketch: Sketch


def copy_of(page: KnownText, known: Mapping[str, KnownText]) -> str:
    """The URL of the first known page that has nearly the same text; empty: there is none."""
    for url, other in known.items():
        declared = bool(page.declares) and page.declares in {other.declares, other.url}
        if resemblance(page.sketch, other.sketch) >= (ALIKE_IF_DECLARED if declared else ALIKE):
            return url
    return ""


def origins(sources: Mapping[str, Source]) -> dict[str, Source]:
    """Of each group of copies the first, with the others' URLs; one that hides its text only where all of them do.

    Keys stay what they are, and their order.
    """
    groups: dict[str, list[str]] = {}
    for key, source in sources.items():
        groups.setdefault(source.copy_of or source.url, []).append(key)
    chosen = {}
    for keys in groups.values():
        first = next((key for key in keys if not sources[key].suspect), keys[0])
        chosen[first] = tuple(sources[key].url for key in keys if key != first)
    return {key: replace(source, copies=chosen[key]) for key, source in sources.items() if key in chosen}
