"""The fixed words of an answer in the languages most used on the web, and the signs of verdicts.

One table for all that shows an answer: command line, Markdown, app, messages.  The words are in `phrases.toml`.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from agent.types import Verdict

SIGNS: dict[Verdict, str] = {"supported": "✓", "partial": "◐", "unsupported": "⊘", "refuted": "✗", "unchecked": "?"}
MISSING = "#"  # beside another sign: a figure or name of the sentence stands in none of its sources
VERDICTS: tuple[Verdict, ...] = tuple(SIGNS)
_ENGLISH = "en"


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "phrases.toml").read_text("utf-8"))


def phrase(key: str, language: str, **words: object) -> str:
    """The phrase in the language, in English where we do not have it.  `language`: such as `de` or `pt-BR`."""
    forms: dict[str, str] = _table()[key]
    return forms.get(language.split("-", 1)[0].lower(), forms[_ENGLISH]).format(**words)


def in_all_languages(key: str) -> list[str]:
    """All forms of a phrase, unfilled."""
    return list(_table()[key].values())


def reason(why: str, language: str) -> str:
    """Why a claim failed, in the answer's language, part by part; English where we do not have it."""
    language = language.split("-", 1)[0].lower()
    return "; ".join(_reason(part, language) for part in re.split(r"; (?=“|they have )", why))


def _reason(part: str, language: str) -> str:
    for forms in _table()["reason"].values():
        found = re.fullmatch(forms[_ENGLISH], part, re.DOTALL)
        if found and language in forms and language != _ENGLISH:
            return found.expand(forms[language])
    return part
