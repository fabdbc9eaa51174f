"""Whether a passage says what a claim says, decided by rules: *supported*, *refuted*, or *cannot tell*.

Cautious both ways.  Supported: every word, name, number and date of the claim stands in the passage in the same order,
and nothing that would change its sense was lost or added.  Refuted: the passage says the same but for one number, date,
name, opposite or "not".  Everything else, every paraphrase among it, these rules cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from agent.text.dates import Date
from agent.text.prose import prose
from agent.text.sentences import split
from agent.text.words import is_wide, spelling, tokens
from agent.types import Verdict
from agent.verify.arrange import arrangements
from agent.verify.comparison import Comparison, Slot, are_antonyms, compare, differ, in_common_keys, missing
from agent.verify.lexicon import (
    AGAINST,
    AND,
    ARTICLES,
    BOTH,
    CONDITIONS,
    DESCRIBING,
    EITHER,
    FAMILY_NAMES,
    KINDS_OF_BODY,
    KINDS_OF_PLACE,
    NAMED_BEHIND,
    NEGATORS,
    PROVINCES,
    REGIONS,
    ROLES,
    SAYING,
    SUPERLATIVES,
    TITLES,
    WHOSE,
)
from agent.verify.pieces import Piece, is_one_name, pieces

Outcome = Literal["supported", "refuted", "cannot tell"]
VERDICTS: dict[Outcome, Verdict] = {"supported": "supported", "refuted": "refuted", "cannot tell": "unchecked"}

_QUOTED = re.compile(r"[“„«「『\"]([^“”„«»「」『』\"]{3,})[”“»」』\"]")
_SUPERLATIVE = re.compile(r"(?!(?:for|inter|har|hon|pro|re|con|in|sug|di|ar|mod|man)\w*est)[a-z]{3,}est", re.IGNORECASE)
# Of a claim's pieces, how many must stand in the same order before a difference counts as a contradiction.
FRAME = 0.6
_LEAST_FRAME = 3  # pieces, likewise
_QUESTION = re.compile(r"[?？][\"'”’»)\]]*(?:\s|$)|[吗呢](?:[。，,\s]|$)")
_PRONOUN = re.compile(r"(?:it|they|he|she|es|er|sie|ella|él|ellos|il|elle|ils)\b|[它他她]", re.IGNORECASE)
_MOST_BETWEEN = 2  # pieces of the passage between the claim's, where it draws on several sentences
_PREPOSITIONS = frozenset(
    ("in", "at", "on", "during", "since", "for", "im", "am", "seit", "en", "durante", "à", "au", "于", "在")
)
_MUCH = 0.5  # of a claim's pieces in a sentence that may be what the claim means
_LONGEST_WIDE_NAME = 4  # characters
_NEAR = 1  # pieces that may come before the source's value, and not before the claim's
_LEAST_SAID = 2  # pieces a claim must have before it can be called supported


@dataclass(frozen=True, slots=True)
class Ruling:
    outcome: Outcome
    why: str  # in plain words, naming those that decided
    instead: tuple[str, ...] = ()  # the claim's pieces in whose place the source has others


CANNOT_TELL = Ruling("cannot tell", "the rules cannot tell")


def rule(claim: str, passage: str) -> Ruling:
    """The ruling on a claim by one passage of one to three sentences."""
    said, told = prose(claim), _without_questions(prose(passage))
    claimed = pieces(said)
    whole = compare(claimed, pieces(told))
    sentences = [pieces(told[start:end]) for start, end in split(told)]
    parts = [compare(claimed, sentence) for sentence in sentences] if len(sentences) > 1 else [whole]
    if _supports(whole, said, told) and _is_dense(whole) and not _fuses(whole):
        return Ruling("supported", _shared(whole))
    for sentence, part in zip(sentences, parts, strict=False):  # an empty passage has no sentence
        ways = arrangements(claimed, sentence) if _may_be_turned(part) else ()
        if any(_supports(compare(*way), said, told) for way in ways):
            return Ruling("supported", _shared(whole))
    closest = max(parts, key=lambda part: part.same, default=whole)
    acronyms = (_other_acronym(part, before) for part, before in zip(parts, _named_before(told), strict=False))
    return _contradiction(closest, whole) or next(filter(None, acronyms), CANNOT_TELL)


def _without_questions(told: str) -> str:
    """What is asked is not said."""
    if not _QUESTION.search(told):
        return told
    return " ".join(told[start:end] for start, end in split(told) if not _QUESTION.search(told[start:end]))


def rule_on(claim: str, passages: Sequence[str]) -> Ruling:
    """The ruling by the best passages of one source, best first: support anywhere outweighs a contradiction.

    A passage contradicts only where no other has what the claim says in its place: that one may be what is meant.
    """
    rulings = [rule(claim, passage) for passage in passages]
    return first_decided([r for r in rulings if not (r.instead and _stands_elsewhere(r.instead, claim, passages))])


def _stands_elsewhere(instead: Sequence[str], claim: str, passages: Sequence[str]) -> bool:
    """Does a sentence of the passages have one of these pieces, and much of the claim beside?"""
    claimed = pieces(prose(claim))
    for passage in passages:
        told = prose(passage)
        for start, end in split(told):
            lacks = [piece.text for piece in missing(*in_common_keys(claimed, pieces(told[start:end])))]
            if not set(lacks).issuperset(instead) and len(claimed) - len(lacks) >= _MUCH * len(claimed):
                return True
    return False


def first_decided(rulings: Sequence[Ruling]) -> Ruling:
    """The first that supports, else the first that refutes."""
    for outcome in ("supported", "refuted"):
        found = next((r for r in rulings if r.outcome == outcome), None)
        if found:
            return found
    return CANNOT_TELL


# ------------------------------------------------------------------------------------------------- support


def _supports(seen: Comparison, said: str, told: str) -> bool:
    if len(seen.claimed) < _LEAST_SAID or seen.missing or not _quotes_stand(said, told):
        return False
    if any(piece.is_critical for slot in seen.slots for piece in slot.claimed):
        return False
    if _makes_both_of_either(seen):
        return False
    return not _loses_sense(seen) and not _joins_names(seen) and _keeps_order(seen) and _keeps_scope(seen)


def _may_be_turned(seen: Comparison) -> bool:
    """Is there nothing that it lacks but the "by" of a passive?"""
    return all(piece.is_critical for piece in seen.missing)


def _is_dense(seen: Comparison) -> bool:
    """Over several sentences: does the claim take next to nothing out from between its words?"""
    return sum(len(slot.told) for slot in seen.slots if slot.inside) <= _MOST_BETWEEN


def _fuses(seen: Comparison) -> bool:
    """Does the claim make one clause of two sentences, or leave out whom the second is about?"""
    starts = [piece.start for piece in seen.told if piece.opens_sentence]
    for (_, theirs), (next_mine, next_theirs) in pairwise(seen.pairs):
        parted = any(theirs.start < start <= next_theirs.start for start in starts)
        if parted and not (next_theirs.opens_sentence and (next_mine.opens_clause or next_mine.before in AND)):
            return True
    return False


def _joins_names(seen: Comparison) -> bool:
    """Does the claim make one name of two that a comma parts?"""
    return any(
        theirs.opens_clause and is_one_name(before, mine) for (before, _), (mine, theirs) in pairwise(seen.pairs)
    )


def _makes_both_of_either(seen: Comparison) -> bool:
    return any(mine.before in BOTH and theirs.before in EITHER for mine, theirs in seen.pairs)


def _keeps_scope(seen: Comparison) -> bool:
    """Does each "not" and "may" stand before the same word as in the passage?"""
    theirs = set(_with_next(seen.told))
    return all(
        not piece.is_critical or (key, after) in theirs
        for piece, (key, after) in zip(seen.claimed, _with_next(seen.claimed), strict=True)
    )


def _with_next(side: Sequence[Piece]) -> Iterator[tuple[str, str]]:
    """Each piece's key with that of the one after it; empty at the end of a clause."""
    for piece, after in pairwise([*side, None]):
        if piece:
            yield piece.key, after.key if after and not after.opens_clause else ""


