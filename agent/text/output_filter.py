"""Makes a model's Markdown safe to show while it streams: no image, no HTML, no address outside the sources."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from agent.text.markdown import FENCE, LiteralSpan, closes, literals
from agent.text.safe_text import visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


# ------------------------------------------------------------------------------------------ output

# The last gate before a reader: an answer in which nothing can load, run, link astray, or hide.
#
# Knows lines, fences, paragraphs and source lists; `links` makes a single line safe and `proof` proves it.  Works on
# a stream: a line is let out as soon as it is complete, and what was let out is never taken back.  A source list that
# a model made itself at the end goes: ours is made in code.

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


# ------------------------------------------------------------------------------------------ links

# A line of Markdown with everything that loads or leads anywhere taken out, except links to URLs that were gathered.
#
# Knows the forms of images, links, addresses and HTML.  Knows nothing of the lines around it, nor of streams.

_LABEL = r"(?:[^\[\]\\]|\\.|\[(?:[^\[\]\\]|\\.)*\])*"
_TARGET = (
    r"\(\s*(?P<url><[^<>\n]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_IMAGE = re.compile(rf"!\[(?P<label>{_LABEL})\](?:{_TARGET}|\[[^\[\]]*\])")
_LINK = re.compile(rf"(?<!\\)\[(?P<label>{_LABEL})\]{_TARGET}")
_ANGLED = re.compile(r"<(?P<url>[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)>")
_BARE = re.compile(
    r"(?P<url>[a-z][a-z0-9+.-]{1,31}://[^\s<>`|\"\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]*"
    r"|(?<![A-Za-z0-9])www\.[^\s<>`|\"\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]+"
    r"|(?:mailto|xmpp):[^\s<>`|]+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",  # a run of letters is tried once
    re.IGNORECASE,
)
_SCHEME = re.compile(r"^(?:(?:[a-z][a-z0-9+.-]*:)?//|mailto:|xmpp:)*(?:www\.)?", re.IGNORECASE)
_TAG = re.compile(r"(?<!\\)((?:\\\\)*)<(?=[A-Za-z/!?])")
_DEFINITION_LINE = re.compile(r"^(?P<before>[ \t>]*\[(?:[^\[\]\\]|\\.)+\]):|^(?P<rest>[^\[]*\]):")
_OPENS_LINK = re.compile(r"\](?=\()")
_OPENS_IMAGE = re.compile(r"!(?=\[)")
# LaTeX that links, loads, or sets HTML attributes, in the renderers that know it.
_COMMAND = re.compile(
    r"\\(?=(?:href|url|html\w*|includegraphics|require|unicode|cssId|class|style|input|include|data)\b)"
)
_LEADING = re.compile(r"\][(:\[]|!\[|://|www\.|\w@\w|mailto:|xmpp:", re.IGNORECASE)
_LEADS = re.compile(r"^$|[/.:#?%&<>\\]")
_TURNS = 8  # what is taken out may bring together what was apart; no honest line needs more than three
_TRAILING = re.compile(r"[.,;:!?'*_~)\]]+$")


class Gathered:
    """The URLs that an answer may link to, found again in whatever spelling a model gives them."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._by_spelling = {spelling: url for url in urls for spelling in (url, _spelt(url))}

    def find(self, written: str) -> str | None:
        return self._by_spelling.get(written) or self._by_spelling.get(_spelt(html.unescape(written)))


