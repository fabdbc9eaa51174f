"""Rules that need no judge: a claim that a source says word for word, or with exactly one other value, name or "not".

*Supported* is decided by an allow-list: the claim is a whole sentence, list item or cell of the source, atom by atom.
What may differ is what `clauses` gives one spelling, values in another notation, and a few words at the head of a
sentence that link it to the one before.  Nothing may be left out, so there is no list of words that matter.
*Refuted* asks for the same whole sentence with one difference that excludes the claim.  Everything else cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.text import dates, numbers
from agent.text.citation_marks import without_marks
from agent.text.dates import Date
from agent.text.language import detect
from agent.text.numbers import Quantity
from agent.text.tokens import is_wide
from agent.types import Claim
from agent.verify.claims import DIVIDER, leans
from agent.verify.clauses import PAUSE, QUOTE, Atom, TimeOfDay, atoms, is_label, same
from agent.verify.quotes import STOP, Quote, SourceIndex, Span

Outcome = Literal["supported", "refuted", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Ruling:
    outcome: Outcome
    why: str
    instead: Atom | None = None  # the claim's value or name in whose place the source has another


CANNOT_TELL = Ruling("cannot tell", "the rules cannot tell")
SUPPORTED = Ruling("supported", "the source says it in the same words")

_QUESTION = re.compile(r"[?？؟][\"'”’»」』)）*_\s]*$")
_LEAST_ATOMS = 3  # fewer are a fragment: "To 40 euros"
_LONGEST_NAME = 4  # atoms


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Words that link a sentence to the one before it and say nothing themselves; only at its head, before a comma.
_LINKS = frozenset(
    tuple(words.split())
    for words in (
        *("also", "however", "moreover", "furthermore", "additionally", "in addition", "außerdem", "zudem", "además"),
        *("sin embargo", "de plus", "en outre", "cependant", "inoltre", "além disso", "bovendien", "кроме того"),
        *("однако", "此 外", "另 外", "ま た", "さ ら に"),
    )
)
# The negations that may be the one word that differs; French has two words for one.
_NOT = _words("not nicht no n ne pas não non niet nie не 不 没")
_DO = {"do": "", "does": "s", "did": "ed"}
# A place may lie in another one, so that both names are true.
_PLACE = _words("""
    in at from near to of on im aus nach bei von en de desde a à au dans du em na no da в из на w z 在 于
""")
# Third persons and words that point: at the head of a sentence they stand for something said before it.
_POINTING = {
    language: _words(words)
    for language, words in {
        "en": "it its he his him she her they their them this that these those such",
        "de": "er sie es ihr ihre sein seine dies diese dieser dieses dabei damit dort",
        "es": "él ella ello ellos ellas su sus esto este esta estos estas eso ese esa allí",
        "fr": "il elle ils elles ce cela ceci cet cette ces son sa ses leur leurs",
        "it": "esso essa egli lei loro suo sua questo questa questi queste quello quella",
        "pt": "ele ela eles elas seu sua isso isto este esta esse essa",
        "nl": "hij zij ze het zijn haar hun dit dat deze die",
        "ru": "он она оно они его её ее их это этот эта эти там",
        "zh": "它 他 她 这 這 那 此 其",
        "ja": "彼 こ そ",
        "ar": "هو هي هم هذا هذه ذلك تلك",
    }.items()
}
_NUMBER = re.compile(r"\d[\d.,]*")
_SHORT = 3  # letters in capitals: `US` may be meant by "American"
_HEAD = 3  # atoms in which such a word is looked for


def rule_on_source(claim: Claim, source: SourceIndex, quotes: Sequence[Quote]) -> Ruling:
    """The ruling on a sentence by those of a source's sentences that its quotes are made of."""
    said, places = without_marks(claim.text), [at for quote in quotes for at in source.within(quote)]
    rulings = [_rule_on_unit(claim, said, source, at) for at in dict.fromkeys(places)]
    if SUPPORTED in rulings:
        return SUPPORTED
    refuted = [ruling for ruling in rulings if ruling.outcome == "refuted"]
    agreed = len({ruling.why for ruling in refuted}) == 1
    return refuted[0] if agreed and not _elsewhere(refuted[0], source, places) else CANNOT_TELL


def _rule_on_unit(claim: Claim, said: str, source: SourceIndex, at: int) -> Ruling:
    unit = source.units[at]
    text = source.text[unit.start : unit.end]
    if unit.row or unit.kind in ("heading", "code", "row") or unit.is_framed or not unit.is_whole:
        return CANNOT_TELL
    ruling = rule_on_sentence(said, text)
    fits = ruling is not CANNOT_TELL and _is_introduced(claim, unit, text)
    return ruling if fits and _goes_on_from_the_same(claim, said, source, at) else CANNOT_TELL


