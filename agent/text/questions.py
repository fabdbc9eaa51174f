"""A question as its parts, and each part as what one would type into a search box.

Knows how questions are put and joined in a few languages: several at once, lists of what is wanted.  A comparison is
one question.  Does not know any answer.  Names, numbers and quoted words always stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.text.language import detect
from agent.text.referents import has_pronoun, resolved, subject
from agent.text.sentences import split
from agent.text.words import is_small, is_wide, spelling

_MOST_PARTS = 5
_LONGEST = 4_000  # characters of a question that are read: more is a document
_END = re.compile(r"[?？؟]+|\n+|[;；]\s*")
_NUMBERING = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)、]|[a-h][.)])\s*")
_ASKING = (  # how a question begins
    r"(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|does|do|did|can|could|has|have|will|should|"
    r"wer|wen|wem|was|welche[rsnm]?|wann|wo|wohin|warum|wie|ist|sind|war|hat|kann|"
    r"quién|qué|cuál|cuáles|cuándo|dónde|cómo|cuánto|cuántos|cuántas|por qué|"
    r"qui|que|quel|quelle|quels|quelles|quand|où|pourquoi|comment|combien|est-ce)"
)
_OF_WHICH = r"(?:(?:for|at|in|to|with|by|under|para|de|a|con|por|bajo|mit|von|seit|unter|pour|avec|sous)\s+)?"
_JOINED = re.compile(
    rf"\s*,?\s+(?:and|und|y|e|et)\s+(?={_OF_WHICH}{_ASKING}\b)|\s*,\s+(?={_ASKING}\b)"
    rf"|:\s+(?={_ASKING}\b)"
    r"|[，,]\s*(?:以及|并且|而且|还有)?(?=.{0,12}(?:什么|多少|哪|谁|如何|怎么|为什么|几|吗))",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(  # `and for how long`
    r"(?:\w+ ){0,2}(?:how (?:long|often|much|many|far)|wie (?:lange|oft|viele?|weit)|cuánto(?: tiempo)?"
    r"|combien(?: de temps)?)$",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"^(?P<head>.*?\b(?:what|which|list|name|give|tell me|nenne|was sind|welche|cuáles son|cuál es|quel(?:le)?s? sont)"
    r"(?:\s+(?:is|are|was|were))?\s+(?:the|its|their|die|der|das|el|la|los|las|le|les)\s+)"
    r"(?P<items>[^,]+(?:,\s*[^,]+)*,?\s+(?:and|und|y|et)\s+.+?)"
    r"(?P<of>\s+(?:of|for|von|des|der|de|du|del)\s+.+)$",
    re.IGNORECASE,
)
_WIDE_QUESTION = re.compile(
    r"请问|請問|请|什么时候|什么是|是什么|什么|甚么|有哪些|哪些|哪个|哪一个|哪里|哪儿|怎么样|怎么|怎样|如何|为什么|为何|多少|几个|几|谁|"
    r"吗|呢|么|是不是|有没有|能不能|可以|介绍一下|解释一下|告诉我|的时候|何时|比较一下|比较|对比|"
    r"とは何ですか|とは|何ですか|なぜ|どのように|どこ|いつ|誰|ですか|ますか|教えて(?:ください)?|它们?|他们?|她们?|무엇인가요|무엇|어떻게|누구|언제|어디|왜"
)
_WIDE_ENDS = re.compile(r"^[的是了在被由]+(?=[\u4e00-\u9fff]{2})|(?<=[\u4e00-\u9fffA-Za-z\d])[的是了在被由]+$")
_QUOTED = re.compile(r"[\"“„«「『]([^\"“”„«»「」『』]{2,60})[\"”“»」』]")
_COMPARES = re.compile(
    r"compare|contrast|vergleiche?|compara|comparez|confronta|differences?|unterschiede?", re.IGNORECASE
)
_LETTERS = frozenset("BCDEFGHJKLMNOPQRSTUVWXYZ")  # that name something: `hepatitis B`
_WORD = re.compile(r"[^\s,;:?!¿¡()（），。？！；：“”„\"«»]+")


@dataclass(frozen=True, slots=True)
class Part:
    """`text`: the part as asked, for a heading; `query`: its words for a search; `about`: with what `it` stands for."""

    text: str
    query: str
    about: str


def parts(question: str) -> list[Part]:
    """The parts in order, at least one; the question as a whole where it has none."""
    asked = [piece for text in _sentences(question) for piece in _unjoined(text)] or [""]
    asked = [text for text in asked if not _only_asks(text)] or asked
    found: list[Part] = []
    before = ""
    for text in asked:
        told = resolved(text, before) if before in question else text  # as it was written, or for the query alone
        found += [_part(piece, before) for piece in _listed(told) or [told]]
        before = subject(told, keywords(told), before)
    unique = {part.query.lower(): part for part in reversed(found) if part.query}
    return list(reversed(unique.values()))[:_MOST_PARTS] or [_part(asked[0], "")]


def keywords(question: str) -> str:
    """The question without the words that only ask; names, numbers and quoted words stay.  Never empty for a word."""
    text = _WIDE_QUESTION.sub(" ", question) if is_wide(question) else question
    quoted = [f'"{m[1]}"' for m in _QUOTED.finditer(text)]
    words = _WORD.findall(_QUOTED.sub(" ", text))
    words = words[1:] if len(words) > 1 and _COMPARES.fullmatch(words[0]) else words
    kept = [word for index, word in enumerate(words) if _says_something(word, first=index == 0)]
    told = " ".join(filter(None, [*(_WIDE_ENDS.sub("", word) for word in kept), *quoted]))
    return told or " ".join(words)


def _says_something(word: str, *, first: bool) -> bool:
    """A name that looks like a small word of some language stays: `Kan`, `vitamin C`."""
    if not is_small(spelling(word.strip("'’.-"))):
        return True
    return _is_namelike(word) or (word.istitle() and not first and (len(word) > 2 or word in _LETTERS))


def _only_asks(text: str) -> bool:
    """`… and when`: it adds nothing that one could search for."""
    words = _WORD.findall(_WIDE_QUESTION.sub(" ", text))
    return all(is_small(spelling(word.strip("'’.-"))) and not _is_namelike(word) for word in words)


def _is_namelike(word: str) -> bool:
    return len(word) > 1 and (word.isupper() or any(char.isdigit() for char in word))


def _sentences(question: str) -> list[str]:
    asked = question[:_LONGEST]
    sentences = [asked[start:end] for start, end in split(asked)]
    cut = [" ".join(piece.split()) for sentence in sentences for piece in _END.split(sentence)]
    pieces = [_NUMBERING.sub("", piece).strip(" ,") for piece in cut]
    return [piece for piece in pieces if len(piece) > 1] or [" ".join(cut)]


def _unjoined(text: str) -> list[str]:
    """`Who made R1 and when was it released` as two."""
    pieces: list[str] = []
    for piece in filter(None, (cut.strip(" ,，") for cut in _JOINED.split(text))):
        if pieces and _HOW_MUCH.match(piece):
            pieces[-1] += f", {piece}"  # it asks for more of the same
        else:
            pieces.append(piece)
    return pieces


def _listed(text: str) -> list[str]:
    """`What are the price, the licence and the size of R1` as three."""
    match = _LISTED.match(text)
    if match is None:
        return []
    items = re.split(r",\s*(?:and\s+|und\s+|y\s+|et\s+)?|\s+(?:and|und|y|et)\s+", match["items"])
    return [f"{item.strip()}{match['of']}" for item in items if item.strip()]


def _part(text: str, topic: str) -> Part:
    """`topic`: what is spoken of, which a part that does not name its own matter goes on about."""
    query, subject_ = keywords(text), keywords(topic)
    apart = not {word.lower() for word in subject_.split()} & {word.lower() for word in query.split()}
    if subject_ and apart and subject_ not in query and (has_pronoun(text) or not _has_name(query, text)):
        return Part(text.strip(), f"{subject_} {query}".strip(), f"{topic}: {text.strip()}")
    return Part(text.strip(), query, text.strip())


def _has_name(query: str, text: str) -> bool:
    capitals_tell = detect(text) != "de"
    return any(_is_namelike(word) or (capitals_tell and word[:1].isupper()) for word in query.split())
