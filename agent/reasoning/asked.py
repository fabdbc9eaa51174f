"""What one part of a question asks for, and how well a sentence meets it.

Knows the part's words and what each counts, and what each sign of an answer is worth.  Does not know the other
sentences.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from agent.reasoning.candidates import Candidate
from agent.reasoning.signs import announces, defines, may_tell, tells
from agent.text.language import detect
from agent.text.questions import Part
from agent.text.words import is_wide, stem, terms, tokens


def _stemmed(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


# Chosen on the even half of 300 answerable, 300 swapped and 300 unanswerable questions of ClapNQ's dev set.
_COVERED = 0.5  # of a part's weight: less than that is no answer
_COVERED_WIDE = 0.4  # likewise of pairs of characters, of which some run over the ends of words
_MEANING = 0.5  # what a cosine counts against the share of words …
_USUAL = 0.5  # … above or below this one
_MEANS_IT = 0.6  # a cosine from which a sentence need not have the part's very words
_MOST_NAMES = 0.6  # of the names in a part
_NEARBY = 0.65  # what a term counts that stands in another form, in the heading, the title or the sentence leaned on
_FROM_PASSAGE = 0.4  # likewise one that stands elsewhere in the passage
_KIN = 5  # letters that two words of one family begin with, at least
_ASKS = 0.4  # what a word counts that asks more than it names
_ASKING = _stemmed("""
    meaning mean means meant get got take takes place come comes happen happened help role purpose way kind type cause
    causes reason called name use used uses difference explain work works advantages tell become made make good
    known bedeutet bedeutung heißt funktioniert verwenden verwendet benutzen nutzt einstellen
    significa significado sirve funciona signifie marche
""")
# Bonus and malus, in shares of a part's weight.
_TELLS = 0.2  # it has what is asked for …
_TELLS_WAY = 0.3  # … or says by what means, where it is asked how: fewer sentences do
_DEFINES = 0.3  # it says what the thing is
_LEADS, _LEAD = 0.2, 1_500  # the beginning of a page about the thing, where it says what that is; characters
_WORTH = 0.1  # of its source
_LEANS = 0.15  # only the sentence before makes it clear
_FOREIGN = 0.25  # another script than the question's
_VARIANT = 0.3  # about `R1-Zero` where `R1` is asked about
_OTHERS = 0.4  # all that another part of the question asks about, and this one does not
_ANNOUNCES = 0.3  # it says what follows instead of saying it
_NAMELIKE = re.compile(r"[A-ZÀ-Þ\d]")
_CODE = re.compile(r"\d|[A-Z].*[A-Z]")


@dataclass(frozen=True, slots=True)
class Asked:
    """`weights`: term -> what it counts; `names`: those of them that are names; `cosines`: see `digest.Alike`."""

    part: Part
    weights: Mapping[str, float]
    names: frozenset[str]
    cosines: Mapping[str, float]

    @property
    def aspects(self) -> frozenset[str]:
        """What is asked about the names."""
        return frozenset(self.weights.keys() - self.names - _ASKING)

    def covered(self, candidate: Candidate) -> float:
        """0..1: the share of the part's weight that the sentence has, and in part what stands around it."""
        total = sum(self.weights.values())
        return sum(w * _counts(term, candidate) for term, w in self.weights.items()) / total if total else 0.0

    def is_answered_by(self, candidate: Candidate) -> bool:
        least = _COVERED_WIDE if is_wide(self.part.query) else _COVERED
        return (
            self._fits(candidate) >= least
            and self._has_names(candidate)
            and self._is_on_it(candidate)
            and may_tell(candidate.taken.text, self.part)
        )

    def score(self, candidate: Candidate, others: Sequence[Asked] = ()) -> float:
        """Comparable among the sentences that answer this part; `others`: the other parts of the question."""
        text, part = candidate.taken.text, self.part
        score = self._fits(candidate) + _WORTH * candidate.worth
        score += (_TELLS_WAY if part.wanted == "way" else _TELLS) if tells(text, part) else 0.0
        if part.wanted == "definition":
            score += _DEFINES if defines(text, _thing(part.query)) else 0.0
            score += _LEADS * self._titled(candidate) * math.exp(-candidate.taken.place[1] / _LEAD)
        return score - self._malus(candidate) - _OTHERS * self._bent(others, candidate)

    def _fits(self, candidate: Candidate) -> float:
        """`covered`, mended by meaning where that is known."""
        cosine = self.cosines.get(candidate.taken.text)
        return self.covered(candidate) + (0.0 if cosine is None else _MEANING * (cosine - _USUAL))

    def _malus(self, candidate: Candidate) -> float:
        text = candidate.taken.text
        malus = _LEANS if candidate.leans else 0.0
        malus += _FOREIGN if is_wide(text) != is_wide(self.part.text) else 0.0
        malus += _ANNOUNCES if announces(text) else 0.0
        return malus + (_VARIANT if self._speaks_of_variant(text) else 0.0)

    def _bent(self, others: Sequence[Asked], candidate: Candidate) -> float:
        """0..1: how much a sentence has of what another part asks about and this one does not; names do not tell.

        Half is no more than chance.
        """
        shares = [_share(other.aspects - self.weights.keys(), other.weights, candidate) for other in others]
        return max([0.0, *(2 * share - 1 for share in shares)])

    def _titled(self, candidate: Candidate) -> float:
        """0..1: how much of the part is in the page's title."""
        return sum(w for term, w in self.weights.items() if term in candidate.title) / sum(self.weights.values())

    def _has_names(self, candidate: Candidate) -> bool:
        """Are most names asked about in the sentence or its page's title?  Another thing's price is no answer."""
        known = [name for name in self.names if _counts(name, candidate) >= _NEARBY]
        return len(known) >= _MOST_NAMES * len(self.names)

    def _is_on_it(self, candidate: Candidate) -> bool:
        """Does the sentence itself have something of what is asked *about* the names and the page's subject?

        What stands around it, a heading say, counts for that only where it has all of it.
        By meaning, too, unless a number is asked for: all numbers of one matter mean about the same.
        """
        aspects = [t for t in self.weights if t not in self.names and t not in candidate.title and t not in _ASKING]
        means_it = self.cosines.get(candidate.taken.text, 0.0) >= _MEANS_IT and self.part.wanted != "number"
        if not aspects or means_it or any(_has(aspect, candidate) for aspect in aspects):
            return True
        return all(_counts(aspect, candidate) >= _NEARBY for aspect in aspects)  # `sources` alone is not `open source`

    def _speaks_of_variant(self, text: str) -> bool:
        """Has it a name asked about only with more joined to it: `R1-Zero` for `R1`?"""
        codes = {word for word in self.part.query.split() if any(char.isdigit() for char in word)}
        return any(
            re.search(rf"{re.escape(code)}-\w", text) and not re.search(rf"{re.escape(code)}(?![-\w])", text)
            for code in codes
        )