def _elsewhere(ruling: Ruling, source: SourceIndex, places: Sequence[int]) -> bool:
    """Does another sentence looked at have what the claim says?  Then that one may be what is meant."""
    wanted = ruling.instead
    found = (atom for at in places for atom in atoms(source.text[slice(*source.spans[at])]))
    return wanted is not None and any(same(wanted, atom) for atom in found)


def _is_introduced(claim: Claim, unit: Span, text: str) -> bool:
    """Does it stand under the same words as in the answer, if any introduce it; else is it a sentence or an item?"""
    if unit.lead_in:
        return says_the_same((claim.context or "").rstrip(":："), unit.lead_in.rstrip(":："))
    if leans(claim):
        return False
    return bool(STOP.search(text)) or (unit.kind == "item" and len(atoms(text)) > _LEAST_ATOMS)


def _goes_on_from_the_same(claim: Claim, said: str, source: SourceIndex, at: int) -> bool:
    """If it opens with "it" or the like: does the same sentence stand before it in answer and source?"""
    if not claim.context or not points_back(said):
        return True
    before = [source.text[slice(*span)] for span in source.spans[max(0, at - 2) : at]]
    said_before = [*before, source.units[at].lead_in]
    return any(says_the_same(claim.context.rstrip(":："), sentence.rstrip(":：")) for sentence in said_before)


def rule_on_cell(claim: Claim, source: SourceIndex, quotes: Sequence[Quote]) -> Ruling:
    """The ruling on a cell by the cells of a source's tables under the same heads, rows and columns in either role."""
    said = without_marks(claim.text)
    rulings = [rule_on_value(said, cell) for cell in _same_cells(claim.about or "", source, quotes)]
    first = next(iter(rulings), CANNOT_TELL)
    return first if all(ruling.outcome == first.outcome for ruling in rulings) else CANNOT_TELL


def _same_cells(about: str, source: SourceIndex, quotes: Sequence[Quote]) -> Iterator[str]:
    parts = about.split(DIVIDER)
    splits = [(DIVIDER.join(parts[:at]), DIVIDER.join(parts[at:])) for at in range(1, len(parts))]
    wanted = [*splits, *((column, row) for row, column in splits)]
    for at in dict.fromkeys(at for quote in quotes for at in source.within(quote)):
        row = source.units[at].row
        cells = [source.text[slice(*cell)] for cell in row.cells] if row else []
        heads = row.heads if row else ()
        for cell, head in zip(cells[1:], heads[1:], strict=False):
            if any(says_the_same(cells[0], mine) and says_the_same(head, column) for mine, column in wanted):
                yield cell


def rule_on_sentence(claim: str, sentence: str) -> Ruling:
    """The ruling on a claim by one whole sentence or list item of a source."""
    mine, theirs = _unlinked(atoms(claim)), _unlinked(atoms(sentence))
    if not mine or not theirs or "~~" in sentence + claim or _QUESTION.search(sentence):
        return CANNOT_TELL
    left, right = _slot(mine, theirs)
    if not left and not right:
        return SUPPORTED if _is_sentence(mine) else CANNOT_TELL
    if points_back(claim):
        return CANNOT_TELL
    return _other_value(left, right) or _other_name(left, right, mine, claim) or _negated(mine, theirs) or CANNOT_TELL


def rule_on_value(mine: str, theirs: str) -> Ruling:
    """The ruling on a cell by the cell of a source's table in the same row and column."""
    if _is_noted(theirs):
        return CANNOT_TELL
    one, other = atoms(mine), atoms(theirs)
    left, right = _slot(one, other)
    if one and not left and not right:
        return Ruling("supported", f"the source's table has “{' '.join(theirs.split())}” there")
    found = _other_value(left, right)
    return Ruling("refuted", f"the source's table has “{' '.join(theirs.split())}” there") if found else CANNOT_TELL


def _is_noted(cell: str) -> bool:
    """Does it carry a footnote's sign, or text struck out?"""
    return cell.count("*") % 2 == 1 or any(sign in cell for sign in ("†", "‡", "~~", "\\*"))


def points_back(sentence: str) -> bool:
    """Does a sentence open with a word that stands for something said before it?"""
    pointing = _POINTING.get(detect(sentence), _POINTING["en"])
    return any(atom.key in pointing for atom in atoms(sentence)[:_HEAD])


def says_the_same(one: str, other: str) -> bool:
    """Are two sentences equal atom by atom?"""
    return _slot(_unlinked(atoms(one)), _unlinked(atoms(other))) == ((), ())


# ------------------------------------------------------------------------------------------------- alignment


def _unlinked(sentence: Sequence[Atom]) -> tuple[Atom, ...]:
    """Without a word at the head that only links it to what stands before."""
    for size in (1, 2, 3):
        words = tuple(atom.key for atom in sentence[:size])
        if words in _LINKS and sentence[size : size + 1] and sentence[size].key == PAUSE:
            return tuple(sentence[size + 1 :])
    return tuple(sentence)


