"""A digest without a model: for each part of a question, the sentences of the evidence that say most about it.

Chosen by how much of the part a sentence covers, whether it has what is asked for (a date, a number, a name), and how
little it repeats.  Sentences are taken word for word.  Knows nothing of models, nor of how a digest is shown.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from agent.reasoning.sieve import is_fit, leans_on_context
from agent.text.dates import dates
from agent.text.numbers import quantities
from agent.text.prose import prose
from agent.text.questions import Part, Wanted
from agent.text.sentences import sentences
from agent.text.words import is_wide, stem, terms, tokens
from agent.types import Evidence


def _stemmed(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


SENTENCES = 7  # in a digest, at most; with several parts they share them
_LEAST_EACH = 2
# First values, chosen on 300 answerable and 300 swapped questions of ClapNQ (see tests/reasoning).
COVERED = 0.5  # of a part's weight: less than that is no answer
COVERED_WIDE = 0.4  # likewise of pairs of characters, of which some run over the ends of words
_MOST_NAMES = 0.6  # of the names in a part
_FAR_BELOW = 0.75  # of the best sentence's score: a sentence below adds little
_ALIKE = 0.5  # of their terms: two sentences that say the same
_FROM_TITLE = 0.7  # what a term counts that only the page's title has
_FROM_PASSAGE = 0.4  # likewise a term that stands elsewhere in its passage
_KIN = 0.8  # likewise where the sentence has another word of its family
_NAME = 1.5  # what a name counts against a plain word
_ASKS = 0.4  # likewise a word that asks more than it names
_ASKING = _stemmed("""
    meaning mean means meant get got take takes place come comes happen happened help role purpose way kind type cause
    causes reason called name use used uses difference explain work works advantages tell become made make good
    bedeutet bedeutung heißt funktioniert significa significado sirve funciona signifie marche
""")
_HAS_WANTED, _DEFINES, _LEANS, _FOREIGN = 0.2, 0.3, 0.3, 0.25  # bonus and malus, in shares of a part's weight
_TITLED = 0.2  # bonus for a page whose title is about all of the part
_SHORT_MALUS, _FEW_WORDS = 0.15, 9  # a sentence of so few words seldom says much
_SHORT = 3  # terms: a part with no more asks what something is
_LEADS, _LEAD = 0.2, 1_500  # bonus for the beginning of a page, where it says what it is about; characters
_REASON = re.compile(
    r"\b(?:because|due to|since|caused by|as a result of|owing to|reason|weil|wegen|aufgrund|porque|debido|parce que|"
    r"à cause)\b|因为|由于|原因|所以",
    re.IGNORECASE,
)
_NAMELIKE = re.compile(r"[A-ZÀ-Þ\d]")
_NAMED = re.compile(r"(?<=[\w,;] )[A-ZÀ-Þ][\w’'-]+|^[A-Z]\w+ [A-Z]\w+")
_IS = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:is|are|was|were|ist|sind|war|es|son|est|sont|means|refers to|是|指)(?!\w*n't)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A sentence of the evidence, `text` as read; `place` orders sentences as they stand in their sources."""

    text: str
    source: int
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Section:
    """What the evidence says about one part of the question; no sentences: nothing."""

    part: Part
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    taken: Taken
    terms: frozenset[str]
    title: frozenset[str]
    near: frozenset[str]  # terms of the passage it stands in
    worth: float  # 0..1, of its source
    leans: bool


