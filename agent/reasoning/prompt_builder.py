"""Fills `prompts/*.md`, with the sources numbered and set apart from instructions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files

from agent.errors import AgentError
from agent.text.citation_marks import MarkFilter, marks
from agent.text.language import language_name
from agent.text.source_blocks import GAP, escape_markers, source_blocks, webpage
from agent.types import Brief, CitedPassage, Evidence, FailedClaim, JudgeCase

# ------------------------------------------------------------------------------------------ prompts

# The prompts: files with a checked head, filled in strictly.
#
# A prompt is `prompts/NAME.md`, and `NAME.zh.md` for an answer in Chinese: DeepSeek publishes its search prompt in
# these two languages and picks by them.  Its head names it, counts its versions and lists its variables; a variable
# that is missing, unknown or never used is an error, at load or at the call.  Knows the files' form, and none of
# their words.
#
#     {{name}}                            the value, put in once: what looks like a variable inside it is left alone
#     {{#if name}} … {{else}} … {{/if}}   one of the two, by whether the value is empty; not nested

_HEAD = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_CHOICE = re.compile(r"\{\{#if (\w+)\}\}(.*?)(?:\{\{else\}\}(.*?))?\{\{/if\}\}", re.DOTALL)


class PromptError(AgentError):
    """A prompt file and its use do not fit together: a fault in the program, not in what a user did."""


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: int
    variables: frozenset[str]
    text: str

    def fill(self, values: Mapping[str, str]) -> str:
        """The prompt with its values.  Raises `PromptError` unless exactly its variables are given."""
        if values.keys() != self.variables:
            wrong = sorted(values.keys() ^ self.variables)
            raise PromptError(f"prompt {self.name!r} takes {sorted(self.variables)}; missing or unknown: {wrong}")
        chosen = _CHOICE.sub(lambda c: c[2] if values[c[1]] else c[3] or "", self.text)
        spaced = re.sub(r"\n{3,}", "\n\n", chosen)
        return _VARIABLE.sub(lambda v: values[v[1]], spaced).strip()


NAMES = ("plan", "write", "notes", "prose", "revise", "rewrite", "repair", "hurry", "judge")


@cache
def load(name: str, language: str = "en") -> Prompt:
    """The prompt for an answer in this language (BCP 47)."""
    chinese = language.casefold().split("-")[0] == "zh"
    return parse(files("agent.prompts").joinpath(f"{name}{'.zh' if chinese else ''}.md").read_text("utf-8"), name)


def load_all() -> None:
    """Read and check every prompt, so that none is read from disk on an event loop.  Blocking."""
    for name in NAMES:
        for language in ("en", "zh"):
            load(name, language)


def parse(source: str, name: str) -> Prompt:
    """A prompt from its file's text.  Raises `PromptError` where the head does not fit the body or the name."""
    head = _HEAD.match(source)
    if not head:
        raise PromptError(f"prompt {name!r} has no head between two lines of ---")
    told = dict(_fields(head[1], name))
    if told.keys() != {"name", "version", "variables"} or told["name"] != name or not told["version"].isdigit():
        raise PromptError(f"prompt {name!r}: its head must give that name, a whole version, and variables; got {told}")
    body = source[head.end() :]
    declared = frozenset(v.strip() for v in told["variables"].split(",") if v.strip())
    both = _CHOICE.sub(r"\2\3", body)
    used = set(_VARIABLE.findall(both)) | {c[1] for c in _CHOICE.finditer(body)}
    if "{{" in _VARIABLE.sub("", both) or "{{else}}" in both:
        raise PromptError(f"prompt {name!r}: a {{{{ that is neither a variable nor part of a whole choice")
    if declared != used:
        unlike = sorted(declared ^ used)
        raise PromptError(f"prompt {name!r}: declared but not used, or used but not declared: {unlike}")
    return Prompt(name, int(told["version"]), declared, body)


def _fields(head: str, name: str) -> list[tuple[str, str]]:
    fields = []
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            raise PromptError(f"prompt {name!r}: {line!r} in its head is not `key: value`")
        fields.append((key.strip(), value.strip()))
    return fields


# ------------------------------------------------------------------------------------------ asking

# Each prompt with its values: what a model is given for a plan, an answer, notes, a revision or a repair.
#
# Everything stands in the one user message, in the form that DeepSeek's models were trained on.  What strangers or
# models have written goes through `escape_markers` first.

_GAPS = re.compile(r"\[…\](?:\s*\[…\])+")  # where two excerpts meet
_MARK = re.compile(r"\[(\d+)\]")  # as the answer shows it; the model knows [citation:N]
_LONGEST_REPLY = 20_000  # characters of a reply that is to be mended: more is a loop
_LONGEST_CONTEXT = 300  # characters of the words before a claim
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}


def for_plan(brief: Brief) -> str:
    return _filled("plan", brief, max_queries=str(brief.max_queries), asked=_listed(brief.asked))


def for_repair(brief: Brief, reply: str) -> str:
    """`reply`: a plan that is not in the form asked for."""
    shown = escape_markers(reply[:_LONGEST_REPLY])
    return _filled("repair", brief, reply=shown, max_queries=str(brief.max_queries))


def for_writing(brief: Brief, evidence: Sequence[Evidence], *, notes_only: bool = False) -> str:
    return _filled(
        "notes" if notes_only else "write",
        brief,
        webpages=source_blocks(evidence) or "-",
        may_search="yes" if brief.may_search else "",
        max_queries=str(brief.max_queries),
        asked=_listed(brief.asked) or "  -",
    )


