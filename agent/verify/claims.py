"""An answer as its claims: every sentence that states a fact, with what it cites and where it stands.

Knows blocks, sentences, tables and marks.  Does not know what a source says.  `answer[claim.start:claim.end]` is
`claim.text`, marks included; code, questions, the agent's own remarks, and headings that are no sentences and cite
nothing, are no claims.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from agent.phrases import phrase, reason
from agent.text.citation_marks import Mark, marks, without_marks
from agent.text.markdown import Block, TableRow, blocks, rows
from agent.text.notices import is_remark
from agent.text.output_filter import close
from agent.text.sentences import split
from agent.types import Citation, Claim

UNCITED = "no source is cited"
DIVIDER = " / "  # between a row's head and a column's in `Claim.about`

_QUESTION = re.compile(r"[?？؟;][\"'”’»)\]*_\s]*$")
_LEAD_IN = re.compile(r"[:：][*_\s]*$")
_FULL_STOP = re.compile(r"[.!?…。！？．][\"'”’»」』)）*_\s]*$")
_SHORT_END = re.compile(r"(?:^|[\s'’(\"“„])[^\W_]{1,4}\.$")  # an abbreviation is as likely as a sentence's end
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BOLD = re.compile(r"\s*(\*\*|__)[^*_]+\1[\s:：]*$")
_SOURCE_HEAD = re.compile(
    r"\s*(?:sources?|refs?\.?|references?|citations?|quellen?|fuentes?|来源|來源|引用|出典)\s*$", re.IGNORECASE
)
_OPENS_BOLD, _CLOSES_BOLD = re.compile(r"[*_]+"), re.compile(r"[*_]+$")
_ITEM = re.compile(r" *(?:[-*+]|\d{1,3}[.)]) +")
_CONNECTS = re.compile(
    r"^[\s,;，；、]*(?:(?:and|but|while|und|aber|während|y|pero|mientras|et|mais)\b|而|但)?\s*", re.IGNORECASE
)
_INTRODUCED = ("item", "row", "code")
_BE = r"is|are|was|were|has|have|had|will|would|can|could|may|might|does|did|means|meant|makes|made|also"
_POINTS_BACK = re.compile(
    rf"[\s*_>\"“]*(?:(?:this|that) (?:{_BE}|\w+ed|\w+es)\b|(?:these|those) (?:{_BE})\b"
    r"|(?:das|dies|dieses) (?:ist|war|hat|hatte|wird|wurde|kann|könnte|soll|bedeutet\w*|heißt|gilt|galt|macht\w*)\b"
    r"|(?:esto|eso|ello) \w+|(?:ceci|cela) \w+"
    r"|这(?=[是也使让就将为一]|意味|表明|导致)|此举|這(?=[是也使讓就將為一]|意味))",
    re.IGNORECASE,
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
        elif block.kind in ("prose", "item") or _is_claimed(answer, block, all_marks):
            cut += _in_prose(answer, block, all_marks, lead_in if block.kind == "item" else "")
    return cut


def _is_claimed(answer: str, block: Block, all_marks: Sequence[Mark]) -> bool:
    """Is it a heading that says something: one that cites, or is a sentence?"""
    cites = _within(all_marks, block.start, block.end)
    return block.kind == "heading" and bool(cites or _FULL_STOP.search(answer[block.start : block.end]))


def is_listed(claim: Claim) -> bool:
    """Is it an item under words that introduce its list, or under a heading?"""
    return claim.about is None and bool(claim.context and _LEAD_IN.search(claim.context))


def leans(claim: Claim) -> bool:
    """Is it an item that says something only together with what introduces its list ("It leaves out:" - "wages")?"""
    said = without_marks(claim.text).strip()
    if not is_listed(claim):
        return False
    return said[:1].islower() or not _FULL_STOP.search(said)


def cited_parts(sentence: str) -> Iterator[tuple[str, list[int]]]:
    """The clauses that a sentence's marks end, each with the numbers it cites; words after the last mark are none."""
    begin, found = 0, marks(sentence)
    for at, mark in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        if following and not sentence[mark.end : following.start].strip():
            continue
        numbers = _within(found, begin, mark.end)
        yield _CONNECTS.sub("", without_marks(sentence[begin : mark.end])).strip(" ,;，；、"), numbers
        begin = mark.end


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
    for start, end in _pieces(answer, block, all_marks):
        text = answer[start:end]
        cited = _within(all_marks, start, end)
        if _states_something(text, cited=bool(cited)):
            yield replace(_claim(answer, start, end, cited), context=before or None)
        before = " ".join(without_marks(text).split())