def _loses_sense(seen: Comparison) -> bool:
    """Was a "not", an "if", a "may" left out, or what a superlative is limited by?"""
    best = any(piece.key in SUPERLATIVES or _SUPERLATIVE.fullmatch(piece.text) for piece in seen.claimed)
    return any(
        _matters(slot) or _tears(slot) or (best and slot.inside and slot.told and not slot.claimed)
        for slot in seen.slots
    )


def _tears(slot: Slot) -> bool:
    """Does what was left out there stand between two words that go together in the claim?"""
    before, after = slot.mine_around
    if slot.claimed or not slot.told or not slot.inside or before is None or after is None:
        return False
    if slot.next_told and slot.next_told.prefixed:
        return True  # the `bi` of "bi-monthly"
    if isinstance(after.value, Date) and any(isinstance(piece.value, Date) for piece in slot.told):
        return True  # "formed in 1970 under an act of 18 December": the nearer date is the one that counts
    if after.linked and not (slot.next_told and slot.next_told.linked) and not any(p.linked for p in slot.told):
        return True  # "is" where the source says that it does something else
    if _halves(slot):
        return True
    side_by_side = after.start - before.end == 1 and not after.opens_clause
    over_clauses = any(p.opens_clause for p in slot.told[1:]) or bool(slot.next_told and slot.next_told.opens_clause)
    if is_one_name(before, after):
        return not all(piece.is_name for piece in slot.told) or over_clauses
    return side_by_side and over_clauses and not slot.is_clause


