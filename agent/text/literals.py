"""Where Markdown means its characters as they are: code and math.

Knows fences, code spans, `$…$`, `$$…$$`, `\\(…\\)` and `\\[…\\]`.  Knows nothing of citations or links.  What can be
told from a text's beginning stays told however the text goes on, so that a stream may ask as it grows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

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


class Literal(NamedTuple):
    start: int
    end: int


class Opened(NamedTuple):
    """What an opener turned out to be: text up to `end`, a literal or not."""

    end: int
    literal: bool


def literals(text: str) -> list[Literal]:
    """Every stretch of code or math, in order; markers included."""
    found: list[Literal] = []
    at = 0
    while at < len(text):
        if at == 0 or text[at - 1] == "\n":
            fenced = FENCE.match(text, at)
            if fenced:
                found.append(Literal(at, fence_end(text, at, fenced["fence"])))
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
            found.append(Literal(opener, opened.end))
        at = opened.end
    return found


def inside(spans: list[Literal], position: int) -> bool:
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
