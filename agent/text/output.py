"""The last gate before a reader: an answer in which nothing can load, run, link astray, or hide.

Knows lines, fences, paragraphs and source lists; `links` makes a single line safe and `proof` proves it.  Works on a
stream: a line is let out as soon as it is complete, and what was let out is never taken back.  A source list that a
model made itself at the end goes: ours is made in code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.text.characters import visible
from agent.text.links import Gathered, closed, plain
from agent.text.literals import FENCE, closes, literals
from agent.text.proof import ends_in_fence, is_closed, is_harmless, still_open

_HEADING = re.compile(
    r"\s*(?:#{1,6}\s*)?(?:\d+[.)]\s*)?(?:\*\*|__)?\s*(?:"
    r"(?:list of )?(?:sources?|references?|citations?|works|bibliography|source list|reference list)(?: used| cited)?"
    r"|quellen(?:verzeichnis|angaben)?|literatur(?:verzeichnis)?|referenzen|fuentes|referencias|bibliograf[ií]a"
    r"|références|bibliographie|fonti|riferimenti|fontes|referências|bronnen|источники|ссылки"
    r"|参考资料|參考資料|参考文献|參考文獻|引用来源|引用|来源|來源|资料来源|資料來源|出典|参照|참고\s?문헌|출처"
    r")\s*[:：]?\s*(?:\*\*|__)?\s*[:：]?\s*#*\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_LISTED = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_NUMBERED = re.compile(r"\s*(?:[-*+•]\s+|\d{1,3}[.)]\s+)?(?:\*\*)?\[\^?\d{1,3}\]")
_ADDRESS = re.compile(r"https?://|www\.|\]\(|\b[\w-]+\.(?:com|org|net|edu|gov|io|ai|cn|de|uk|example)\b", re.IGNORECASE)
_MARKED_END = re.compile(r"\[\d{1,3}\][.。]?\s*$")
_DEFINITION = re.compile(
    r"[ >]{0,4}\[(?:[^\[\]\\]|\\.)+\]:\s*<?[^\s>]*[/.:][^\s>]*>?\s*(?:\"[^\"]*\"|'[^']*'|\([^()]*\))?\s*$"
)
_LONG = 500  # characters of a block: longer ones are cut to what is still open, for each line is read with all of it
_LANGUAGE = re.compile(r"[\w+#-]{0,20}")
_DRAWN = ("mermaid", "math", "geojson", "topojson", "stl", "dot", "graphviz", "plantuml", "html-preview")
_FORMULA = re.compile(r"(?<!\\)\$\$|\\\[|\\\]")


def close(markdown: str, allowed_urls: Iterable[str]) -> str:
    """The whole text, closed.  Closing twice is closing once."""
    output = OutputFilter(allowed_urls)
    return output.feed(markdown) + output.close()


class OutputFilter:
    """Closes a stream of Markdown line by line; `close` gives the rest."""

    def __init__(self, allowed_urls: Iterable[str]) -> None:
        self._urls = frozenset(allowed_urls)
        self._gathered = Gathered(self._urls)
        self._line = ""  # not complete yet
        self._held: list[str] = []  # lines that may turn out to be a source list
        self._fence = ""  # of the code that we are in
        self._at_top = False  # is that code in no list and no quote?
        self._code_run = False  # an earlier line of this paragraph left a backtick open
        self._formula = ""  # what ends the formula that we are in
        self._block = ""  # what was let out and may still change with what follows
        self._ended = True  # did it end with a line's end?

    def feed(self, chunk: str) -> str:
        whole, newline, self._line = (self._line + chunk).rpartition("\n")
        return "".join(self._take(line) for line in _lines(visible(whole + newline)))

    def close(self) -> str:
        rest, self._line = visible(self._line), ""
        out = "".join(self._take(line) for line in _lines(rest))
        if self._held and not any(map(_is_heading, self._held)):
            out += "".join(self._held)
        self._held = []
        if self._fence:
            out += "" if self._ended else "\n"
            out += self._fence if self._at_top else ""  # in a list or quote, the code ends with what is around it
            self._fence = ""
        return out

    def _take(self, line: str) -> str:
        in_code = bool(self._fence)
        shown = self._write(line)
        held = self._held
        if not in_code and (_goes_on(held, shown) if held else _may_begin(shown)):
            held.append(shown)
            return ""
        self._held = []
        if held and not in_code and _may_begin(shown):
            self._held, shown = [shown], ""
        return "".join(held) + shown

    def _write(self, line: str) -> str:
        if self._fence and not self._at_top and not ends_in_fence(self._block + line):
            self._fence = ""  # the quote or list item around the code has ended, and the code with it
        body = line.rstrip("\n")
        end = line[len(body) :]
        for attempt in (self._closed, self._distrusted, plain):
            shown = attempt(body) + end
            if is_harmless(shown) or is_closed(self._block + shown, self._urls):
                break
        self._note(shown)
        return shown

    def _closed(self, line: str) -> str:
        if self._fence:
            return line
        fence = FENCE.match(line)
        if fence:
            return _opening(line, fence)
        if _DEFINITION.match(line):
            return ""
        shown = closed(line, self._gathered, in_code_run=self._code_run, in_math=bool(self._formula))
        fence = FENCE.match(shown)  # what was taken out may have stood before one
        return _opening(shown, fence) if fence else shown

    def _distrusted(self, line: str) -> str:
        """For a line that is not what we took it for."""
        return closed(line, self._gathered, in_code_run=True, in_math=False)

    def _note(self, shown: str) -> None:
        """Where are we after this line?"""
        self._ended = shown.endswith("\n") if shown else self._ended
        if not shown.strip():
            self._code_run, self._formula = False, ""
        if self._fence:
            if closes(shown, self._fence):
                self._fence, self._block = "", self._block + shown
            return  # lines of code change nothing of what may follow, and need not be read again
        self._block += shown
        fence = FENCE.match(shown.rstrip("\n"))
        if fence and ends_in_fence(self._block):
            self._fence = fence["fence"]
            self._at_top = shown[: fence.start("fence")].strip(" ") == "" and fence.start("fence") <= 3
            return
        self._code_run = self._code_run or _leaves_open(shown)
        self._formula = _formula_after(shown, self._formula)
        if not shown.strip() or len(self._block) > _LONG:
            self._block = still_open(self._block)


def _lines(text: str) -> list[str]:
    """The lines with their ends; unlike `str.splitlines`, at line feeds only."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _opening(line: str, fence: re.Match[str]) -> str:
    """A fence's first line with nothing but a language after it, and none that a renderer draws."""
    told = _LANGUAGE.match(line[fence.end() :].strip())
    language = told[0] if told else ""
    return line[: fence.end()] + ("text" if language.lower() in _DRAWN else language)


