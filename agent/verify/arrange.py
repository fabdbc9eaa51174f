"""The same in another order: ways to lay a claim beside a sentence that keep who did what to whom, and when.

A date may stand elsewhere, a verb before or after its subject, a clause before or after another, a passive may be an
active.  Knows pieces and their order; whether a claim so arranged is supported is for `rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from agent.text.dates import Date
from agent.text.words import spelling
from agent.verify.comparison import in_common_keys
from agent.verify.lexicon import ARTICLES, BEHIND
from agent.verify.pieces import Piece, is_one_name

Pieces = tuple[Piece, ...]
_BE = frozenset(("is", "are", "was", "were", "be", "been", "being"))
_BY = "by"
_BEFORE_NOUN = ARTICLES | BEHIND  # no verb stands directly after one of these
_PHRASE = 5  # pieces, at most


def arrangements(claimed: Pieces, told: Pieces) -> Iterator[tuple[Pieces, Pieces]]:
    """The claim and the sentence as they are, then arranged so that both may have one order."""
    yield claimed, told
    mine, theirs = (tuple(side) for side in in_common_keys(claimed, told))
    yield from _turned(mine, theirs)
    for take in (_without_dates, _without_phrases):
        if taken := take(mine, theirs):
            mine, theirs = taken
            yield mine, theirs
            yield from _turned(mine, theirs)


def _turned(mine: Pieces, theirs: Pieces) -> Iterator[tuple[Pieces, Pieces]]:
    for one in (_active(mine), _verb_moved(mine, theirs), _clauses_moved(mine, theirs)):
        if one:
            yield one, theirs
    if told := _active(theirs):
        yield mine, told


# ------------------------------------------------------------------------------------------------- dates


def _without_dates(mine: Pieces, theirs: Pieces) -> tuple[Pieces, Pieces] | None:
    """Both without the dates that they share; None where the dates are not one for one, and in one order."""
    days = {p.key for p in theirs if isinstance(p.value, Date)}
    dated = [p.key for p in mine if isinstance(p.value, Date) or p.key in days]  # "1988 sold …" may be any number
    own = {p.key for p in mine}
    at = [index for index, p in enumerate(theirs) if p.key in own]
    told = [p.key for p in _clauses_around(theirs, at) if isinstance(p.value, Date)]
    if not dated or dated != told or (len(dated) > 1 and not _are_together(mine, theirs, dated)):
        return None
    if any(p.opens_clause and p.key in dated for p in theirs[1:]):
        return None  # between commas it may belong to what comes after it
    return _left(mine, dated), _left(theirs, dated)


def _clauses_around(theirs: Pieces, at: Sequence[int]) -> Pieces:
    """The clauses that these places stand in: another date in them might be the one that is meant."""
    if not at:
        return ()
    begin = max((index for index in range(at[0] + 1) if theirs[index].opens_clause), default=0)
    end = next((index for index in range(at[-1] + 1, len(theirs)) if theirs[index].opens_clause), len(theirs))
    return theirs[begin:end]


def _are_together(mine: Pieces, theirs: Pieces, dated: Sequence[str]) -> bool:
    """Do they follow each other on both sides, as the ends of a period do?"""
    for side in (mine, theirs):
        at = [index for index, p in enumerate(side) if p.key in dated]
        if at[-1] - at[0] != len(at) - 1:
            return False
    return True


def _left(side: Pieces, gone: Sequence[str]) -> Pieces:
    """Without these; a clause or half that one of them opened is opened by the piece after it."""
    kept: list[Piece] = []
    opens = joins = False
    for before, piece in pairwise([None, *side]):
        assert piece
        begins_run = before is None or before.key not in gone
        if piece.key in gone:
            opens, joins = opens or piece.opens_clause, piece.conjoined if begins_run else joins
        else:
            opens, joins = piece.opens_clause or opens, piece.conjoined or joins
            kept.append(piece._replace(opens_clause=opens, conjoined=joins))
            opens = joins = False
    return tuple(kept)


# ------------------------------------------------------------------------------------------------- phrases


def _without_phrases(mine: Pieces, theirs: Pieces) -> tuple[Pieces, Pieces] | None:
    """Both without the longest phrase that stands in another place behind the same preposition, in the same clause."""
    own = {p.key for p in mine}
    at = [index for index, p in enumerate(theirs) if p.key in own]
    if not at or any(p.opens_clause or p.conjoined for p in theirs[at[0] + 1 : at[-1] + 1]):
        return None
    for size in range(min(_PHRASE, len(mine) - 2), 0, -1):
        for start in range(len(mine) - size + 1):
            run = mine[start : start + size]
            place = _place_of(run, theirs)
            if place is not None and not any(p.is_critical for p in run) and not _cuts_name(mine, start + size):
                return mine[:start] + mine[start + size :], theirs[:place] + theirs[place + size :]
    return None


def _cuts_name(side: Pieces, at: int) -> bool:
    """Do the pieces before and after this place belong to one name?"""
    return 0 < at < len(side) and is_one_name(side[at - 1], side[at])


def _place_of(run: Pieces, theirs: Pieces) -> int | None:
    """Where the phrase stands, with its preposition before it and another or a clause after it."""
    keys = [p.key for p in run]
    for place in range(len(theirs) - len(run) + 1):
        same = [p.key for p in theirs[place : place + len(run)]] == keys
        if same and run[0].preposition and run[0].preposition == theirs[place].preposition:
            return place
    return None


# ------------------------------------------------------------------------------------------------- verbs and clauses


def _verb_moved(mine: Pieces, theirs: Pieces) -> Pieces | None:
    """The claim with one plain word where the sentence has it, all else in order; within a clause only.

    German and Spanish put the verb before its subject where something else, taken out by now, opens the sentence.
    """
    keys = [p.key for p in theirs]
    for index, piece in enumerate(mine):
        if piece.value or piece.is_name or piece.is_critical or keys.count(piece.key) != 1:
            continue
        rest = mine[:index] + mine[index + 1 :]
        at = keys.index(piece.key)
        if {piece.before, theirs[at].before} & _BEFORE_NOUN:
            continue
        before = [p.key for p in theirs[:at]]
        place = sum(p.key in before for p in rest)
        moved = (*rest[:place], piece, *rest[place:])
        fronted = place != index and 0 in (place, index) and len(rest) not in (place, index)
        if fronted and _in_order([p.key for p in moved], keys) and not _crosses(theirs, mine, index, place):
            return moved
    return None


def _in_order(wanted: Sequence[str], keys: Sequence[str]) -> bool:
    found = iter(keys)
    return all(key in found for key in wanted)


def _crosses(theirs: Pieces, mine: Pieces, one: int, other: int) -> bool:
    """Does a clause begin in the sentence between the word and what it moves past?"""
    passed = {p.key for p in mine[min(one, other) : max(one, other) + 1]}
    at = [index for index, p in enumerate(theirs) if p.key in passed]
    return any(p.opens_clause for p in theirs[at[0] + 1 : at[-1] + 1])


def _clauses_moved(mine: Pieces, theirs: Pieces) -> Pieces | None:
    """The claim with its clauses in the sentence's order; all but the longest are whole clauses there."""
    clauses, told = _clauses(mine), [[p.key for p in clause] for clause in _clauses(theirs)]
    main = max(clauses, key=len, default=())
    placed: dict[int, Pieces] = {}
    for clause in clauses:
        keys = [p.key for p in clause]
        fits = (at for at, whole in enumerate(told) if keys == whole or (clause is main and _in_order(keys, whole)))
        placed[next(fits, -1)] = clause
    if len(clauses) < 2 or -1 in placed or len(placed) != len(clauses):
        return None
    return tuple(piece for _, clause in sorted(placed.items()) for piece in clause)


def _clauses(side: Pieces) -> list[Pieces]:
    starts = [0, *(index for index, p in enumerate(side) if index and p.opens_clause), len(side)]
    return [side[start:end] for start, end in pairwise(starts)]


# ------------------------------------------------------------------------------------------------- passive


def _active(side: Pieces) -> Pieces | None:
    """`Y was made by X …` as `X made Y …`; None where there is not exactly one such passive."""
    at = [index for index, p in enumerate(side) if spelling(p.text) == _BY]
    if len(at) != 1 or not 1 < at[0] < len(side) - 1 or side[at[0] - 1].before not in _BE:
        return None
    by, verb = at[0], side[at[0] - 1]
    begin = max((index for index in range(by) if side[index].opens_clause), default=0)
    end = by + 2
    while end < len(side) and side[end].before == spelling(side[end - 1].text) and not side[end].opens_clause:
        end += 1
    patient, agent = side[begin : by - 1], side[by + 1 : end]
    return (*side[:begin], *agent, verb, *patient, *side[end:]) if patient else None
