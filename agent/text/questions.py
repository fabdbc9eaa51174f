"""A question as its parts, and each part as what one would type into a search box.

Knows how questions are put and joined in a few languages: several at once, comparisons, lists of what is wanted.  Does
not know any answer.  Names, numbers and quoted words always stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agent.text.words import is_small, is_wide, spelling

Wanted = Literal["time", "number", "person", "place", "reason", ""]

_MOST_PARTS = 5
_LONGEST = 4_000  # characters of a question that are read: more is a document
_END = re.compile(r"[?？؟]+|(?<=[.!。！])\s+|\n+|[;；]\s*")
_NUMBERING = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)、]|[a-h][.)])\s*")
_ASKING = (  # how a question begins
    r"(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|does|do|did|can|could|has|have|will|should|"
    r"wer|wen|wem|was|welche[rsnm]?|wann|wo|wohin|warum|wie|ist|sind|war|hat|kann|"
    r"quién|qué|cuál|cuáles|cuándo|dónde|cómo|cuánto|cuántos|cuántas|por qué|"
    r"qui|que|quel|quelle|quels|quelles|quand|où|pourquoi|comment|combien|est-ce)"
)
_OF_WHICH = r"(?:(?:for|at|in|to|with|by|para|de|a|con|por|mit|von|seit|pour|avec)\s+)?"
_JOINED = re.compile(
    rf"\s*,?\s+(?:and|und|y|e|et)\s+(?={_OF_WHICH}{_ASKING}\b)|\s*,\s+(?={_ASKING}\b)"
    rf"|:\s+(?={_ASKING}\b)"
    r"|[，,]\s*(?:以及|并且|而且|还有)?(?=.{0,12}(?:什么|多少|哪|谁|如何|怎么|为什么|几|吗))",
    re.IGNORECASE,
)
_THING = r"[^,;?？，。]{1,60}?"
_ASPECT = r"(?P<rest>\s+(?:in|on|by|for|with respect|regarding|hinsichtlich|bei|bezüglich|en|sur|para)\b.*)?$"
_TWO = rf"(?P<a>{_THING})\s+(?:and|with|to|vs\.?|versus|und|mit|zu|y|con|et|avec|e)\s+(?P<b>{_THING}){_ASPECT}"
_COMPARED = (
    re.compile(
        rf"\b(?:compare|contrast|vergleiche|compara|comparar|comparez|comparer|confronta)\s+{_TWO}", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?:differences?|unterschiede?|diferencias?|différences?|comparison)\s+(?:between|zwischen|entre|of)\s+{_TWO}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\bhow (?:does|do|did|is|are)\s+(?P<a>{_THING})\s+(?:differ(?:ent)?\s+from|compare\s+(?:to|with))\s+"
        rf"(?P<b>{_THING}){_ASPECT}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^(?P<a>{_THING})\s+(?:vs\.?|versus|gegen|contra)\s+(?P<b>{_THING})(?P<rest>\s*[:,]\s*.*)?$", re.IGNORECASE
    ),
    re.compile(
        r"(?:比较|對比|对比)?\s*(?P<a>[^，,。？]{1,30}?)\s*(?:和|与|與|跟|以及)\s*(?P<b>[^，,。？的]{1,30}?)\s*"
        r"(?:之间)?(?:的|有)?(?:什么|哪些)?(?P<rest>区别|不同|差异|差别|比较|对比|哪个更?\w{1,6})"
    ),
)
_LISTED = re.compile(
    r"^(?P<head>.*?\b(?:what|which|list|name|give|tell me|nenne|was sind|welche|cuáles son|cuál es|quel(?:le)?s? sont)"
    r"(?:\s+(?:is|are|was|were))?\s+(?:the|its|their|die|der|das|el|la|los|las|le|les)\s+)"
    r"(?P<items>[^,]+(?:,\s*[^,]+)*,?\s+(?:and|und|y|et)\s+.+?)"
    r"(?P<of>\s+(?:of|for|von|des|der|de|du|del)\s+.+)$",
    re.IGNORECASE,
)
_WIDE_QUESTION = re.compile(
    r"请问|請問|请|什么是|是什么|什么|甚么|有哪些|哪些|哪个|哪一个|哪里|哪儿|怎么样|怎么|怎样|如何|为什么|为何|多少|几个|几|谁|"
    r"吗|呢|么|是不是|有没有|能不能|可以|介绍一下|解释一下|告诉我|的时候|何时|"
    r"とは何ですか|とは|何ですか|なぜ|どのように|どこ|いつ|誰|ですか|ますか|教えて(?:ください)?|它们?|他们?|她们?|무엇인가요|무엇|어떻게|누구|언제|어디|왜"
)
_WIDE_ENDS = re.compile(r"^[的是了在被由]+(?=[\u4e00-\u9fff]{2})|(?<=[\u4e00-\u9fffA-Za-z\d])[的是了在被由]+$")
_PRONOUN = re.compile(
    r"\b(?:it|its|they|their|them|he|his|she|her|this|these|those|er|sie|es|ihr|ihre|seine?|dessen|su|sus|lo|il|elle|son|sa)\b"
    r"|它|他|她|其|这个|该",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:[A-ZÀ-Þ][A-Za-zÀ-ÿ0-9’'-]*|[a-z]?\d[A-Za-z0-9.-]*)(?:\s+[A-ZÀ-Þ\d][A-Za-zÀ-ÿ0-9’'.-]*)*")
_NUMERAL = re.compile(r"[\d.,%]+")
_QUOTED = re.compile(r"[\"“„«「『]([^\"“”„«»「」『』]{2,60})[\"”“»」』]")
_WORD = re.compile(r"[^\s,;:?!¿¡()（），。？！；：“”„\"«»]+")
_TIME = r"\b(?:when|(?:what|which) (?:year|date)|since when|wann|cuándo|quand|quando)\b|何时|什么时候|哪一?年|いつ|언제"
_NUMBER = (
    r"\b(?:how (?:much|many|big|large|long|old|far|tall|high|fast|expensive)|cost|price|wie viele?|wieviel|cuánt\w+|"
    r"combien|quanto|quanti)\b|多少|几|価格|いくら|얼마"
)
_PERSON = r"\b(?:who|whom|whose|wer|wen|quién|quiénes|qui|chi|quem)\b|谁|誰|누구"
_WHERE = r"\b(?:where|wo|wohin|dónde|où|dove|onde)\b|哪里|哪儿|どこ|어디"
_WHY = r"\b(?:why|warum|wieso|por qué|pourquoi|perché)\b|为什么|为何|なぜ|왜"
_WANTED: tuple[tuple[Wanted, str], ...] = (
    ("time", _TIME),
    ("number", _NUMBER),
    ("person", _PERSON),
    ("place", _WHERE),
    ("reason", _WHY),
)


@dataclass(frozen=True, slots=True)
class Part:
    """`text`: the part as asked, for a heading; `query`: its words for a search; `wanted`: what is asked for."""

    text: str
    query: str
    wanted: Wanted = ""


def parts(question: str) -> list[Part]:
    """The parts in order, at least one; the question as a whole where it has none."""
    asked = [piece for text in _sentences(question) for piece in _unjoined(text)] or [""]
    asked = [text for text in asked if not _only_asks(text)] or asked
    found: list[Part] = []
    subject = ""
    for text in asked:
        found += [_part(told, subject) for told in _compared(text) or _listed(text) or [text]]
        subject = _subject(text, subject)
    unique = {part.query.lower(): part for part in reversed(found) if part.query}
    return list(reversed(unique.values()))[:_MOST_PARTS] or [_part(asked[0], "")]


def keywords(question: str) -> str:
    """The question without the words that only ask; names, numbers and quoted words stay.  Never empty for a word."""
    text = _WIDE_QUESTION.sub(" ", question) if is_wide(question) else question
    quoted = [f'"{m[1]}"' for m in _QUOTED.finditer(text)]
    words = _WORD.findall(_QUOTED.sub(" ", text))
    kept = [word for index, word in enumerate(words) if _says_something(word, first=index == 0)]
    told = " ".join(filter(None, [*(_WIDE_ENDS.sub("", word) for word in kept), *quoted]))
    return told or " ".join(words)


def _says_something(word: str, *, first: bool) -> bool:
    """A name that looks like a small word of some language (`Kan`) stays."""
    if not is_small(spelling(word.strip("'’.-"))):
        return True
    return _is_namelike(word) or (word.istitle() and not first and len(word) > 2)


def _only_asks(text: str) -> bool:
    """`… and when`: it adds nothing that one could search for."""
    words = _WORD.findall(_WIDE_QUESTION.sub(" ", text))
    return all(is_small(spelling(word.strip("'’.-"))) and not _is_namelike(word) for word in words)


def _is_namelike(word: str) -> bool:
    return len(word) > 1 and (word.isupper() or any(char.isdigit() for char in word))


def _sentences(question: str) -> list[str]:
    cut = [" ".join(piece.split()) for piece in _END.split(question[:_LONGEST])]
    pieces = [_NUMBERING.sub("", piece).strip(" ,") for piece in cut]
    return [piece for piece in pieces if len(piece) > 1] or [" ".join(cut)]


def _unjoined(text: str) -> list[str]:
    """`Who made R1 and when was it released` as two."""
    cuts = [piece.strip(" ,，") for piece in _JOINED.split(text)]
    return [piece for piece in cuts if piece]


def _compared(text: str) -> list[str]:
    """A comparison as its two things, each with what they are compared in."""
    for pattern in _COMPARED:
        match = pattern.search(text)
        if match:
            rest = match["rest"] or ""
            aspect = "" if re.fullmatch(r"区别|不同|差异|差别|比较|对比", rest) else rest
            return [f"{match[side].strip()} {aspect.strip(' :,')}".strip() for side in ("a", "b")]
    return []


def _listed(text: str) -> list[str]:
    """`What are the price, the licence and the size of R1` as three."""
    match = _LISTED.match(text)
    if match is None:
        return []
    items = re.split(r",\s*(?:and\s+|und\s+|y\s+|et\s+)?|\s+(?:and|und|y|et)\s+", match["items"])
    return [f"{item.strip()}{match['of']}" for item in items if item.strip()]


def _subject(text: str, before: str) -> str:
    """What a later `it` most likely stands for: a name here, else what is asked about here, else what it was before."""
    quoted = _QUOTED.search(text)
    if quoted:
        return quoted[1]
    for name in _NAME.finditer(text):
        words = [word for word in name[0].split() if not is_small(spelling(word)) and not _NUMERAL.fullmatch(word)]
        if words:
            return " ".join(words).removesuffix("'s").removesuffix("’s")
    query = keywords(text)
    speaks_of_it = _PRONOUN.search(text) or len(query.split()) < 2
    return before if len(query) > 40 or (before and speaks_of_it) else query


def _part(text: str, subject: str) -> Part:
    query = keywords(text)
    named = any(_is_namelike(word) or word[:1].isupper() for word in query.split())
    apart = not {word.lower() for word in subject.split()} & {word.lower() for word in query.split()}
    if subject and apart and subject not in query and (_PRONOUN.search(text) or not named):
        query = f"{subject} {query}".strip()
    wanted: Wanted = next((kind for kind, pattern in _WANTED if re.search(pattern, text, re.IGNORECASE)), "")
    return Part(text.strip(), query, wanted)
