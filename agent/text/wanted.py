"""What kind of thing a question asks for: a definition, a time, a number, a person, a place, a reason, a way.

Knows the asking words of a few languages.  Does not know whether a sentence has what is wanted.
"""

from __future__ import annotations

import re
from typing import Literal

Wanted = Literal["definition", "time", "number", "amount", "person", "place", "reason", "way", ""]

_SHORT = 5  # words of a query: a longer one asks for more than what a thing is
_WHEN = r"(?:when|wann|cuándo|quand|quando)"
# At the beginning or the end: `how does R1 behave when prompts are long` asks for no date.
_TIME = (
    rf"^(?:(?:and|since|until|till|from|by|und|seit|ab|bis|von|desde|depuis|da)\s+)?{_WHEN}\b|\b{_WHEN}$|"
    r"\b(?:what|which) (?:year|date)\b|何时|什么时候|哪一?年|いつ|언제"
)
_NUMBER = (
    r"\b(?:how (?:much|many|big|large|old|far|tall|high|fast|expensive)|(?:what|which|how many) (?:percent(?:age)?|"
    r"per cent|share|number|proportion|amount|price)|what (?:is|was|are|were) the (?:\w+ )?(?:number|amount|percentage|"
    r"share|price|population)s?|wie (?:viele?|hoch|groß|teuer|alt)|wieviel|cuánt[oa]s?|combien|quant[oaie])\b|"
    r"多少|几[个年次人]|価格|いくら|얼마"
)
# Things that are told in numbers, but not always.
_AMOUNT = (
    r"\b(?:how long|rates?|prices?|costs?|percentages?|temperatures?|speeds?|heights?|lengths?|weights?|sizes?|scores?|"
    r"preise?|kostet|gekostet|kosten|\w*raten?|temperatur|größe|precios?|cuesta|prix|coûte)\b|价格|成本|费用|温度|率"
)
_PERSON = r"\b(?:who|whom|whose|wer|wen|wem|quién|quiénes|qui|chi|quem)\b|谁|誰|누구"
_WHERE = r"\b(?:where|wo|wohin|dónde|où|dove|onde)\b|哪里|哪儿|どこ|어디"
_WHY = r"\b(?:why|warum|wieso|weshalb|por qué|pourquoi|perché)\b|为什么|为何|なぜ|왜"
# Only where it is asked how a thing is done: `how good is R1` and `how does R1 compare with V3` ask for no means.
_WAY = (
    r"^(?:and |und )?(?:how|wie) (?:is|are|was|were|has|have|did|do|does|can|could|wird|werden|wurden?|hat|haben|kann|"
    r"können)\b(?!.*\b(?:compare|differ|behave|perform|fare|relate)\b)|^cómo se\b|如何|怎么|怎样|どのように|어떻게"
)
_PATTERNS: tuple[tuple[Wanted, re.Pattern[str]], ...] = (
    ("time", re.compile(_TIME, re.IGNORECASE)),
    ("number", re.compile(_NUMBER, re.IGNORECASE)),
    ("reason", re.compile(_WHY, re.IGNORECASE)),
    ("person", re.compile(_PERSON, re.IGNORECASE)),
    ("place", re.compile(_WHERE, re.IGNORECASE)),
    ("amount", re.compile(_AMOUNT, re.IGNORECASE)),
    ("way", re.compile(_WAY, re.IGNORECASE)),
)
_DEFINITION = re.compile(
    r"(?:what|who)(?:['’]s| is| are| was| were)\b|what does .+ mean$|define\b|(?:was|wer) (?:ist|sind|war)\b|"
    r"qué (?:es|son)\b|quién (?:es|fue)\b|qu['’]est-ce que?\b|qui (?:est|était)\b|"
    r"什么是|何谓|.*(?:是什么|是谁|とは)",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:the|an?|der|die|das|eine?|el|la|los|las|une?|les?|l['’])\s*\b", re.IGNORECASE)


def wanted(text: str, query: str) -> Wanted:
    """`text`: a part of a question; `query`: its keywords.  A bare name asks what it is."""
    kind: Wanted = next((kind for kind, pattern in _PATTERNS if pattern.search(text)), "")
    is_bare = _ARTICLE.sub("", text) == query
    if kind in ("", "person") and len(query.split()) <= _SHORT and (_DEFINITION.match(text) or is_bare):
        return "definition"
    return kind
