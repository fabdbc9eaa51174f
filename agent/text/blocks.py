"""A Markdown text as its blocks: headings, paragraphs, list items, rows of tables, code, math.

Knows lines and their markers.  Does not know sentences, links or emphasis.  Offsets are exact and leave the markers
out: `text[block.start:block.end]` is what a reader reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from agent.text.literals import FENCE, fence_end

Kind = Literal["heading", "prose", "item", "row", "code", "rule"]

_QUOTE = re.compile(r"[ \t]{0,3}(?:>[ \t]?)+")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}(?:[ \t]+|$)")
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦·][ \t]+(?:\[[ xX]\][ \t]+)?|\(?\d{1,3}[.)][ \t]+|\d{1,2}、)")
_RULE = re.compile(r"[ \t]{0,3}(?:[-_*=][ \t]*){3,}$")
_DIVIDER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$")  # the line under a table's head
_CELL = re.compile(r"(?:[^|\\]|\\.)+")
_HANGING = """
    the a an of in to for and or with about by at from on is are was as than der die das und oder von mit für el la de
    del y o con para le les des du et ou avec pour
"""
_HANGING_WORDS = frozenset(_HANGING.split())  # no line stops after one of these …
_HANGING_SIGNS = tuple(",;(，、-")  # … or signs
_MATH = re.compile(r"[ \t]*(?:\$\$|\\\[)")


class Block(NamedTuple):
    kind: Kind
    start: int
    end: int


class Row(NamedTuple):
    """One row of a table: its cells' offsets, and the cells of the table's head (empty in the head itself)."""

    cells: tuple[tuple[int, int], ...]
    heads: tuple[str, ...]


def blocks(text: str) -> list[Block]:
    """The text's blocks in order.  Lines of one paragraph or list item are one block."""
    found: list[Block] = []
    open_to_more = False  # does the next plain line go on with the last block?
    for line in _lines(text):
        if line is None:
            open_to_more = False
        elif open_to_more and line.kind == "prose" and not _begins_anew(text, found[-1], line):
            found[-1] = Block(found[-1].kind, found[-1].start, line.end)
        else:
            found.append(line)
            open_to_more = line.kind in ("prose", "item")
    return found


def rows(text: str, blocks_: list[Block]) -> dict[int, Row]:
    """For each block of kind `row` (by its index), its cells and the head it stands under."""
    found: dict[int, Row] = {}
    heads: tuple[str, ...] = ()
    for index, block in enumerate(blocks_):
        if block.kind != "row":
            heads = ()
            continue
        if index and "\n" in text[blocks_[index - 1].end : block.start].replace("\n", "", 1):
            heads = ()  # a blank line ends a table
        cells = cells_of(text, block)
        is_head = not heads and index + 1 < len(blocks_) and is_divider(text, blocks_[index + 1])
        if not is_divider(text, block):
            found[index] = Row(tuple(cells), () if is_head else heads)
        if is_head:
            heads = tuple(text[start:end] for start, end in cells)
    return found


def cells_of(text: str, block: Block) -> list[tuple[int, int]]:
    """The offsets of a row's cells, without the white space around them."""
    start, end = block.start, block.end
    if text[start] == "|":
        start += 1
    found = []
    while start < end:
        cell = _CELL.match(text, start, end)
        stop = cell.end() if cell else start
        found.append(_trimmed(text, start, stop))
        start = stop + 1
    return found


def is_divider(text: str, block: Block) -> bool:
    """Is it the line between a table's head and its rows?"""
    return block.kind == "row" and bool(_DIVIDER.match(text, block.start, block.end))


def _begins_anew(text: str, last: Block, line: Block) -> bool:
    """Is a line without a marker a block of its own, though no blank line stands before it?

    Pages come with one line a paragraph as well as with lines broken at a width: a line that is broken is long.
    """
    if ">" in text[last.end : line.start]:
        return True
    before = text[last.start : last.end].rsplit("\n", 1)[-1].strip()
    first = text[line.start]
    return bool(before) and len(before) < 50 and begins_anew(before, first)


def begins_anew(before: str, first: str) -> bool:
    """May a line that begins with `first` be a new one, after a short line `before`, or does that one go on?"""
    if not (first.isupper() or first >= "\u2e80" or first in '*_[“«„"'):
        return False
    return not before.endswith(_HANGING_SIGNS) and before.rsplit(None, 1)[-1].lower() not in _HANGING_WORDS


def _lines(text: str) -> Iterator[Block | None]:
    """Each line as a block of its own, a fence as one block; None for a blank line."""
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].lstrip()[:1].isalpha():  # no marker begins with a letter
            yield Block("prose", *_trimmed(text, at, end))
            at = end + 1
            continue
        fenced = FENCE.match(text, at, end)
        if fenced:
            stop = fence_end(text, at, fenced["fence"])
            yield Block("code", at, stop)
            at = stop
            continue
        closer = _math_end(text, at)
        if closer:
            yield Block("code", at, closer)
            end = text.find("\n", closer)
            end = len(text) if end < 0 else end
        else:
            yield _line(text, at, end)
        at = end + 1


def _math_end(text: str, at: int) -> int | None:
    """Past a formula that has lines of its own."""
    opener = _MATH.match(text, at)
    if opener is None:
        return None
    end = text.find("$$" if opener[0].strip() == "$$" else "\\]", opener.end())
    line_end = text.find("\n", end) if end >= 0 else -1
    alone = end >= 0 and not text[end + 2 : line_end if line_end >= 0 else len(text)].strip(" \t.,;")
    return end + 2 if alone and "\n\n" not in text[at:end] else None


def _line(text: str, start: int, end: int) -> Block | None:
    quote = _QUOTE.match(text, start, end)
    start = quote.end() if quote else start
    line = text[start:end]
    if not line.strip():
        return None
    if _RULE.match(line):
        return Block("rule", start, end)
    stripped = line.strip()
    if "|" in stripped and (stripped.startswith("|") or _DIVIDER.match(line)) and len(stripped) > 1:
        return Block("row", *_trimmed(text, start, end))
    for kind, marker in _MARKERS:
        marked = marker.match(text, start, end)
        if marked and marked.end() < end:
            return Block(kind, *_trimmed(text, marked.end(), end))
    return Block("prose", *_trimmed(text, start, end))


_MARKERS: tuple[tuple[Kind, re.Pattern[str]], ...] = (("heading", _HEADING), ("item", _ITEM))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
