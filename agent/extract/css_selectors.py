"""CSS selectors: read once, and matched against elements within a budget of steps.

Knows type, class, id and attribute selectors, all four combinators, and the pseudo-classes that hold while nobody
touches the page.  A selector with anything else in it matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import ExtractFailed
from agent.extract.stylesheets import unescaped

Element = Any  # lxml's elements have no types of their own
Specificity = tuple[int, int, int]

_NAME = r"(?:[\w-]|[^\x00-\x7f]|\\[0-9a-fA-F]{1,6}\s?|\\[^\n])++"
_SIMPLE = re.compile(
    rf"(?P<tag>\*|{_NAME})|\.(?P<class>{_NAME})|#(?P<id>{_NAME})"
    rf"|\[\s*(?P<attribute>{_NAME})\s*(?:(?P<sign>[~|^$*]?=)\s*(?P<value>\"[^\"]*+\"|'[^']*+'|{_NAME})\s*(?P<fold>[isIS])?\s*)?\]"
    r"|:(?P<pseudo>[\w-]++)(?P<call>\()?"
)
_BRACKETED = re.compile(r"[(\[\\\"']")
_COMBINATOR = re.compile(r"\s*([>+~])\s*|\s+")
_NTH = re.compile(r"([+-]?\d*)n(?:([+-]\d+))?|([+-]?\d+)")
_ALTERNATIVES = {"is", "where", "matches", "-webkit-any", "-moz-any"}
_DEEPEST = 6  # :is(:not(:is(…)))
_LONGEST = 2_000  # characters of one selector
_MOST = 50  # compounds in one
STEPS = 1_000_000  # elements looked at for one page, about a second; of 1,300 real pages the costliest took half


class MatchBudget:
    """How many steps a page's styles may still cost.  Raises `ExtractFailed` when they are used up."""

    def __init__(self, steps: int = STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise ExtractFailed("styles too tangled to tell what is hidden")


@dataclass(frozen=True, slots=True)
class Pseudo:
    name: str
    argument: str = ""
    alternatives: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True)