def _spelt(url: str) -> str:
    return unquote(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", url.strip().strip("<>"))).rstrip("/")


def closed(line: str, gathered: Gathered, *, in_code_run: bool, in_math: bool) -> str:
    """The line without images, HTML and links, except to what was gathered.

    `in_code_run`: a backtick of an earlier line of this paragraph may still pair with one here, so nothing counts as a
    code span.  `in_math`: the line stands inside a formula of several lines.
    """
    for _ in range(_TURNS):
        before = line
        is_formula = in_math and not _LEADING.search(line)
        line = _formula(line) if is_formula else _once(line, gathered, in_code_run)
        if line == before:
            return line
    return plain(line)


def _once(line: str, gathered: Gathered, in_code_run: bool) -> str:
    parts, at = [], 0
    for literal in [] if in_code_run else _kept_literals(line):
        parts += [_prose(line[at : literal.start], gathered, at == 0), _literal(line, literal)]
        at = literal.end
    parts.append(_prose(line[at:], gathered, at == 0))
    return "".join(parts)


def plain(line: str) -> str:
    """The line with every character gone that could mean anything: the last resort."""
    bare = re.sub(r"[<>\[\]()!&@`*_~$\\#|]", " ", line)
    return re.sub(r"(?i)\b(www)\.|:(?=\S)", lambda m: f"{m[1]} " if m[1] else ": ", bare)


def _kept_literals(line: str) -> list[LiteralSpan]:
    """Code, and what is surely math: dollars around a link are dollars."""
    return [s for s in literals(line) if line[s.start] == "`" or not _LEADING.search(line[s.start : s.end])]


def _literal(line: str, literal: LiteralSpan) -> str:
    text = line[literal.start : literal.end]
    return text if text.startswith("`") else _formula(text)


def _formula(text: str) -> str:
    """Math means its characters, but not every renderer knows math."""
    text = _COMMAND.sub("", _TAG.sub(r"\1< ", text))
    return _BARE.sub(lambda m: _SCHEME.sub("", m["url"]).replace("@", " "), text)


def _prose(text: str, gathered: Gathered, opens_line: bool) -> str:
    text = _COMMAND.sub("", _without_images(text))
    if opens_line:
        text = _DEFINITION_LINE.sub(lambda m: (m["before"] or m["rest"]) + "\\:", text)
    parts, at = [], 0
    for link in _LINK.finditer(text):
        kept = _kept(link, gathered)
        before = _inert(text[at : link.start()], gathered)
        parts += [before, " " if before.endswith("!") else "", kept]
        at = link.end()
    parts.append(_inert(text[at:], gathered))
    return "".join(parts)


def _kept(link: re.Match[str], gathered: Gathered) -> str:
    """A link to a gathered URL, written anew; of any other its text, or its mark."""
    url = gathered.find(link["url"].strip("<>"))
    label = _inert(link["label"], gathered)
    if url:
        return f"[{_SCHEMED_LABEL.sub('', label)}](<{_unangled(url)}>)"
    said = "" if _LEADS.search(link["url"]) else f" ({link['url']})"  # `[3](v2)` was no link to its writer
    return (f"[{label}]" if label.strip().isdigit() else label) + said


_SCHEMED_LABEL = re.compile(r"[\[\]]|<[^>]*>")


def _unangled(url: str) -> str:
    return re.sub(r"[\s<>]", lambda m: f"%{ord(m[0]):02X}", url)


def _without_images(text: str) -> str:
    while True:
        shorter = _IMAGE.sub(lambda m: m["label"], text)
        if shorter == text:
            return text
        text = shorter


def _inert(text: str, gathered: Gathered) -> str:
    """Text between links: addresses become code or links to what was gathered, brackets and tags mean nothing."""
    parts, at = [], 0
    for address in _addresses(text):
        parts += [_bracketed(text[at : address.start()]), _address(address, gathered)]
        at = address.end()
    parts.append(_bracketed(text[at:]))
    return "".join(parts)


def _addresses(text: str) -> list[re.Match[str]]:
    angled = list(_ANGLED.finditer(text))
    taken = [(m.start(), m.end()) for m in angled]
    bare = [m for m in _BARE.finditer(text) if not any(start <= m.start() < end for start, end in taken)]
    return sorted(angled + bare, key=lambda m: m.start())


def _address(address: re.Match[str], gathered: Gathered) -> str:
    """`<url>` for one that was gathered; any other without its scheme, as code, so that nothing links it."""
    written = address["url"]
    after = ""
    if not address[0].startswith("<"):
        trailing = _TRAILING.search(written)
        if trailing and not gathered.find(written):
            written, after = written[: trailing.start()], trailing[0]
    url = gathered.find(written)
    if url:
        return f"<{_unangled(url)}>{after}"
    shown = _SCHEME.sub("", written).replace("`", "")
    return f"`{shown}`{_bracketed(after)}" if shown else _bracketed(after)


def _bracketed(text: str) -> str:
    return _TAG.sub(r"\1\\<", _OPENS_IMAGE.sub("! ", _OPENS_LINK.sub("] ", text)))


# ------------------------------------------------------------------------------------------ proof

# Proof that a piece of Markdown is closed: no image, no HTML, no link but to a URL that was gathered.
#
# Parses as a renderer would (CommonMark with HTML and tables; bare addresses as GitHub links them) and looks at what
# came out, so it does not depend on how the text was made safe.

# What renderers make a link of without being asked: GitHub's extended autolinks, with every scheme for good measure.
BARE_LINK = re.compile(
    r"[a-z]://|(?<![a-z0-9])www\.(?=[^\s.])|(?:mailto|xmpp):(?=\S)|[\w.+-]@[\w-]+\.[\w-]",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"(?![\s\S]*(?:(?<!\\)(?:\\\\)*<[A-Za-z/!?]|\]\(|\]:|:\\?/|www\\?\.|[\w.+-]\\?@\w|mailto\\?:|xmpp\\?:|&[#\w]|\|))",
    re.IGNORECASE,
)


_HEAD_ROWS = 2  # of a table: its head and the line of dashes


def is_harmless(line: str) -> bool:
    """Has the line nothing of which, with whatever lines before it, a link, an image or HTML could be made?

    A pipe counts: a row of dashes makes a table of the line above, and cuts its code spans at the pipes.
    """
    return bool(_HARMLESS.match(line))


def is_closed(markdown: str, urls: Iterable[str]) -> bool:
    """Is there nothing in it that a renderer would load, run, or link to anywhere but to one of `urls`?"""
    parser = _parser()
    env: dict[str, object] = {}
    tokens = parser.parse(markdown, env)
    allowed = {spelt for url in urls for spelt in (parser.normalizeLink(url), parser.normalizeLinkText(url))}
    return not env.get("references") and all(_is_closed(token, allowed) for token in _leaves(tokens))


def ends_in_fence(markdown: str) -> bool:
    """Does a renderer take the last line for code between fences?"""
    tokens = _parser().parse(markdown, {})
    last = next((token for token in reversed(tokens) if token.map), None)
    return last is not None and last.type == "fence" and last.map is not None and last.map[1] >= _line_count(markdown)


def _line_count(markdown: str) -> int:
    return markdown.rstrip("\n").count("\n") + 1


def still_open(markdown: str) -> str:
    """What of a text a further line may still change: its last block, of a list the last item, of a table head and
    last row.  Whatever line follows is read the same after this as after the whole."""
    tokens = [token for token in _parser().parse(markdown, {}) if token.map]
    last = next((token for token in reversed(tokens) if token.level == 0), None)
    if last is None or last.map is None:
        return ""
    lines = markdown.split("\n")
    begin = last.map[0]
    if last.type == "table_open":
        rows = [row for row in range(begin + _HEAD_ROWS, len(lines)) if lines[row].strip()]
        return "\n".join([*lines[begin : begin + _HEAD_ROWS], *lines[rows[-1] if rows else begin + _HEAD_ROWS :]])
    if last.type in ("bullet_list_open", "ordered_list_open"):
        begin = max(
            token.map[0] for token in tokens if token.map and token.type == "list_item_open" and token.level == 1
        )
    return "\n".join(lines[begin:])


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _leaves(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        if token.children:
            yield from _leaves(token.children)


def _is_closed(token: Token, allowed: set[str]) -> bool:
    if token.type in ("html_block", "html_inline", "image"):
        return False
    if token.type == "link_open":
        return str(token.attrs.get("href", "")) in allowed
    # An allowed address as `<address>` has its own text inside the link: that is the one place for it.
    return not (token.type == "text" and BARE_LINK.search(token.content) and token.content not in allowed)
