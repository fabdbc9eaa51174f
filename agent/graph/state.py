"""The graph's channels, and the one codec between them and our values.

Channels hold plain JSON, so that any checkpointer, strict or not, gives back what went in.  Page text and reasoning
are never in them: ids, offsets and short values only.  Merging channels take dicts and merge by key, so that a step
that runs again after a crash changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, cast

from langchain_core.messages import AnyMessage
from langgraph.channels import EphemeralValue
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from agent.result import StepRecord, from_json, to_json
from agent.types import Claim, PageRecord, Query, Search, Source, Usage

Json = dict[str, Any]
OVERWRITE = "__overwrite__"  # LangGraph's form for "replace what a merging channel holds"
Outcome = Literal["", "answer", "search more", "revise", "done"]


def merge(old: Json | None, new: Json | None) -> Json:
    return {**(old or {}), **(new or {})}


Merged = Annotated[Json, merge]


class In(TypedDict, total=False):
    """A question, or a conversation whose last human message is the question."""

    question: str
    messages: Annotated[list[AnyMessage], add_messages]


class Out(TypedDict, total=False):
    """The whole answer as plain JSON (`agent.result.Answer`), and the conversation with the answer added to it."""

    answer: Json | None
    messages: Annotated[list[AnyMessage], add_messages]


class State(Out, total=False):
    question: Annotated[str, EphemeralValue]  # only for the run that brings it
    run: Json
    round: int
    queries: Merged
    searches: Merged
    pages: Merged
    sources: Merged
    evidence: list[Json]
    draft: Json
    claims: list[Json]
    judged: bool
    outcome: str
    steps: Merged
    usage: Merged
    warnings: Merged


# ------------------------------------------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What stays the same through a run."""

    id: str
    question: str
    earlier: str
    started_at: str
    today: str
    language: str
    urls: tuple[str, ...] = ()
    asked_as: Literal["question", "messages"] = "question"


@dataclass(frozen=True, slots=True)
class QueryState:
    """A query and the round it belongs to."""

    query: Query
    round: int
    local_only: bool = False


@dataclass(frozen=True, slots=True)
class PassageRef:
    id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """Evidence without its text: the library has that."""

    document_id: str
    passages: tuple[PassageRef, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Draft:
    """The answer as it stands.  `number` grows with each rewrite, `revision` with each turn of the checker."""

    text: str = ""
    number: int = 0
    revision: int = 0
    abstains: bool = False
    cut_short: str = ""  # why the run is only partly done: a budget, a model that failed


@dataclass(frozen=True, slots=True)
class Run:
    """The channels as values: what a step reads."""

    run: RunInfo
    round: int
    queries: dict[str, QueryState]
    searches: dict[str, Search]
    pages: dict[str, PageRecord]
    sources: dict[str, Source]  # by document id; numbered, in the order of their numbers
    evidence: tuple[EvidenceRef, ...]
    draft: Draft
    claims: tuple[Claim, ...]
    judged: bool  # has a model given a judgement on any claim of this run?
    outcome: Outcome
    steps: dict[str, StepRecord]
    usage: dict[str, Usage]  # by step
    warnings: dict[str, bool]

    @property
    def seconds(self) -> float:
        """Time in finished steps; a run that was interrupted does not pay for the pause."""
        return sum(step.seconds for step in self.steps.values())


_KINDS: dict[str, Any] = {
    "run": RunInfo,
    "round": int,
    "queries": dict[str, QueryState],
    "searches": dict[str, Search],
    "pages": dict[str, PageRecord],
    "sources": dict[str, Source],
    "evidence": tuple[EvidenceRef, ...],
    "draft": Draft,
    "claims": tuple[Claim, ...],
    "judged": bool,
    "outcome": str,
    "steps": dict[str, StepRecord],
    "usage": dict[str, Usage],
    "warnings": dict[str, bool],
}
_EMPTY: Json = {
    "round": 1,
    "queries": {},
    "searches": {},
    "pages": {},
    "sources": {},
    "evidence": [],
    "draft": {},
    "claims": [],
    "judged": False,
    "outcome": "",
    "steps": {},
    "usage": {},
    "warnings": {},
}
_MERGING = ("queries", "searches", "pages", "sources", "steps", "usage", "warnings")


def read(state: State) -> Run:
    held = cast("Json", state)
    return Run(**{f.name: from_json(_KINDS[f.name], held.get(f.name, _EMPTY.get(f.name))) for f in fields(Run)})


def update(**values: object) -> Json:
    """A step's update: channel name -> value."""
    return {name: to_json(value, _KINDS[name]) for name, value in values.items()}


def begin(facts: RunInfo) -> Json:
    """The update that makes a thread ready for a new question, whatever the last one left."""
    empty = {name: {OVERWRITE: {}} if name in _MERGING else value for name, value in _EMPTY.items()}
    return {**empty, **update(run=facts), "answer": None}