def digest(parts: Sequence[Part], evidence: Sequence[Evidence]) -> list[Section]:
    """One section for each part, in order."""
    candidates = [c for rank, one in enumerate(evidence) for c in _candidates(one, rank)]
    rarity = _rarity(candidates)
    limit = max(_LEAST_EACH, SENTENCES // max(1, len(parts)))
    used: list[_Candidate] = []
    sections = []
    for part in parts:
        chosen = _chosen(part, candidates, rarity, used, limit)
        used += chosen
        best, rest = chosen[:1], sorted(chosen[1:], key=lambda c: c.taken.place)
        sections.append(Section(part, tuple(c.taken for c in (*best, *rest))))
    return sections


def _candidates(evidence: Evidence, rank: int) -> Iterator[_Candidate]:
    title = frozenset(terms(evidence.source.title))
    for passage in evidence.passages:
        near = frozenset(terms(passage.text))
        for sentence in sentences(passage.text):
            written = passage.text[sentence.start : sentence.end]
            text = prose(written)
            opens = sentence.start > 0 or not passage.start
            if sentence.kind not in ("prose", "item") or not is_fit(text, opens_passage=not opens):
                continue
            taken = Taken(text, evidence.source.number, (rank, passage.start + sentence.start))
            found = frozenset(terms(text))
            yield _Candidate(taken, found, title, near, evidence.score, leans_on_context(text))


def _rarity(candidates: Sequence[_Candidate]) -> dict[str, float]:
    """Term -> 0.5 for one that every sentence has, towards 1 for one that few have."""
    counts = Counter(term for candidate in candidates for term in candidate.terms)
    size = math.log(1 + len(candidates)) or 1.0
    return {term: 0.5 + 0.5 * math.log(1 + len(candidates) / (1 + n)) / size for term, n in counts.items()}


def _chosen(
    part: Part, candidates: Sequence[_Candidate], rarity: dict[str, float], used: Sequence[_Candidate], limit: int
) -> list[_Candidate]:
    weights = {term: weight * rarity.get(term, 1.0) for term, weight in _weights(part.query).items()}
    total = sum(weights.values())
    if not total:
        return []
    least = COVERED_WIDE if is_wide(part.query) else COVERED
    scored = [(c, _covered(c, weights, total)) for c in candidates]
    fit = [(c, covered) for c, covered in scored if covered >= least and _has_names(c, part) and _is_on_it(c, part)]
    ranked = [(_score(c, covered, part), c) for c, covered in fit]
    ranked.sort(key=lambda pair: (-pair[0], pair[1].taken.place))
    chosen: list[_Candidate] = []
    for score, candidate in ranked:
        if len(chosen) == limit or score < _FAR_BELOW * ranked[0][0]:
            break
        if not any(_likeness(candidate.terms, other.terms) > _ALIKE for other in (*chosen, *used)):
            chosen.append(candidate)
    return chosen


def _weights(query: str) -> dict[str, float]:
    names = _names(query)
    return {term: _NAME if term in names else _worth(term) for term in terms(query)}


def _names(query: str) -> set[str]:
    return {t.word for t in tokens(query) if _NAMELIKE.search(query[t.start : t.end]) and not is_wide(t.word)}


def _worth(term: str) -> float:
    return _ASKS if term in _ASKING else 1.0


def _covered(candidate: _Candidate, weights: dict[str, float], total: float) -> float:
    """0..1: the share of the part's weight that the sentence has, and in part its page's title and its passage."""
    return sum(weight * _counts(term, candidate) for term, weight in weights.items()) / total


def _are_kin(one: str, other: str) -> bool:
    """`invent` and `invention`, `expand` and `expansion`: alike but for a few letters at the end."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    shorter, longer = sorted((len(one), len(other)))
    return shared >= 5 and shorter - shared <= (1 if shared == 5 else 2) and longer - shared <= 4


def _counts(term: str, candidate: _Candidate) -> float:
    if term in candidate.terms:
        return 1.0
    if len(term) >= 5 and any(_are_kin(term, other) for other in candidate.terms):
        return _KIN
    if term in candidate.title:
        return _FROM_TITLE
    return _FROM_PASSAGE if term in candidate.near else 0.0


def _has_names(candidate: _Candidate, part: Part) -> bool:
    """Are most names asked about in the sentence or its page's title?  Another thing's price is no answer."""
    names = _names(part.query) & set(terms(part.query))
    known = [name for name in names if name in candidate.terms or name in candidate.title]
    return len(known) >= _MOST_NAMES * len(names)


def _is_on_it(candidate: _Candidate, part: Part) -> bool:
    """Does the sentence itself have something of what is asked *about* the names and the page's subject?"""
    names = _names(part.query)
    aspects = [t for t in terms(part.query) if t not in names and t not in candidate.title and t not in _ASKING]
    return not aspects or any(_counts(aspect, candidate) >= _KIN for aspect in aspects)


def _score(candidate: _Candidate, covered: float, part: Part) -> float:
    text = candidate.taken.text
    wanted = _weights(part.query)
    titled = sum(weight for term, weight in wanted.items() if term in candidate.title) / sum(wanted.values())
    score = covered + 0.1 * candidate.worth + _TITLED * titled
    score -= _SHORT_MALUS if len(tokens(text)) < _FEW_WORDS else 0.0
    score += _HAS_WANTED if part.wanted and _has_wanted(text, part.wanted) else 0.0
    if part.wanted in ("", "person") and len(terms(part.query)) <= _SHORT:
        score += _DEFINES if _defines(text, part.query) else 0.0
        score += _LEADS * math.exp(-candidate.taken.place[1] / _LEAD)
    score -= _FOREIGN if is_wide(text) != is_wide(part.text) else 0.0
    return score - (_LEANS if candidate.leans else 0.0)


def _has_wanted(text: str, wanted: Wanted) -> bool:
    if wanted == "time":
        return bool(dates(text))
    if wanted == "number":
        return bool(quantities(text))
    if wanted == "reason":
        return bool(_REASON.search(text))
    return bool(_NAMED.search(text))


def _defines(text: str, query: str) -> bool:
    """Does the sentence say what the thing asked about is?"""
    thing = " ".join(word for word in query.lower().split() if stem(word) not in _ASKING)
    at = text.lower().find(thing)
    return bool(thing) and 0 <= at <= 12 and bool(_IS.match(text, at + len(thing)))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))
