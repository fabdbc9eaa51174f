"""A page's own style sheets as rules: which selectors, which declarations, in which order.

A small reader of CSS Syntax Level 3 for what can hide text; linear in the length of the sheet, whatever stands in it.
Knows blocks, at-rules, nesting, strings, comments and escapes.  Does not know elements or what a declaration does."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

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
class _RuleBlock:
    selectors: str = ""
    applies: bool = True
    layered: bool = False


def rules(sheet: str) -> Iterator[Rule]:
    """The rules that apply on a desktop's screen, in order."""
    if "/*" in sheet or "<!--" in sheet or "-->" in sheet:
        sheet = _COMMENT.sub(r"\1", sheet)
    blocks, start, at = [_RuleBlock()], 0, 0
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
            blocks.append(_opened(blocks[-1] if len(blocks) < _DEEPEST else _RuleBlock(), prelude.strip()))
        else:
            yield from _rule(blocks[-1], declared)
            if len(blocks) > 1:
                blocks.pop()
    yield from _rule(blocks[-1], sheet[start:])


def _plain(sheet: str, at: int, block: _RuleBlock) -> Generator[Rule, None, int]:
    """The plain rules from here on, and where they end: in a third of the time."""
    while (plain := _PLAIN.match(sheet, at)) and not ("(" in plain[0] and "url(" in plain[0].lower()):
        at = plain.end()
        if block.applies and ":" in plain[2]:
            yield Rule(_nested(block.selectors, plain[1].strip()), plain[2], block.layered)
    return at


def _rule(block: _RuleBlock, declared: str) -> Iterator[Rule]:
    if block.applies and block.selectors and ":" in declared:
        yield Rule(block.selectors, declared, block.layered)


def _opened(outer: _RuleBlock, prelude: str) -> _RuleBlock:
    if not prelude.startswith("@"):
        return _RuleBlock(_nested(outer.selectors, prelude), outer.applies, outer.layered)
    name, _, condition = prelude.partition(" ")
    name = name.lower().partition("(")[0]
    if name == "@media":
        applies = outer.applies and shown_on_a_desktop(condition or prelude[len("@media") :])
        return _RuleBlock(outer.selectors, applies, outer.layered)
    if name not in _GROUPS:  # @keyframes, @font-face, @page and the like style no element
        return _RuleBlock(applies=False)
    applies = outer.applies and not (name == "@supports" and condition.lower().startswith("not"))
    return _RuleBlock(outer.selectors, applies, outer.layered or name == "@layer")


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


# ------------------------------------------------------------------------------------------ media

# Whether a media query holds on the screen that a page is judged for: a desktop's, 1280 by 800, light.
#
# What it does not know holds: a rule that hides under a rare condition still hides from somebody.

_WIDTH, _HEIGHT, _EM = 1280.0, 800.0, 16.0  # CSS pixels; the commonest desktop of today is a little larger
_FEATURE = re.compile(r"\(\s*([^()]*?)\s*\)")
_LENGTH = re.compile(r"([-+]?\d*\.?\d+)\s*(px|r?em)?")
_NOT_HERE = re.compile(r"\b(?:print|speech|aural|braille|embossed|handheld|projection|tty|tv)\b")
_KNOWN = {
    "orientation": "landscape",
    "hover": "hover",
    "any-hover": "hover",
    "pointer": "fine",
    "any-pointer": "fine",
    "prefers-color-scheme": "light",
    "prefers-reduced-motion": "no-preference",
    "prefers-contrast": "no-preference",
    "forced-colors": "none",
    "scripting": "enabled",
    "-ms-high-contrast": "none",
    "display-mode": "browser",
}
_COMPARED = re.compile(r"(width|height)\s*([<>]=?|=)\s*(.+)|(.+?)\s*([<>]=?|=)\s*(width|height)")
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}


def shown_on_a_desktop(condition: str) -> bool:
    """`condition`: what stands behind `@media`, or in a `media` attribute; several queries with commas between."""
    return any(_holds(query.strip()) for query in condition.lower().split(",")) if condition.strip() else True


def _holds(query: str) -> bool:
    turned = query.startswith("not")
    outside = _FEATURE.sub("", query)
    holds = not _NOT_HERE.search(outside) and all(_has(feature) for feature in _FEATURE.findall(query))
    return holds != turned


def _has(feature: str) -> bool:
    name, colon, value = (part.strip() for part in feature.partition(":"))
    if not colon:
        return _compared(feature)
    if name in _KNOWN:
        return _KNOWN[name] == value
    bound, _, dimension = name.rpartition("-")
    ours = {"width": _WIDTH, "device-width": _WIDTH, "height": _HEIGHT}.get(dimension)
    wanted = _pixels(value)
    if ours is None or wanted is None:
        return True
    return {"min": ours >= wanted, "max": ours <= wanted}.get(bound.removesuffix("-device"), ours == wanted)


def _compared(feature: str) -> bool:
    """`width <= 600px`, `600px < width`."""
    match = _COMPARED.fullmatch(feature)
    if match is None:
        return feature not in {"monochrome", "update: none"}
    name, sign, value = match[1] or match[6], match[2] or _TURNED[match[5]], match[3] or match[4]
    ours, wanted = (_WIDTH if name == "width" else _HEIGHT), _pixels(value)
    if wanted is None:
        return True
    return {"<": ours < wanted, "<=": ours <= wanted, ">": ours > wanted, ">=": ours >= wanted}.get(
        sign, ours == wanted
    )


