"""A cell of the answer's table, decided by the source: by the same cell of a table there, or by a sentence.

Heads are context: they say which cell is meant, in whatever order and language, and never decide by themselves.  So a
cell is refuted only where the source's table has the same row and the same column, and another value there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.text.numbers import Quantity
from agent.text.prose import prose
from agent.text.sentences import split
from agent.types import Claim
from agent.verify.comparison import Comparison, compare, differ
from agent.verify.pieces import Piece, pieces
from agent.verify.rules import CANNOT_TELL, Ruling, first_decided

_UNIT_IN_HEAD = re.compile(
    r"[%‰$€£¥()（）°]|\b(?:in|per|pro|por|k|m|b|bn|mio|mrd|tsd|thousands?|millions?|billions?|millionen|milliarden|"
    r"millones|usd|eur|gb|mb|km|kg|ms)\b|[万亿億萬千元美]",
    re.IGNORECASE,
)
_DIVIDER = " / "  # between a row's head and a column's in `Claim.about`


@dataclass(frozen=True, slots=True)
class Told:
    """What a source has for a cell: a row of a table with the table's heads, or prose (then both are empty)."""

    text: str
    heads: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


def rule_on_cell(claim: Claim, told: Sequence[Told]) -> Ruling:
    """The ruling by the best passages of one source: support anywhere outweighs a contradiction."""
    return first_decided([_rule(claim, one) for one in told])


def heads_of(claim: Claim) -> list[str]:
    """The heads of the claim's row and column; one where the table has only one of them."""
    return (claim.about or "").split(_DIVIDER)


def _rule(claim: Claim, told: Told) -> Ruling:
    if not told.cells:
        return _by_prose(claim, told.text)
    said = pieces(prose(claim.text))
    for row, column in _pairs(claim):
        for theirs, head in _same_cells(row, column, told):
            ruling = _by_cell(said, theirs, f"{head} {column} {row}")
            if ruling is not CANNOT_TELL:
                return ruling
    return CANNOT_TELL


def _pairs(claim: Claim) -> Iterator[tuple[str, str]]:
    """What may be the row's head and the column's: a head may hold a stroke, too, and the source's table be turned."""
    parts = heads_of(claim)
    for at in range(1, len(parts)):
        row, column = _DIVIDER.join(parts[:at]), _DIVIDER.join(parts[at:])
        yield row, column
        yield column, row


def _same_cells(row: str, column: str, told: Told) -> Iterator[tuple[str, str]]:
    """The cells of the source's row that stand under the same head, with that head; none if the row is another."""
    wanted, under = _keys(row), _keys(column)
    named = [at for at in range(len(told.cells)) if _names(told.cells, at, wanted)]
    if not named or not wanted:
        return
    others = [at for at in range(min(len(told.cells), len(told.heads))) if at != named[0]]
    same = [at for at in others if under and set(under) <= set(_keys(told.heads[at]))]
    exact = [at for at in same if _keys(told.heads[at]) == under]
    for at in exact or (same if len(same) == 1 else []):
        yield told.cells[at], told.heads[at]


def _names(cells: Sequence[str], at: int, wanted: Sequence[str]) -> bool:
    """Is the cell, or the cell with the one after it, what the row is called?"""
    return wanted in (_keys(cells[at]), _keys(" ".join(cells[at : at + 2])))


def _keys(text: str) -> list[str]:
    return sorted(piece.key for piece in pieces(prose(text)))


def _by_cell(said: Sequence[Piece], theirs: str, heads: str) -> Ruling:
    told = pieces(prose(theirs))
    seen = compare(said, told)
    left_out = [p for slot in seen.slots for p in (*slot.claimed, *slot.told)]
    if said and not seen.missing and not any(p.is_critical or p.is_name for p in left_out):
        return Ruling("supported", f"the source's table has “{theirs.strip()}” there")
    if _is_other(seen) and not _UNIT_IN_HEAD.search(heads):
        return Ruling("refuted", f"the source's table has “{theirs.strip()}” there")
    return CANNOT_TELL


def _is_other(seen: Comparison) -> bool:
    """Is it another value, or another name with a number in it?  Other words may be another language's."""
    mine = [p for p in seen.claimed if p.value]
    theirs = [p for p in seen.told if p.value]
    if len(mine) == len(theirs) == 1:
        return differ(mine[0], theirs[0])
    if mine or theirs or seen.same:
        return False
    return all(
        any(c.isdigit() for p in side for c in p.text) and _is_a_name(side) for side in (seen.claimed, seen.told)
    )


def _is_a_name(side: Sequence[Piece]) -> bool:
    return bool(side) and side[-1].end - side[0].start == sum(p.end - p.start for p in side) + len(side) - 1


def _by_prose(claim: Claim, text: str) -> Ruling:
    """Supported where one sentence has heads and cell, and nothing beside that could have been meant instead."""
    said = pieces(prose(claim.text))
    heads = pieces(prose((claim.about or "").replace(_DIVIDER, "; ")))
    told = prose(text)
    for start, end in split(told):
        sentence = pieces(told[start:end])
        seen = compare(said, sentence)
        have = {p.key for p in compare(heads, sentence).told}
        named = all(p.key in have for p in compare(heads, sentence).claimed)
        if said and heads and named and not seen.missing and not _has_rival(seen, heads, sentence):
            return Ruling("supported", "the source says it in the same words")
    return CANNOT_TELL


def _has_rival(seen: Comparison, heads: Sequence[Piece], sentence: Sequence[Piece]) -> bool:
    """Is there a "not" or a "may" in the sentence, or another value or name of the cell's kind, if it is no head?"""
    own, headed = {p.key for p in seen.claimed}, {p.key for p in compare(heads, sentence).claimed}
    kinds = {_kind(p) for p in seen.claimed}
    starts = {p.start for p in compare(heads, sentence).told if p.key in headed}
    rest = [p for p in seen.told if p.key not in own and p.start not in starts]
    return any(p.is_critical or (_kind(p) in kinds and _kind(p) != "word") for p in rest)


def _kind(piece: Piece) -> str:
    if isinstance(piece.value, Quantity):
        return f"quantity {piece.value.dimension}"
    return "date" if piece.value else "name" if piece.is_name else "word"
