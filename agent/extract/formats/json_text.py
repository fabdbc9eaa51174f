"""JSON to text: one line a value, with its names, so that a passage says what its figures are."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.text_cleanup import clean_text, decoded, file_name, one_line
from agent.text.language import detect

_CHARACTERS = 2_000_000  # of the text that is made
_DEEPEST = 50  # levels that are indented
_TITLES = ("title", "name", "headline", "label")


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    """Raises `ExtractFailed` for what is not JSON, or nothing."""
    try:
        told: object = json.loads(decoded(body, hints.charset))
    except RecursionError as e:
        raise ExtractFailed("JSON with too many levels") from e
    except ValueError as e:
        raise ExtractFailed("broken JSON") from e
    text = clean_text("\n".join(_bounded(_lines(told))))
    if not text:
        raise ExtractFailed("empty page")
    return ExtractedText(text, _title(told) or file_name(hints.url), detect(text))


def _title(told: object) -> str:
    names = [told.get(name) for name in _TITLES] if isinstance(told, dict) else []
    return one_line(next((name for name in names if isinstance(name, str)), ""))


def _bounded(lines: Iterator[str]) -> Iterator[str]:
    left = _CHARACTERS
    for line in lines:
        yield line[:left]
        left -= len(line) + 1
        if left <= 0:
            return


def _lines(told: object) -> Iterator[str]:
    """`- name: value`, what belongs to a name indented below it; items of a list have no name."""
    waiting: list[tuple[int, str, object]] = [(0, "", told)]
    while waiting:
        depth, name, value = waiting.pop()
        below = _below(value)
        label = f"{name}: " if name else ""
        if not below:
            yield f"{'  ' * min(depth, _DEEPEST)}- {label}{_plain(value)}".rstrip()
            continue
        if name:
            yield f"{'  ' * min(depth, _DEEPEST)}- {name}:"
        waiting += [(depth + bool(name), key, inner) for key, inner in reversed(below)]


def _below(value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [(one_line(str(key)), inner) for key, inner in value.items()]
    if isinstance(value, list):
        plain = all(not isinstance(inner, dict | list) for inner in value)
        return [(("" if plain else str(n)), inner) for n, inner in enumerate(value, 1)]
    return []


def _plain(value: object) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    return "" if value in ([], {}) else json.dumps(value)
