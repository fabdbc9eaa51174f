"""A sentence that a writer was asked to mend, as it may stand in the place of the old one.

Knows what writers give instead of a sentence: the whole answer, headings, fences, pipes, an apology.  Only what cites,
and stands nowhere else in the answer, comes through.  Does not know whether it is true.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from agent.text.citations import MarkFilter, marks, without_marks
from agent.text.output import close
from agent.text.remarks import is_remark
from agent.text.sentences import split
from agent.types import Claim

_BLOCK_MARKS = re.compile(r"^(?:\s*(?:#{1,6}|[-*+>]|\d{1,3}[.)])(?=\s)\s*)+")
_FENCE = re.compile(r"`{3,}|~{3,}")
_HEADS = re.compile(r"^\s*\{[^{}]*\}\s*")
_NEXT_CELL = re.compile(r"(?<!\\)\|.*", re.DOTALL)


def revised(
    old: Claim, written: str, standing: Collection[str], numbers: Collection[int], urls: Collection[str]
) -> str | None:
    """What takes the old sentence's place; empty: it goes; None: nothing of use was written, and it stays.

    `standing`: what else the answer says, as `said` has it.  `numbers`, `urls`: of the sources.
    """
    filtered = MarkFilter(numbers)
    text = _FENCE.sub("", filtered.feed(written) + filtered.close())
    if old.about is not None:
        cell = close(_NEXT_CELL.sub("", _HEADS.sub("", text)), urls).strip()
        return cell.replace("|", "\\|")
    text = close(_BLOCK_MARKS.sub("", text), urls).strip()
    if is_remark(without_marks(text)):
        return text
    sentences = [text[start:end] for start, end in split(text)]
    fresh = [sentence for sentence in sentences if said(sentence) not in standing]
    citing = " ".join(sentence for sentence in fresh if marks(sentence))
    return citing or (None if fresh else "")


def said(sentence: str) -> str:
    """A sentence as it counts here: its words, without marks, emphasis and stops."""
    return " ".join(re.findall(r"[^\W_]+", without_marks(sentence).casefold()))