def _pieces(answer: str, block: Block, all_marks: Sequence[Mark]) -> Iterator[tuple[int, int]]:
    """The block's sentences; one without a mark that ends in a short word and a full stop belongs to what follows."""
    begin = None
    for start, end in split(answer, block.start, block.end):
        begin = start if begin is None else begin
        if end < block.end and not _within(all_marks, begin, end) and _SHORT_END.search(answer, begin, end):
            continue
        yield begin, end
        begin = None
    if begin is not None:
        yield begin, block.end


def _in_row(answer: str, row: TableRow, all_marks: Sequence[Mark]) -> Iterator[Claim]:
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
        about = DIVIDER.join(part for part in heads if part.strip())
        yield _claim(answer, *cell, _within(all_marks, *cell) + shared + _numbers_in(head), about)


def _claim(answer: str, start: int, end: int, cited: Sequence[int], about: str | None = None) -> Claim:
    citations = tuple(Citation(number) for number in dict.fromkeys(cited))
    if citations:
        return Claim(answer[start:end], start, end, citations, about=about)
    return Claim(answer[start:end], start, end, verdict="unsupported", why=UNCITED, about=about)


def _within(all_marks: Sequence[Mark], start: int, end: int) -> list[int]:
    """The numbers of the marks between two places; `all_marks` in order."""
    first = bisect_left(all_marks, start, key=lambda mark: mark.start)
    last = bisect_right(all_marks, end, key=lambda mark: mark.end)
    return [mark.number for mark in all_marks[first:last]]


def _numbers_in(head: str) -> list[int]:
    return [mark.number for mark in marks(head)]


def _states_something(text: str, *, cited: bool) -> bool:
    """Is it a claim?  If cited, unless it asks; if not, where it is more than a lead-in, a label or a word."""
    said = without_marks(text)
    if _QUESTION.search(said) or not _WORD.search(said) or is_remark(said, cited=cited):
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
    body = remove_claims(answer, failed).strip() or f"*{phrase('nothing_confirmed', language)}*"
    lines = [f"## {phrase('not_confirmed', language)}", ""]
    for claim in failed:
        said = _unbroken(" ".join(claim.text.split()))
        about = f"{claim.about}: " if claim.about else ""
        verdict = phrase("refuted" if claim.verdict == "refuted" else "unsupported", language)
        lines += [f"- {about}{said}", f"  - *{verdict}: {_told(reason(claim.why, language))}*"]
    return "\n".join([body, "", *lines])


def remove_claims(answer: str, dropped: Sequence[Claim]) -> str:
    """The answer without these claims, and without the items, paragraphs, headings and lead-ins that are then empty."""
    were_empty = {text for text, _, _ in _empty(answer)}
    answer = _cut_all(answer, dropped)
    while emptied := [Claim("", start, end) for text, start, end in _empty(answer) if text not in were_empty]:
        answer = _cut_all(answer, emptied)
    return answer


def _cut_all(answer: str, dropped: Sequence[Claim]) -> str:
    """From the last to the first, so that what stands before keeps its place; blocks are found once."""
    found = blocks(answer)
    starts, ends = [block.start for block in found], [block.end for block in found]
    for claim in sorted(dropped, key=lambda claim: claim.start, reverse=True):
        at = bisect_right(starts, claim.start) - 1
        inside = at >= 0 and claim.end <= ends[at]
        length = len(answer)
        answer = _cut(answer, claim, (starts[at], ends[at]) if inside else None)
        if inside:
            ends[at] -= length - len(answer)
    return answer


def _cut(answer: str, claim: Claim, block: tuple[int, int] | None) -> str:
    before, after = answer[: claim.start], answer[claim.end :]
    if claim.about is not None:
        return f"{before}—{after}"
    if block is None or not _WORD.search(answer[block[0] : claim.start] + answer[claim.end : block[1]]):
        return _cut_lines(answer, claim.start, claim.end)
    opened, closed = _loose(answer[claim.start : claim.end])
    if closed:
        return before.rstrip() + closed + after
    if claim.end == block[1]:
        return before.rstrip(" ") + after
    at_word = opened or claim.start == block[0] or before.endswith((" ", "\n"))
    return before + opened + (after.lstrip() if at_word else after)