def _leaves_open(line: str) -> bool:
    """Is there a backtick that no other on the line pairs with?"""
    spans = literals(line)
    outside = "".join(
        line[a:b] for a, b in zip([0, *(s.end for s in spans)], [*(s.start for s in spans), None], strict=True)
    )
    return "`" in outside.replace("\\`", "")


def _formula_after(line: str, formula: str) -> str:
    """What ends the formula that is open after this line, `` where none is."""
    for mark in _FORMULA.findall(line):
        if formula:
            formula = "" if mark == formula else formula
        elif mark != "\\]":
            formula = {"$$": "$$", "\\[": "\\]"}[mark]
    return formula


def _may_begin(line: str) -> bool:
    """May a source list begin here: with its heading, or the rule above it?"""
    return _is_heading(line) or bool(_RULE.match(line))


def _goes_on(held: list[str], line: str) -> bool:
    """May this line belong to the source list that `held` began?"""
    if not line.strip() or _is_heading(line):
        return True
    if not any(map(_is_heading, held)):
        return False
    listed = _LISTED.match(line) and not _MARKED_END.search(line)
    return bool(listed or _NUMBERED.match(line) or _ADDRESS.search(line))


def _is_heading(line: str) -> bool:
    return len(line) < 120 and bool(_HEADING.match(line))
