"""A claim laid beside one passage, piece by piece: what is the same, what was put in another's place, lost, or added.

Knows equality of words, quantities and dates.  Does not decide anything: `rules` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.text import dates, numbers
from agent.text.dates import Date
from agent.text.numbers import Quantity
from agent.verify.lexicon import ANTONYMS, words_of
from agent.verify.pieces import Piece

_SIDES = words_of("""
    after before since until till by from nach vor seit bis ab después antes desde hasta après avant depuis
""")
_FOLLOWING = 4  # pieces


@dataclass(frozen=True, slots=True)
class Slot:
    """Where claim and passage part: what each has there (either may be empty)."""

    claimed: tuple[Piece, ...]
    told: tuple[Piece, ...]
    inside: bool  # does the same stand on both sides of it?
    after: bool  # does nothing that is the same follow?
    is_clause: bool = False  # is what the passage has there one or more whole clauses?
    mine_around: tuple[Piece | None, Piece | None] = (None, None)  # the claim's pieces before and after it
    next_told: Piece | None = None  # the passage's piece after it
    following: tuple[Piece, ...] = ()  # the next few of the claim's


@dataclass(frozen=True, slots=True)
class Comparison:
    """`same`: how many pieces stand in both in the same order."""

    claimed: tuple[Piece, ...]
    told: tuple[Piece, ...]
    same: int
    slots: tuple[Slot, ...]
    pairs: tuple[tuple[Piece, Piece], ...] = ()  # what stands in both, as each has it

    @property
    def missing(self) -> list[Piece]:
        """The claim's pieces that the passage has nowhere."""
        return missing(self.claimed, self.told)


def missing(mine: Sequence[Piece], theirs: Sequence[Piece]) -> list[Piece]:
    """The pieces of `mine` that `theirs` has nowhere; both in common keys."""
    have = {piece.key for piece in theirs}
    return [piece for piece in mine if piece.key not in have]


def compare(claimed: Sequence[Piece], told: Sequence[Piece]) -> Comparison:
    mine, theirs = in_common_keys(claimed, told)
    matcher = SequenceMatcher(None, [p.key for p in theirs], [p.key for p in mine], autojunk=False)
    codes = matcher.get_opcodes()
    equal = [code for code in codes if code[0] == "equal"]
    slots = tuple(
        Slot(
            tuple(mine[c:d]),
            tuple(theirs[a:b]),
            inside=bool(equal) and equal[0][1] < a and b < equal[-1][2],
            after=bool(equal) and a >= equal[-1][2],
            is_clause=a < b and theirs[a].opens_clause and (b == len(theirs) or theirs[b].opens_clause),
            mine_around=(mine[c - 1] if c else None, mine[d] if d < len(mine) else None),
            next_told=theirs[b] if b < len(theirs) else None,
            following=tuple(mine[d : d + _FOLLOWING]),
        )
        for tag, a, b, c, d in codes
        if tag != "equal"
    )
    pairs = tuple(pair for _, a, b, c, d in equal for pair in zip(mine[c:d], theirs[a:b], strict=True))
    return Comparison(tuple(mine), tuple(theirs), len(pairs), slots, pairs)


def differ(mine: Piece, theirs: Piece) -> bool:
    """Do two values of one kind exclude each other?"""
    if isinstance(mine.value, Quantity) and isinstance(theirs.value, Quantity):
        return numbers.agree(mine.value, theirs.value) is False
    if isinstance(mine.value, Date) and isinstance(theirs.value, Date):
        return dates.agree(mine.value, theirs.value) is False and not _on_other_sides(mine, theirs)
    if isinstance(mine.value, Quantity) and isinstance(theirs.value, Date):  # `6946` in the place of `1946`
        same_form = mine.text.isdigit() and theirs.text.isdigit() and len(mine.text) == len(theirs.text)
        return same_form and mine.text != theirs.text and not _on_other_sides(mine, theirs)
    return False


def _on_other_sides(mine: Piece, theirs: Piece) -> bool:
    """Is one of two dates the beginning or end of a time, as in "after 2015", and the other is not, or another one?"""
    return mine.before != theirs.before and bool({mine.before, theirs.before} & _SIDES)


def are_antonyms(mine: Piece, theirs: Piece) -> bool:
    return frozenset((mine.key, theirs.key)) in ANTONYMS


def in_common_keys(claimed: Sequence[Piece], told: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """The pieces, with values that agree under one key and all others under keys of their own."""
    theirs = [p._replace(key=f"={index}") if p.value else p for index, p in enumerate(told)]
    free = [piece for piece in theirs if piece.value]
    mine: list[Piece] = []
    for index, piece in enumerate(claimed):
        match = next((other for other in free if _agree(piece, other)), None) if piece.value else None
        if match:
            free.remove(match)
            mine.append(piece._replace(key=match.key))
        else:
            mine.append(piece._replace(key=f"?{index}") if piece.value else piece)
    return mine, theirs


def _agree(mine: Piece, theirs: Piece) -> bool:
    if isinstance(mine.value, Quantity) and isinstance(theirs.value, Quantity):
        return numbers.agree(mine.value, theirs.value) is True
    if isinstance(mine.value, Date) and isinstance(theirs.value, Date):
        return dates.agree(mine.value, theirs.value) is True
    return mine.text == theirs.text
