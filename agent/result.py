"""What a run comes to: the answer with all that it rests on, as JSON and as Markdown for people.

Knows shapes and how they are told; the nouns that it is made of are `agent.types`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.types import (
    Claim,
    Conflict,
    DateCertainty,
    PageStatus,
    SearchOutcome,
    Status,
    Sufficiency,
    Tried,
    Usage,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class MadeWith:
    version: str = ""
    model: str = ""
    endpoint_host: str = ""
    profile: str = ""
    writer: str = ""  # a second model, and a third; empty: the first does it all
    fast: str = ""
    search: tuple[str, ...] = ()
    since: str = ""  # bounds on sources, as they were asked for; empty: none
    site: tuple[str, ...] = ()
    not_site: tuple[str, ...] = ()
    library: str = "use"  # what earlier runs read: use, fresh (not used), only
    depth: str = ""
    check: str = ""
    started_at: str = ""


@dataclass(frozen=True, slots=True)
class AnswerSource:
    number: int
    url: str
    title: str
    site: str
    published: str | None
    fetched_at: str
    language: str | None
    cited: bool
    snapshot: str
    author: str = ""
    modified: str | None = None
    date_certainty: DateCertainty = ""
    suspect: bool = False
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepRecord:
    name: str
    round: int
    seconds: float
    reasoning: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class AnswerSearch:
    """`found`, `nothing`, `throttled` and `broken` are four things; `tried` are the providers that were left."""

    query: str
    round: int
    provider: str
    outcome: SearchOutcome
    hits: int
    why: str
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerPage:
    url: str
    status: PageStatus
    reason: str
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole outcome of a run: what `--json` prints.  `str()` gives the Markdown for people."""

    run_id: str
    question: str
    status: Status
    made_with: MadeWith
    answer: str  # Markdown with [n] marks, without the list of sources
    sources: tuple[AnswerSource, ...] = ()
    claims: tuple[Claim, ...] = ()
    left_out: int = 0  # claims that failed and are not in `answer` (`--unconfirmed drop`)
    conflicts: tuple[Conflict, ...] = ()
    sufficiency: Sufficiency = "none"  # of the evidence, for what was asked
    as_of: str | None = None  # YYYY-MM-DD: the newest of the cited sources, by its own date or the day it was read
    steps: tuple[StepRecord, ...] = ()
    searches: tuple[AnswerSearch, ...] = ()
    pages: tuple[AnswerPage, ...] = ()
    usage: Usage = field(default_factory=Usage)
    warnings: tuple[str, ...] = ()
    schema: int = 1

    def __str__(self) -> str:
        parts = [self.answer.rstrip(), _conflict_list(self), _source_list(self.sources), _check_line(self)]
        return "\n\n".join(part for part in parts if part)


def _source_list(sources: tuple[AnswerSource, ...]) -> str:
    lines = [
        f"- [{s.number}] {_escaped(s.title or s.url)} — {_escaped(s.site)}, {dated(s)}\n"
        f"  <{_MARKUP_IN_URL.sub(lambda c: f'%{ord(c[0]):02X}', s.url)}>"
        for s in sources
        if s.cited
    ]
    return "\n".join(["## Sources", "", *lines]) if lines else ""


def dated(source: AnswerSource) -> str:
    """A source's date, and how sure it is."""
    if not source.published:
        return "undated"
    return f"{source.published} (inferred)" if source.date_certainty == "inferred" else source.published


def _escaped(told: str) -> str:
    """A page names itself: its title, or its words, must not become a link, an image or a mark."""
    line = " ".join(told.split())
    while (bare := _ADDRESS.sub(" ", line)) != line:
        line = bare
    return _MARKUP.sub(r"\\\g<0>", " ".join(line.split()))


_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]*:)?//|\bwww\.|\b(?:mailto|xmpp):|(?<=[\w.+-])@(?=[\w-])", re.IGNORECASE)
_MARKUP = re.compile(r"[\\`\[\]<>]|&(?=#?\w+;)")
_MARKUP_IN_URL = re.compile(r"[<>\s]")


def _conflict_list(answer: Answer) -> str:
    """Both sides of each disagreement, with the sources' dates."""
    lines = []
    for conflict in answer.conflicts:
        lines.append(f"- {_escaped(conflict.about)}")
        lines += [f"  - {numbers}: {_escaped(says)}" for numbers, says in sides(conflict, answer)]
    return "\n".join(["## The sources disagree", "", *lines]) if lines else ""


def sides(conflict: Conflict, answer: Answer) -> list[tuple[str, str]]:
    """Of each side the marks of its sources with their dates, and what it says."""
    dates = {source.number: dated(source) for source in answer.sources}
    return [
        (", ".join(f"[{n}] {dates.get(n, '')}".strip() for n in side.sources), side.says) for side in conflict.sides
    ]


def _check_line(answer: Answer) -> str:
    told = check_line(answer)
    return f"*{told}*" if told else ""


def check_line(answer: Answer) -> str:
    """How many claims were checked and how they fared, how far that goes, and as of when; empty where nothing was."""
    claims, gone = answer.claims, answer.left_out
    if not claims and not gone:
        return ""
    counts = {verdict: sum(c.verdict == verdict for c in claims) for verdict in _VERDICTS_IN_WORDS}
    told = [f"{n} {_VERDICTS_IN_WORDS[v]}" for v, n in counts.items() if n]
    told += [f"{gone} left out, as the sources do not bear {'it' if gone == 1 else 'them'} out"] if gone else []
    checked = len(claims) + gone
    what = (
        "1 sentence checked against its source"
        if checked == 1
        else f"{checked} sentences checked against their sources"
    )
    further = [_SUFFICIENCY[answer.sufficiency], f"As of {answer.as_of}." if answer.as_of else ""]
    return " ".join(part for part in (f"{what}: {', '.join(told)}.", *further) if part)


_SUFFICIENCY: dict[Sufficiency, str] = {
    "none": "",
    "thin": "The evidence is thin.",
    "conflicting": "The sources disagree.",
    "enough": "",
}
_VERDICTS_IN_WORDS: dict[Verdict, str] = {
    "supported": "supported",
    "partial": "partly supported",
    "unsupported": "without support",
    "refuted": "contradicted",
    "unchecked": "not decided",
}
