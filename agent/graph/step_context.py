"""Context of one step: services, per-run objects, the brief, the evidence, and event output."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from agent.events import (
    Event,
    PageRead,
    PageSkipped,
    Searched,
    StepName,
    Stored,
    Thinking,
    Warned,
    encode,
)
from agent.graph.state import Run
from agent.phrases import phrase
from agent.protocols import Library, PoolNews, RunParts, Services
from agent.types import (
    CallCost,
    Delta,
    Evidence,
    JudgeVerdict,
    Notice,
    PageRecord,
    Passage,
    Query,
    ReasonerEvent,
    Restart,
    Search,
    Source,
    Usage,
    WriteDecision,
)

# ------------------------------------------------------------------------------------------ context

# What a step works at: the services, the run's own parts, and a place to say events.
#
# The page pool speaks at any time, a stream writer exists only inside a step: between steps the outbox holds what is
# said and hands it over when the next step begins.

Writer = Callable[[Any], None]
ZERO = Usage()
_KEPT_BACK = 0.5  # of the limit on money another round may not touch: it ends with writing, the dearest call


class EventBuffer:
    """Events of one run on their way to whoever streams the graph."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._round = 1
        self._writer: Writer | None = None
        self._held: list[dict[str, Any]] = []

    @contextmanager
    def open(self, writer: Writer, round: int) -> Iterator[None]:
        """While a step runs."""
        self._writer, self._round = writer, round
        held, self._held = self._held, []
        for event in held:
            writer(event)
        try:
            yield
        finally:
            self._writer = None

    def say(self, kind: Callable[..., Event], step: StepName, **fields: Any) -> None:
        event = encode(kind(run_id=self._run_id, step=step, round=self._round, at=time.monotonic(), **fields))
        if self._writer:
            self._writer(event)
        else:
            self._held.append(event)

    def tell(self, news: PoolNews) -> None:
        """What the page pool reports, as events."""
        match news:
            case Search():
                self.say(Searched, "search", search=news)
            case PageRecord(status="skipped"):
                self.say(PageSkipped, "read", url=news.url, reason=news.reason, seconds=news.seconds)
            case PageRecord(source=source):
                assert source
                self.say(
                    PageRead,
                    "read",
                    url=source.url,
                    title=source.title,
                    site=source.site,
                    cached=news.status == "cached",
                    bytes=news.bytes,
                    seconds=news.seconds,
                    note=news.reason,
                )
            case (url, passages):
                self.say(Stored, "read", url=url, passages=passages)


@dataclass(frozen=True)
class StepContext:
    """One step's view of the world."""

    services: Services
    parts: RunParts
    outbox: EventBuffer
    step: StepName
    began: float = field(default_factory=time.monotonic)

    def say(self, kind: Callable[..., Event], **fields: Any) -> None:
        self.outbox.say(kind, self.step, **fields)

    def warn(self, text: str) -> dict[str, bool]:
        """Say it now; the returned entries go into the `warnings` channel."""
        self.say(Warned, text=text)
        return {text: True}

    def seconds(self, run: Run) -> float:
        """Time the run has taken, this step included."""
        return run.seconds + time.monotonic() - self.began

    def seconds_left(self, run: Run, at_most: float) -> float:
        """How long to wait for the web: `at_most`, less where the run's soft limit is near, but never under 1 s."""
        limit = self.services.limits.seconds
        return at_most if limit is None else min(at_most, max(1.0, limit - self.seconds(run)))

    def used_up(self, run: Run) -> str:
        """Which budget is used up, in words; empty while there is room."""
        limits, tokens = self.services.limits, sum(map(total_tokens, run.usage.values()))
        if limits.seconds is not None and self.seconds(run) > limits.seconds:
            return f"the time limit of {limits.seconds:.0f} s is used up"
        if limits.total_tokens is not None and tokens > limits.total_tokens:
            return f"the limit of {limits.total_tokens} tokens is used up"
        if limits.usd is not None and spent_usd(run) > limits.usd * _KEPT_BACK:
            return f"the limit of {limits.usd:g} US dollars is nearly used up"
        return ""


@dataclass
class ModelOutput:
    """What a reasoner's stream amounted to, beside what it was asked for."""

    reasoning: list[str] = field(default_factory=list)
    usage: Usage = ZERO
    warnings: dict[str, bool] = field(default_factory=dict)


