"""A line of Markdown with everything that loads or leads anywhere taken out, except links to URLs that were gathered.

Knows the forms of images, links, addresses and HTML.  Knows nothing of the lines around it, nor of streams.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import unquote

from agent.text.literals import Literal, literals

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
_DEFINITION = re.compile(r"^(?P<before>[ \t>]*\[(?:[^\[\]\\]|\\.)+\]):|^(?P<rest>[^\[]*\]):")
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


def _kept_literals(line: str) -> list[Literal]:
    """Code, and what is surely math: dollars around a link are dollars."""
    return [s for s in literals(line) if line[s.start] == "`" or not _LEADING.search(line[s.start : s.end])]


def _literal(line: str, literal: Literal) -> str:
    text = line[literal.start : literal.end]
    return text if text.startswith("`") else _formula(text)


def _formula(text: str) -> str:
    """Math means its characters, but not every renderer knows math."""
    text = _COMMAND.sub("", _TAG.sub(r"\1< ", text))
    return _BARE.sub(lambda m: _SCHEME.sub("", m["url"]).replace("@", " "), text)


def _prose(text: str, gathered: Gathered, opens_line: bool) -> str:
    text = _COMMAND.sub("", _without_images(text))
    if opens_line:
        text = _DEFINITION.sub(lambda m: (m["before"] or m["rest"]) + "\\:", text)
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
