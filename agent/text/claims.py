"""An answer as its claims: every sentence that states a fact, with what it cites and where it stands.

Knows blocks, sentences, tables and marks.  Does not know what a source says.  `answer[claim.start:claim.end]` is
`claim.text`, marks included; headings, code, questions and the agent's own remarks are no claims.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from agent.text.blocks import Block, Row, blocks, rows
from agent.text.citations import Mark, marks, without_marks
from agent.text.output import close
from agent.text.remarks import is_remark, label, remark
from agent.text.sentences import split
from agent.types import Citation, Claim

UNCITED = "no source is cited"

_NUMBERING = re.compile(r"^\s*\d+[.)]")
_QUESTION = re.compile(r"[?？؟;][\"'”’»)\]*_\s]*$")
_LEAD_IN = re.compile(r"[:：][*_\s]*$")
_FULL_STOP = re.compile(r"[.!?…。！？．][\"'”’»」』)）*_\s]*$")
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BOLD = re.compile(r"\s*(\*\*|__)[^*_]+\1[\s:：]*$")
_SOURCE_HEAD = re.compile(
    r"\s*(?:sources?|refs?\.?|references?|citations?|quellen?|fuentes?|来源|來源|引用|出典)\s*$", re.IGNORECASE
)
_BLANK_CELL = re.compile(r"(?:n/?a|[\s–—−*_./-])*$", re.IGNORECASE)


def claims(answer: str) -> list[Claim]:
    """The claims in order, each with its citations still to be located; an uncited one is `unsupported`."""
    found = blocks(answer)
    tables = rows(answer, found)
    all_marks = marks(answer)
    cut: list[Claim] = []
    lead_in = ""
    for index, block in enumerate(found):
        lead_in = _lead_in(answer, block, lead_in)
        if index in tables:
            cut += _in_row(answer, tables[index], all_marks)
        elif block.kind in ("prose", "item"):
            cut += _in_prose(answer, block, all_marks, lead_in if block.kind == "item" else "")
    return cut


def leans(claim: Claim) -> bool:
    """Is it an item that says something only together with what introduces its list ("It leaves out:" - "wages")?"""
    said = without_marks(claim.text).strip()
    if claim.about is not None or not claim.context or not _LEAD_IN.search(claim.context):
        return False
    return said[:1].islower() or not _FULL_STOP.search(said)


def _lead_in(answer: str, block: Block, before: str) -> str:
    """What introduces the list items after this block: a heading, or a sentence that ends with a colon."""
    text = " ".join(without_marks(answer[block.start : block.end]).split())
    if block.kind == "heading":
        return f"{text.rstrip(':：')}:" if text else ""
    if _LEAD_IN.search(text):
        *_, (start, _) = split(text)
        return text[start:]
    return before if block.kind == "item" else ""


def _in_prose(answer: str, block: Block, all_marks: Sequence[Mark], before: str) -> Iterator[Claim]:
    for start, end in split(answer, block.start, block.end):
        text = answer[start:end]
        cited = _within(all_marks, start, end)
        if _states_something(text, cited=bool(cited)):
            yield replace(_claim(answer, start, end, cited), context=before or None)
        before = " ".join(without_marks(text).split())


def _in_row(answer: str, row: Row, all_marks: Sequence[Mark]) -> Iterator[Claim]:
    """A table's cells.  Marks in the row's first cell or under a head like `Source` hold for the whole row."""
    if not row.heads:
        return
    first = row.cells[0]
    shared = _within(all_marks, *first)
    for cell, head in zip(row.cells[1:], row.heads[1:], strict=False):
        if _SOURCE_HEAD.match(head):
            shared += _within(all_marks, *cell)
    for cell, head in zip(row.cells[1:], row.heads[1:], strict=False):
        text = answer[slice(*cell)]
        if _SOURCE_HEAD.match(head) or _BLANK_CELL.match(without_marks(text)):
            continue
        heads = (without_marks(answer[slice(*first)]), without_marks(head))
        about = " / ".join(part for part in heads if part.strip())
        yield _claim(answer, *cell, _within(all_marks, *cell) + shared + _numbers_in(head), about)


def _claim(answer: str, start: int, end: int, cited: Sequence[int], about: str | None = None) -> Claim:
    citations = tuple(Citation(number) for number in dict.fromkeys(cited))
    if citations:
        return Claim(answer[start:end], start, end, citations, about=about)
    return Claim(answer[start:end], start, end, verdict="unsupported", why=UNCITED, about=about)


def _within(all_marks: Sequence[Mark], start: int, end: int) -> list[int]:
    return [mark.number for mark in all_marks if start <= mark.start and mark.end <= end]


def _numbers_in(head: str) -> list[int]:
    return [mark.number for mark in marks(head)]


def _states_something(text: str, *, cited: bool) -> bool:
    """Is it a claim?  If cited, unless it asks; if not, where it is more than a lead-in, a label or a word."""
    said = without_marks(text)
    if _QUESTION.search(said) or not _WORD.search(said) or is_remark(said):
        return False
    if cited:
        return True
    if _LEAD_IN.search(said) or _BOLD.match(said):
        return False
    words = len(_WORD.findall(said)) + len(_WIDE.findall(said)) / 2
    return words >= 3 or any(char.isdigit() for char in said)


# ------------------------------------------------------------------------------------------------- what failed


def set_apart(answer: str, checked: Sequence[Claim], language: str) -> str:
    """The answer with its failed claims (unsupported, refuted) moved out of the body, below a heading of their own.

    Each is listed with its verdict and the reason.  An answer without failed claims comes back as it is.
    """
    failed = [claim for claim in checked if claim.verdict in ("unsupported", "refuted")]
    if not failed:
        return answer
    body = without(answer, failed).strip() or f"*{remark('nothing confirmed', language)}*"
    lines = [f"## {label('not confirmed', language)}", ""]
    for claim in failed:
        said = " ".join(claim.text.split())
        about = f"{claim.about}: " if claim.about else ""
        verdict = label("refuted" if claim.verdict == "refuted" else "unsupported", language)
        lines += [f"- {about}{said}", f"  - *{verdict}: {_told(claim.why)}*"]
    return "\n".join([body, "", *lines])


def without(answer: str, dropped: Sequence[Claim]) -> str:
    """The answer without these claims, and without the list items, paragraphs and headings that are then empty."""
    were_empty = {text for text, _ in _empty_headings(answer)}
    for claim in sorted(dropped, key=lambda c: c.start, reverse=True):
        answer = _cut(answer, claim)
    while emptied := [start for text, start in _empty_headings(answer) if text not in were_empty]:
        answer = _cut_lines(answer, emptied[-1], emptied[-1])
    return answer


def _cut(answer: str, claim: Claim) -> str:
    before, after = answer[: claim.start], answer[claim.end :]
    if claim.about is not None:
        return f"{before}—{after}"
    rest = before.rpartition("\n")[2] + after.partition("\n")[0]
    if not _WORD.search(_NUMBERING.sub("", rest)):
        return _cut_lines(answer, claim.start, claim.end)
    if after.startswith("\n") or not after:
        return before.rstrip(" ") + after
    return before + (after.lstrip(" ") if before.endswith((" ", "\n")) or not before else after)


def _cut_lines(answer: str, start: int, end: int) -> str:
    """Without the lines from that of `start` to that of `end`, and without a blank line too many."""
    before = answer[: answer.rfind("\n", 0, start) + 1]
    after = answer[end:].partition("\n")[2]
    return before + (after.lstrip("\n") if before.endswith("\n\n") or not before else after)


def _empty_headings(answer: str) -> list[tuple[str, int]]:
    """The headings that nothing stands below, with their offsets."""
    found = [*blocks(answer), None]
    empty = []
    for block, following in pairwise(found):
        if block and block.kind == "heading" and (following is None or _is_not_below(answer, following, block)):
            empty.append((answer[block.start : block.end], block.start))
    return empty


def _is_not_below(answer: str, following: Block, heading: Block) -> bool:
    return following.kind == "heading" and _level(answer, following) <= _level(answer, heading)


def _level(answer: str, heading: Block) -> int:
    return answer[answer.rfind("\n", 0, heading.start) + 1 : heading.start].count("#")


def _told(why: str) -> str:
    """A reason as one harmless line: it may quote a page."""
    return re.sub(r"[*_\[\]]", "", " ".join(close(why, ()).split()))
