"""The frame in which page text is shown to the model: one numbered block per source, which no page can leave or forge.

Pure.  The markers `[webpage N begin]`, `[webpage N end]` and `[citation:N]` are those of DeepSeek's own web-search
prompt (README of deepseek-ai/DeepSeek-R1, "Official Prompts"), on which its models were trained; what stands between
them, and the markers around notes, thoughts, replies and answers, is ours.  Knows nothing of the rest of a prompt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.types import Evidence, JudgeCase

_LONGEST_TITLE = 200  # characters
BLANK = 4  # characters between two passages that may be blank lines only: nothing is left out there
GAP = "[…]"  # where text of the page is left out: a writer must not take a part for the whole

# Brackets of all widths: a forged marker need not be written in ASCII to be read as one.
_BRACKETED = re.compile(r"[\[［【〔〖⟦❲]([^\[\]［］【】〔〕〖〗⟦⟧❲❳]{1,80})[\]］】〕〗⟧❳]")
_UNCLOSED = re.compile(r"(?i)[\[［【〔〖⟦❲](?=\W{0,3}(?:web\W{0,3}page|citation|file\W{0,3}(?:name|content)))")
_RESERVED = re.compile(
    r".*webpage|citation|.*citation\d|filename|filecontent|(?:notes|thoughts|reply|answer)(?:begin|end)$"
)
_SPECIAL_TOKEN = re.compile(r"[<＜]\s{0,3}([|｜∣❘│ǀ︱][^<>＜＞\n]{0,60}?[|｜∣❘│ǀ︱])\s{0,3}[>＞]")
_THINK_TAG = re.compile(r"[<＜]\s{0,3}([/／]?\s{0,3}think(?:ing)?)\b[^<>＜＞\n]{0,40}[>＞]", re.IGNORECASE)
_FRAME_HEADING = re.compile(
    r"^[ \t>#]*#[ \t]*(?=the user'?s message is|the following contents are the search results|用户消息为|以下内容是)",
    re.IGNORECASE | re.MULTILINE,
)
_LOOKALIKES = str.maketrans("авеіікмнорстухԝѕςεοιαɑ", "abeiikmhopctyxwsceoiaa")  # Cyrillic and Greek, folded
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters and symbols without ink
_JOINERS = frozenset("\u200c\u200d")


def source_blocks(evidence: Sequence[Evidence]) -> str:
    """All sources, each between its two markers, with title, site and date before its passages.

    `evidence`: best first.  The best stand at both ends and the least in the middle, where a model reads worst (Liu et
    al., "Lost in the Middle", TACL 2024); their numbers stay what they are.
    """
    return "\n\n".join(_webpage(e) for e in [*evidence[::2], *reversed(evidence[1::2])])


def _webpage(evidence: Evidence) -> str:
    source = evidence.source
    return webpage(source.number, source.title, source.site, source.published, "".join(_joined(evidence)))


def webpage(number: int, title: str, site: str, published: str | None, text: str) -> str:
    """One source between its two markers; `text` is a page's and cannot forge them."""
    head = head_lines(title, site, published)
    return "\n".join([f"[webpage {number} begin]", head, "", escape_markers(text).strip(), f"[webpage {number} end]"])


def head_lines(title: str, site: str, published: str | None) -> str:
    """What is known of a source, as it stands above its text."""
    return f"title: {_title(title) or 'none'}\nsite: {_title(site)}\ndate: {published or 'unknown'}"


def excerpt(text: str, slices: Sequence[tuple[int, int]]) -> str:
    """Slices of a text in order, what two of them share only once; what is left out between them is marked."""
    parts: list[str] = []
    end = 0
    for start, stop in sorted(slices):
        if start > end + BLANK and (parts or text[:start].strip()):
            parts.append(f"\n{GAP}\n")
        parts.append(text[max(start, end) if start > end + BLANK else end : stop])
        end = max(end, stop)
    return "".join([*parts, f"\n{GAP}" if text[end:].strip() else ""]).strip()


def with_shorter_exhibits(case: JudgeCase) -> JudgeCase:
    """The case with no more of its sources than what bears on the claim."""
    return replace(case, exhibits=tuple(replace(e, text=e.short or e.text, short="", more="") for e in case.exhibits))


def _joined(evidence: Evidence) -> Iterable[str]:
    """The passages' texts, what two of them share only once; what is left out before, between and after is marked."""
    end = 0
    for passage in evidence.passages:
        if passage.start > end + BLANK:
            yield f"\n{GAP}\n"
        elif passage.start > end > 0:
            yield "\n\n"
        yield passage.text[max(0, end - passage.start) :]
        end = max(end, passage.end)
    if evidence.length is not None and evidence.length > end + BLANK:
        yield f"\n{GAP}"


def _title(title: str) -> str:
    return escape_markers(" ".join(title.split()))[:_LONGEST_TITLE].strip()


def escape_markers(text: str) -> str:
    """Page text that cannot be taken for the frame around it or for the model's own tokens.

    Invisible characters go; forged markers lose their brackets, think tags and special tokens their angles.  Words
    stay as they are.
    """
    before, seen = "", "".join(_visible(text))
    while before != seen:  # what was taken away may have stood between the halves of another
        before = seen
        seen = _SPECIAL_TOKEN.sub(r"‹\1›", seen)
        seen = _THINK_TAG.sub(lambda tag: f"‹{''.join(tag[1].split())}›", seen)
        seen = _FRAME_HEADING.sub("", seen)
        seen = _UNCLOSED.sub("(", _BRACKETED.sub(_without_marker, seen))
    return seen


def _without_marker(found: re.Match[str]) -> str:
    return f"({found[1].strip()})" if _RESERVED.match(_folded(found[1])) else found[0]


def _folded(text: str) -> str:
    """Letters and digits only, in one width, one case and one script, so that a disguised marker is recognised."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOKALIKES)
    return "".join(c for c in plain if c.isalnum())


def _visible(text: str) -> Iterable[str]:
    for i, c in enumerate(text):
        if c in "\n\t" or c.isprintable():
            if c not in _BLANKS and not _selects_a_glyph(c):
                yield c
        elif c in "\r\u2028\u2029\x0b\x0c\x85":
            yield "\n"
        elif unicodedata.category(c) == "Zs":
            yield " "
        elif c in _JOINERS and _joins_letters(text, i):
            yield c


def _joins_letters(text: str, i: int) -> bool:
    """Joiners belong to the spelling of Persian or Hindi; between Latin letters they only hide something."""
    around = text[max(0, i - 1) : i] + text[i + 1 : i + 2]
    return len(around) == 2 and all(unicodedata.category(c)[0] in "LM" and ord(c) >= 0x0590 for c in around)


def _selects_a_glyph(c: str) -> bool:
    """Variation selectors, of which a run can carry a hidden message."""
    return "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"
