"""The values that the rules of a page set for an element, and whether they hide its text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from lxml import etree

from agent.extract.css_selectors import Compound, Element, MatchBudget, Selector, compiled, matches, split
from agent.extract.stylesheets import Rule, Value, custom, declarations, filled_in, inline, rules, unescaped, worked_out

# ------------------------------------------------------------------------------------------ looks

# Whether the values that are set for an element hide its text from a reader.
#
# Knows the ways to hide that attacks on readers by machine use and honest pages use for menus, folds and screen
# readers. Does not know elements or where the values come from.  Colours are not judged.

Hiding = Literal["", "gone", "unseen", "tiny"]
"""`gone`: with all inside it; `unseen` and `tiny` (visibility, font size): what is inside may be shown again."""

_NUMBER = re.compile(r"([-+]?\d*\.?\d+(?:e[-+]?\d+)?)\s*([a-z]*|%)")
_PIXELS = {"": 1.0, "px": 1.0, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "pt": 4 / 3, "pc": 16.0, "cm": 37.8,
           "mm": 3.78, "in": 96.0, "vw": 12.8, "vh": 8.0, "vmin": 8.0, "vmax": 12.8}  # fmt: skip
_FAR = 500.0  # pixels to the left of or above the page; menus that slide in stand at 200 to 400
_BEYOND = 3_000.0  # to the right or below: no desktop reaches so far
_TINY = 2.0  # pixels; nobody reads smaller letters
_FAINT = 0.05  # opacity; at 0.1 black on white can still be made out
_NOTHING = 1.5  # pixels of height or width of a box that cuts off what does not fit: 1px is the usual
_OUT_OF_FLOW = {"absolute", "fixed"}
_SCALED = re.compile(r"scale(?:x|y|3d)?\(([^)]*)\)")
_MOVED = re.compile(r"translate(?:x|y|3d)?\(([^)]*)\)")
_MATRIX = re.compile(r"matrix(?:3d)?\(([^)]*)\)")
_EDGE_ON = re.compile(r"rotate[xy]\(\s*-?(?:90|270)deg\s*\)")
_RECT = re.compile(r"rect\(([^)]*)\)")
_INSET = re.compile(r"inset\(([^)]*)\)|(?:circle|ellipse)\(\s*(0)|polygon\(([^)]*)\)")


def hiding(values: Mapping[str, str]) -> Hiding:
    """How an element with these values, and no others, is hidden; the empty string: it is not."""
    if values.get("display") == "none" or values.get("content-visibility") == "hidden" or _transparent(values):
        return "gone"
    if _outside(values) or _shrunk(values) or _cut_off(values):
        return "gone"
    if values.get("visibility") in {"hidden", "collapse"}:
        return "unseen"
    return "tiny" if is_tiny(values.get("font-size", "")) else ""


def is_tiny(size: str) -> bool:
    number = _NUMBER.fullmatch(size)
    if number is None:
        return False
    value, unit = float(number[1]), number[2]
    return value < 10 if unit == "%" else value * _PIXELS.get(unit, 16.0) < _TINY


def restores_size(size: str) -> bool:
    """Text inside tiny text is readable again where its own size does not hang on what is around it."""
    number = _NUMBER.fullmatch(size)
    if number is None:
        return bool(size) and size not in {"inherit", "smaller", "larger", "unset"} and "var(" not in size
    return number[2] not in {"em", "%", "ex", "ch"} and not is_tiny(size)


def _transparent(values: Mapping[str, str]) -> bool:
    told = values.get("opacity", "")
    number = _NUMBER.fullmatch(told)
    share = float(number[1]) / (100 if number[2] == "%" else 1) if number else 1.0
    return share < _FAINT or re.search(r"opacity\(\s*0?\.?0*%?\s*\)", values.get("filter", "")) is not None


def _outside(values: Mapping[str, str]) -> bool:
    if _pixels(values.get("text-indent", "")) <= -_FAR:
        return True
    moved = [value for call in _MOVED.findall(values.get("transform", "")) for value in call.split(",")]
    moved += values.get("translate", "").split()
    if any(_is_moved_away(value.strip(), values) for value in moved):
        return True
    if any(_is_far(values.get(f"margin-{side}", "")) for side in ("left", "top")):
        return True
    if values.get("position", "static") == "static":
        return False
    return any(_is_far(values.get(side, "")) for side in ("left", "top", "right", "bottom"))


def _is_moved_away(value: str, values: Mapping[str, str]) -> bool:
    """Percents are of the element's own width here: half of it centres a box, all of it puts a fixed one outside."""
    number = _NUMBER.fullmatch(value)
    if number is None or number[2] != "%":
        return _is_far(value)
    return abs(float(number[1])) >= (100 if values.get("position") in _OUT_OF_FLOW else 300)


