"""How well the lines of pages answer a question: one soft score for each stretch of them, and how far to trust it.

A line is a sentence or a list's item.  Its words count by how rare they are among all lines; a word counts in full in
the stretch that is quoted, and less in the title, the heading or elsewhere in the passage.  Where an embedder reads the
question, nearness in meaning counts as much.  Nothing is a gate, and no word of any language is listed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from agent.text.citation_marks import prose
from agent.text.markdown import Kind, blocks
from agent.text.question_parts import has_pronoun
from agent.text.sentences import in_block
from agent.text.tokens import is_wide, terms, tokens
from agent.types import Evidence, Passage

Cosines = Mapping[str, float]  # a text -> its cosine to the question; without what cannot be compared

ANSWERS, NEAR = 0.6, 0.25  # trust: from the first on a stretch answers, from the second on it comes near
_NAMED = 1.5  # what a name counts against another word
_AROUND, _PASSAGE = 0.7, 0.45  # what a word counts in title or heading, and elsewhere in the passage
_MEANING = 1.5  # what a cosine counts against the share of words
_FAR_BELOW = 0.8  # of the best one's score
_TRIED = 4  # times as many lines as stretches are wanted
_MOST_ITEMS = 12
_LONGER = 0.15  # what each further line of a stretch costs
_OWN = 0.6  # of a line's cosine is its own, the rest that of the line below its title
_LEANS = 0.05  # what it costs to open with "it" or the like
_FIGURE = 0.2  # what a figure adds where one is asked for
_MOST_LINES = 3
_SAME = 0.6  # of the shorter one's words: two stretches that say the same
_KIN = 5  # letters that two forms of a word begin with, at least
_SHORTEST, _LONGEST = 25, 600  # characters of a line
_WIDE_SHORTEST = 10
_WORDS = 12  # of a question: more do not lower the trust further
_DIGITS = re.compile(r"\d[\d.,]*")
_ASKS_FIGURE = re.compile(
    r"\b(?:when|how (?:many|much|long|old|far|tall|big|high|often)|wann|wie (?:viele?|lange|alt|weit|hoch|groß|oft)"
    r"|cuándo|cuánt\w+|quand|combien|quando|quant[oaie])\b|когда|сколько|何时|什么时候|多少|几|哪一?年|いつ|いくつ|متى|كم",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"[\"“”„«»「」『』]")
_STOP = re.compile(r"[.!。！…।۔؟?？][\"'”’»)\]」』）*_]*$")
_REFERENCE = re.compile(  # … and captions
    r"\b(?:doi|isbn|issn|pp\.|et al\.|arxiv)\b|©|^\W*\^|\bretrieved \d|^\W*\d+\. [A-Z][\w-]+, [A-Z]\."
    r"|^(?:fig(?:ure|\.)|table|abb(?:ildung|\.)|tab\.) ?\d",
    re.IGNORECASE,
)
# What pages say of themselves, to programs that read them, and to whoever came for something else.
_ABOUT_ITSELF = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instructions?|prompts?)\b"
    r"|\b(?:ai|llms?|assistants?|chatbots?|language models?)\b.{0,60}\b(?:must|should|shall|please)\b"
    r"|\b(?:cookies?|newsletter|privacy policy|subscribe to)\b|^(?:task|exercise|homework)\b"
    r"|\b(?:this|dieser|diesem|cet) (?:page|article|post|guide|section|tutorial|video|artikel|beitrag)\b|本文",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?？؟][\"'”’»)\]」』）*_]*$")


@dataclass(frozen=True, slots=True)
class TextLine:
    """`text` as read.  `place`: rank of its source, passage, line; neighbours differ by 1 in the last."""

    text: str
    source: int
    place: tuple[int, int, int]
    terms: frozenset[str]
    around: frozenset[str]  # of title and heading
    passage: frozenset[str]
    titled: str  # with its page's title and what introduces it, which say what it is about
    hides: bool = False  # its source hides its text
    opening: str | None = None  # of a list's item: what introduces the list, "" for nothing


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring lines of one passage, or a whole list; `best` of them is nearest to the question."""

    lines: tuple[TextLine, ...]
    best: TextLine
    score: float  # comparable among the stretches for one question
    trust: float  # 0..1: how likely it answers


def lines(evidence: Sequence[Evidence]) -> list[TextLine]:
    """In the order of the evidence; what is no prose of the page is left out."""
    return [
        line
        for rank, one in enumerate(evidence)
        for number, passage in enumerate(one.passages)
        for line in _of(one, passage, (rank, number))
    ]


