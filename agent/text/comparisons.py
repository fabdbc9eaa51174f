"""A comparison as the things compared, each with what they are compared in.

Knows how comparisons are put in a few languages, and that two things may share a head (`the price of R1 and V3`) or a
tail (`R1 and V3 prices`).  Knows no facts about the things.
"""

from __future__ import annotations

import re

_THING = r"[^,;:?？，。]{1,60}?"
_IN = (  # before what things are compared in
    r"(?:in terms of|with (?:respect|regard) to|regarding|concerning|when it comes to|as to|in bezug auf|hinsichtlich|"
    r"bezüglich|was|beim?|en cuanto a|en términos de|en termes de|in|on|by|for|im|en|sur|para)"
)
_ASPECT = rf"(?:(?:\s+{_IN}\b|\s*[:,])\s*(?P<rest>.*))?$"
# Small letters only: the MIT licence is not `mit`, nor vitamin E the Italian `e`.
_AND = r"\s+(?-i:and|with|to|vs\.?|versus|und|mit|zu|y|con|et|avec|e|or|oder)\s+"
_TWO = rf"(?P<a>{_THING}){_AND}(?P<b>{_THING}){_ASPECT}"
_DIFFERENCE = r"(?:differences?|unterschiede?n?|diferencias?|différences?|comparison|vergleich)"
_BETWEEN = r"(?:between|zwischen|entre|of|von)"
_WIDE_TWO = r"(?P<a>[^，,。？]{1,30}?)\s*(?:和|与|與|跟|以及)\s*(?P<b>[^，,。？的]{1,30}?)\s*"


def _pattern(*pieces: str) -> re.Pattern[str]:
    return re.compile("".join(pieces), re.IGNORECASE)


_PATTERNS = (
    _pattern(
        r"\b(?:compare|contrast|vergleiche?|compara|comparar|comparez|comparer|confronta)\s+",
        rf"(?!(?:zwischen|entre|to|with)\b){_TWO}",
    ),
    _pattern(
        rf"\b{_DIFFERENCE}\s+(?:in|im|bei|beim|of|en|de)\s+(?P<rest>{_THING})\s+(?:between|zwischen|entre)\s+",
        rf"(?P<a>{_THING}){_AND}(?P<b>{_THING})$",
    ),
    _pattern(rf"\b{_DIFFERENCE}\s+{_BETWEEN}\s+{_TWO}"),
    _pattern(
        rf"\bhow (?:does|do|did|is|are)\s+(?P<a>{_THING})\s+(?:differ(?:ent)?\s+from|compare\s+(?:to|with))\s+",
        rf"(?P<b>{_THING}){_ASPECT}",
    ),
    _pattern(
        rf"\b(?:was|wie|worin) unterscheide[nt](?: sich)?\s+(?P<a>{_THING})(?: sich)?\s+(?:von|vom|und)\s+",
        rf"(?P<b>{_THING}){_ASPECT}",
    ),
    _pattern(
        r"\b(?:which|what|who|welche[rsn]?|was|wer)\s+(?:one\s+)?(?:is|are|was|were|has|have|ist|sind|hat|haben)\s+",
        rf"(?P<rest>[^,:]{{2,60}}?)\s*[,:]\s+(?P<a>{_THING})\s+(?:or|oder)\s+(?P<b>{_THING})$",
    ),
    _pattern(rf"^(?P<a>{_THING})\s+(?:vs\.?|versus|gegen|contra)\s+(?P<b>{_THING}){_ASPECT}"),
    _pattern(rf"(?:比较|對比|对比)(?:一下)?\s*{_WIDE_TWO}(?:之间)?的(?P<rest>[^，,。？]{{1,24}})$"),
    _pattern(
        rf"^{_WIDE_TWO}(?:相比|之间)?[，,]?(?:在(?P<rest>[^，,。？]{{1,20}}?)(?:上|方面|中)|的(?P<of>[^，,。？]{{1,20}}?))?",
        r"(?:有|有着)?(?:什么|哪些|何|多大)?的?(?:区别|不同|差异|差别|比较|对比)",
    ),
    _pattern(rf"^{_WIDE_TWO}(?:相比)?[，,]?(?P<rest>哪个更?\w{{1,6}})"),
)
_HEAD = re.compile(
    r"(?:the|die|der|das|la|el|les|le|las|los)?\s*(?P<head>.*\S\s(?P<by>of|for|in|by|von|bei|der|des|de|du|del))\s+\S.*$",
    re.IGNORECASE,
)
_ENGLISH_HEADS = frozenset(("of", "for", "in", "by"))


def compared(text: str) -> list[str]:
    """The two things, each with its aspect; `[]` for what is no comparison."""
    for pattern in _PATTERNS:
        match = pattern.search(text)
        if match:
            groups = match.groupdict()
            aspect = (groups.get("rest") or groups.get("of") or "").strip(" ,:.")
            return [
                f"{thing}: {aspect}" if aspect else thing for thing in _whole(match["a"].strip(), match["b"].strip())
            ]
    return []


def _whole(one: str, other: str) -> tuple[str, str]:
    """Give each thing the tail or head that stands with the other one only."""
    tail = _tail(one, other)
    if tail:
        return f"{one} {tail}", other
    head = _HEAD.match(one)
    if head is None or _HEAD.match(other) or _is_part_of_a_name(head):
        return one, other
    return one, f"{head['head']} {other}"


def _tail(one: str, other: str) -> str:
    """Of `R1` and `V3 hallucination rates`: what comes after the second name."""
    words = other.split()
    if not all(_is_name(word) for word in one.split()):
        return ""
    if len(one.split()) == 1 and _is_code(one) and _is_code(words[0]):
        return " ".join(words[1:])
    named = next((index for index, word in enumerate(words) if not _is_name(word)), len(words))
    return " ".join(words[named:]) if named else ""


def _is_part_of_a_name(head: re.Match[str]) -> bool:
    """`the Bank of England` shares no `Bank of`, `the GDP of France` does; in German every noun has a capital."""
    *_, before, _by = head["head"].split()
    return head["by"].lower() in _ENGLISH_HEADS and before.istitle()


def _is_name(word: str) -> bool:
    return any(char.isupper() for char in word) or _is_code(word)


def _is_code(word: str) -> bool:
    """`V3`, `o1`, `GPT-4`: the name of a model or a version."""
    return any(char.isdigit() for char in word)
