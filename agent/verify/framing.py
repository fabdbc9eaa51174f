"""What stands around a claim: a label before it, the day as of which it is told, what introduces the list it is in.

Knows how answers and pages are written.  A label that judges ("Wrong: …") is none; a day is left out only if it is the
page's.  An item of a list says only together with its introduction what it says: "It leaves out:" - "wages".
"""

from __future__ import annotations

import re

from agent.text.dates import agree, dates
from agent.text.prose import prose
from agent.text.sentences import split
from agent.verify.comparison import compare
from agent.verify.pieces import pieces

_LABEL = re.compile(r"^[\W_]*(?P<label>[^\W\d_][^.:：,;?!()]{1,40})(?:[:：]\s+|：)(?=\S)")
_MOST_WORDS = 4  # of a label
_JUDGES = re.compile(
    r"(?:false|wrong|untrue|incorrect|myths?|fiction|rumou?rs?|claims?|criti\w+|allegations?|opinions?|hypothes[ei]s|"
    r"falsch\w*|mythos|gerücht\w*|behauptung\w*|kritik\w*|meinung\w*|falso|mito|rumor|crítica\w*|谣言|错误|误解|传言|观点)",
    re.IGNORECASE,
)
_AS_OF = re.compile(
    r"(?:^\s*(?:as of|as at|stand|a fecha de|截至|截止)\s+(?P<first>[^,，(]{4,24}?)[,，]\s*"
    r"|\s*[(（](?:as of|stand:?|a fecha de|截至)\s*(?P<last>[^()（）]{4,24})[)）])",
    re.IGNORECASE,
)

_INTRODUCES = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+\S.*|.*[:：][*_ \t]*)$", re.MULTILINE
)  # a heading, or a line with a colon at its end
_FAR = 1_500  # characters above a quote: a list is seldom longer


def introduction(text: str, start: int) -> str:
    """The nearest heading or line with a colon at its end above `start`; empty where there is none near."""
    begin, end = _introduction(text, start)
    return text[begin:end].strip()


def _introduction(text: str, start: int) -> tuple[int, int]:
    above = [found.span() for found in _INTRODUCES.finditer(text, max(0, start - _FAR), start)]
    return above[-1] if above else (start, start)


def introduced(context: str, text: str, start: int) -> bool:
    """Does the source, in one sentence above `start`, say what introduces the item in the answer, and no "not" more?

    A heading or a line with a colon ends what stands above it: the item under it is another list's.
    Words that say nothing ("the following") introduce what the page introduces with such words, or not at all.
    """
    wanted = pieces(prose(context))
    if not wanted:
        told = introduction(text, start)
        return told.startswith("#") or not pieces(prose(told))
    begin, end = _introduction(text, start)
    above = prose(text[begin if begin < end else max(0, start - _FAR) : start])
    for begin, end in split(above):
        seen = compare(wanted, pieces(above[begin:end]))
        if not seen.missing and not any(p.is_critical for slot in seen.slots for p in (*slot.claimed, *slot.told)):
            return True
    return False


def bare(said: str, published: str | None) -> str:
    """The claim without its label and the day of the page; as it is where there is neither."""
    return _without_day(_without_label(said), published)


def _without_label(said: str) -> str:
    found = _LABEL.match(said)
    if not found or len(found["label"].split()) > _MOST_WORDS or _JUDGES.search(found["label"]):
        return said
    if any(piece.is_critical or piece.value for piece in pieces(found["label"])):
        return said
    return said[found.end() :]


def _without_day(said: str, published: str | None) -> str:
    found = _AS_OF.search(said)
    if not found or not published:
        return said
    told, own = dates(found["first"] or found["last"] or ""), dates(published)
    if len(told) != 1 or len(own) != 1 or not agree(told[0], own[0]):
        return said
    rest = said[: found.start()] + said[found.end() :]
    return rest[:1].upper() + rest[1:]
