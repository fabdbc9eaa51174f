"""A judge's reply, read: which verdict it gives to which case, and the words that decided.

Pure: knows the form that the prompt asks for and how models bend it.  Does not know whether the words stand anywhere.
"""

from __future__ import annotations

import re

from agent.types import JUDGED, Judged, Judgement

# `3: refuted: "…"`, and what models make of it: `**3.** Refuted - “…”`, `3) **supported**: …`
_LINE = re.compile(
    r"[\s>*_#|-]*(?:claim|case|陈述)?\s*(?P<number>\d{1,3})[\s*_]*[:：.)）、|-]+[\s*_`\"“]*"
    r"(?P<verdict>supported|partial(?:ly)?(?: supported)?|unsupported|not supported|refuted|contradicted|"
    r"cannot tell|can'?t tell|unclear)\b[\s*_`\"”]*(?P<rest>.*)",
    re.IGNORECASE,
)
_WORDS = {
    "not supported": "unsupported",
    "contradicted": "refuted",
    "can't tell": "cannot tell",
    "cant tell": "cannot tell",
}
_QUOTED = re.compile(r"[\"“”„«「『]([^\"“”„«»「」『』]+)[\"“”»」』]")
_UNSAID = re.compile(r"(?:not said|missing|未说明?|未說明?) ?[:：] ?(?P<part>.+)$", re.IGNORECASE)
_NEED_WORDS: frozenset[Judged] = frozenset(("supported", "partial", "refuted"))


def parse_judgements(text: str, count: int) -> list[Judgement]:
    """The judgements in the order of their cases, one for a case at most; the last line on a case counts.

    `count`: how many cases there were; a line on another is passed over.
    """
    found: dict[int, Judgement] = {}
    for line in text.splitlines():
        found_line = _LINE.fullmatch(" ".join(line.split()))  # of a long gap each place would be tried
        if found_line and 1 <= int(found_line["number"]) <= count:
            found[int(found_line["number"])] = _judgement(found_line)
    return [found[number] for number in sorted(found)]


def _judgement(line: re.Match[str]) -> Judgement:
    outcome, rest = _outcome(line["verdict"].lower()), line["rest"]
    unsaid = _UNSAID.search(rest) if outcome == "partial" else None
    words = _quoted(rest[: unsaid.start()] if unsaid else rest) if outcome in _NEED_WORDS else ()
    part = unsaid["part"].strip(' *_`"“”') if unsaid else ""
    return Judgement(int(line["number"]) - 1, outcome, words, part)


def _outcome(written: str) -> Judged:
    written = "partial" if written.startswith("partial") else _WORDS.get(written, written)
    return next((known for known in JUDGED if known == written), "cannot tell")


def _quoted(rest: str) -> tuple[str, ...]:
    """What stands between quotation marks; where there are none, all of it."""
    found = [words.strip() for words in _QUOTED.findall(rest)]
    bare = rest.strip(" :：,，;；|—–-*_`")
    return tuple(words for words in found or [bare] if words)
