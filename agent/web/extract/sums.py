"""Values that CSS works out, `calc(-1 * 9999px)`, `min(0px, 1em)`, `var(--gone)`, as the plain ones that they are.

Pure text to text.  Only sums of constants, and custom properties that have one value on the whole page: what hangs on
the size of the window or on where an element stands is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

PIXELS: Mapping[str, float] = MappingProxyType(
    {"px": 1.0, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "pt": 4 / 3, "pc": 16.0, "cm": 37.8, "mm": 3.78,
     "in": 96.0}
)  # fmt: skip
_DEEPEST = 4  # calc(min(…)), and properties made of others
_LONGEST = 200  # characters of one sum or one property …
_MOST = 2_000  # … and of what a block may grow by
_CALL = re.compile(
    rf"(?:(?:-webkit-|-moz-)?\b(calc|min|max|clamp)|(?<![\w-]))\(([^()]{{1,{_LONGEST}}})\)", re.IGNORECASE
)
_TERM = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z]*|%)\s*", re.IGNORECASE)
_SIGN = re.compile(r"([-+*/])")
_CUSTOM = re.compile(rf"(?<![\w-])(--[\w-]+)\s*:\s*([^;{{}}]{{1,{_LONGEST}}}+)")
_USE = re.compile(rf"\bvar\(\s*(--[\w-]+)\s*(?:,([^()]{{0,{_LONGEST}}}))?\)", re.IGNORECASE)
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
    for _ in range(_DEEPEST):
        if "var(" not in text.lower() or len(text) > most:  # it may hold itself twenty times over
            break
        text = _USE.sub(value, text)
    return text


def worked_out(text: str) -> str:
    """The sums in it as numbers with a unit."""
    for _ in range(_DEEPEST):
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