def _loose(text: str) -> tuple[str, str]:
    """The marks of emphasis that begin in a sentence and end after it, and those that end in it and began before."""
    opened, closed = _OPENS_BOLD.match(text), _CLOSES_BOLD.search(text)
    for mark in ("**", "__"):
        if text.count(mark) % 2:
            return (
                (mark, "") if opened and mark in opened[0] else ("", mark) if closed and mark in closed[0] else ("", "")
            )
    return "", ""


def _cut_lines(answer: str, start: int, end: int) -> str:
    """Without the lines from that of `start` to that of `end`, and without a blank line too many.

    What stands indented below a list item that goes moves out by as much: else it might become code.
    """
    begin = answer.rfind("\n", 0, start) + 1
    before, after = answer[:begin], answer[end:].partition("\n")[2]
    marker, indent = answer[begin:start], _indent(answer[begin:])
    if _ITEM.fullmatch(marker) and _indent(after) > indent and not _ITEM.match(after):
        return before + marker + after.lstrip(" ")  # the rest of the item
    after = _moved_out(after, indent)
    return before + (after.lstrip("\n") if before.endswith("\n\n") or not before else after)


def _moved_out(after: str, indent: int) -> str:
    lines = after.split("\n")
    below = next((at for at, line in enumerate(lines) if line.strip() and _indent(line) <= indent), len(lines))
    depths = [_indent(line) for line in lines[:below] if line.strip()]
    shift = depths[0] - indent if depths else 0
    return "\n".join([*(line[min(shift, _indent(line)) :] for line in lines[:below]), *lines[below:]])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _empty(answer: str) -> list[tuple[str, int, int]]:
    """The headings that nothing stands below, and the sentences with a colon that introduce nothing."""
    empty = []
    for block, following in pairwise([*blocks(answer), None]):
        if block is None:
            continue
        if block.kind == "heading" and (following is None or _is_not_below(answer, following, block)):
            empty.append((answer[block.start : block.end], block.start, block.end))
        elif block.kind == "prose" and not (following and following.kind in _INTRODUCED):
            empty += _lead_ins(answer, block)
    return empty


def _lead_ins(answer: str, block: Block) -> Iterator[tuple[str, int, int]]:
    """The block's last sentence, if it ends with a colon and cites nothing."""
    *_, (start, end) = split(answer, block.start, block.end)
    if _LEAD_IN.search(answer[start:end]) and not marks(answer[start:end]):
        yield answer[start:end], start, end


def _is_not_below(answer: str, following: Block, heading: Block) -> bool:
    return following.kind == "heading" and _level(answer, following) <= _level(answer, heading)


def _level(answer: str, heading: Block) -> int:
    return answer[answer.rfind("\n", 0, heading.start) + 1 : heading.start].count("#")


# ------------------------------------------------------------------------------------------------- what then hangs


def dependent_claims(answer: str, found: Sequence[Claim], failed: Sequence[Claim]) -> list[Claim]:
    """The claims that point back ("This was …") to one that failed, right before them: alone they say something else.

    `found`: all claims of the answer, in order.
    """
    gone = {claim.start for claim in failed}
    hanging: list[Claim] = []
    for before, claim in pairwise(found):
        follows = (
            before.start in gone and not answer[before.end : claim.start].strip(" *_\n") and _is_near(before, claim)
        )
        if claim.start not in gone and follows and points_back(claim):
            gone.add(claim.start)
            hanging.append(claim)
    return hanging


def points_back(claim: Claim) -> bool:
    """Does it open with a word that stands for the sentence before it?"""
    return claim.about is None and bool(_POINTS_BACK.match(claim.text))


def _is_near(before: Claim, claim: Claim) -> bool:
    return before.about is None and claim.context == " ".join(without_marks(before.text).split())


def _unbroken(said: str) -> str:
    """Without the marks of emphasis that only make sense with what stood around it."""
    opened, closed = _loose(said)
    return said.removeprefix(opened).removesuffix(closed)


def _told(why: str) -> str:
    """A reason as one harmless line: it may quote a page."""
    return re.sub(r"[*_\[\]]", "", " ".join(close(why, ()).split()))