def _of(evidence: Evidence, passage: Passage, place: tuple[int, int]) -> Iterator[TextLine]:
    title, near = frozenset(terms(evidence.source.title)), frozenset(terms(passage.text))
    heading, opening, at = "", "", 0
    for kind, start, end in _pieces(passage.text):
        text = prose(passage.text[start:end])
        is_item, opens = kind == "item", start == 0 and passage.start > 0
        at += 1
        if kind == "heading":
            heading = opening = text
        elif _is_prose(text, opens=opens, is_item=is_item):
            around, source = title.union(terms(heading)), evidence.source
            found = frozenset(terms(f"{opening} {text}" if is_item else text))  # it is shown with its list
            opened = opening if is_item else None
            titled = ": ".join(filter(None, [source.title, opened, text]))
            yield TextLine(text, source.number, (*place, at), found, around, near, titled, source.suspect, opened)
            opening = opening if is_item else ""
            continue
        else:
            opening = text if text.endswith((":", "：")) else ""
        at += 1  # nothing goes on across what is left out


def _pieces(text: str) -> Iterator[tuple[Kind, int, int]]:
    """A text's headings and sentences; a list's item is one piece, however many sentences it has."""
    for block in blocks(text):
        if block.kind == "item":
            yield block
        elif block.kind != "row":
            yield from ((sentence.kind, sentence.start, sentence.end) for sentence in in_block(text, block))


def _is_prose(text: str, *, opens: bool, is_item: bool) -> bool:
    """A sentence of the page: no label, list of references, code, question, or half a sentence; or a list's item."""
    least = (_WIDE_SHORTEST if is_wide(text) else _SHORTEST) if not is_item else 2
    if not least <= len(text) <= _LONGEST or not (is_item or _STOP.search(text)) or _QUESTION.search(text):
        return False
    if len(_QUOTES.findall(text)) % 2:
        return False  # half of what somebody says
    if (opens and text[0].islower()) or _REFERENCE.search(text) or _ABOUT_ITSELF.search(text):
        return False
    letters = sum(char.isalpha() or char.isspace() for char in text)
    return letters >= 0.7 * len(text) and "://" not in text


def trust(question: str, said: Sequence[str]) -> float:
    """How likely one of these texts answers the question, by its words alone."""
    found = [
        TextLine(text, 0, (at, 0, 0), frozenset(terms(text)), frozenset(), frozenset(), "")
        for at, text in enumerate(said)
    ]
    return max((one.trust for one in stretches(QuestionWeights(question, found), found, 1)), default=0.0)


class QuestionWeights:
    """A question's words against lines.  `text`: the question, or a part of it."""

    def __init__(self, text: str, found: Sequence[TextLine], cosines: Cosines | None = None) -> None:
        self.cosines = cosines or {}
        counts = Counter(term for line in found for term in line.terms)
        size, names = len(found), _namelike(text)
        self._asks_figure, self._figures = bool(_ASKS_FIGURE.search(text)), set(_DIGITS.findall(text))
        self.weights: dict[str, float] = {}
        self._forms: dict[str, frozenset[str]] = {}
        for term in dict.fromkeys(terms(text)):
            forms = frozenset(other for other in counts if other == term or _are_kin(term, other))
            having = max((counts[form] for form in forms), default=0)
            self.weights[term] = math.log(1 + (size + 1) / (having + 0.5)) * (_NAMED if term in names else 1.0)
            self._forms[term] = forms | {term}
        self._total = sum(self.weights.values()) or 1.0

    def counts(self, stretch: Sequence[TextLine]) -> dict[str, float]:
        """What of each word of the question a stretch has, 0..1."""
        inside = frozenset().union(*(line.terms for line in stretch))
        first = stretch[0]
        return {
            term: 1.0
            if forms & inside
            else _AROUND
            if forms & first.around
            else _PASSAGE
            if forms & first.passage
            else 0.0
            for term, forms in self._forms.items()
        }

    def covered(self, counts: Mapping[str, float]) -> float:
        return sum(self.weights[term] * count for term, count in counts.items()) / self._total

    def score(self, line: TextLine) -> float:
        score = self.covered(self.counts([line])) + _MEANING * (self.cosine(line) or 0.0) - _LEANS * leans(line.text)
        return score + _FIGURE * self.has_figure([line])

    def has_figure(self, stretch: Sequence[TextLine]) -> bool:
        """Where a time or a number is asked for: is there one that the question does not have?"""
        return self._asks_figure and any(set(_DIGITS.findall(line.text)) - self._figures for line in stretch)

    def cosine(self, line: TextLine) -> float | None:
        """Of the line's own and of the line's below its title; None where there is none."""
        own, titled = self.cosines.get(line.text), self.cosines.get(line.titled)
        return own if own is None or titled is None else _OWN * own + (1 - _OWN) * titled

    def stretch(self, around: Sequence[TextLine], best: TextLine) -> Stretch:
        covered, cosine = self.covered(self.counts(around)), self.cosine(best)
        further = len(around) - 1 if best.opening is None else 0  # a list is one thing
        score = covered + _MEANING * (cosine or 0.0) - _LONGER * further - _LEANS * leans(around[0].text)
        score += _FIGURE * self.has_figure(around)
        return Stretch(tuple(around), best, score, self._trust(covered, cosine, wide=is_wide(best.text)))

    def _trust(self, covered: float, cosine: float | None, *, wide: bool) -> float:
        """Fitted by logistic regression on halves of ClapNQ, XQuAD and HotpotQA: with and without the answer."""
        size = min(len(self.weights), _WORDS)
        if cosine is not None:  # the more a question says, the less likely one sentence answers all of it
            return _logistic(3.9 * covered + 8.1 * cosine - 0.25 * size - 5.3)
        return _logistic(16.3 * covered - 3.8) if wide else _logistic(8.6 * covered + 0.2 * size - 4.6)


