"""Has an answer drifted into another language than the one asked for?

R1 is made for Chinese and English and mixes languages in others (its paper, "Limitations").  What stands in quotes, in
code, in brackets or in a web address may be in any language.  Knows scripts and small words, and nothing of meaning.
"""

from __future__ import annotations

import re

from agent.text.function_words import LANGUAGES
from agent.text.language import detect, is_cjk, outside_quotes, script_share

_NO_PROSE = re.compile(r"```.*?```|`[^`\n]+`|https?://\S+|\[[^\]\n]*\]|\([^()\n]*\)|（[^（）\n]*）", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_NAME = re.compile(r"(?<![A-Za-z])(?=[a-z.+/-]*[A-Z0-9])[A-Za-z][A-Za-z0-9.+/_-]*")  # and abbreviations
_FEWEST = 40  # letters: fewer may be names only
_FEWEST_HAN = 24  # letters: a heading, or the name of an authority, may be as long
_FEWEST_TO_DETECT = 120  # letters, for two languages in one script: small words tell them apart
_OWN = 0.85  # share of its own script that a language in Latin letters needs: less has a sentence of Chinese in it
_OWN_ELSEWHERE = 0.5  # likewise any other: names and terms stay in Latin letters
_ALIKE = (frozenset({"da", "no"}), frozenset({"nb", "no"}), frozenset({"hr", "sr", "bs"}), frozenset({"id", "ms"}))


def drifted(text: str, language: str) -> str:
    """The code of the language that a text has drifted to, of all or of a part of it; empty: it is in `language`."""
    wanted = language.casefold().split("-")[0]
    prose = outside_quotes(_NO_PROSE.sub(" ", text))
    letters = len(_LETTER.findall(prose))
    if letters < _FEWEST:
        return ""
    if not _is_latin(wanted):
        prose = _NAME.sub(" ", prose)
    if script_share(prose, wanted) < _own(wanted):
        return _other(prose, wanted)
    if wanted == "ja":
        return "zh" if any(map(_is_chinese, prose.splitlines())) else ""
    if wanted not in LANGUAGES or letters < _FEWEST_TO_DETECT:
        return ""
    found = detect(prose)
    return "" if found == wanted or any({found, wanted} <= pair for pair in _ALIKE) else found


def _is_latin(language: str) -> bool:
    return script_share("a", language) > 0


def _is_chinese(line: str) -> bool:
    """Han alone, and so much of it: no sentence of Japanese is written without kana; rows of a table are."""
    return not line.lstrip().startswith("|") and len(_LETTER.findall(line)) >= _FEWEST_HAN and detect(line) == "zh"


def _own(language: str) -> float:
    return _OWN if _is_latin(language) else _OWN_ELSEWHERE


def _other(prose: str, wanted: str) -> str:
    """What it drifted to; for a text of two scripts, that of the lines that are not in the wanted one."""
    found = detect(prose)
    if found != wanted:
        return found
    foreign = [line for line in prose.splitlines() if script_share(line, wanted) < _own(wanted)]
    told = detect("\n".join(foreign))
    return told if told != wanted else "zh" if any(map(is_cjk, foreign)) else "mixed"
