"""A document's text, cut into passages on its own structure.

Knows Markdown's blocks (headings, paragraphs, list items, table rows, fenced code), where sentences end, and which
scripts write without spaces.  Does not know tokens, embedders or where passages are kept.

Passages never overlap, cover everything but white space, and are exact: `text[start:end] == passage.text`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from agent.text.sentences import split as sentences
from agent.types import Document, Passage

SIZE = 1_000  # characters a passage, at most: about 230 tokens of English, under MiniLM's window of 256
CJK_SIZE = 350  # likewise where each character is about a word's half
CJK = (  # for a character class: Jamo, radicals and punctuation, kana, Han, Hangul, and what was added to Han later
    "\u1100-\u11ff\u2e80-\u303f\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_LONGEST_MARKER, _LONGEST_TITLE = 16, 120  # characters
FRESH = 0.3  # of SIZE: once a passage is as long as that, the next heading begins a new one

Kind = Literal["heading", "prose", "item", "table", "code"]

_CJK = re.compile(f"[{CJK}]")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NEXT_BEST = [re.compile(end) for end in (r"[.!?…]\s", r"[;:,、，；：]\s?", r"\s")]  # where a sentence is too long
_JOINERS = "\u200d\ufe0e\ufe0f"  # an emoji's parts hang together by these


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a passage lies, and under which headings (outermost first, with the head of a table that it continues)."""

    start: int
    end: int
    heading: str


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines of one kind; `level` counts a heading's marks."""

    kind: Kind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is not cut any further; `head` is the first row of the table it continues."""

    block: _Block
    start: int
    end: int
    weight: float
    head: str = ""


def split(document: Document) -> list[Passage]:
    """The document's passages, in the order of the text."""
    return [_passage(document, piece.start, piece.end) for piece in slices(document.text)]


def passage_id(document_id: str, start: int, end: int) -> str:
    """The same slice of the same document has the same id, wherever and whenever it is cut."""
    return hashlib.sha256(f"{document_id}:{start}:{end}".encode()).hexdigest()


def slices(text: str) -> list[Slice]:
    """Where the passages of `text` lie; none for a text without anything but white space."""
    path: list[tuple[int, str]] = []
    found = []
    for group in _packed([atom for block in _blocks(text) for atom in _atoms(text, block)]):
        found.append(Slice(*_trimmed(text, group[0].start, group[-1].end), _above(path, group[0])))
        for atom in group:
            _enter(path, text, atom.block)
    return found


def _passage(document: Document, start: int, end: int) -> Passage:
    return Passage(passage_id(document.id, start, end), document.id, start, end, document.text[start:end])


def _above(path: list[tuple[int, str]], first: _Atom) -> str:
    deepest = first.block.level if first.block.kind == "heading" else 7
    titles = [title for level, title in path if level < deepest]
    return " > ".join([*titles, first.head] if first.head else titles)


def _enter(path: list[tuple[int, str]], text: str, block: _Block) -> None:
    """Go below a heading: it takes the place of those that are as deep as it or deeper."""
    if block.kind != "heading":
        return
    while path and path[-1][0] >= block.level:
        path.pop()
    path.append((block.level, _title(text, block)))


def _title(text: str, block: _Block) -> str:
    start = (
        block.start
        + len(text[block.start : block.start + _LONGEST_MARKER])
        - len(text[block.start : block.start + _LONGEST_MARKER].lstrip(" #\t"))
    )
    return text[start : min(block.end, start + _LONGEST_TITLE)].rstrip(" \t#\r\n")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


# ------------------------------------------------------------------------------------------------- blocks


def _blocks(text: str) -> Iterator[_Block]:
    """Runs of lines of one kind; a heading and a list item are blocks of their own, blank lines end a block."""
    open_block: _Block | None = None
    for block in _lines(text):
        if open_block and block and _continues(open_block, block):
            open_block = _Block(open_block.kind, open_block.start, block.end, open_block.level)
            continue
        if open_block:
            yield open_block
        open_block = block
    if open_block:
        yield open_block


def _continues(before: _Block, line: _Block) -> bool:
    if before.kind == "item" and line.kind == "prose":  # an item's second line
        return True
    return before.kind == line.kind and line.kind not in {"heading", "item"}


def _lines(text: str) -> Iterator[_Block | None]:
    """Each line as a block of its kind; None for a blank one.  A fence holds until its like closes it."""
    start, fence = 0, ""
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        mark = _FENCE.match(line)
        if fence or mark:
            yield _Block("code", start, end)
            fence = _fence_after(fence, mark)
        else:
            yield _line(line, start, end)
        start = end