def _pixels(value: str) -> float | None:
    match = _LENGTH.fullmatch(value.strip())
    return float(match[1]) * (_EM if (match[2] or "").endswith("em") else 1) if match else None


# ------------------------------------------------------------------------------------------ sums

# Values that CSS works out, `calc(-1 * 9999px)`, `min(0px, 1em)`, `var(--gone)`, as the plain ones that they are.
#
# Pure text to text.  Only sums of constants, and custom properties that have one value on the whole page: what hangs
# on the size of the window or on where an element stands is left as it is.

PIXELS: Mapping[str, float] = MappingProxyType(
    {"px": 1.0, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "pt": 4 / 3, "pc": 16.0, "cm": 37.8, "mm": 3.78,
     "in": 96.0}
)  # fmt: skip
_DEEPEST_SUM = 4  # calc(min(…)), and properties made of others
_LONGEST_SUM = 200  # characters of one sum or one property …
_MOST = 2_000  # … and of what a block may grow by
_CALL = re.compile(
    rf"(?:(?:-webkit-|-moz-)?\b(calc|min|max|clamp)|(?<![\w-]))\(([^()]{{1,{_LONGEST_SUM}}})\)", re.IGNORECASE
)
_TERM = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z]*|%)\s*", re.IGNORECASE)
_SIGN = re.compile(r"([-+*/])")
_CUSTOM = re.compile(rf"(?<![\w-])(--[\w-]+)\s*:\s*([^;{{}}]{{1,{_LONGEST_SUM}}}+)")
_USE = re.compile(rf"\bvar\(\s*(--[\w-]+)\s*(?:,([^()]{{0,{_LONGEST_SUM}}}))?\)", re.IGNORECASE)
_CHOICES: Mapping[str, Callable[[list[float]], float]] = MappingProxyType(
    {
        "calc": lambda found: found[0],
        "min": min,
        "max": max,
        "clamp": lambda found: max(found[0], min(found[1:])),
    }
)
_TAKES: Mapping[str, range] = MappingProxyType(
    {"calc": range(1, 2), "min": range(1, 20), "max": range(1, 20), "clamp": range(3, 4)}
)

_Amount = tuple[float, str]


def custom(texts: Iterable[str]) -> Mapping[str, str]:
    """The custom properties that these sheets and style attributes set, without those that have several values."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for name, value in _CUSTOM.findall(text) if "--" in text else ():
            found.setdefault(name, set()).add(value.strip())
    return {name: values.pop() if len(values) == 1 else "" for name, values in found.items()}


def filled_in(text: str, properties: Mapping[str, str]) -> str:
    """`var(…)` as what it stands for: the property, or where nobody sets that, what it says itself."""

    def value(use: re.Match[str]) -> str:
        known = properties.get(use[1])
        return (use[2] if known is None else known) or use[0]

    most = _MOST + len(text)
    for _ in range(_DEEPEST_SUM):
        if "var(" not in text.lower() or len(text) > most:  # it may hold itself twenty times over
            break
        text = _USE.sub(value, text)
    return text


def worked_out(text: str) -> str:
    """The sums in it as numbers with a unit."""
    for _ in range(_DEEPEST_SUM):
        done = _CALL.sub(lambda call: _sum_of(call) or call[0], text)
        if done == text:
            break
        text = done
    return text


def _sum_of(call: re.Match[str]) -> str | None:
    name = (call[1] or "calc").lower()
    amounts = [_amount(part) for part in call[2].split(",")]
    if len(amounts) not in _TAKES[name]:
        return None
    known = [amount for amount in amounts if amount]
    unit = _common({unit for _, unit in known})
    if len(known) < len(amounts) or unit is None:
        return None
    return f"{_CHOICES[name]([_in(unit, amount) for amount in known]):.6f}{unit}"


def _common(units: set[str]) -> str | None:
    """The one unit of all; pixels where all can be told in them; None else, as for a percentage of the unknown."""
    units = units - {""} if units != {""} else units
    if len(units) == 1:
        return next(iter(units))
    return "px" if units and units <= PIXELS.keys() else None


def _in(unit: str, amount: _Amount) -> float:
    return amount[0] if amount[1] in {unit, ""} else amount[0] * PIXELS[amount[1]]


def _amount(text: str) -> _Amount | None:
    """What `2 * 3px - 1em` comes to; None where that is not plain."""
    total: _Amount | None = None
    product, at, sign = None, 0, "+"
    while term := _TERM.match(text, at):
        amount: _Amount = float(term[1]), term[2].lower()
        at = term.end()
        if sign in "*/" and product:
            product = _times(product, amount, sign)
        else:
            total, product = _plus(total, product), (-amount[0], amount[1]) if sign == "-" else amount
        if product is None:
            return None
        if at == len(text):
            return _plus(total, product)
        if not (found := _SIGN.match(text, at)):
            return None
        sign, at = found[1], found.end()
    return None


def _times(left: _Amount, right: _Amount, sign: str) -> _Amount | None:
    if sign == "/":
        return None if right[1] or not right[0] else (left[0] / right[0], left[1])
    return None if left[1] and right[1] else (left[0] * right[0], left[1] or right[1])


def _plus(left: _Amount | None, right: _Amount | None) -> _Amount | None:
    if left is None or right is None:
        return left or right
    unit = _common({left[1], right[1]})
    return None if unit is None else (_in(unit, left) + _in(unit, right), unit)