def _is_far(value: str) -> bool:
    pixels = _pixels(value)
    return pixels <= -_FAR or pixels >= _BEYOND


def _pixels(value: str) -> float:
    """0 where it is no length; percents count as those of a desktop's width."""
    number = _NUMBER.fullmatch(value.strip())
    if number is None:
        return 0.0
    return float(number[1]) * (12.8 if number[2] == "%" else _PIXELS.get(number[2], 16.0))


def _shrunk(values: Mapping[str, str]) -> bool:
    factors = [number for call in _SCALED.findall(values.get("transform", "")) for number in call.split(",")]
    factors += values.get("scale", "").split()
    if any(abs(_pixels(factor)) < _FAINT for factor in factors if _NUMBER.fullmatch(factor.strip())):
        return True
    matrix = _MATRIX.search(values.get("transform", ""))
    if matrix and all(abs(_pixels(number)) < _FAINT for number in matrix[1].split(",")[:4]):
        return True
    if _EDGE_ON.search(values.get("transform", "")):
        return True
    cut = any(values.get(f"overflow{axis}", "").split()[:1] in (["hidden"], ["clip"]) for axis in ("", "-x", "-y"))
    return cut and any(
        _is_nothing(values.get(f"{most}{side}", "")) for most in ("", "max-") for side in ("height", "width")
    )


