"""The parts of a question, each with the subject that its pronouns stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.text.language import detect
from agent.text.sentences import split
from agent.text.tokens import is_small, is_wide, spelling

# ------------------------------------------------------------------------------------------ questions

# A question as its parts, and each part as what one would type into a search box.
#
# Knows how questions are put and joined in a few languages: several at once, lists of what is wanted.  A comparison
# is one question.  Does not know any answer.  Names, numbers and quoted words always stay.

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


# ------------------------------------------------------------------------------------------ referents

# What `it` stands for in one part of a question, by the parts before it.
#
# Knows where the subject of a question stands and how pronouns are written in a few languages.  Does not parse: where
# the subject is not plain, the first name is taken, and else the words asked about.

_LONGEST_SUBJECT = 7  # words of a subject: more is a clause
_WIDE_PRONOUN = r"(?<![其吉])[它他她]们?|其(?!他|它|中|实)"  # without 其他 (other), 吉他 (guitar), 其中 (of which)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|their|them|he|his|she|her|him|this|these|those|er|sie|es|ihn|ihm|ihr|ihre[rsnm]?|seine?[rsnm]?|"
    r"dessen|su|sus|lo|il|elle|ils|elles|son|sa)\b|这个|该|" + _WIDE_PRONOUN,
    re.IGNORECASE,
)
# The pronouns whose place a name can take word for word; `gibt es` and `is it true` stand for nothing.
_STANDING_ALONE = re.compile(
    r"(?<!gibt )\b(?:it|they|them|he|she|him|er|sie|es|ihn|ihm)\b(?! (?:true|possible|wahr)\b)"
    rf"|\b(?P<owner>its|their|his|her)\b|{_WIDE_PRONOUN}",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\b(?P<asks>what|who|which|how|when|where|why|whom)\b(?P<between>[^?,]*?)\s*\b"
    r"(?P<verb>does|do|did|is|are|was|were|has|have|had|can|could|will|would|should)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_THING = re.compile(r"\bthe\s.+")
_ARTICLES = frozenset(("the", "a", "an"))
_NAME = re.compile(
    r"(?:(?:[a-z]-)?[A-ZÀ-Þ][A-Za-zÀ-ÿ0-9’'-]*|[a-z]?\d[A-Za-z0-9.-]*)(?:\s+[A-ZÀ-Þ\d][A-Za-zÀ-ÿ0-9’'.-]*)*"
)
_NUMERAL = re.compile(r"[\d.,%]+")


def has_pronoun(text: str) -> bool:
    return bool(_PRONOUN.search(text))


def resolved(text: str, subject: str) -> str:
    """The text with its first pronoun replaced by the subject, where that leaves a sentence."""
    found = _STANDING_ALONE.search(text)
    if not subject or found is None or subject.lower() in text.lower():
        return text
    told = f"{subject}{'’s' if found['owner'] else ''}"
    return " ".join(f"{text[: found.start()]} {told} {text[found.end() :]}".split())


def subject(text: str, query: str, before: str) -> str:
    """What a later `it` most likely stands for.  `query`: the text's keywords; `before`: what it stood for so far."""
    quoted = _QUOTED.search(text)
    if quoted:
        return quoted[1]
    if before and has_pronoun(text):
        return before
    told = _grammatical(text) or _named(text)
    if told:
        return told
    return before if len(query) > 40 or (before and len(query.split()) < 2) else query


def _grammatical(text: str) -> str:
    """`the figure of 5.5 million dollars` of `what does the figure of 5.5 million dollars count`; else ""."""
    clause = _CLAUSE.search(text)
    if clause is None:
        thing = _THING.search(text)
        return _bounded(_phrase(thing[0].split())) if thing else ""
    words = [word.strip(",") for word in clause["rest"].split()]
    if words[0].lower() not in _ARTICLES:
        return words[0] if len(words) == 2 and words[0].islower() and not is_small(words[0].lower()) else ""
    phrase = _phrase(words)
    says_what_it_is = clause["asks"].lower() in ("what", "who") and not clause["between"].strip()
    if not (says_what_it_is and clause["verb"].lower() in ("is", "are", "was", "were")) and len(phrase) > 2:
        phrase = phrase[:-1]  # the verb
    return _bounded(phrase)


def _bounded(phrase: list[str]) -> str:
    return " ".join(phrase) if 2 <= len(phrase) <= _LONGEST_SUBJECT else ""


def _phrase(words: list[str]) -> list[str]:
    """The words up to the next small word; `of the` and the like go on."""
    taken = words[:1]
    for word in words[1:]:
        goes_on = word == "of" or (word in _ARTICLES and taken[-1] == "of")
        if is_small(word.lower()) and not goes_on:
            break
        taken.append(word)
    return taken


def _named(text: str) -> str:
    for name in _NAME.finditer(text):
        words = [word for word in name[0].split() if not is_small(spelling(word)) and not _NUMERAL.fullmatch(word)]
        if words:
            return " ".join(words).removesuffix("'s").removesuffix("’s")
    return ""