def _halves(slot: Slot) -> bool:
    """Does it go from one half of the sentence into the other: "45 crowns for a [car and 120 for a] lorry"?"""
    after = slot.next_told
    if slot.is_clause or (after and (after.conjoined or after.opens_clause)):
        return False
    return any((p.conjoined and (at or p.value)) or (p.opens_clause and at) for at, p in enumerate(slot.told))


def _matters(slot: Slot) -> bool:
    """Does what was left out there change the rest?  A clause of its own, or in brackets, does so but seldom."""
    lost = [piece for piece in slot.told if piece.is_critical and not piece.in_brackets]
    if not slot.claimed and slot.is_clause:
        return any(_is_in(piece, CONDITIONS | SAYING) for piece in lost)
    if not slot.claimed and slot.after:  # "from Rome" may go, the "against" of "voted against it" may not
        return any(not _is_in(p, ROLES - AGAINST) or _is_in(p, CONDITIONS) or p is slot.told[-1] for p in lost)
    return bool(lost) or _changes_subject(slot)


def _changes_subject(slot: Slot) -> bool:
    """Does a clause with a subject of its own begin there and go on with the claim's words?"""
    opening = [piece for piece in slot.told if piece.opens_clause]
    own = any(p.text[0].isupper() or p.before in ARTICLES | WHOSE or is_wide(p.text) for p in opening)
    return slot.inside and not slot.is_clause and own


def _is_in(piece: Piece, words: frozenset[str]) -> bool:
    return spelling(piece.text) in words


def _keeps_order(seen: Comparison) -> bool:
    """Is all of the claim in the passage's order?  Words after the same preposition may have moved."""
    return all(not slot.claimed or (not slot.told and _moved_whole(slot, seen)) for slot in seen.slots)


def _moved_whole(slot: Slot, seen: Comparison) -> bool:
    """Do these pieces stand together elsewhere in the passage, behind the same preposition?"""
    keys = [piece.key for piece in slot.claimed]
    theirs = [piece.key for piece in seen.told]
    before = slot.claimed[0].before
    if any(isinstance(piece.value, Date) for piece in slot.claimed):
        return False  # of two dates one may be another's: `arrange` looks at that
    starts = [at for at in range(len(theirs) - len(keys) + 1) if theirs[at : at + len(keys)] == keys]
    return before in _PREPOSITIONS and any(seen.told[at].before == before for at in starts)


def _quotes_stand(said: str, told: str) -> bool:
    """What the claim puts in quotation marks must stand in the passage word for word."""
    theirs = " ".join(token.word for token in tokens(told))
    return all(" ".join(token.word for token in tokens(quoted)) in theirs for quoted in _quoted(said))


