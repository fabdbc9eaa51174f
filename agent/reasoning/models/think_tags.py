"""Splits what a model says into reasoning and answer, where a server leaves the think tags in the text.

Knows the tag and the ways servers lose it; knows nothing of messages, chunks or HTTP.  A splitter is fed pieces of any
size and never lets a tag, or half of one, through; what it says does not depend on where the pieces were cut.

Modes:
    auto       nothing is known of the server.  A leading `<think>` opens the reasoning.  Text that begins without one
               is held until a `</think>` that nothing opened shows that it was reasoning, or until it ends.
    tags       only a leading `<think>` opens the reasoning; everything else is the answer, at once.
    prefilled  the server's chat template has opened the tag already: the text begins with the reasoning.
    off        there are no tags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Mode = Literal["auto", "tags", "prefilled", "off"]
OPEN, CLOSE = "<think>", "</think>"

_TAG = re.compile(r"<(/?)think>")
_QUOTES = "`'\"“”‘’«»「」『』"
_LINE_ENDS = re.compile(r"[ \t]*([\r\n]|\Z)")
_NOTHING_MORE = re.compile(r"[ \t]*\Z")
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Split:
    reasoning: str = ""
    text: str = ""


def split(text: str, mode: Mode = "auto") -> Split:
    """A whole reply, split."""
    splitter = ThinkSplitter(mode)
    first, last = splitter.feed(text), splitter.close()
    return Split(first.reasoning + last.reasoning, first.text + last.text)


class ThinkSplitter:
    """One reply's splitter.  White space around the reasoning and before the answer is dropped."""

    def __init__(self, mode: Mode = "auto") -> None:
        self._mode = mode
        self._learned = mode
        self._state: Literal["start", "held", "thinking", "answering"] = "answering" if mode == "off" else "start"
        self._pending = ""  # not yet told to be one or the other
        self._begun = mode == "off"  # has anything but white space been said in this state?
        self._unopened = _UnopenedClose()
        self._searched = 0  # up to where a held text is known to have no closing tag
        self._held: list[str] = []  # pieces without one, after `_pending`: joined at each, a long text costs its square
        self._tail = ""  # the end of all that is held, where a tag may begin

    @property
    def learned(self) -> Mode:
        """How the next reply of this server is best split.  Valid after `close`."""
        return self._learned

    def feed(self, text: str) -> Split:
        if self._only_grows(text):
            return Split()
        self._gather(text)
        reasoning: list[str] = []
        answer: list[str] = []
        before = None
        while self._state != before:
            before = self._state
            match self._state:
                case "start":
                    self._start()
                case "held":
                    reasoning.append(self._look_in_held(at_end=False) or "")
                case "thinking":
                    reasoning.append(self._think())
                case "answering":
                    answer.append(self._answer())
        return Split("".join(reasoning), "".join(answer))

    def close(self) -> Split:
        """What is left when the reply has ended."""
        self._gather("")
        if self._state == "held":
            reasoning = self._look_in_held(at_end=True)
            if reasoning is not None:
                return Split(reasoning, self._answer())
            self._learned = "tags"
        rest, self._pending = self._pending, ""
        if self._state == "thinking" or (self._state == "start" and self._mode == "prefilled"):
            return Split(reasoning=rest.rstrip() if self._begun else rest.strip())
        return Split(text=rest)

    def _only_grows(self, text: str) -> bool:
        """Is the text held, and nothing in this piece that could decide what it is?"""
        if self._state != "held" or self._searched != len(self._pending):
            return False
        recent = (self._tail if self._held else self._pending[1 - len(CLOSE) :]) + text
        if CLOSE in recent:
            return False
        self._held.append(text)
        self._tail = recent[1 - len(CLOSE) :]
        return True

    def _gather(self, text: str) -> None:
        self._pending = "".join((self._pending, *self._held, text))
        self._held = []

    def _start(self) -> None:
        self._pending = self._pending.lstrip()
        if self._pending.startswith(OPEN):
            self._learned = "tags" if self._mode == "auto" else self._mode
            self._turn_to("thinking", OPEN)
        elif self._pending.startswith(CLOSE):  # the template opened the tag, and the model did not think
            self._learned = "prefilled" if self._mode == "auto" else self._mode
            self._turn_to("answering", CLOSE)
        elif self._pending and not (OPEN.startswith(self._pending) or CLOSE.startswith(self._pending)):
            self._turn_to("thinking" if self._mode == "prefilled" else "held" if self._mode == "auto" else "answering")

    def _turn_to(self, state: Literal["held", "thinking", "answering"], dropped: str = "") -> None:
        self._state = state
        self._pending = self._pending.removeprefix(dropped)
        self._begun = False

    def _think(self) -> str:
        """Reasoning that is certain to be reasoning; white space and half a tag at the end wait."""
        if not self._begun:
            self._pending = self._pending.lstrip()
            self._begun = bool(self._pending) and not self._pending.startswith(CLOSE)
        said, closed, rest = self._pending.partition(CLOSE)
        if closed:
            self._pending = rest
            self._turn_to("answering")
            return said.rstrip()
        certain = said[: len(said) - _half_a_tag(said)].rstrip()
        self._pending = said[len(certain) :]
        return certain

    def _answer(self) -> str:
        if not self._begun:
            self._pending = self._pending.lstrip()
            self._begun = bool(self._pending)
        said, self._pending = self._pending, ""
        return said

    def _look_in_held(self, *, at_end: bool) -> str | None:
        """The reasoning, where a held text turns out to begin with it; else None."""
        if self._pending.find(CLOSE, max(0, self._searched - len(CLOSE))) < 0:
            self._searched = len(self._pending)
            return None
        at = self._unopened.find(self._pending, at_end=at_end)
        if at is None:
            if not self._pending.rstrip(" \t").endswith(CLOSE):  # else what follows will decide
                self._searched = len(self._pending)
            return None
        reasoning, self._pending = self._pending[:at].rstrip(), self._pending[at:]
        self._learned = "prefilled"
        self._turn_to("answering", CLOSE)
        return reasoning


def unopened_close(text: str) -> int | None:
    """Where the `</think>` of a whole text stands that ends a reasoning without an opening tag; None: there is none."""
    return _UnopenedClose().find(text, at_end=True)


class _UnopenedClose:
    """Looks for that tag in a text that grows, going over each of its tags once.

    It closes more than was opened, ends its line, and is not a mention: in quotes, in backticks, in a fence.
    """

    def __init__(self) -> None:
        self._at = 0
        self._depth = 0
        self._fences = 0

    def find(self, text: str, *, at_end: bool) -> int | None:
        for tag in _TAG.finditer(text, self._at):
            if not at_end and _NOTHING_MORE.match(text, tag.end()):
                return None  # what follows the tag decides, and is not here yet
            self._fences += text.count(_FENCE, self._at, tag.start())
            self._at = tag.end()
            if self._fences % 2 or _is_quoted(text, tag):
                continue
            if not tag[1]:
                self._depth += 1
            elif self._depth:
                self._depth -= 1
            elif _LINE_ENDS.match(text, tag.end()):
                return tag.start()
        return None


def _is_quoted(text: str, tag: re.Match[str]) -> bool:
    around = text[max(0, tag.start() - 1) : tag.start()] + text[tag.end() : tag.end() + 1]
    return any(c in _QUOTES for c in around)


def _half_a_tag(text: str) -> int:
    """How many characters at the end may be the beginning of a closing tag."""
    return next((n for n in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:n])), 0)
