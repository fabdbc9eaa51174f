"""What a model's reply asks for: queries, a stance, revised sentences.

Pure and tolerant: a model that was asked for JSON or for one word on the first line gives it in a fence, with comments,
in bold, with prose around, or cut in the middle.  Knows these formats and nothing of prompts or calls."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.text.citation_marks import MarkFilter, marks, without_marks
from agent.text.notices import is_remark
from agent.text.output_filter import close
from agent.text.sentences import split
from agent.types import JUDGED, Claim, Judged, JudgeVerdict, Query, StanceKind

_QUERY_NAMES = ("query", "search_query", "q", "search", "keywords", "text", "查询", "搜索词")
_PURPOSE_NAMES = ("purpose", "reason", "why", "goal", "目的")
_LIST_NAMES = frozenset({"queries", "search_queries", "searches", "query", "plan", "results", "查询"})
_LONGEST_QUERY = 300  # characters; search services refuse more, and a model that floods is cut

_LONGEST_OBJECT = 4_000  # characters; one with a query is short, and a model in a loop nests without end

_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)
_CUT_QUERY = re.compile(r'"(?:query|q|search_query)"\s*:\s*"((?:\\.|[^"\\])+)"')


@dataclass(slots=True)
class _Open:
    """A bracket that is open: where, which kind, and under which key."""

    start: int
    kind: Literal["{", "["]
    key: str


class QueryReader:
    """Queries out of a reply, each as soon as it is complete.

    Reads one object with a list `queries`, JSON lines, a bare list, or strings in place of objects.  A query that was
    given before is not given again.
    """

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._open: list[_Open] = []
        self._string = -1  # where the string began that is being read; -1: none is
        self._last = ""  # the last string read: perhaps the key of what comes next
        self._key = ""
        self._found: dict[str, Query] = {}

    def feed(self, text: str) -> list[Query]:
        self._text += text
        before = len(self._found)
        while self._at < len(self._text) and self._step():
            pass
        return list(self._found.values())[before:]

    def finish(self) -> list[Query]:
        """What can still be read where the reply was cut in the middle of an object."""
        before = len(self._found)
        self._text += "\n"  # ends a comment, or a slash, at the very end
        while self._at < len(self._text) and self._step():
            pass
        if self._open:
            for cut in _CUT_QUERY.finditer(self._text, self._open[0].start):
                self._add(_decoded(f'"{cut[1]}"'))
        return list(self._found.values())[before:]

    def _step(self) -> bool:
        """Read one character, a comment or the end of a string; False where more text is needed to go on."""
        c = self._text[self._at]
        if self._string >= 0:
            return self._in_string(c)
        if c == "/" and self._open:
            return self._comment()
        if c == '"' and self._open:
            self._string = self._at
        elif c in "{[":
            self._open.append(_Open(self._at, c, self._key))  # type: ignore[arg-type]
            self._key = ""
        elif c in "}]" and self._open:
            self._close(c)
        elif c == ":":
            self._key = self._last
        elif c == "," or not self._open:
            self._key = self._last = ""
        self._at += 1
        return True

    def _in_string(self, c: str) -> bool:
        if c == "\\" and self._at + 1 >= len(self._text):
            return False
        if c == '"':
            self._last = _decoded(self._text[self._string : self._at + 1])
            self._string = -1
            if self._in_list_of_strings():
                self._add(self._last)
        elif c == "\n":
            self._string = -1  # no string of JSON goes over a line: the quote was prose
        self._at += 2 if c == "\\" else 1
        return True

    def _in_list_of_strings(self) -> bool:
        top = self._open[-1] if self._open else None
        if top is None or top.kind != "[":
            return False
        return top.key.lower() in _LIST_NAMES or (len(self._open) == 1 and not top.key)

    def _comment(self) -> bool:
        opening = self._text[self._at : self._at + 2]
        if len(opening) < 2:
            return False
        ending = {"//": "\n", "/*": "*/"}.get(opening)
        if ending is None:
            self._at += 1
            return True
        end = self._text.find(ending, self._at + 2)
        if end < 0:
            return False
        self._at = end + len(ending)
        return True

    def _close(self, c: str) -> None:
        kind = "{" if c == "}" else "["
        while self._open and self._open[-1].kind != kind:
            self._open.pop()  # a bracket of the prose before it
        if not self._open:
            return
        opened = self._open.pop()
        self._key = self._last = ""
        if kind == "{" and self._at - opened.start < _LONGEST_OBJECT:
            self._read_object(self._text[opened.start : self._at + 1])

    def _read_object(self, text: str) -> None:
        match parse_object(text):
            case {"queries": str() | list() as told}:
                for query in [told] if isinstance(told, str) else told:
                    self._add(query if isinstance(query, str) else "")
            case dict(told):
                names = {str(name).lower(): value for name, value in told.items()}
                query = next((names[n] for n in _QUERY_NAMES if isinstance(names.get(n), str)), "")
                purpose = next((names[n] for n in _PURPOSE_NAMES if isinstance(names.get(n), str)), "")
                self._add(str(query), str(purpose))

    def _add(self, text: str, purpose: str = "") -> None:
        query = _in_one_line(text)
        if any(c.isalnum() for c in query):
            self._found.setdefault(query.casefold(), Query(query, _in_one_line(purpose)))


def parse_object(text: str) -> dict[str, object] | None:
    """A JSON object with comments and trailing commas, or the same as Python writes it; None: it is neither."""
    mended = _TRAILING_COMMA.sub(r"\1", _COMMENT.sub(r"\1", text))
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(mended)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _in_one_line(text: str) -> str:
    printable = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return printable[:_LONGEST_QUERY].strip()


def _decoded(string: str) -> str:
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string[1:-1]


# ------------------------------------------------------------------------------------------------- the stance

_STANCE_WORDS: dict[str, StanceKind] = {
    "NO ANSWER": "no answer",
    "NO_ANSWER": "no answer",
    "NO-ANSWER": "no answer",
    "NOANSWER": "no answer",
    "无法回答": "no answer",
    "无答案": "no answer",
    "SEARCH": "search more",
    "搜索": "search more",
    "继续搜索": "search more",
    "ANSWER": "answer",
    "回答": "answer",
}
_WORD = "|".join(sorted(_STANCE_WORDS, key=len, reverse=True)).replace(" ", r"\s+")
_SET_OFF = r"(?:[ \t]*[:：。]|[ \t]*\.(?=\s)|[ \t]*[—–-]+(?=\s)|(?=[ \t]*[\n{\[]))[*_]*"  # "Search-R1 is" is no stance
_DECLARED = re.compile(rf"[\s*_#>`\"'“【\[(-]*(?P<word>{_WORD})[*_`\"'”】\])]*{_SET_OFF}", re.IGNORECASE)
_IN_CAPITALS = re.compile(rf"\s*(?P<word>{_WORD})[ \t]")  # then a space sets it off
_ALONE = re.compile(rf"[\s*_#>`]*(?:{_WORD})[\s*_`:：.。]*")
_FENCE = re.compile(r"\A\s*```\w*[ \t]*\n")
_JSON_FIRST = re.compile(r"\s*(?:\{|\[\s*(?:[{\"]|\Z))")
_UNDECIDED = 32  # characters: what may still become a declaration, with its decoration


class StanceReader:
    """Takes the declaration off the head of `write`'s reply and lets the rest through.

    `kind` is None until it is known.  A reply that declares nothing answers, or, where it begins with JSON, searches.
    """

    def __init__(self) -> None:
        self.kind: StanceKind | None = None
        self.declared = False
        self._head = ""
        self._begun = False

    def feed(self, text: str) -> str:
        """The part of the reply proper that is certain."""
        if self.kind is not None:
            return self._proper(text)
        self._head += text
        line = _FENCE.sub("", self._head, count=1).lstrip()
        return self._decide(self._head) if "\n" in line or len(line) > _UNDECIDED else ""

    def finish(self) -> str:
        return self._decide(self._head + "\n").removesuffix("\n") if self.kind is None else ""

    def _decide(self, head: str) -> str:
        body = _FENCE.sub("", head, count=1)
        found = _DECLARED.match(body) or _IN_CAPITALS.match(body)
        if found:
            self.declared = True
            self.kind = _STANCE_WORDS[" ".join(found["word"].upper().split())]
            return self._proper(body[found.end() :])
        self.kind = "search more" if _JSON_FIRST.match(body) else "answer"
        return self._proper(head)

    def _proper(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text


def from_declaration(text: str) -> str:
    """From the last line that is nothing but a declaration to the end; empty: there is no such line."""
    lines = text.splitlines(keepends=True)
    declaring = [i for i, line in enumerate(lines) if _ALONE.fullmatch(line)]
    return "".join(lines[declaring[-1] :]) if declaring else ""


# ------------------------------------------------------------------------------------------------- revisions

_REVISION = re.compile(r"[\s*_>#-]*[\[(]?(\d{1,3})[\])]?[*_]*(?:\s*[:：][*_]*|[.、)）][*_]*\s)\s*(\S.*?)\s*")
_DROPPED = re.compile(
    r"[*_(\[`\"'“]*(?:drop|dropped|delete|remove|删除|删去|去掉)[*_)\]`\"'”]*\s*(?:[.。,，:：;；(（—–-].*)?",
    re.IGNORECASE,
)

_KEPT = re.compile(
    r"[*_(\[`\"'“]*(?:keep|kept|unchanged|保留|不变)[*_)\]`\"'”]*\s*(?:[.。,，:：;；(（—–-].*)?", re.IGNORECASE
)


def parse_revisions(text: str) -> dict[int, str | None]:
    """Number -> the sentence anew, None: dropped.  From lines `N: sentence` and `N: drop`; a sentence that is kept, and
    other lines, are passed over."""
    return {
        number: None if _DROPPED.fullmatch(told) else told
        for number, told in _revision_lines(text)
        if not _KEPT.fullmatch(told)
    }


def is_revision(text: str) -> bool:
    """Is there any line that says of a sentence what becomes of it?"""
    return any(True for _ in _revision_lines(text))


def _revision_lines(text: str) -> Iterator[tuple[int, str]]:
    for line in text.splitlines():
        if found := _REVISION.fullmatch(line):
            yield int(found[1]), found[2]


# ------------------------------------------------------------------------------------------ verdicts

# A judge's reply, read: which verdict it gives to which case, and the words that decided.
#
# Pure: knows the form that the prompt asks for and how models bend it.  Does not know whether the words stand
# anywhere.

# `3: refuted: "…"`, and what models make of it: `**3.** Refuted - “…”`, `3) **supported**: …`
_LINE = re.compile(
    r"[\s>*_#|-]*(?:claim|case|陈述)?\s*(?P<number>\d{1,3})[\s*_]*[:：.)）、|-]+[\s*_`\"“]*"
    r"(?P<verdict>supported|partial(?:ly)?(?: supported)?|unsupported|not supported|refuted|contradicted|"
    r"cannot tell|can'?t tell|unclear)\b[\s*_`\"”]*(?P<rest>.*)",
    re.IGNORECASE,
)
_VERDICT_WORDS = {
    "not supported": "unsupported",
    "contradicted": "refuted",
    "can't tell": "cannot tell",
    "cant tell": "cannot tell",
}
_QUOTED = re.compile(r"[\"“”„«「『]([^\"“”„«»「」『』]+)[\"“”»」』]")
_UNSAID = re.compile(r"(?:not said|missing|未说明?|未說明?) ?[:：] ?(?P<part>.+)$", re.IGNORECASE)
_NEED_WORDS: frozenset[Judged] = frozenset(("supported", "partial", "refuted"))


def parse_judgements(text: str, count: int) -> list[JudgeVerdict]:
    """The judgements in the order of their cases, one for a case at most; the last line on a case counts.

    `count`: how many cases there were; a line on another is passed over.
    """
    found: dict[int, JudgeVerdict] = {}
    for line in text.splitlines():
        found_line = _LINE.fullmatch(" ".join(line.split()))  # of a long gap each place would be tried
        if found_line and 1 <= int(found_line["number"]) <= count:
            found[int(found_line["number"])] = _judgement(found_line)
    return [found[number] for number in sorted(found)]


def _judgement(line: re.Match[str]) -> JudgeVerdict:
    outcome, rest = _outcome(line["verdict"].lower()), line["rest"]
    unsaid = _UNSAID.search(rest) if outcome == "partial" else None
    words = _quoted(rest[: unsaid.start()] if unsaid else rest) if outcome in _NEED_WORDS else ()
    part = unsaid["part"].strip(' *_`"“”') if unsaid else ""
    return JudgeVerdict(int(line["number"]) - 1, outcome, words, part)


def _outcome(written: str) -> Judged:
    written = "partial" if written.startswith("partial") else _VERDICT_WORDS.get(written, written)
    return next((known for known in JUDGED if known == written), "cannot tell")


def _quoted(rest: str) -> tuple[str, ...]:
    """What stands between quotation marks; where there are none, all of it."""
    found = [words.strip() for words in _QUOTED.findall(rest)]
    bare = rest.strip(" :：,，;；|—–-*_`")
    return tuple(words for words in found or [bare] if words)


# ------------------------------------------------------------------------------------------ revised

# A sentence that a writer was asked to mend, as it may stand in the place of the old one.
#
# Knows what writers give instead of a sentence: the whole answer, headings, fences, pipes, an apology.  Only what
# cites, and stands nowhere else in the answer, comes through.  Does not know whether it is true.

_BLOCK_MARKS = re.compile(r"^(?:\s*(?:#{1,6}|[-*+>]|\d{1,3}[.)])(?=\s)\s*)+")
_ANY_FENCE = re.compile(r"`{3,}|~{3,}")
_HEADS = re.compile(r"^\s*\{[^{}]*\}\s*")
_NEXT_CELL = re.compile(r"(?<!\\)\|.*", re.DOTALL)


def revised(
    old: Claim, written: str, standing: Collection[str], numbers: Collection[int], urls: Collection[str]
) -> str | None:
    """What takes the old sentence's place; empty: it goes; None: nothing of use was written, and it stays.

    `standing`: what else the answer says, as `said` has it.  `numbers`, `urls`: of the sources.
    """
    filtered = MarkFilter(numbers)
    text = _ANY_FENCE.sub("", filtered.feed(written) + filtered.close())
    if old.about is not None:
        cell = close(_NEXT_CELL.sub("", _HEADS.sub("", text)), urls).strip()
        return cell.replace("|", "\\|")
    text = close(_BLOCK_MARKS.sub("", text), urls).strip()
    if is_remark(without_marks(text)):
        return text
    sentences = [text[start:end] for start, end in split(text)]
    fresh = [sentence for sentence in sentences if said(sentence) not in standing]
    citing = " ".join(sentence for sentence in fresh if marks(sentence))
    return citing or (None if fresh else "")


def said(sentence: str) -> str:
    """A sentence as it counts here: its words, without marks, emphasis and stops."""
    return " ".join(re.findall(r"[^\W_]+", without_marks(sentence).casefold()))
