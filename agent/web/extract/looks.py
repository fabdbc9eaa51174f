"""Whether the values that are set for an element hide its text from a reader.

Knows the ways to hide that attacks on readers by machine use and honest pages use for menus, folds and screen readers.
Does not know elements or where the values come from.  Colours are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

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