def asked(part: Part, rarity: Mapping[str, float], cosines: Mapping[str, float]) -> Asked:
    """`rarity`: term -> what it counts among these sentences; a name that is asked about counts in full."""
    found = terms(part.query)
    names = _names(part.query).intersection(found)
    rare = {term: 1.0 if term in names else rarity.get(term, 1.0) for term in found}
    return Asked(part, {t: worth * (_ASKS if t in _ASKING else 1.0) for t, worth in rare.items()}, names, cosines)


def _names(query: str) -> frozenset[str]:
    """In German every noun has a capital, so only what has a digit or several capitals is surely a name."""
    pattern = _CODE if detect(query) == "de" else _NAMELIKE
    found = ((t.word, query[t.start : t.end]) for t in tokens(query))
    return frozenset(word for word, written in found if pattern.search(written) and not is_wide(word))


def _thing(query: str) -> str:
    return " ".join(word for word in query.lower().split() if stem(word) not in _ASKING)


def _counts(term: str, candidate: Candidate) -> float:
    if term in candidate.terms:
        return 1.0
    around = (candidate.heading, candidate.title, candidate.before.terms if candidate.before else ())
    if any(term in found for found in around) or _has(term, candidate):
        return _NEARBY
    return _FROM_PASSAGE if term in candidate.near else 0.0


def _share(terms: frozenset[str], weights: Mapping[str, float], candidate: Candidate) -> float:
    """0..1, of the terms' weight; 0.0 for fewer than two, which any sentence may have by chance."""
    total = sum(weights[term] for term in terms)
    return sum(weights[term] for term in terms if term in candidate.terms) / total if len(terms) > 1 else 0.0


def _has(term: str, candidate: Candidate) -> bool:
    """Does it stand in the sentence itself, if in another form?"""
    return term in candidate.terms or any(_are_kin(term, other) for other in candidate.terms)


def _are_kin(one: str, other: str) -> bool:
    """`invent` and `invention`, `expand` and `expansion`: alike but for a few letters at the end."""
    if one[:_KIN] != other[:_KIN] or len(one) < _KIN:
        return False
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    shorter, longer = sorted((len(one), len(other)))
    return shorter - shared <= (1 if shared == _KIN else 2) and longer - shared <= 4
