"""Sources that disagree: a claim found supported, and the same statement with another value in another source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.text.citation_marks import without_marks
from agent.text.tokens import stem
from agent.types import Claim, Conflict, Side, Source
from agent.verify.clauses import PAUSE, Atom, atoms, plain
from agent.verify.quotes import SourceIndex
from agent.verify.verbatim import exclude

_LEAST_FRAME = 4  # atoms besides the value
_LOOKED_AT = 3  # passages of a source
_LONGEST = 300  # characters of a side
_BEFORE_VALUE = 2  # atoms that may come in before the other value: "more than"
_ARTICLES = frozenset(
    (
        "the",
        "a",
        "an",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "ein",
        "eine",
        "el",
        "la",
        "los",
        "las",
        "un",
        "una",
        "le",
        "les",
    )
)


def conflicts(
    claims: Sequence[Claim], sources: Mapping[int, tuple[Source, str]], ready: Mapping[int, SourceIndex]
) -> list[Conflict]:
    """Each disagreement once, in the claims' order."""
    found: dict[frozenset[str], Conflict] = {}
    for claim in claims:
        if claim.verdict == "supported" and claim.about is None:
            for key, conflict in _of(claim, sources, ready):
                found.setdefault(key, conflict)
    return list(found.values())


def _of(
    claim: Claim, sources: Mapping[int, tuple[Source, str]], ready: Mapping[int, SourceIndex]
) -> Iterator[tuple[frozenset[str], Conflict]]:
    said = plain(without_marks(claim.text))
    if not any(atom.value for atom in atoms(said)):
        return
    opposed = {n: next(_opposed(said, ready[n]), None) for n in sources if not sources[n][0].suspect}
    supporting = [c.source for c in claim.citations if c.quote and not opposed.get(c.source)]
    for number, found in sorted(opposed.items()):
        if found and supporting:
            mine, theirs, sentence = found
            about = f"{said[: mine.start]}…{said[mine.end :]}"
            sides = (Side(said[:_LONGEST], tuple(sorted(supporting))), Side(sentence[:_LONGEST], (number,)))
            yield frozenset((mine.text, theirs.text)), Conflict(about[:_LONGEST], sides)


def _opposed(said: str, source: SourceIndex) -> Iterator[tuple[Atom, Atom, str]]:
    """The claim's value, the source's, and the sentence that has it."""
    mine = _frame(said)
    for quote in source.best(said, _LOOKED_AT):
        for at in source.within(quote):
            if not source.units[at].row:
                sentence = plain(source.text[slice(*source.spans[at])])
                yield from ((*pair, sentence) for pair in _other_values(mine, _frame(sentence)))


def _frame(sentence: str) -> list[Atom]:
    """The atoms without articles and pauses, words by their stems."""
    kept = (atom for atom in atoms(sentence) if atom.key != PAUSE and atom.key not in _ARTICLES)
    return [atom if atom.value else atom._replace(key=stem(atom.key)) for atom in kept]


def _other_values(mine: Sequence[Atom], theirs: Sequence[Atom]) -> Iterator[tuple[Atom, Atom]]:
    """Pairs of values that exclude each other in one frame: all of the claim surrounds the other value, together."""
    if len(mine) <= _LEAST_FRAME:
        return
    for at, value in enumerate(mine):
        for place, other in enumerate(theirs) if value.value else ():
            if exclude(value, other) and _stands_around(mine, at, theirs, place):
                yield value, other


def _stands_around(mine: Sequence[Atom], at: int, theirs: Sequence[Atom], place: int) -> bool:
    before, after = [a.key for a in mine[:at]], [a.key for a in mine[at + 1 :]]
    ends = [a.key for a in theirs[place + 1 : place + 1 + len(after)]] == after
    left = [a.key for a in theirs[:place]]
    return ends and any(
        left[len(left) - len(before) - gap : len(left) - gap] == before
        for gap in range(_BEFORE_VALUE + 1)
        if len(left) >= len(before) + gap
    )