async def record_output(
    thoughts: AsyncIterator[ReasonerEvent], context: StepContext, heard: ModelOutput
) -> AsyncIterator[Delta | Query | WriteDecision | Restart | JudgeVerdict]:
    """Pass on what a step acts on; show and keep the reasoning, add up the cost."""
    async for thought in thoughts:
        match thought:
            case CallCost(usage):
                heard.usage = add(heard.usage, usage)
            case Delta(reasoning=reasoning, text=text):
                if reasoning:
                    heard.reasoning.append(reasoning)
                    context.say(Thinking, text=reasoning)
                if text:
                    yield thought
            case Notice(text):
                heard.warnings |= context.warn(text)
            case Restart(why):
                heard.reasoning.append(f"\n\n({why})\n\n")
                yield thought
            case _:
                yield thought


def spent_usd(run: Run) -> float:
    """By the model calls of steps that have ended, as far as prices are known."""
    return sum(usage.usd or 0.0 for usage in run.usage.values())


def total_tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.reasoning_tokens + usage.answer_tokens


def add(a: Usage, b: Usage) -> Usage:
    """The sum; a price that is known for one part only is not a price of the whole."""
    made = [u for u in (a, b) if u.model_calls]
    known = [u.usd for u in made]
    return replace(
        a,
        model_calls=a.model_calls + b.model_calls,
        serial_model_calls=a.serial_model_calls + b.serial_model_calls,
        prompt_tokens=a.prompt_tokens + b.prompt_tokens,
        cached_tokens=a.cached_tokens + b.cached_tokens,
        reasoning_tokens=a.reasoning_tokens + b.reasoning_tokens,
        answer_tokens=a.answer_tokens + b.answer_tokens,
        usd=None if None in known or not known else sum(u for u in known if u is not None),
        usd_why=a.usd_why or b.usd_why,
        usd_is_estimate=any(u.usd_is_estimate for u in made) or not made,
        seconds=a.seconds + b.seconds,
        model_seconds=a.model_seconds + b.model_seconds,
    )


# ------------------------------------------------------------------------------------------ texts

# Evidence with its text, and what is said where there is none.
#
# The state holds offsets; the library holds texts; this puts the two together for the steps that write and check.


async def load_evidence(run: Run, library: Library) -> list[Evidence]:
    """The evidence chosen for this round, best source first, each passage as it is stored."""
    found = []
    for ref in run.evidence:
        source = run.sources[ref.document_id]
        text = await library.text(source.snapshot)
        passages = tuple(Passage(p.id, ref.document_id, p.start, p.end, text[p.start : p.end]) for p in ref.passages)
        found.append(Evidence(source, passages, ref.score, len(text.rstrip())))
    return found


async def source_texts(run: Run, numbers: set[int], library: Library) -> dict[int, tuple[Source, str]]:
    """The whole stored text of each source that is cited."""
    wanted = [s for s in run.sources.values() if s.number in numbers]
    return {s.number: (s, await library.text(s.snapshot)) for s in wanted}


def slices(run: Run) -> dict[int, list[tuple[int, int]]]:
    """What the writer was shown of each source, by its number."""
    return {run.sources[ref.document_id].number: [(p.start, p.end) for p in ref.passages] for ref in run.evidence}


def no_evidence(run: Run) -> str:
    """Abstaining says what was searched and what was found, in the answer's language where we speak it."""
    language = run.run.language
    read = sum(p.status != "skipped" for p in run.pages.values())
    asked = list(dict.fromkeys([s.query.text for s in run.searches.values()]))
    queries = "; ".join(f"“{q}”" for q in asked[:6])
    lines = [phrase("searched", language, n=len(asked), queries=queries)]
    lines.append(phrase("read", language, read=read, skipped=len(run.pages) - read))
    for outcome in ("throttled", "broken"):  # neither means that there is nothing to be found
        failed = [s for s in run.searches.values() if s.outcome == outcome]
        if failed:
            by = ", ".join(dict.fromkeys(s.provider for s in failed))
            lines.append(phrase(outcome, language, n=len(failed), by=by))
    reasons = list(dict.fromkeys(p.reason for p in run.pages.values() if p.status == "skipped"))
    if reasons:
        lines.append(phrase("reasons", language, reasons=", ".join(reasons[:5])))
    return "\n".join([phrase("no_answer", language), "", *(f"- {line}" for line in lines)])