class Compound:
    """Everything that is asked of one element."""

    tag: str = ""
    ids: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str, str], ...] = ()  # name, sign, value
    pseudos: tuple[Pseudo, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    parts: tuple[tuple[str, Compound], ...]  # from the right; with each, the combinator to its left
    specificity: Specificity


def split(selectors: str) -> Iterator[str]:
    """The selectors of a list, without those commas that stand in brackets."""
    if not _BRACKETED.search(selectors):
        yield from (one.strip() for one in selectors.split(","))
        return
    depth, start = 0, 0
    for sign in re.finditer(r"[(\[\])]|,|\\.|\"[^\"]*+\"|'[^']*+'", selectors):
        if sign[0] in "([":
            depth += 1
        elif sign[0] in ")]":
            depth -= 1
        elif sign[0] == "," and depth <= 0:
            yield selectors[start : sign.start()].strip()
            start = sign.end()
    yield selectors[start:].strip()


def compiled(text: str, depth: int = 0) -> Selector | None:
    """None for a selector that is not understood, or is for a pseudo-element."""
    if depth > _DEEPEST or len(text) > _LONGEST:
        return None
    compounds: list[tuple[str, Compound]] = []
    at, combinator = 0, ""
    while at < len(text):
        read = _compound(text, at, depth)
        if read is None or read[1] == at:
            return None
        compound, at = read
        compounds.append((combinator, compound))
        if at == len(text):
            break
        link = _COMBINATOR.match(text, at)
        if link is None:
            return None
        combinator, at = link[1] or " ", link.end()
    if not compounds or len(compounds) > _MOST:
        return None
    weights = [_weight(compound) for _, compound in compounds]
    return Selector(tuple(reversed(compounds)), _sum(weights))


def _compound(text: str, at: int, depth: int) -> tuple[Compound, int] | None:
    tag, ids, classes = "", [], []
    attributes: list[tuple[str, str, str]] = []
    pseudos: list[Pseudo] = []
    while simple := _SIMPLE.match(text, at):
        if simple["tag"] and at and text[at - 1] not in " \t\n\r\f>+~,":
            return None  # `.a*b`
        at = simple.end()
        if simple["pseudo"]:
            pseudo = _pseudo(text, simple, depth)
            if pseudo is None:
                return None
            pseudos.append(pseudo[0])
            at = pseudo[1]
        elif simple["attribute"]:
            value = unescaped((simple["value"] or "").strip("\"'"))
            fold = "i" if simple["fold"] in {"i", "I"} else ""
            attributes.append((simple["attribute"].lower(), (simple["sign"] or "") + fold, value))
        elif simple["id"]:
            ids.append(unescaped(simple["id"]))
        elif simple["class"]:
            classes.append(unescaped(simple["class"]))
        else:
            tag = unescaped(simple["tag"]).lower()
    return Compound("" if tag == "*" else tag, tuple(ids), tuple(classes), tuple(attributes), tuple(pseudos)), at


def _pseudo(text: str, simple: re.Match[str], depth: int) -> tuple[Pseudo, int] | None:
    name, end = simple["pseudo"].lower(), simple.end()
    argument = ""
    if simple["call"]:
        closing = _closing(text, end)
        argument, end = text[end:closing].strip(), closing + 1
    if name in _ALTERNATIVES or name == "not":
        inner = [compiled(one, depth + 1) for one in split(argument)]
        understood = tuple(one for one in inner if one)
        if name == "not" and len(understood) < len(inner):
            return None
        return Pseudo("not" if name == "not" else "is", "", understood), end
    known = (
        name in _STATES
        or name in _PLACES
        or name in _TOLD
        or (name.startswith("nth-") and name in _COUNTED and _NTH.search(argument))
    )
    return (Pseudo(name, argument.lower().replace(" ", "")), end) if known else None


def _closing(text: str, at: int) -> int:
    depth = 1
    for sign in re.finditer(r"[()]", text[at:]):
        depth += 1 if sign[0] == "(" else -1
        if depth == 0:
            return at + sign.start()
    return len(text)


def _weight(compound: Compound) -> Specificity:
    inner = [max((s.specificity for s in p.alternatives), default=(0, 0, 0)) for p in compound.pseudos]
    plain = sum(not p.alternatives for p in compound.pseudos)
    own = (len(compound.ids), len(compound.classes) + len(compound.attributes) + plain, int(bool(compound.tag)))
    return _sum([own, *inner])


def _sum(weights: list[Specificity]) -> Specificity:
    return sum(w[0] for w in weights), sum(w[1] for w in weights), sum(w[2] for w in weights)


# ------------------------------------------------------------------------------------------------- matching


def matches(element: Element, selector: Selector, budget: MatchBudget) -> bool:
    return _fits(element, selector.parts[0][1], budget) and _from(element, selector.parts, 0, budget)


def _from(element: Element, parts: tuple[tuple[str, Compound], ...], at: int, budget: MatchBudget) -> bool:
    """Whether what stands to the left of a part that fits is there, too."""
    budget.spend()
    link = parts[at][0]
    if at + 1 == len(parts):
        return True
    wanted = parts[at + 1][1]
    return any(
        _fits(other, wanted, budget) and _from(other, parts, at + 1, budget) for other in _linked(element, link, budget)
    )


def _linked(element: Element, link: str, budget: MatchBudget) -> Iterator[Element]:
    """The elements that may stand to the left of this combinator, nearest first."""
    before = element.itersiblings(preceding=True) if link in {"+", "~"} else element.iterancestors()
    for other in before:
        budget.spend()
        if isinstance(other.tag, str):
            yield other
            if link in {">", "+"}:
                return


def _fits(element: Element, compound: Compound, budget: MatchBudget) -> bool:
    if compound.tag and element.tag != compound.tag:
        return False
    if compound.ids and any(element.get("id") != name for name in compound.ids):
        return False
    if compound.classes:
        own = (element.get("class") or "").split()
        if any(name not in own for name in compound.classes):
            return False
    return all(_has(element.get(name), sign, value) for name, sign, value in compound.attributes) and all(
        _is(element, pseudo, budget) for pseudo in compound.pseudos
    )


def _has(own: str | None, sign: str, value: str) -> bool:
    if own is None:
        return False
    if sign.endswith("i"):
        own, sign, value = own.lower(), sign[:-1], value.lower()
    if not value and sign in {"^=", "$=", "*=", "~="}:
        return False
    return {
        "": True,
        "=": own == value,
        "~=": value in own.split(),
        "|=": own == value or own.startswith(f"{value}-"),
        "^=": own.startswith(value),
        "$=": own.endswith(value),
        "*=": value in own,
    }[sign]


def _is(element: Element, pseudo: Pseudo, budget: MatchBudget) -> bool:
    if pseudo.name in {"is", "not"}:
        found = any(matches(element, one, budget) for one in pseudo.alternatives)
        return found == (pseudo.name == "is")
    if pseudo.name in _STATES:
        return _STATES[pseudo.name](element)
    if pseudo.name in _TOLD:
        return _told(element, pseudo, budget)
    counted, backwards, typed = _PLACES.get(pseudo.name) or _COUNTED[pseudo.name]
    place = 1 + sum(
        1
        for other in element.itersiblings(element.tag if typed else None, preceding=not backwards)
        if isinstance(other.tag, str)
    )
    budget.spend(place)
    return _nth(place, counted or pseudo.argument)


def _told(element: Element, pseudo: Pseudo, budget: MatchBudget) -> bool:
    """By the nearest element that says it: of no language, and written from left to right, where none does."""
    told, around = None, element
    while around is not None and told is None:
        budget.spend()
        told, around = around.get(pseudo.name), around.getparent()
    told = (_TOLD[pseudo.name] if told is None else told).lower()
    wanted = [one.strip("\"'*") for one in pseudo.argument.split(",")]
    return any(one and (told == one or told.startswith(f"{one}-")) for one in wanted)


def _nth(place: int, argument: str) -> bool:
    """`2n+1`, `odd`, `3`: see CSS Syntax, An+B."""
    match = _NTH.match({"odd": "2n+1", "even": "2n"}.get(argument, argument))
    if match is None:
        return False
    if match[3]:
        return place == int(match[3])
    step = int(match[1] + "1" if match[1] in {"", "+", "-"} else match[1])
    left = place - int(match[2] or 0)
    return left == 0 if step == 0 else left % step == 0 and left // step >= 0


_AT_A_TOUCH = (
    *("hover", "active", "focus", "focus-within", "focus-visible", "visited"),
    *("target", "popover-open", "modal", "fullscreen"),
)
_STATES: Mapping[str, Callable[[Element], bool]] = {
    "root": lambda element: element.getparent() is None,
    "checked": lambda element: element.get("checked") is not None or element.get("selected") is not None,
    "disabled": lambda element: element.get("disabled") is not None,
    "enabled": lambda element: element.get("disabled") is None,
    "link": lambda element: element.tag == "a" and element.get("href") is not None,
    "any-link": lambda element: element.tag == "a" and element.get("href") is not None,
    "empty": lambda element: len(element) == 0 and not element.text,
    "only-child": lambda element: element.getnext() is None and element.getprevious() is None,
    "defined": lambda element: "-" not in element.tag,
    **dict.fromkeys(_AT_A_TOUCH, lambda _: False),
}
_TOLD = {"lang": "", "dir": "ltr"}
_PLACES = {  # which place, counted from the end?, among those of its type only?
    "first-child": ("1", False, False),
    "last-child": ("1", True, False),
    "first-of-type": ("1", False, True),
    "last-of-type": ("1", True, True),
}
_COUNTED = {
    "nth-child": ("", False, False),
    "nth-last-child": ("", True, False),
    "nth-of-type": ("", False, True),
    "nth-last-of-type": ("", True, True),
}
