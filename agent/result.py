"""What a run comes to: the answer with all that it rests on, as JSON and as Markdown for people."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from agent.phrases import MISSING, SIGNS, VERDICTS, in_all_languages, phrase
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

if TYPE_CHECKING:
    from pydantic import TypeAdapter


CheckedBy = Literal["model", "rules", "nobody"]


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
    language: str = "en"  # of the answer
    checked_by: CheckedBy = "model"
    schema: int = 1

    def __str__(self) -> str:
        shown = signed(self)
        parts = [shown.answer.rstrip(), _conflict_list(shown), _source_list(shown), _check_line(shown)]
        return "\n\n".join(part for part in parts if part)


# ------------------------------------------------------------------------------------------------- for people


def signed(answer: Answer) -> Answer:
    """The answer as people see it: behind the marks of each sentence that is not supported a sign, and before all a
    line where no model has checked it.  Its claims' offsets count in the new text."""
    text, claims = _with_signs(answer.answer, answer.claims)
    head = _first_line(answer)
    claims = tuple(replace(claim, start=claim.start + len(head), end=claim.end + len(head)) for claim in claims)
    return replace(answer, answer=head + text, claims=claims)


def sign(claim: Claim) -> str:
    """The sign of a claim that a reader should look at; empty where it is supported and nothing is missing."""
    verdict = SIGNS[claim.verdict] if claim.verdict != "supported" else ""
    return verdict + MISSING * bool(claim.missing)


def _with_signs(text: str, claims: tuple[Claim, ...]) -> tuple[str, tuple[Claim, ...]]:
    parts: list[str] = []
    moved: list[Claim] = []
    end = shift = 0
    for claim in sorted(claims, key=lambda claim: claim.start):
        shown = f" ({sign(claim)})" if sign(claim) else ""
        place = _behind_marks(claim)
        parts += [text[end:place], shown]
        new = f"{text[claim.start : place]}{shown}{text[place : claim.end]}"
        moved.append(replace(claim, text=new, start=claim.start + shift, end=claim.start + shift + len(new)))
        end, shift = place, shift + len(shown)
    return "".join([*parts, text[end:]]), tuple(moved)


def _behind_marks(claim: Claim) -> int:
    """Behind the last mark, or at the end where the marks stand elsewhere; never within code, math or a link."""
    cited = {f"[{citation.source}]" for citation in claim.citations}
    ends = [
        part.end()
        for part in _PARTS.finditer(claim.text)
        if part.lastgroup != "literal" and cited & set(_MARK.findall(part[0]))
    ]
    return claim.start + max(ends, default=len(claim.text))


_MARK = re.compile(r"\[\d{1,5}\]")
_LABEL = r"[^\[\]\n\\]|\\."
_PARTS = re.compile(  # code and math; a link as `text.output` leaves it; a mark
    r"(?P<literal>(?<!`)`[^`]+`|``.{1,500}?``|\$(?=\S)[^$\n]{1,500}(?<=\S)\$(?!\d)|\\\(.{1,500}?\\\))"
    rf"|(?P<link>(?<!\\)\[(?:{_LABEL}|\[(?:{_LABEL})*+\])*+\]\(<[^<>\n]*>\))"
    r"|(?P<mark>\[\d{1,5}\])",
    re.DOTALL,
)


def _first_line(answer: Answer) -> str:
    """That no model has checked it; empty where one has, where nothing is claimed, or where the answer says so.

    A model that claims not to have written its answer is not believed.
    """
    without_model = answer.made_with.model == "extractive" or answer.status == "partial"
    says_so = without_model and answer.answer.lstrip("*").startswith(_written_without_model())
    if answer.checked_by == "model" or not answer.claims or says_so:
        return ""
    return f"*{phrase('checked_by_rules' if answer.checked_by == 'rules' else 'not_checked', answer.language)}*\n\n"


def _written_without_model() -> tuple[str, ...]:
    """How an answer begins that the extractive reasoner wrote."""
    forms = (*in_all_languages("no_model"), *in_all_languages("model_failed"))
    return tuple(form.partition("{")[0] for form in forms)


def _source_list(answer: Answer) -> str:
    lines = [
        f"- [{s.number}] {_escaped(s.title or s.url)} — {_escaped(s.site)}, {dated(s, answer.language)}\n"
        f"  <{_MARKUP_IN_URL.sub(lambda c: f'%{ord(c[0]):02X}', s.url)}>"
        for s in answer.sources
        if s.cited
    ]
    return "\n".join([f"## {phrase('sources', answer.language)}", "", *lines]) if lines else ""


def dated(source: AnswerSource, language: str) -> str:
    """A source's date, and how sure it is."""
    if not source.published:
        return phrase("undated", language)
    inferred = source.date_certainty == "inferred"
    return phrase("inferred", language, date=source.published) if inferred else source.published


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
    return "\n".join([f"## {phrase('disagree', answer.language)}", "", *lines]) if lines else ""


def sides(conflict: Conflict, answer: Answer) -> list[tuple[str, str]]:
    """Of each side the marks of its sources with their dates, and what it says."""
    dates = {source.number: dated(source, answer.language) for source in answer.sources}
    return [
        (", ".join(f"[{n}] {dates.get(n, '')}".strip() for n in side.sources), side.says) for side in conflict.sides
    ]


def _check_line(answer: Answer) -> str:
    told = check_line(answer)
    return f"*{told}*" if told else ""


def check_line(answer: Answer) -> str:
    """How the claims fared, with the signs used; how far the evidence goes, and as of when; empty where nothing was."""
    if not answer.claims and not answer.left_out:
        return ""
    language = answer.language
    counts = [_count(answer, verdict) for verdict in VERDICTS]
    missing = sum(bool(claim.missing) for claim in answer.claims)
    counts.append(f"{MISSING} {phrase('missing', language)}: {missing}" if missing else "")
    counts.append(f"{phrase('left_out', language)}: {answer.left_out}" if answer.left_out else "")
    checked = phrase("checked", language, n=len(answer.claims) + answer.left_out)
    further = [phrase(answer.sufficiency, language) if answer.sufficiency in ("thin", "conflicting") else ""]
    further.append(phrase("as_of", language, date=answer.as_of) if answer.as_of else "")
    return " ".join(part for part in (f"{checked} ({' · '.join(filter(None, counts))}).", *further) if part)


def _count(answer: Answer, verdict: Verdict) -> str:
    number = sum(claim.verdict == verdict for claim in answer.claims)
    shown = "" if verdict == "supported" else f"{SIGNS[verdict]} "
    return f"{shown}{phrase(verdict, answer.language)}: {number}" if number else ""


# ------------------------------------------------------------------------------------------ codec

# Values to plain JSON and back.
#
# One codec for graph channels, events, `--json` and the journal, so that a value means the same everywhere: tuples
# come back as tuples, nested values as themselves.  pydantic does the work and checks what comes in.

T = TypeVar("T")


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def to_json(value: object, kind: Any = None) -> Any:
    """`value` as plain JSON; `kind` is needed only where `type(value)` does not say it (a tuple of values)."""
    wanted: Any = type(value) if kind is None else kind
    return adapter(wanted).dump_python(value, mode="json")


def from_json(kind: type[T], raw: object) -> T:
    """The value that `to_json` made `raw` of.  Raises pydantic's ValidationError."""
    wanted: Any = kind
    return adapter(wanted).validate_python(raw)  # type: ignore[no-any-return]
