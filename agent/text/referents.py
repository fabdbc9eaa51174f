"""What `it` stands for in one part of a question, by the parts before it.

Knows where the subject of a question stands and how pronouns are written in a few languages.  Does not parse: where the
subject is not plain, the first name is taken, and else the words asked about.
"""

from __future__ import annotations

import re

from agent.text.words import is_small, spelling

_LONGEST = 7  # words of a subject: more is a clause
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
_QUOTED = re.compile(r"[\"“„«「『]([^\"“”„«»「」『』]{2,60})[\"”“»」』]")
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
    return " ".join(phrase) if 2 <= len(phrase) <= _LONGEST else ""


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