def _namelike(text: str) -> frozenset[str]:
    """The words with a capital, the first one aside: what a question is about, more than what it asks."""
    return frozenset(token.word for token in tokens(text)[1:] if text[token.start].isupper())


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def worth_comparing(weighings: Sequence[QuestionWeights], found: Sequence[TextLine], limit: int) -> list[str]:
    """The texts whose meaning is to be looked at, two of each line: each question takes its best by words in turn."""
    orders = [sorted(found, key=lambda line: -one.score(line)) for one in weighings]
    chosen = list(dict.fromkeys(line for turn in zip(*orders, strict=True) for line in turn))[: limit // 2]
    return list(dict.fromkeys(text for line in chosen for text in (line.text, line.titled)))


def stretches(weighing: QuestionWeights, found: Sequence[TextLine], most: int) -> list[Stretch]:
    """The best stretches, best first, no two with a line in common or that say the same; hidden text comes last."""
    scores = {line.place: weighing.score(line) for line in found}
    known = [line for line in found if weighing.cosine(line) is not None] or found
    order = sorted(known, key=lambda line: (line.hides, -scores[line.place]))
    at = {line.place: line for line in found}
    widened = [
        max((weighing.stretch(window, line) for window in _windows(line, at)), key=lambda stretch: stretch.score)
        for line in order[: _TRIED * most]
    ]
    chosen: list[Stretch] = []
    for stretch in sorted(widened, key=lambda stretch: (stretch.best.hides, -stretch.score)):
        near = not chosen or stretch.score >= _FAR_BELOW * chosen[0].score
        if len(chosen) < most and near and not any(_say_the_same(stretch, other) for other in chosen):
            chosen.append(stretch)
    return chosen


def _windows(line: TextLine, at: Mapping[tuple[int, int, int], TextLine]) -> Iterator[list[TextLine]]:
    """The runs of neighbours that a line stands in; of a list's item, the list."""
    rank, passage, place = line.place

    def other(by: int) -> TextLine | None:
        found = at.get((rank, passage, place + by))
        return found if found and found.opening == line.opening else None

    if line.opening is not None:
        before = list(takewhile(bool, map(other, range(-1, -_MOST_ITEMS, -1))))
        yield [*reversed(before), line, *takewhile(bool, map(other, range(1, _MOST_ITEMS)))]  # type: ignore[list-item]
        return
    for first in range(1 - _MOST_LINES, 1):
        for last in range(first + _MOST_LINES):
            window = [other(by) for by in range(first, last + 1)] if last else [*map(other, range(first, 0)), line]
            if all(window):
                yield window  # type: ignore[misc]


def leans(text: str) -> bool:
    """Does it open with a word that stands for something said before it?"""
    return has_pronoun(" ".join(text.split(None, 3)[:3])) and not is_wide(text)


def _say_the_same(one: Stretch, other: Stretch) -> bool:
    if {line.place for line in one.lines} & {line.place for line in other.lines}:
        return True
    mine, theirs = (frozenset().union(*(line.terms for line in each.lines)) for each in (one, other))
    return len(mine & theirs) > _SAME * min(len(mine), len(theirs))


def _are_kin(one: str, other: str) -> bool:
    """`invent` and `invention`: alike but for a few letters at the end."""
    if one[:_KIN] != other[:_KIN] or len(one) < _KIN:
        return one.removesuffix("s") == other.removesuffix("s") and one[:1].isdigit()
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    shorter, longer = sorted((len(one), len(other)))
    return shorter - shared <= (1 if shared == _KIN else 2) and longer - shared <= 4