def _quoted(said: str) -> list[str]:
    return [quoted[1] for quoted in _QUOTED.finditer(said)]


def _shared(seen: Comparison) -> str:
    figures = [piece.text for piece in seen.claimed if piece.value or piece.is_name]
    return (
        f"the source says it in the same words: {', '.join(dict.fromkeys(figures))}"
        if figures
        else "the source says it in the same words"
    )


# ------------------------------------------------------------------------------------------------- contradiction


def _contradiction(seen: Comparison, whole: Comparison) -> Ruling | None:
    """How the passage contradicts the claim, if it does."""
    size = len(seen.claimed)
    alike = len(seen.told) <= size + 2  # short sentences: then the rest must be the same
    if seen.same < (_LEAST_FRAME - 1 if alike else _LEAST_FRAME) or seen.same < FRAME * size:
        return None
    odd = [slot for slot in seen.slots if slot.claimed]
    for slot in seen.slots:
        told = _in_slot(slot, seen, whole)
        if told:
            others = [s for s in odd if s is not slot and not _is_light(s)]
            instead = tuple(p.text for p in slot.claimed if p.value or p.is_name)
            return Ruling("refuted", told, instead) if not others else None
    return None


def _is_light(slot: Slot) -> bool:
    return all(not (p.value or p.is_name or p.is_critical) for p in slot.claimed) and len(slot.claimed) <= 1


def _in_slot(slot: Slot, seen: Comparison, whole: Comparison) -> str:
    for decide in (_other_value, _negated, _opposite, _other_name, _other_wide_name):
        told = decide(slot, seen, whole)
        if told:
            return told
    return ""


def _other_value(slot: Slot, seen: Comparison, whole: Comparison) -> str:
    """A number or date in the place of another."""
    values = [piece for piece in slot.claimed if piece.value]
    theirs = [piece for piece in slot.told if piece.value]
    if len(values) != 1 or len(theirs) != 1 or values[0].key in {p.key for p in whole.told}:
        return ""
    if slot.told.index(theirs[0]) > slot.claimed.index(values[0]) + _NEAR:
        return ""  # it comes later in the source, and belongs to something else
    return f"the source says “{theirs[0].text}”, not “{values[0].text}”" if differ(values[0], theirs[0]) else ""


def _negated(slot: Slot, seen: Comparison, whole: Comparison) -> str:
    """A "not" on one side only, and nothing else there."""
    mine = [p for p in slot.claimed if _is_negator(p)]
    theirs = [p for p in slot.told if _is_negator(p)]
    if (len(mine) + len(theirs)) % 2 == 0 or len(slot.claimed) > len(mine) or len(slot.told) > len(theirs):
        return ""
    others = [p for other in seen.slots if other is not slot for p in (*other.claimed, *other.told)]
    if any(_is_negator(p) for p in others):
        return ""  # another "not" may be this one in another place
    rest = len(seen.claimed) - len(mine)
    if seen.same < (rest - 1 if slot.inside else rest):
        return ""
    if mine:
        return f"the source says it without “{mine[0].text}”"
    return f"the source says “{theirs[0].text}”"


def _opposite(slot: Slot, seen: Comparison, whole: Comparison) -> str:
    if len(slot.claimed) == len(slot.told) == 1 and are_antonyms(slot.claimed[0], slot.told[0]):
        return f"the source says “{slot.told[0].text}”, not “{slot.claimed[0].text}”"
    return ""


def _other_name(slot: Slot, seen: Comparison, whole: Comparison) -> str:
    """A name in the place of another, or two names in each other's place."""
    mine, theirs = list(slot.claimed), list(slot.told)
    if not mine or not theirs or not all(p.is_name for p in (*mine, *theirs)) or _same_name(mine, theirs):
        return ""
    have = {p.key for p in whole.told}
    if any(p.key in have for p in mine) or _may_hold(mine, theirs):
        return ""
    return f"the source says “{_text(theirs)}”, not “{_text(mine)}”"


