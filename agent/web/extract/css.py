"""A page's own style sheets as rules: which selectors, which declarations, in which order.

A small reader of CSS Syntax Level 3 for what can hide text; linear in the length of the sheet, whatever stands in it.
Knows blocks, at-rules, nesting, strings, comments and escapes.  Does not know elements or what a declaration does.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from agent.web.extract.media import shown_on_a_desktop

# And the marks that once hid a sheet from browsers that knew none: CSS skips them.
_COMMENT = re.compile(r"(\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?)|/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_BRACE = re.compile(
    r"[{}]|\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?|url\(\s*[^\"')\s][^)]*+\)?|\\.", re.DOTALL | re.IGNORECASE
)
_PLAIN = re.compile(r"([^{}\"'\\@;]*+)\{([^{}\"'\\]*+)\}")  # a rule without strings and blocks in it: most are such
_DECLARATION = re.compile(
    r"(?<![\w-])([\w-]+)\s*+:((?:\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?|\((?:[^()]|\([^()]*+\))*+\)?|[^;\"'(])*+)",
    re.DOTALL,
)
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|([^\n]))")
_DEEPEST = 32  # blocks inside each other; further in, a selector stands for itself
_LONGEST = 20_000  # characters of selectors that nesting may make; past them likewise: `&` can grow without bound
_GROUPS = ("@supports", "@layer", "@container", "@scope", "@document", "@-moz-document")

_EVERYWHERE = {"inherit", "initial", "unset", "revert", "revert-layer"}
_LATER = ("var(", "env(", "calc(", "min(", "max(", "clamp(", "attr(")  # what it comes to, a browser sees later
_WORDS = {
    name: re.compile(words)
    for name, words in {
        "display": r"none|contents|block|inline|flow|flow-root|run-in|list-item|math|ruby|table|flex|grid|box"
        r"|(?:inline|table|ruby|grid)-[a-z-]+|-(?:webkit|moz|ms)-[a-z-]+",
        "visibility": r"visible|hidden|collapse",
        "content-visibility": r"visible|hidden|auto",
        "opacity": r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?%?",
        "position": r"static|relative|absolute|fixed|sticky|-webkit-sticky",
        "font-size": r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?:[a-z]+|%)?|(?:xx?-|xxx-)?(?:small|large)|medium|smaller"
        r"|larger|math",
    }.items()
}

Value = tuple[str, bool]  # in lower case, and whether it is !important


@dataclass(frozen=True, slots=True)
class Rule:
    selectors: str  # a comma between them
    declarations: str
    layered: bool = False  # in an @layer, which yields to all that is in none


@dataclass(frozen=True, slots=True)
class _Block:
    selectors: str = ""
    applies: bool = True
    layered: bool = False


def rules(sheet: str) -> Iterator[Rule]:
    """The rules that apply on a desktop's screen, in order."""
    if "/*" in sheet or "<!--" in sheet or "-->" in sheet:
        sheet = _COMMENT.sub(r"\1", sheet)
    blocks, start, at = [_Block()], 0, 0
    while True:
        if start == at:
            at = yield from _plain(sheet, at, blocks[-1])
            start = at
        brace = _BRACE.search(sheet, at)
        if brace is None:
            break
        at = brace.end()
        if brace[0] not in "{}":
            continue
        declared, start = sheet[start : brace.start()], at
        if brace[0] == "{":
            declared, _, prelude = declared.rpartition(";")
            yield from _rule(blocks[-1], declared)
            blocks.append(_opened(blocks[-1] if len(blocks) < _DEEPEST else _Block(), prelude.strip()))
        else:
            yield from _rule(blocks[-1], declared)
            if len(blocks) > 1:
                blocks.pop()
    yield from _rule(blocks[-1], sheet[start:])


def _plain(sheet: str, at: int, block: _Block) -> Generator[Rule, None, int]:
    """The plain rules from here on, and where they end: in a third of the time."""
    while (plain := _PLAIN.match(sheet, at)) and not ("(" in plain[0] and "url(" in plain[0].lower()):
        at = plain.end()
        if block.applies and ":" in plain[2]:
            yield Rule(_nested(block.selectors, plain[1].strip()), plain[2], block.layered)
    return at


def _rule(block: _Block, declared: str) -> Iterator[Rule]:
    if block.applies and block.selectors and ":" in declared:
        yield Rule(block.selectors, declared, block.layered)


def _opened(outer: _Block, prelude: str) -> _Block:
    if not prelude.startswith("@"):
        return _Block(_nested(outer.selectors, prelude), outer.applies, outer.layered)
    name, _, condition = prelude.partition(" ")
    name = name.lower().partition("(")[0]
    if name == "@media":
        applies = outer.applies and shown_on_a_desktop(condition or prelude[len("@media") :])
        return _Block(outer.selectors, applies, outer.layered)
    if name not in _GROUPS:  # @keyframes, @font-face, @page and the like style no element
        return _Block(applies=False)
    applies = outer.applies and not (name == "@supports" and condition.lower().startswith("not"))
    return _Block(outer.selectors, applies, outer.layered or name == "@layer")


def _nested(outer: str, inner: str) -> str:
    """`.a { .b { … } }` is `.a .b { … }`, and `&` stands for `.a`."""
    if not outer:
        return inner
    around = f":is({outer})"
    if len(around) * (inner.count(",") + inner.count("&") + 1) > _LONGEST:
        return inner
    return inner.replace("&", around) if "&" in inner else ", ".join(f"{around} {one}" for one in inner.split(","))


def inline(style: str) -> dict[str, Value]:
    """What a `style` attribute sets."""
    return declarations(_COMMENT.sub(r"\1", style))


def declarations(block: str) -> dict[str, Value]:
    """What a block without comments sets, names and values in lower case; the last of several counts."""
    found: dict[str, Value] = {}
    for told, value in _DECLARATION.findall(unescaped(block)):
        plain = _IMPORTANT.sub("", value)
        name, set_to, important = told.lower(), plain.strip().lower(), len(plain) != len(value)
        if is_value(name, set_to) and (important or not found.get(name, ("", False))[1]):
            found[name] = (set_to, important)
    return found


def is_value(name: str, value: str) -> bool:
    """Does a browser take it?  Else what was set before it stays, `display: none` before a `display: nonsense`."""
    words = _WORDS.get(name)
    if words is None:
        return True
    return bool(value) and all(
        words.fullmatch(word) or word in _EVERYWHERE or (word.startswith(_LATER) and word.endswith(")"))
        for word in (value.split() if "(" not in value else [value])
    )


def unescaped(text: str) -> str:
    r"""`d\69 splay` is `display`."""
    return text if "\\" not in text else _ESCAPE.sub(lambda m: m[2] or _character(int(m[1], 16)), text)


def _character(number: int) -> str:
    return chr(number) if 0 < number < 0xD800 or 0xDFFF < number < 0x110000 else "\ufffd"
