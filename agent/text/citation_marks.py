"""Citation marks in an answer, also while it streams, and text without marks or markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from agent.text.markdown import FENCE, closes, literals, may_be_fence, open_at

# ------------------------------------------------------------------------------------------ citations

# Citation marks: whatever a model writes for one becomes `[n]`, and only for a source that exists.
#
# Knows the forms that models use and where brackets are not marks (code, math).  Does not know what a source says,
# nor what a URL is.

_RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DIGITS = f"0-9０-９{_RAISED_DIGITS}"
_NOUNS = (  # what a source is called in front of its number; a letter at the end is the plural
    *("citations", "cite", "refs", "references", "sources", "webpages", "quellen", "fuentes", "fonti", "fontes"),
    *("bronnen", "bron", "źródła", "źródło", "źródeł", "источники", "источник", "источника"),
    *("引用", "来源", "來源", "网页", "網頁", "出典", "参考", "출처", "مصادر", "مصدر", "المصدر"),
)
_BETWEEN = ("and", "to", "und", "bis", "y", "e", "et", "en", "и")  # two numbers of a list
_WORDS = (*_NOUNS, *_BETWEEN)
_KEYWORD = "|".join(
    sorted({form for noun in _NOUNS for form in (noun, noun.removesuffix("s"), noun.removesuffix("n"))}, key=len)[::-1]
)
_NUMBER = rf"[{_DIGITS}]{{1,5}}"
_JOIN = rf"(?:[,，、;；&+~～–—-]|\b(?:{'|'.join(_BETWEEN)})\b)"
_LIST = rf"{_NUMBER}(?:\s?{_JOIN}?\s?(?:(?:{_KEYWORD})\s?[:：.]?\s?)?{_NUMBER}){{0,40}}"
_INSIDE = rf"\s?\^?\s?(?:(?:{_KEYWORD})\s?[:：.]?\s?)?({_LIST})\s?\^?\s?"
_OPEN, _CLOSE = r"[\[［【]", r"[\]］】]"
_MARK = re.compile(
    rf"\[\[{_INSIDE}\]\]|\\?{_OPEN}{_INSIDE}(?:†[^\]】\n]{{0,40}})?\\?{_CLOSE}|⁽{_INSIDE}⁾"
    rf"|[(（]\s?(?:{_KEYWORD})\s?[:：.]?\s?({_LIST})\s?[)）]",
    re.IGNORECASE,
)
_CITING = re.compile(
    rf"{_OPEN}\s?\^?\s?(?:{_KEYWORD})\s?[:：]\s?\d|【\d{{1,3}}†|(?<=[\w.,)\"”。] )\[\d{{1,3}}\](?=[.。]?[ \t]*$)",
    re.MULTILINE | re.IGNORECASE,
)
_PROSE_WORD = re.compile(r"[\u3040-\u9fff]{2}|[^\W\d_\u3040-\u9fff]{2,}")
_LEAST_WORDS = 4  # before a mark on its line, for it to be a sentence that cites and no index, nor a mark talked about
_PROSE_FENCE = re.compile(r"[ \t]*(?:text|txt|plain(?:text)?|markdown|md|answer)?[ \t]*\n?", re.IGNORECASE)
_CODE_SPAN = re.compile(r"(`+)(?P<inside>.*?)\1", re.DOTALL)
_LONGEST_MARK = 120  # characters; nothing longer is held back
_OPENERS = "[［【⁽(（<"
_RAISED_MARK = re.compile(rf"<sup>{_OPEN}?{_INSIDE}{_CLOSE}?</sup>", re.IGNORECASE)
_RAISED_SO_FAR = re.compile(r"<(?:s(?:u(?:p(?:>[^<>\n]{0,60}(?:<(?:/(?:s(?:up?)?)?)?)?)?)?)?)?$", re.IGNORECASE)
_LINK = re.compile(r"\[(?P<label>[^\[\]\n]{0,200})\]\(<?(?P<url>[^\s()<>]{1,600})>?(?: \"[^\"\n]{0,200}\")?\)")
_LINK_SO_FAR = re.compile(r"\[[^\[\]\n]{0,200}(?:\](?:\([^\s()]{0,600}(?: \"[^\"\n]{0,200}\"?)?)?)?$")
_RAISED = re.compile(rf"[{_RAISED_DIGITS}](?:[{_RAISED_DIGITS}]|[,˒'’⁻](?=[{_RAISED_DIGITS}]))*")
# A raised number after these is a power or a unit, after a sentence's end or a longer word it is a mark.
_UNIT = re.compile(
    r"(?:met(?:er|re)s?|inch(?:es)?|feet|foot|miles?|yards?|met?ros?|mètres?|cent[iì]met\w+|kilomet\w+|[米尺里])$",
    re.IGNORECASE,
)
_MARKED_WORD = re.compile(r"(?:[^\W\d_]{4,}|[\u3040-\u9fff]|[.!?,;:)\]\"'”’»。！？，；：」』）])$")
_SPECIAL = re.compile(rf"[`$\\\n{re.escape(_OPENERS)}{_RAISED_DIGITS}]")
_SO_FAR = re.compile(
    rf"(?:\[\[|\\?[\[［【]|\\|[⁽(（])(?P<inside>(?:[\s^{_DIGITS},，、;；&+~～–—:：-]|[^\W\d_{_RAISED_DIGITS}])*)(?:†[^\]】\n]*)?[\]\\]?$"
)
_JOINABLE = re.compile(r"[`$\\]$|\[[\d\s]*$")  # what would mean something else beside what follows the mark
_LETTERS = re.compile(rf"[^\W\d_{_RAISED_DIGITS}]+")
_SHOWN = re.compile(r"(?<!\\)\[(\d{1,5})\]")
_PAGE_MARK = re.compile(
    r"\s?\[(?:\d{1,4}(?:\s?[,–-]\s?\d{1,4})*|[a-z]{1,2}|(?:note|n|nb|lower-alpha|lower-roman)\s?\d{1,3}"
    r"|(?:citation|better source|verification|clarification|page) needed|(?:who|when|where|which|why|how|by whom)\??"
    r"|edit|update|sic|dead link|permanent dead link|来源请求|編集|编辑|需要引用)\]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """`[number]` in an answer; `answer[start:end]` is the mark with its brackets."""

    number: int
    start: int
    end: int


def marks(answer: str) -> list[Mark]:
    """Every mark outside code and math, in order."""
    spans = iter([*literals(answer), None])
    span = next(spans)
    found = []
    for shown in _SHOWN.finditer(answer):
        while span and span.end <= shown.start():
            span = next(spans)
        if span is None or shown.start() < span.start:
            found.append(Mark(int(shown[1]), shown.start(), shown.end()))
    return found


def without_marks(sentence: str) -> str:
    """A sentence of an answer as its writer meant it: without our marks and the space before them."""
    for mark in reversed(marks(sentence)):
        sentence = sentence[: mark.start].rstrip(" ") + sentence[mark.end :]
    return sentence


def without_page_marks(sentence: str) -> str:
    """A page's sentence without the page's own marks (`[12]`, `[citation needed]`): ours would look the same."""
    return _PAGE_MARK.sub("", sentence)


class MarkFilter:
    """Marks of every form to `[n]`, in a stream; numbers of no source are taken out and counted.

    However the text is cut into chunks, the output is the same.  Code and math pass unchanged.
    """

    def __init__(self, known: Collection[int], urls: Mapping[str, int] | None = None) -> None:
        """`known`: the numbers of the sources.  `urls`: their addresses; a link to one becomes its mark."""
        self._known = frozenset(known)
        self._urls = {url.rstrip("/"): number for url, number in (urls or {}).items()}
        self._text = ""  # not yet told: what is held back
        self._told = ""  # the last characters that were emitted
        self._fence = ""  # of the code that we are in
        self._spaces = ""  # held back: they go if what follows is taken out
        self._gap = False  # a mark was taken out just now
        self._awaited = ""  # the fence of a block that is read as a whole
        self._line = ""  # the last line of that block so far
        self.unknown = 0

    def feed(self, chunk: str) -> str:
        self._text += chunk
        return "" if self._awaited and not self._has_come(chunk) else self._advance(final=False)

    def _has_come(self, chunk: str) -> bool:
        """Has the line come that ends the block which is read as a whole?  Each character is looked at once."""
        *lines, self._line = (self._line + chunk).split("\n")
        if not any(closes(line, self._awaited) for line in lines):
            return False
        self._awaited = ""
        return True

    def close(self) -> str:
        rest = self._advance(final=True) + self._spaces
        self._spaces = ""
        return rest

    def _advance(self, *, final: bool) -> str:
        out: list[str] = []
        while self._text:
            taken = self._in_fence(final) if self._fence else self._step(final)
            if taken is None:
                break
            length, shown = taken
            self._text = self._text[length:]
            out.append(self._spaced(shown))
            self._told = (self._told + out[-1])[-24:]
        return "".join(out)

    def _before(self) -> str:
        """The last characters before what comes next, as the reader will have them."""
        return self._told + ("" if self._gap else self._spaces)

    def _spaced(self, shown: str) -> str:
        """What to emit for `shown`: trailing spaces wait until it is known that no removed mark follows them."""
        if not shown:
            return ""
        if self._gap:
            self._gap = False
            if not shown[0].isalnum():
                self._spaces = ""
        body = shown.rstrip(" ")
        if not body:
            self._spaces += shown
            return ""
        ready, self._spaces = self._spaces + body, shown[len(body) :]
        return ready

    def _in_fence(self, final: bool) -> tuple[int, str] | None:
        end = self._text.find("\n") + 1
        if not end and not final:
            return None
        line = self._text[: end or None]
        if closes(line, self._fence):
            self._fence = ""
        return len(line), line

    def _step(self, final: bool) -> tuple[int, str] | None:
        """How many characters are told now, and what is shown for them.  None: wait for more."""
        if self._before()[-1:] in ("", "\n"):
            line, newline, _ = self._text.partition("\n")
            if not newline and not final and may_be_fence(line):
                return None
            fenced = FENCE.match(line)
            if fenced:
                return self._begin_fence(fenced, line + newline, final)
        special = _SPECIAL.search(self._text)
        if special is None:
            return len(self._text), self._text
        if special.start():
            return special.start(), self._text[: special.start()]
        return self._special(final)

    def _begin_fence(self, fenced: re.Match[str], line: str, final: bool) -> tuple[int, str] | None:
        """What cites is no code: a fence around prose goes, and its content is read like the rest."""
        if line[: fenced.start("fence")].strip(" ") or not _PROSE_FENCE.fullmatch(line[fenced.end() :]):
            self._fence = fenced["fence"]
            return len(line), line
        lines = self._text[len(line) :].splitlines(keepends=True)
        end = next((at for at, each in enumerate(lines) if closes(each, fenced["fence"])), None)
        if not final and (end is None or not lines[end].endswith("\n")):
            self._awaited, self._line = fenced["fence"], lines[-1] if lines and not lines[-1].endswith("\n") else ""
            return None
        inside = "".join(lines[:end])
        if not _cites(inside):
            self._fence = fenced["fence"]
            return len(line), line
        self._text = inside + "".join(lines[end + 1 :] if end is not None else ())
        return 0, ""

    def _special(self, final: bool) -> tuple[int, str] | None:
        char = self._text[0]
        if char == "\n":
            return 1, char
        if char in _RAISED_DIGITS:
            return self._raised(final)
        if char == "<":
            return self._raised_mark(final)
        if self._urls and char == "[":
            link = _LINK.match(self._text)
            if link and (number := self._urls.get(link["url"].rstrip("/"))):
                label = link["label"].strip()
                return link.end(), self._shown([number]) if label.isdigit() or not label else f"{label} [{number}]"
            if not final and not link and _LINK_SO_FAR.match(self._text):
                return None
        mark = _MARK.match(self._text)
        if mark:
            return self._mark(mark)
        if not final and _may_be_mark(self._text):
            return None
        return self._opener(final) if char in "`$\\" else (1, char)

    def _mark(self, mark: re.Match[str]) -> tuple[int, str]:
        written = next(group for group in mark.groups() if group)
        plain = mark[0].lstrip("\\")[0] in "[［" and not re.search(_KEYWORD, mark[0], re.IGNORECASE)
        numbers = _numbers(written)
        if mark[0][0] in "(（" and any(n > 999 for n in numbers):  # "(source 2019)"
            return mark.end(), mark[0]
        if plain and any(n == 0 for n in numbers) and len(numbers) > 1:  # an interval, [0, 1]
            return mark.end(), mark[0]
        if plain and any(n > 999 for n in numbers):  # a year
            return mark.end(), f"({written})"
        return mark.end(), self._shown(numbers)

    def _shown(self, numbers: list[int]) -> str:
        known = [n for n in numbers if n in self._known]
        self.unknown += len(numbers) - len(known)
        if not known and _JOINABLE.search(self._before()):
            return " "  # what stood apart stays apart
        self._gap = self._gap or not known
        return "".join(f"[{n}]" for n in dict.fromkeys(known))

    def _raised(self, final: bool) -> tuple[int, str] | None:
        raised = _RAISED.match(self._text)
        assert raised
        if not final and re.fullmatch(r"[,˒'’⁻]?", self._text[raised.end() :]):
            return None
        numbers = _numbers(re.sub(r"[˒'’]", ",", raised[0])) if "⁻" not in raised[0] else []
        marked = _MARKED_WORD.search(self._before()) and not _UNIT.search(self._before())
        if marked and numbers and self._known.issuperset(numbers):
            return raised.end(), self._shown(numbers)
        return raised.end(), raised[0]

    def _raised_mark(self, final: bool) -> tuple[int, str] | None:
        """`<sup>1</sup>` behind a word or a sentence; behind a unit or a letter it is a power."""
        mark = _RAISED_MARK.match(self._text)
        if mark is None:
            return None if not final and _RAISED_SO_FAR.match(self._text) else (1, "<")
        numbers, before = _numbers(next(group for group in mark.groups() if group)), self._before().rstrip()
        if self._known.issuperset(numbers) and _MARKED_WORD.search(before) and not _UNIT.search(before):
            return mark.end(), self._shown(numbers)
        return mark.end(), mark[0]

    def _opener(self, final: bool) -> tuple[int, str] | None:
        behind = self._before()[-1:]
        opened = open_at(behind + self._text, len(behind), final=final)
        if opened is None:
            return None
        length = opened.end - len(behind)
        code = _CODE_SPAN.fullmatch(self._text[:length])
        if code and _cites(code["inside"]):
            self._text = code["inside"] + self._text[length:]
            return 0, ""
        return length, self._text[:length]


def _cites(code: str) -> bool:
    """Does it cite, as prose does and code does not?"""
    before = (code[code.rfind("\n", 0, mark.start()) + 1 : mark.start()] for mark in _CITING.finditer(code))
    return any(len(_PROSE_WORD.findall(line)) >= _LEAST_WORDS for line in before if "`" not in line)


def _may_be_mark(text: str) -> bool:
    """Could this, which begins with a bracket or a backslash, still become a mark?"""
    so_far = _SO_FAR.match(text) if len(text) <= _LONGEST_MARK else None
    if so_far is None:
        return False
    words = _LETTERS.findall(so_far["inside"].lower())
    if text[0] in "(（":
        return len(text) == 1 or (bool(words) and any(word.startswith(words[0]) for word in _NOUNS))
    return all(word in _WORDS or f"{word}s" in _WORDS for word in words[:-1]) and (
        not words or any(word.startswith(words[-1]) for word in _WORDS)
    )


def _numbers(written: str) -> list[int]:
    """The numbers of a list such as `3, 5-7`; a range of more than 20 counts as its two ends."""
    plain = unicodedata.normalize("NFKC", re.sub(_KEYWORD, "", written, flags=re.IGNORECASE))
    plain = re.sub(r"\b(?:to|bis)\b", "-", plain)
    numbers: list[int] = []
    for part in re.finditer(r"(\d+)(?:[\s:]*[-–—~][\s:]*(\d+))?", plain):
        first, last = int(part[1]), int(part[2] or part[1])
        numbers += range(first, last + 1) if first <= last <= first + 20 else (first, last)
    return numbers


# ------------------------------------------------------------------------------------------ prose

# Markdown as a reader reads it: one line of plain words.
#
# Knows marks, emphasis, links and the borders of cells.  Does not know blocks: one sentence or row at a time.

_LINK_OR_IMAGE = re.compile(r"!?\[([^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]\([^()\s]*(?:\s[^()]*)?\)")
_ESCAPED = re.compile(r"\\([_#|>~.!()\[\]-])")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|`+|~~")
_PIPES = re.compile(r"(?:(?<!\s)\s+)?\|\s*")


@lru_cache(maxsize=4_096)  # a passage is laid beside many claims
def prose(text: str) -> str:
    """The text without our marks, the page's own marks, emphasis, link targets, cell borders and line ends."""
    text = _ESCAPED.sub(r"\1", without_page_marks(without_marks(text)))
    return " ".join(_PIPES.sub(" ", _EMPHASIS.sub("", _LINK_OR_IMAGE.sub(r"\1", text))).split())