def _other_wide_name(slot: Slot, seen: Comparison, whole: Comparison) -> str:
    """Likewise in a script without capitals, where what stands around tells that both are names."""
    mine, theirs = _text(slot.claimed, ""), _text(slot.told, "")
    if not mine or not theirs or len(slot.claimed) > _LONGEST_WIDE_NAME or len(slot.told) > _LONGEST_WIDE_NAME:
        return ""
    if not all(is_wide(c) and c not in DESCRIBING for c in mine + theirs) or {p.key for p in slot.claimed} & {
        p.key for p in whole.told
    }:
        return ""
    placed = all(_is_named_there(side[0]) for side in (slot.claimed, slot.told))
    kind = _text(slot.following, "")
    short = min(len(mine), len(theirs)) < 2
    are_people = mine[0] in FAMILY_NAMES and theirs[0] in FAMILY_NAMES and not short
    are_called = kind[:1] in KINDS_OF_PLACE if short else not KINDS_OF_BODY.isdisjoint(kind)
    return f"the source says “{theirs}”, not “{mine}”" if placed and (are_people or are_called) else ""


def _is_named_there(piece: Piece) -> bool:
    """Does it stand where a name does: at the head of a clause, or behind a title or a preposition?"""
    return piece.opens_clause or not piece.before or piece.before in NAMED_BEHIND | TITLES


def _named_before(told: str) -> Iterator[frozenset[str]]:
    """For each sentence, what its "it" may stand for: what is named in the sentence before."""
    before: frozenset[str] = frozenset()
    for start, end in split(told):
        sentence = told[start:end]
        yield before if _PRONOUN.match(sentence) else frozenset()
        before = frozenset(piece.key for piece in pieces(sentence))


def _other_acronym(seen: Comparison, meant: frozenset[str]) -> Ruling | None:
    """All of the claim in any order, but for one name in capitals: before the same word the sentence has another.

    `meant`: what the sentence's pronoun may stand for.
    """
    missing = [piece for piece in seen.missing if not (piece.is_name and piece.key in meant)]
    negated = any(map(_is_negator, (*seen.claimed, *seen.told)))
    if len(missing) != 1 or negated or len(seen.claimed) <= _LEAST_FRAME or not _is_acronym(missing[0]):
        return None
    mine = missing[0]
    head = next((after for one, after in pairwise(seen.claimed) if one is mine and _is_beside(one, after)), None)
    rivals = [
        one
        for one, after in pairwise(seen.told)
        if head and after.key == head.key and _is_beside(one, after) and _is_acronym(one)
    ]
    if len(rivals) != 1 or _same_name([mine], rivals):
        return None
    return Ruling("refuted", f"the source says “{rivals[0].text}”, not “{mine.text}”", (mine.text,))


def _is_acronym(piece: Piece) -> bool:
    return piece.is_name and len(piece.text) > 1 and piece.text.isalpha() and piece.text.isupper()


def _is_beside(one: Piece, after: Piece) -> bool:
    return after.start - one.end == 1 and not after.opens_clause


def _may_hold(mine: Sequence[Piece], theirs: Sequence[Piece]) -> bool:
    """Is the claim's the larger: a country or the like, or a province?  Then the one may lie in the other."""
    return _size(mine[-1]) > _size(theirs[-1])


def _size(place: Piece) -> int:
    return 2 if _is_in(place, REGIONS) else 1 if _is_in(place, PROVINCES) else 0


def _same_name(mine: Sequence[Piece], theirs: Sequence[Piece]) -> bool:
    """Is one a part, a spelling or the initials of the other?"""
    one, other = [p.key for p in mine], [p.key for p in theirs]
    if set(one) & set(other):
        return True
    joined, joined_other = "".join(one), "".join(other)
    initials, initials_other = "".join(w[0] for w in one), "".join(w[0] for w in other)
    return joined in (joined_other, initials_other) or joined_other == initials or joined[:4] == joined_other[:4]


def _is_negator(piece: Piece) -> bool:
    return _is_in(piece, NEGATORS)


def _text(listed: Sequence[Piece], between: str = " ") -> str:
    return between.join(piece.text for piece in listed)