def _fence_after(fence: str, mark: re.Match[str] | None) -> str:
    if not mark:
        return fence
    if not fence:
        return mark.group(1)
    closes = mark.group(1)[0] == fence[0] and len(mark.group(1)) >= len(fence)
    return "" if closes else fence


def _line(line: str, start: int, end: int) -> _Block | None:
    bare = line.strip()
    if not bare:
        return None
    if heading := _HEADING.match(line.rstrip()):
        return _Block("heading", start, end, len(heading.group(1)))
    if bare.startswith("|"):
        return _Block("table", start, end)
    return _Block("item" if _ITEM.match(line) else "prose", start, end)


# ------------------------------------------------------------------------------------------------- atoms


def _atoms(text: str, block: _Block) -> Iterator[_Atom]:
    """The block whole where it fits; else its rows, lines or sentences, and those cut hard where they do not fit."""
    if _weight(text, block.start, block.end) <= SIZE:
        yield _atom(text, block, block.start, block.end)
        return
    head = text[block.start : block.end].splitlines()[0].strip()[:200] if block.kind == "table" else ""
    by_line = block.kind in {"table", "code"}
    for start, end in _at_lines(text, block) if by_line else _at_sentences(text, block):
        for piece_start, piece_end in _cut_hard(text, start, end):
            if not text[piece_start:piece_end].isspace():
                yield _atom(text, block, piece_start, piece_end, head if piece_start > block.start else "")


def _atom(text: str, block: _Block, start: int, end: int, head: str = "") -> _Atom:
    return _Atom(block, start, end, _weight(text, start, end), head)


def _weight(text: str, start: int, end: int) -> float:
    """Length in characters, one of a script without spaces counting for about three."""
    return (end - start) + (SIZE / CJK_SIZE - 1) * sum(1 for _ in _CJK.finditer(text, start, end))


def _at_lines(text: str, block: _Block) -> Iterator[tuple[int, int]]:
    start = block.start
    for line in text[block.start : block.end].splitlines(keepends=True):
        yield start, start + len(line)
        start += len(line)


def _at_sentences(text: str, block: _Block) -> Iterator[tuple[int, int]]:
    starts = [start for start, _ in sentences(text, block.start, block.end)][1:]
    yield from pairwise([block.start, *starts, block.end])


def _cut_hard(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of at most SIZE in weight, cut at the next best place in a piece's second half, where there is one."""
    while _weight(text, start, min(end, start + SIZE + 1)) > SIZE:
        cut = _hard_cut(text, start, end)
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _hard_cut(text: str, start: int, end: int) -> int:
    """Where to cut, after `start`; never within a character that is written with several code points."""
    furthest, weight = start, 0.0
    while furthest < end and weight <= SIZE:
        weight += SIZE / CJK_SIZE if _CJK.match(text, furthest) else 1
        furthest += 1
    furthest = max(furthest - 1, start + 1)
    half = start + (furthest - start) // 2
    for boundary in _NEXT_BEST:
        if cuts := [found.end() for found in boundary.finditer(text, half, furthest)]:
            return cuts[-1]
    for cut in range(furthest, half, -1):
        if not _inside_a_character(text, cut):
            return cut
    return furthest


def _inside_a_character(text: str, cut: int) -> bool:
    after, before = text[cut], text[cut - 1]
    modifies = unicodedata.combining(after) > 0 or after in _JOINERS or "\U0001f3fb" <= after <= "\U0001f3ff"
    return modifies or before == "\u200d"


# ------------------------------------------------------------------------------------------------- packing


def _packed(atoms: list[_Atom]) -> Iterator[list[_Atom]]:
    """Neighbouring atoms together up to SIZE; a heading goes with what follows it."""
    group: list[_Atom] = []
    weight = 0.0
    for atom in atoms:
        begins_anew = atom.block.kind == "heading" and weight >= FRESH * SIZE and not _only_headings(group)
        if group and (begins_anew or weight + atom.weight > SIZE):
            kept, carried = _without_trailing_headings(group)
            if kept:
                yield kept
            group, weight = carried, sum(a.weight for a in carried)
        group.append(atom)
        weight += atom.weight
    if group:
        yield group


def _only_headings(group: list[_Atom]) -> bool:
    return all(atom.block.kind == "heading" for atom in group)


def _without_trailing_headings(group: list[_Atom]) -> tuple[list[_Atom], list[_Atom]]:
    """The group without the headings at its end, and these; headings that alone fill a passage stay one."""
    count = len(group)
    while count and group[count - 1].block.kind == "heading":
        count -= 1
    carried = group[count:]
    if sum(atom.weight for atom in carried) > SIZE / 2:
        return group, []
    return group[:count], carried