def _slot(mine: Sequence[Atom], theirs: Sequence[Atom]) -> tuple[tuple[Atom, ...], tuple[Atom, ...]]:
    """What is left of each without the beginning and the end that they share."""
    most = min(len(mine), len(theirs))
    head = next((at for at in range(most) if not same(mine[at], theirs[at])), most)
    most -= head
    tail = next((at for at in range(most) if not same(mine[-1 - at], theirs[-1 - at])), most)
    return tuple(mine[head : len(mine) - tail]), tuple(theirs[head : len(theirs) - tail])


def _is_sentence(found: Sequence[Atom]) -> bool:
    words = [atom for atom in found if atom.key not in (PAUSE, QUOTE)]
    return len(words) >= _LEAST_ATOMS


# ------------------------------------------------------------------------------------------------- one difference


def _other_value(left: Sequence[Atom], right: Sequence[Atom]) -> Ruling | None:
    """One number, date or time in the place of another that excludes it."""
    if len(left) != 1 or len(right) != 1 or not exclude(left[0], right[0]):
        return None
    return Ruling("refuted", f"the source says “{right[0].text}”, not “{left[0].text}”", left[0])


def exclude(mine: Atom, theirs: Atom) -> bool:
    one, other = mine.value, theirs.value
    if isinstance(one, Date) and isinstance(other, Date):
        return dates.agree(one, other) is False
    if isinstance(one, TimeOfDay) and isinstance(other, TimeOfDay):
        return bool(one.half and other.half) and one.minutes != other.minutes
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        if is_label(mine) or is_label(theirs):
            return False
        return numbers.agree(one, other) is False or _in_other_units(mine, theirs, one, other)
    return False


def _in_other_units(mine: Atom, theirs: Atom, one: Quantity, other: Quantity) -> bool:
    """The same number of something else: `5 kg` and `5 km`.  `$` may be any dollar."""
    number, its = _NUMBER.search(mine.text), _NUMBER.search(theirs.text)
    apart = bool(one.dimension and other.dimension) and one.dimension != other.dimension
    alike = bool(number and its and number[0] == its[0])
    return apart and alike and not any(sign in mine.text + theirs.text for sign in "$¥")


def _other_name(left: Sequence[Atom], right: Sequence[Atom], mine: Sequence[Atom], claim: str) -> Ruling | None:
    """One name in the place of another; a single name behind "in" or the like may be the wider place."""
    if not (_is_name(left) and _is_name(right)) or detect(claim) == "de" or _same_name(left, right):
        return None
    at = next(index for index, atom in enumerate(mine) if atom is left[0])
    short = min(len(left), len(right)) == 1
    beside = (*mine[max(0, at - 1) : at], *mine[at + len(left) : at + len(left) + 1])
    if short and (
        at == 0 or mine[at - 1].key in _PLACE or any(_is_name([atom]) for atom in beside if atom is not mine[0])
    ):
        return None
    return Ruling("refuted", f"the source says “{_text(right)}”, not “{_text(left)}”", left[0])


def _is_name(found: Sequence[Atom]) -> bool:
    capitals = all(not atom.value and atom.text[0].isupper() and not is_wide(atom.text) for atom in found)
    return 0 < len(found) <= _LONGEST_NAME and capitals


def _same_name(left: Sequence[Atom], right: Sequence[Atom]) -> bool:
    """May they be the same: a word or the first letter in common, or one an abbreviation?"""
    one, other = [atom.key.casefold() for atom in left], [atom.key.casefold() for atom in right]
    if set(one) & set(other) or one[0][0] == other[0][0]:
        return True
    return any(atom.text.isupper() and len(atom.text) <= _SHORT for atom in (*left, *right))


def _text(found: Sequence[Atom]) -> str:
    return " ".join(atom.text for atom in found)


def _negated(mine: Sequence[Atom], theirs: Sequence[Atom]) -> Ruling | None:
    """A "not" on one side, and all else the same."""
    for one, other, why in (
        (mine, theirs, "the source says it without “{word}”"),
        (theirs, mine, "the source says “{word}”"),
    ):
        word = next((atom.text for atom in one if atom.key in _NOT), None)
        if word is None or any(atom.key in _NOT for atom in other):
            continue
        if any(_slot(bare, other) == ((), ()) for bare in _without_not(one)):
            return Ruling("refuted", why.format(word=word))
    return None


def _without_not(side: Sequence[Atom]) -> Iterator[list[Atom]]:
    """The sentence without its "not"; of English "did not open", with "opened" in its place."""
    rest = [atom for atom in side if atom.key not in _NOT]
    yield rest
    at = next(index for index, atom in enumerate(side) if atom.key in _NOT)
    ending = _DO.get(side[at - 1].key) if at else None
    if ending is not None and len(rest) > at:
        verb = rest[at]
        forms = {verb.key + ending, verb.key + ending[1:]} if verb.key.endswith("e") else {verb.key + ending}
        yield from ([*rest[: at - 1], verb._replace(key=form), *rest[at + 1 :]] for form in forms)
