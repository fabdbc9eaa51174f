"""The signs that a sentence tells a time, a number, a name, a reason, a way or what a thing is; and that it announces.

Knows how these are written in a few languages.  Does not know how much a sign counts, nor the other sentences.
"""

from __future__ import annotations

import re

from agent.text.dates import dates
from agent.text.numbers import quantities
from agent.text.questions import Part

_REASON = re.compile(
    r"\b(?:because|due to|since|caused by|as a result of|owing to|reason|weil|wegen|aufgrund|porque|debido|parce que|"
    r"à cause)\b|因为|由于|原因|所以",
    re.IGNORECASE,
)
_WAY = re.compile(
    r"\b(?:by (?:\w+ ){0,2}\w+ing|through|using|via|with the help of|by means of|in \w+ (?:stages?|steps?|phases?)|"
    r"durch|mithilfe|mittels|indem|mediante|por medio de|à l['’]aide|grâce à)\b|"
    r"通过|利用|使用|によって",
    re.IGNORECASE,
)
# Times and numbers that are told without a digit.
_SOMETIME = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|centur(?:y|ies)|decades?|years? (?:ago|old|later)|annual(?:ly)?|"
    r"every (?:day|week|month|year)|spring|summer|autumn|winter|easter|christmas|b\.?c\.?e?|jahrhunderts?|siglo|"
    r"siècle)\b|世纪|年|月",
    re.IGNORECASE,
)
_SOME_NUMBER = re.compile(
    r"\b(?:hundreds|thousands|millions|billions|dozens?|half|twice|none|free of charge)\b", re.IGNORECASE
)
_NAMED = re.compile(r"(?<=[\w,;] )[A-ZÀ-Þ][\w’'-]+|^[A-Z]\w+ [A-Z]\w+")
_IS = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:is|are|was|were|ist|sind|war|es|son|est|sont|means|refers to|是|指)(?!\w*n't)\s*",
    re.IGNORECASE,
)
_PAGE = r"(?:page|article|post|section|chapter|guide|note|lecture|list|table|tutorial|video)"
_ANNOUNCING = re.compile(
    rf"\b(?:this|the) {_PAGE} \w+s\b|\bin (?:this|the (?:next|following)) {_PAGE}\b|\bas follows\b|"
    r"\bthe following\b|"
    r"\b(?:let['’]?s|let us|we(?:['’]ll| will)) (?:explore|explain|look|cover|discuss|walk|dive|see|find out)\b|"
    r"\b(?:dieser|dieses|diese|diesem) (?:artikel|seite|abschnitt|beitrag)\b|本文|这篇文章|下文",
    re.IGNORECASE,
)


def may_tell(text: str, part: Part) -> bool:
    """Who asks when or how many is not answered by a sentence without any date or number of its own."""
    if part.wanted == "time":
        return bool(dates(text) or _SOMETIME.search(text))
    if part.wanted == "number":
        return bool(_numbers(text) - _numbers(part.text)) or bool(_SOME_NUMBER.search(text))
    return True


def tells(text: str, part: Part) -> bool:
    """Has it what is asked for?  What a thing is has its own sign: `defines`."""
    wanted = part.wanted
    if wanted == "time":
        return bool(dates(text))
    if wanted in ("number", "amount"):
        return bool(_numbers(text))
    if wanted == "reason":
        return bool(_REASON.search(text))
    if wanted == "way":
        return bool(_WAY.search(text))
    return wanted in ("person", "place") and any(name not in part.text for name in _NAMED.findall(text))


def defines(text: str, thing: str) -> bool:
    """Does it begin by saying what the thing is, after an article at most?  `thing`: in small letters."""
    at = text.lower().find(thing)
    return bool(thing) and 0 <= at <= 12 and bool(_IS.match(text, at + len(thing)))


def announces(text: str) -> bool:
    """Does it say what comes next instead of saying it?"""
    return bool(_ANNOUNCING.search(text))


def _numbers(text: str) -> set[float]:
    """The values told in the text, its dates left out."""
    taken = {index for date in dates(text) for index in range(date.start, date.end)}
    return {value for q in quantities(text) if q.start not in taken for value in q.values}
