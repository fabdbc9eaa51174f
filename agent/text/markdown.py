"""Markdown as blocks, rows, code and formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

# ------------------------------------------------------------------------------------------ blocks

# A Markdown text as its blocks: headings, paragraphs, list items, rows of tables, code, math.
#
# Knows lines and their markers.  Does not know sentences, links or emphasis.  Offsets are exact and leave the markers
# out: `text[block.start:block.end]` is what a reader reads.

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


class TableRow(NamedTuple):
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


def rows(text: str, blocks_: list[Block]) -> dict[int, TableRow]:
    """For each block of kind `row` (by its index), its cells and the head it stands under."""
    found: dict[int, TableRow] = {}
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
            found[index] = TableRow(tuple(cells), () if is_head else heads)
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
    return bool(before) and len(before) < 50 and starts_block(before, first)


def starts_block(before: str, first: str) -> bool:
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


# ------------------------------------------------------------------------------------------ literals

# Where Markdown means its characters as they are: code and math.
#
# Knows fences, code spans, `$…$`, `$$…$$`, `\(…\)` and `\[…\]`.  Knows nothing of citations or links.  What can be
# told from a text's beginning stays told however the text goes on, so that a stream may ask as it grows.

LONGEST = 2_000  # characters an inline literal may have; past it, its opener is an ordinary character

# What may stand before a fence: quotes and list items.  Renderers nest no deeper, and a longer run is read once.
_CONTAINERS = r"(?:[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t]){0,60}"
FENCE = re.compile(rf"{_CONTAINERS}(?P<fence>`{{3,}}(?=[^`\n]*$)|~{{3,}})", re.MULTILINE)
_MAYBE_FENCE = re.compile(
    rf"{_CONTAINERS}(?:\d{{1,9}}[.)]?|[-*+]|`*|~*)$|{_CONTAINERS}`{{3,}}[^`\n]*$|{_CONTAINERS}~{{3,}}[^\n]*$"
)
OPENER = re.compile(r"[`$\\]")
_BREAK = re.compile(r"\n[ \t]*\n")
_RUN = re.compile(r"`+")
_MONEY = re.compile(r"\d[^\s$]*\$(?!\w)")


class LiteralSpan(NamedTuple):
    start: int
    end: int


class Opened(NamedTuple):
    """What an opener turned out to be: text up to `end`, a literal or not."""

    end: int
    literal: bool


def literals(text: str) -> list[LiteralSpan]:
    """Every stretch of code or math, in order; markers included."""
    found: list[LiteralSpan] = []
    at = 0
    while at < len(text):
        if at == 0 or text[at - 1] == "\n":
            fenced = FENCE.match(text, at)
            if fenced:
                found.append(LiteralSpan(at, fence_end(text, at, fenced["fence"])))
                at = found[-1].end
                continue
        opener = _next_opener(text, at)
        if opener is None:
            break
        if text[opener] == "\n":
            at = opener + 1
            continue
        opened = open_at(text, opener, final=True)
        assert opened  # a text that is at its end always tells
        if opened.literal:
            found.append(LiteralSpan(opener, opened.end))
        at = opened.end
    return found


def inside(spans: list[LiteralSpan], position: int) -> bool:
    return any(span.start <= position < span.end for span in spans)


def may_be_fence(line: str) -> bool:
    """Could this beginning of a line still become the opening line of a fence?"""
    return bool(_MAYBE_FENCE.match(line))


def closes(line: str, fence: str) -> bool:
    """Does this line end the code that `fence` began?"""
    stripped = line.strip(" \t>\n")
    return len(stripped) >= len(fence) and not stripped.strip(fence[0])


def fence_end(text: str, start: int, fence: str) -> int:
    """Past the closing line, or the end of the text."""
    at = text.find("\n", start) + 1
    while 0 < at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        if closes(text[at:end], fence):
            return end
        at = end
    return len(text)


def open_at(text: str, start: int, *, final: bool) -> Opened | None:
    """What opens at `start`, where a backtick, dollar or backslash stands.  None: more text is needed to tell."""
    char = text[start]
    if char == "`":
        return _code(text, start, final=final)
    if char == "$":
        return _dollars(text, start, final=final)
    return _backslash(text, start, final=final)


def _next_opener(text: str, at: int) -> int | None:
    """The next opener or line end."""
    newline = text.find("\n", at)
    opener = OPENER.search(text, at, newline if newline >= 0 else len(text))
    if opener:
        return opener.start()
    return newline if newline >= 0 else None


def _code(text: str, start: int, *, final: bool) -> Opened | None:
    run = _RUN.match(text, start)
    assert run
    if run.end() == len(text) and not final:
        return None
    limit = _limit(text, run.end())
    for closer in _RUN.finditer(text, run.end(), limit):
        if closer.end() == limit == len(text) and not final:
            return None  # the run may go on
        if len(closer[0]) == len(run[0]):
            return Opened(closer.end(), literal=True)
    return Opened(run.end(), literal=False) if final or limit < len(text) else None


def _dollars(text: str, start: int, *, final: bool) -> Opened | None:
    if start + 1 >= len(text):
        return Opened(start + 1, literal=False) if final else None
    if text[start + 1] == "$":
        return _between(text, start, "$$", final=final)
    following = text[start + 1]
    if following.isspace() or (start and text[start - 1].isalnum()):  # "US$ 5"
        return Opened(start + 1, literal=False)
    return _money_or_math(text, start, final=final) if following.isdigit() else _inline(text, start, final=final)


def _money_or_math(text: str, start: int, *, final: bool) -> Opened | None:
    """After `$5` it is math only where the dollar that closes it comes before any white space."""
    word = re.compile(r"\S*").match(text, start + 1)
    assert word
    if word.end() == len(text) and not final:
        return None
    closed = _MONEY.match(text, start + 1)
    return Opened(closed.end(), literal=True) if closed else Opened(start + 1, literal=False)


def _inline(text: str, start: int, *, final: bool) -> Opened | None:
    """`$x$` on one line: the closing dollar follows no white space and precedes no digit (pandoc's rule)."""
    newline = text.find("\n", start)
    limit = min(start + LONGEST, newline if newline >= 0 else len(text))
    at = text.find("$", start + 1, limit)
    while at >= 0:
        if at + 1 == len(text) and not final:
            return None
        if not text[at - 1].isspace() and text[at - 1] != "\\" and not text[at + 1 : at + 2].isdigit():
            return Opened(at + 1, literal=True)
        at = text.find("$", at + 1, limit)
    return Opened(start + 1, literal=False) if final or limit < len(text) else None


def _backslash(text: str, start: int, *, final: bool) -> Opened | None:
    if start + 1 >= len(text):
        return Opened(start + 1, literal=False) if final else None
    closer = {"(": "\\)", "[": "\\]"}.get(text[start + 1])
    return _between(text, start, closer, final=final) if closer else Opened(start + 2, literal=False)


def _between(text: str, start: int, closer: str, *, final: bool) -> Opened | None:
    limit = _limit(text, start + 2)
    end = text.find(closer, start + 2, limit)
    if end >= 0:
        return Opened(end + 2, literal=True)
    return Opened(start + 2, literal=False) if final or limit < len(text) else None


def _limit(text: str, start: int) -> int:
    """Where an inline literal must have ended: a blank line, or `LONGEST`.

    `len(text)` means that it is not known yet.
    """
    blank = _BREAK.search(text, start, start + LONGEST)
    if blank:
        return blank.start()
    return min(len(text), start + LONGEST)