def for_prose(brief: Brief, evidence: Sequence[Evidence], notes: str, thinking: str) -> str:
    """`thinking`: the reasoner's own, where the user wants it shown to the writer; else empty."""
    shown = source_blocks(evidence) or "-"
    return _filled("prose", brief, webpages=shown, notes=_with_marks(notes), thinking=escape_markers(thinking))


def for_revision(brief: Brief, findings: Sequence[FailedClaim], evidence: Sequence[Evidence]) -> str:
    return _filled("revise", brief, webpages=source_blocks(evidence) or "-", findings=_numbered(findings))


def for_rewriting(brief: Brief, draft: str) -> str:
    return _filled("rewrite", brief, draft=_with_marks(draft[:_LONGEST_REPLY]))


def for_judging(brief: Brief, cases: Sequence[JudgeCase]) -> str:
    """Each source that is cited, once, and then the claims with the numbers of their sources."""
    pages: dict[int, list[CitedPassage]] = {}
    for exhibit in dict.fromkeys(exhibit for case in cases for exhibit in case.exhibits):
        pages.setdefault(exhibit.source, []).append(exhibit)
    shown = "\n\n".join(_page(exhibits) for _, exhibits in sorted(pages.items()))
    claims = "\n\n".join(_case(number, case) for number, case in enumerate(cases, start=1))
    values = {"webpages": shown, "cases": claims, "today": _today(brief), "count": str(len(cases))}
    return load("judge", brief.language).fill(values)


def _page(exhibits: Sequence[CitedPassage]) -> str:
    """One source as its claims' writer saw it, and what else of it comes near to one of them; nothing twice.

    Line by line behind `>`, so that no page can add a claim.
    """
    first = exhibits[0]
    texts = dict.fromkeys([*(e.text for e in exhibits), *(e.more for e in exhibits if e.more)])
    lines = escape_markers(_GAPS.sub(GAP, f"\n{GAP}\n".join(texts))).splitlines()
    return webpage(first.source, first.title, first.site, first.published, "\n".join(f"> {line}" for line in lines))


def _case(number: int, case: JudgeCase) -> str:
    heads = f"{{{_in_line(case.about)}}} " if case.about else ""
    lines = [f"## {number}", f"Webpages: {', '.join(str(exhibit.source) for exhibit in case.exhibits)}"]
    if case.context:
        lines.append(f"Before it: {_in_line(case.context)[-_LONGEST_CONTEXT:]}")
    lines.append(f"Claim: {heads}{_in_line(case.claim)}")
    if case.missing:
        lines.append(f"Not found there by a program: {', '.join(_in_line(text) for text in case.missing)}")
    if case.failed:
        lines.append(f"An earlier reply was rejected: {_in_line(case.failed)}")
    return "\n".join(lines)


def _in_line(text: str) -> str:
    return escape_markers(" ".join(text.split()))


def for_haste(language: str) -> str:
    """What is added for a model that went in circles."""
    return load("hurry", language).fill({})


def halved(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The better half of the passages' text, best sources first, at least one passage."""
    room = sum(len(p.text) for one in evidence for p in one.passages) // 2
    kept: list[Evidence] = []
    for one in sorted(evidence, key=lambda e: -e.score):
        passages = one.passages
        while passages and sum(len(p.text) for p in passages) > room and (kept or len(passages) > 1):
            passages = passages[:-1]
        room -= sum(len(p.text) for p in passages)
        if passages:
            kept.append(replace(one, passages=passages))
    return sorted(kept, key=lambda e: [one.source for one in evidence].index(e.source))


def cited_in(text: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The sources that a text cites, in the evidence's order."""
    numbers = set(citations(text))
    return [one for one in evidence if one.source.number in numbers]


def citations(text: str) -> list[int]:
    """The numbers that a model's text cites, in order."""
    return [mark.number for mark in marks(_shown(text))]


def _shown(text: str) -> str:
    filtered = MarkFilter(range(1, 1_000))
    return filtered.feed(text) + filtered.close()


def _with_marks(text: str) -> str:
    """A model's own text for another prompt: neutral but for its citations."""
    return _MARK.sub(r"[citation:\1]", escape_markers(_shown(text)))


def _filled(name: str, brief: Brief, **values: str) -> str:
    prompt = load(name, brief.language)
    common = {
        "question": brief.question,
        "today": _today(brief),
        "language": language_name(brief.language),
        "earlier": escape_markers(brief.earlier),
    }
    return prompt.fill({n: v for n, v in (common | values).items() if n in prompt.variables or n in values})


def _today(brief: Brief) -> str:
    days = _DAYS.get(brief.language.casefold().split("-")[0], _DAYS["en"])
    return f"{brief.today} ({days[date.fromisoformat(brief.today).weekday()]})"


def _listed(asked: Sequence[str]) -> str:
    return "\n".join(f"  - {escape_markers(text)}" for text in asked)


def _numbered(findings: Sequence[FailedClaim]) -> str:
    """Each finding's sentence under its number, from 1, a table cell's heads before it, and what is wrong below it.

    Then what it goes on from in the answer, without which "he" or an item of a list says nothing.
    """
    lines = []
    for number, finding in enumerate(findings, start=1):
        sentence = _MARK.sub(r"[citation:\1]", _in_line(finding.claim.text))
        where = f" {{{_in_line(finding.claim.about)}}}" if finding.claim.about else ""
        lines.append(f"{number}:{where} {sentence}\n   ({_in_line(finding.why) or '?'})")
        if before := _in_line(finding.claim.context or ""):
            lines.append(f"   Before it: {before[-_LONGEST_CONTEXT:]}")
    return "\n".join(lines)
