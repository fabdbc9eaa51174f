"""What a run says while it goes: one closed union of frozen events.

The command line, the app, `--events` and embedding programs all consume this one stream; each consumer ends in
`assert_never`, so the type checker names all that miss a new event.  A finished run can be replayed from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from agent.result import Answer, from_json, to_json
from agent.types import Claim, Query, Search, Source, Usage, Verdict

StepName = Literal["scout", "plan", "search", "read", "retrieve", "write", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    run_id: str
    step: StepName
    round: int
    at: float  # seconds on a monotonic clock; comparable within one process only


@dataclass(frozen=True, slots=True, kw_only=True)
class Began(_Event):
    """A step begins."""

    event: Literal["Began"] = "Began"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(_Event):
    """A step has ended."""

    seconds: float
    summary: str
    event: Literal["Ended"] = "Ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(_Event):
    """A query is complete and has been sent off."""

    query: Query
    event: Literal["Planned"] = "Planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched(_Event):
    search: Search
    event: Literal["Searched"] = "Searched"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead(_Event):
    url: str
    title: str
    site: str
    cached: bool
    bytes: int
    seconds: float
    note: str = ""  # of a cached page: how old it is
    event: Literal["PageRead"] = "PageRead"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSkipped(_Event):
    url: str
    reason: str
    seconds: float
    event: Literal["PageSkipped"] = "PageSkipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(_Event):
    """A page's passages are in the library."""

    url: str
    passages: int
    event: Literal["Stored"] = "Stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked(_Event):
    """The evidence for the writer: sources with their numbers, best first."""

    sources: tuple[Source, ...]
    passages: int
    event: Literal["Ranked"] = "Ranked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking(_Event):
    """A piece of the reasoning."""

    text: str
    event: Literal["Thinking"] = "Thinking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing(_Event):
    """A piece of the answer; it has passed the output filter.  A higher `draft` replaces the lower one."""

    text: str
    draft: int
    event: Literal["Writing"] = "Writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(_Event):
    claim: Claim
    verdict: Verdict
    event: Literal["Checked"] = "Checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent(_Event):
    """What the run has cost so far."""

    usage: Usage
    event: Literal["Spent"] = "Spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(_Event):
    """Something the reader should know; it stands in the answer's `warnings` too."""

    text: str
    event: Literal["Warned"] = "Warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed(_Event):
    """A budget is used up: the run writes from what it has."""

    why: str
    event: Literal["Landed"] = "Landed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(_Event):
    answer: Answer
    event: Literal["Finished"] = "Finished"


Event = (
    Began
    | Ended
    | Planned
    | Searched
    | PageRead
    | PageSkipped
    | Stored
    | Ranked
    | Thinking
    | Writing
    | Checked
    | Spent
    | Warned
    | Landed
    | Finished
)


def encode(event: Event) -> dict[str, Any]:
    """One event as plain JSON; its name stands under `event`."""
    return to_json(event)  # type: ignore[no-any-return]


def decode(raw: object) -> Event:
    """The event that `encode` made `raw` of.  Raises pydantic's ValidationError."""
    return from_json(_told_by_name(), raw)  # type: ignore[no-any-return]


@cache
def _told_by_name() -> Any:
    """One value for all calls: the codec keeps an adapter for each kind, and two of these are not equal."""
    from pydantic import Field

    return Annotated[Event, Field(discriminator="event")]
