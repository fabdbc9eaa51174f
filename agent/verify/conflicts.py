"""Where sources disagree: facts that were checked, laid beside what the other sources say.

A conflict is two values of one thing: a sentence of another source that has all of a checked claim's names and nearly
all of its words, but another number or date.  Knows claims and stored texts; decides for no side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.text.citations import without_marks
from agent.text.prose import prose
from agent.text.sentences import split
from agent.types import Claim, Conflict, Side, Source
from agent.verify.comparison import compare, differ
from agent.verify.pieces import Piece, pieces
from agent.verify.quotes import Quotable

_FRAME = 0.75  # of the claim's other pieces: what is alike besides the value must be nearly all
_LEAST_FRAME = 3  # pieces
_LOOKED_AT = 3  # passages of a source
_LONGEST = 300  # characters of a side


def conflicts(
    claims: Sequence[Claim], sources: Mapping[int, tuple[Source, str]], ready: Mapping[int, Quotable]
) -> list[Conflict]:
    """Each disagreement once, in the claims' order."""
    found: dict[frozenset[str], Conflict] = {}
    for claim in claims:
        if claim.verdict == "supported" and claim.about is None:
            for key, conflict in _of(claim, sources, ready):
                found.setdefault(key, conflict)
    return list(found.values())


def _of(
    claim: Claim, sources: Mapping[int, tuple[Source, str]], ready: Mapping[int, Quotable]
) -> Iterator[tuple[frozenset[str], Conflict]]:
    said = prose(without_marks(claim.text))
    if not any(piece.value for piece in pieces(said)):
        return
    opposed = {n: next(_opposed(said, ready[n]), None) for n in sources if not sources[n][0].suspect}
    bearing = [c.source for c in claim.citations if c.quote and not opposed.get(c.source)]
    for number, found in sorted(opposed.items()):
        if found and bearing:
            mine, theirs, sentence = found
            about = f"{said[: mine.start]}…{said[mine.end :]}"
            sides = (Side(said[:_LONGEST], tuple(sorted(bearing))), Side(sentence[:_LONGEST], (number,)))
            yield frozenset((mine.text, theirs.text)), Conflict(about[:_LONGEST], sides)


def _opposed(said: str, quotable: Quotable) -> Iterator[tuple[Piece, Piece, str]]:
    """The claim's value, the source's, and the sentence that has it; nothing if the source says the same, too."""
    told = [prose(quotable.passage(quote)) for quote in quotable.best(said, _LOOKED_AT) if not quotable.row(quote)]
    sentences = [text[start:end] for text in told for start, end in split(text)]
    claimed = pieces(said)
    values = [p for p in claimed if p.value]
    for sentence in sentences:
        seen = compare(claimed, pieces(sentence))
        rest = len(claimed) - len(values)
        slots = [s for s in seen.slots if s.claimed]
        missing = seen.missing
        if len(slots) != 1 or len(missing) != 1 or not missing[0].value or rest < _LEAST_FRAME - 1:
            continue
        theirs = [p for p in slots[0].told if p.value]
        alike = seen.same >= _FRAME * (len(claimed) - 1) and seen.same >= _LEAST_FRAME
        clean = not any(p.is_critical or p.is_name for s in seen.slots if s.inside for p in s.told)
        if (
            alike
            and clean
            and len(theirs) == 1
            and len(slots[0].claimed) == 1
            and differ(slots[0].claimed[0], theirs[0])
        ):
            yield slots[0].claimed[0], theirs[0], sentence
