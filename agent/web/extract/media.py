"""Whether a media query holds on the screen that a page is judged for: a desktop's, 1280 by 800, light.

What it does not know holds: a rule that hides under a rare condition still hides from somebody.
"""

from __future__ import annotations

import re

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