def _is_nothing(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None and abs(_pixels(value)) < _NOTHING


def _cut_off(values: Mapping[str, str]) -> bool:
    """`clip` counts out of the flow only; `clip-path` always."""
    rect = _RECT.search(values.get("clip", ""))
    if rect and values.get("position") in _OUT_OF_FLOW:
        sides = [_pixels(side) for side in rect[1].replace(",", " ").split()]
        if len(sides) == 4 and (sides[2] - sides[0] < _NOTHING or sides[1] - sides[3] < _NOTHING):
            return True
    shape = _INSET.search(values.get("clip-path", ""))
    if shape is None:
        return False
    if shape[3] is not None:
        return not re.search(r"[1-9]", shape[3])
    return shape[2] is not None or any(
        _NUMBER.fullmatch(s) and s.endswith("%") and float(s[:-1]) >= 50 for s in shape[1].split()
    )


# ------------------------------------------------------------------------------------------ cascade

# What a page's own styles set for one element: the rules that match it, in the order in which they win.
#
# Only elements that a rule could hide are looked at closely.  Knows keys, specificity, layers and !important; does
# not know which values hide.

# What of the values is worth a closer look, by what is set; most rules hold none of it.
_MAY_HIDE = tuple(
    (frozenset(names.split()), re.compile(values))
    for names, values in (
        ("display", r"none"),
        ("visibility content-visibility", r"hidden|collapse"),
        ("opacity filter", r"opacity\s*:\s*[+-]?0?\.?0|opacity\("),
        ("font clip clip-path translate scale", r""),
        ("transform", r"scale|translate|matrix|rotate[xy]"),
        ("font-size height width max-height max-width", r"(?:size|height|width)\s*:\s*[+-]?(?:\.|[01](?!\d))"),
        (
            """text-indent left right top bottom inset inset-inline inset-inline-start inset-inline-end inset-block
            inset-block-start inset-block-end margin margin-left margin-top margin-inline margin-inline-start
            margin-inline-end margin-block margin-block-start margin-block-end""",
            r"\d{3}|-\d",
        ),
    )
)
_SETS = re.compile(
    r"(?<![\w-])(display|visibility|opacity|font(?:-size)?|position|top|left|right|bottom|clip(?:-path)?"
    r"|(?:inset|margin)(?:-(?:inline|block)(?:-start|-end)?)?|margin(?:-top|-left)|overflow(?:-[xy])?|(?:max-)?(?:height|width)|text-indent|transform|translate|scale|filter"
    r"|content-visibility)\s*:",
    re.IGNORECASE,
)
_COMPANY = MappingProxyType({"position": "absolute", "overflow": "hidden"})  # some ways to hide take two rules
_PLAIN_END = re.compile(r"(?:^|[\s>+~])(\*|[\w-]*)((?:[.#][\w-]+)*)$")  # of a selector without brackets or colons
_NAMED = re.compile(r"[.#][\w-]+")
_ARGUMENTS = re.compile(r"[\[(\\]")
_AT_A_TOUCH = re.compile(r"::|:(?:hover|focus|active|visited|before|after|target)")  # none of these holds at rest
_BRACKETS = re.compile(r"[\[(:\\]")
_SIDES = ("top", "right", "bottom", "left")
_LOGICAL = MappingProxyType({"inline": ("left", "right"), "block": ("top", "bottom")})  # of text from left to right
_FONT_SIZE = re.compile(r"(?:^|\s)([-+]?\d*\.?\d+(?:[a-z]+|%)?)\s*(?:/|\s|$)")

_CLASSES = etree.XPath("//@class", smart_strings=False)
_IDS = etree.XPath("//@id", smart_strings=False)

_Weight = tuple[bool, bool, bool, tuple[int, int, int], int]  # !important, inline, in no layer, specificity, order


@dataclass(frozen=True, slots=True)
class _Entry:
    order: int
    selector: str
    rule: Rule
    names: frozenset[str]  # of what it sets


class Styles:
    """A page's sheets, indexed by what their selectors end in."""

    def __init__(self, sheets: list[str], tree: Element) -> None:
        self._budget = MatchBudget()
        self._present = _names_in(tree) if sheets else set()
        self._entries: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._hiding: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._selectors: dict[str, Selector | None] = {}
        self._blocks: dict[str, dict[str, Value]] = {}
        found = [rule for sheet in sheets for rule in rules(sheet)]
        self._custom = custom(rule.declarations for rule in found if "--" in rule.declarations)
        for order, rule in enumerate(found):
            self._index(order, replace(rule, declarations=self._plain(rule.declarations)))
        self._attributes = [key[1:] for key in self._entries if key.startswith("[")]
        self._hiding_classes = {key[1:] for key in self._hiding if key.startswith(".")}
        self._hiding_attributes = {key[1:] for key in self._hiding if key.startswith("[")}

    def _index(self, order: int, rule: Rule) -> None:
        if not _SETS.search(rule.declarations) and "\\" not in rule.declarations:
            return
        keyed = [(selector, key) for selector in split(rule.selectors) for key in self._keys_of(selector)]
        declared = unescaped(rule.declarations).lower() if keyed else ""
        names = frozenset(_SETS.findall(declared))
        if not names:
            return
        hides = _may_hide(names, declared) and self._could_hide(rule.declarations)
        for selector, key in keyed:
            entry = _Entry(order, selector, rule, names)
            self._entries[key].append(entry)
            if hides:
                self._hiding[key].append(entry)

    def _plain(self, block: str) -> str:
        """What a block sets, with its sums worked out and the page's own properties filled in; its own come first."""
        if "(" not in block:
            return block
        if "var(" in block.lower():
            block = filled_in(block, {**self._custom, **custom([block])} if "--" in block else self._custom)
        return worked_out(block)

    def _could_hide(self, block: str) -> bool:
        found: dict[str, tuple[_Weight, str]] = {}
        _merge(found, self._declared(block), False, (True, (0, 0, 0), 0))
        return hiding({**_COMPANY, **{name: value for name, (_, value) in found.items()}}) != ""

    def _keys_of(self, selector: str) -> Iterator[str]:
        """Under which it is looked up; none where the page has nothing that it could match."""
        named = _NAMED.findall(selector)
        if not _BRACKETS.search(selector):
            plain = _PLAIN_END.search(selector) if self._present.issuperset(named) else None
            keys = [] if plain is None else [named[-1] if plain[2] else plain[1].lower() or "*"]
        elif not _ARGUMENTS.search(selector) and (_AT_A_TOUCH.search(selector) or not self._present.issuperset(named)):
            return
        else:
            read = self._read(selector)
            keys = _keys(read.parts[0][1]) if read else []
        yield from (key for key in keys if key[0] in "*[" or key in self._present)

    def _read(self, selector: str) -> Selector | None:
        if selector not in self._selectors:
            self._selectors[selector] = compiled(selector)
        return self._selectors[selector]

    def may_hide(self, element: Element, attributes: Sequence[str]) -> bool:
        """Whether any rule that hides matches; another may undo it.  False for most elements, in microseconds.

        `attributes`: the names of those that the element has.
        """
        hiding = self._hiding
        if not self._is_named(element, attributes):
            return False
        return any(
            self._matches(element, entry)
            for key in self._keys_at(element, attributes)
            if key in hiding
            for entry in hiding[key]
        )

    def _is_named(self, element: Element, attributes: Sequence[str]) -> bool:
        """Whether any such rule ends in something that the element has."""
        hiding = self._hiding
        return (
            element.tag in hiding
            or ("class" in attributes and not self._hiding_classes.isdisjoint(element.get("class").split()))
            or ("id" in attributes and f"#{element.get('id')}" in hiding)
            or "*" in hiding
            or not self._hiding_attributes.isdisjoint(attributes)
        )

    def _matches(self, element: Element, entry: _Entry) -> bool:
        selector = self._read(entry.selector)
        return selector is not None and matches(element, selector, self._budget)

    def _keys_at(self, element: Element, attributes: Sequence[str]) -> list[str]:
        keys = ["*", element.tag]
        if "class" in attributes:
            keys += [f".{name}" for name in element.get("class").split()]
        if "id" in attributes:
            keys.append(f"#{element.get('id')}")
        if self._attributes:
            keys += [f"[{name}" for name in self._attributes if name in attributes]
        return keys

    def of(self, element: Element, *only: str) -> Mapping[str, str]:
        """The values set for an element itself, shorthands taken apart; `only` from rules that set one of these."""
        found: dict[str, tuple[_Weight, str]] = {}
        wanted = frozenset(only)
        for key in dict.fromkeys(self._keys_at(element, element.keys())):
            for entry in self._entries.get(key, ()):
                selector = None if wanted and wanted.isdisjoint(entry.names) else self._read(entry.selector)
                if selector and matches(element, selector, self._budget):
                    place = (not entry.rule.layered, selector.specificity, entry.order)
                    _merge(found, self._declared(entry.rule.declarations), False, place)
        if style := element.get("style"):
            self._budget.spend(len(style) // 100)
            _merge(found, inline(self._plain(style)), True, (True, (0, 0, 0), 0))
        return {name: value for name, (_, value) in found.items()}

    def _declared(self, block: str) -> dict[str, Value]:
        if block not in self._blocks:
            self._blocks[block] = declarations(block)
        return self._blocks[block]


def _may_hide(names: frozenset[str], declared: str) -> bool:
    return any(not names.isdisjoint(setting) and values.search(declared) for setting, values in _MAY_HIDE)


def _names_in(tree: Element) -> set[str]:
    """Every tag, .class and #id on the page."""
    classes: Any = _CLASSES(tree)
    ids: Any = _IDS(tree)
    names = {element.tag for element in tree.iter(etree.Element)}
    return names | {f".{name}" for told in classes for name in told.split()} | {f"#{name}" for name in ids}


def _merge(
    found: dict[str, tuple[_Weight, str]],
    declared: Mapping[str, Value],
    own: bool,
    place: tuple[bool, tuple[int, int, int], int],
) -> None:
    for shorthand, (text, important) in declared.items():
        weight = (important, own, *place)
        for name, value in _taken_apart(shorthand, text):
            if name not in found or weight >= found[name][0]:
                found[name] = (weight, value)


def _taken_apart(name: str, value: str) -> list[tuple[str, str]]:
    whole, _, axis = name.partition("-")
    if whole in {"inset", "margin"} and axis.partition("-")[0] in _LOGICAL:
        return _logical(whole, axis, value)
    if name in {"inset", "margin"}:
        given = value.split()[:4]
        prefix = "margin-" if name == "margin" else ""
        places = ((0, 0, 0, 0), (0, 1, 0, 1), (0, 1, 2, 1), (0, 1, 2, 3))[max(len(given), 1) - 1]
        return [(prefix + side, given[place]) for side, place in zip(_SIDES, places, strict=True) if given]
    if name == "font":
        size = _FONT_SIZE.search(value)
        return [("font-size", size[1])] if size else []
    return [(name, value)]


def _logical(whole: str, axis: str, value: str) -> list[tuple[str, str]]:
    """`inset-inline-start` is `left`, `margin-block: 1px 2px` is `margin-top` and `margin-bottom`."""
    prefix, (way, _, end) = "" if whole == "inset" else "margin-", axis.partition("-")
    given = value.split()[:2]
    pairs = zip(_LOGICAL[way], (given or [""])[:1] + given[-1:], strict=False)
    sides = [(prefix + side, one) for side, one in pairs]
    return sides if not end else [(prefix + _LOGICAL[way][end == "end"], value)]


def _keys(compound: Compound) -> list[str]:
    """One under which every element that it fits is found."""
    if compound.ids:
        return [f"#{compound.ids[0]}"]
    if compound.classes:
        return [f".{compound.classes[0]}"]
    if compound.tag:
        return [compound.tag]
    if compound.attributes:
        return [f"[{compound.attributes[0][0]}"]
    for pseudo in compound.pseudos:
        if pseudo.name == "is":
            return [key for one in pseudo.alternatives for key in _keys(one.parts[0][1])]
    return ["*"]
