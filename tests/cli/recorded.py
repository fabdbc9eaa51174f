"""A run as it could have been, event by event, and an agent that plays it: what the doors are tested with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from agent.errors import LibraryError, RunError
from agent.events import (
    Began,
    Checked,
    Ended,
    Event,
    Finished,
    Landed,
    PageRead,
    PageSkipped,
    Planned,
    Ranked,
    Searched,
    Spent,
    Stored,
    Thinking,
    Warned,
    Writing,
)
from agent.result import Answer, AnswerPage, AnswerSource, MadeWith, StepRecord
from agent.settings import Settings
from agent.types import Citation, Claim, Query, Search, SearchHit, Source, Usage

RUN = "2025-06-01-abcd"
PAPER = "https://papers.example/r1"
BLOG = "https://blog.example/thinking(r1)"
GONE = "https://gone.example/"
SNAPSHOT = "5" * 64
SENTENCES = (
    "R1-Zero was trained by reinforcement learning alone [1].",
    "Its answers grew longer over training [1][2].",
    "It cost $5.5 million [2].",
)
TEXT = f"{SENTENCES[0]} {SENTENCES[1]}\n\n{SENTENCES[2]}"
WEB = (
    Source(1, "d1", SNAPSHOT, PAPER, "DeepSeek-R1: a paper", "papers.example", "2025-06-01T10:00:00Z", "2025-01-22"),
    Source(2, "d2", "6" * 64, BLOG, "Thinking, longer", "blog.example", "2025-06-01T10:00:01Z"),
)


def at(step: str, round: int = 1) -> dict:
    return {"run_id": RUN, "step": step, "round": round, "at": time.monotonic()}


def claim(number: int, verdict: str, source: int, quote: str | None) -> Claim:
    text = SENTENCES[number]
    start = TEXT.index(text)
    link = f"{WEB[source - 1].url}#:~:text=words"
    where = (100, 100 + len(quote)) if quote else (None, None)
    return Claim(
        text=text,
        start=start,
        end=start + len(text),
        citations=(Citation(source, quote, *where, link=link),),
        verdict=verdict,
        why="the number differs" if verdict == "refuted" else "",
    )


CLAIMS = (
    claim(0, "supported", 1, "trained with reinforcement learning and nothing else"),
    claim(1, "unchecked", 2, "the model thought for longer and longer"),
    claim(2, "refuted", 2, "about 6 million dollars"),
)


def as_read(s: Source) -> AnswerSource:
    return AnswerSource(s.number, s.url, s.title, s.site, s.published, s.fetched_at, "en", True, s.snapshot)


def answer(**changes: object) -> Answer:
    made = Answer(
        run_id=RUN,
        question="How was R1-Zero trained?",
        status="complete",
        made_with=MadeWith(version="0.1.0", model="deepseek-r1", search=("sample",), depth="standard", check="rules"),
        answer=TEXT,
        sources=tuple(map(as_read, WEB)),
        claims=CLAIMS,
        steps=(StepRecord("plan", 1, 12.1, "The user wants to know …", "1 query"),),
        pages=(AnswerPage(PAPER, "read", "", 18_211, 0.3), AnswerPage(GONE, "skipped", "404", 0, 0.1)),
        usage=Usage(model_calls=2, serial_model_calls=2, prompt_tokens=4_000, answer_tokens=300, seconds=41.0),
        warnings=("DuckDuckGo refuses for now.",),
    )
    return replace(made, **changes)


def events(final: Answer | None = None) -> list[Event]:
    """One of every kind, in the order of a real run: pages come while the plan is being thought."""
    asked = Query("How was R1-Zero trained?")
    query = Query("R1-Zero reinforcement learning", "how it was trained")
    hit = SearchHit(PAPER, WEB[0].title, "…", 1, "sample")
    found = Search(query, 1, "found", "sample", (hit,))
    return [
        Began(**at("scout")),
        Ended(**at("scout"), seconds=0.0, summary=""),
        Began(**at("plan")),
        Searched(**at("search"), search=Search(asked, 1, "throttled", "duckduckgo", why="202")),
        Thinking(**at("plan"), text="The user wants to know\nhow R1-Zero"),
        PageRead(
            **at("read"), url=PAPER, title=WEB[0].title, site=WEB[0].site, cached=False, bytes=18_211, seconds=0.3
        ),
        Stored(**at("read"), url=PAPER, passages=12),
        Thinking(**at("plan"), text=" was trained."),
        Planned(**at("plan"), query=query),
        Ended(**at("plan"), seconds=12.1, summary="1 query"),
        Spent(**at("plan"), usage=Usage(model_calls=1, prompt_tokens=500)),
        Began(**at("search")),
        Searched(**at("search"), search=found),
        Ended(**at("search"), seconds=0.4, summary="1 of 2 searches found pages"),
        Began(**at("read")),
        PageSkipped(**at("read"), url=GONE, reason="404", seconds=0.1),
        PageRead(**at("read"), url=BLOG, title=WEB[1].title, site=WEB[1].site, cached=True, bytes=900, seconds=0.0),
        Warned(**at("read"), text="DuckDuckGo refuses for now."),
        Ended(**at("read"), seconds=1.1, summary="2 pages"),
        Began(**at("retrieve")),
        Ranked(**at("retrieve"), sources=WEB, passages=5),
        Ended(**at("retrieve"), seconds=0.1, summary="5 passages of 2 sources"),
        Began(**at("write")),
        Landed(**at("write"), why="the time limit of 90 s is used up"),
        Writing(**at("write"), text="A first try", draft=1),
        Writing(**at("write"), text=SENTENCES[0], draft=2),
        Writing(**at("write"), text=TEXT[len(SENTENCES[0]) :], draft=2),
        Ended(**at("write"), seconds=20.0, summary="120 characters"),
        Began(**at("verify")),
        *(Checked(**at("verify"), claim=c, verdict=c.verdict) for c in CLAIMS),
        Ended(**at("verify"), seconds=0.2, summary="1 of 3 sentences supported"),
        Finished(**at("verify"), answer=final or answer()),
    ]


@dataclass
class Player:
    """A stand-in for ResearchAgent: plays `said`, then raises `error` or hangs for `hang` seconds."""

    said: Sequence[Event] = field(default_factory=events)
    error: BaseException | None = None
    hang: float = 0.0
    pause: float = 0.0  # seconds before each event
    lets_go: bool = True  # else leaving it takes a minute
    asked: list[str] = field(default_factory=list)
    settings: list[Settings] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)  # how each run was left

    def __call__(self, settings: Settings | None = None) -> Player:
        self.settings.append(settings or Settings())
        return self

    def describe(self) -> str:
        return "extractive, as no model is configured; searches the sample web"

    def stream(self, question: str) -> Iterator[Event]:
        self.asked.append(question)
        try:
            for event in self.said:
                time.sleep(self.pause)
                yield event
            time.sleep(self.hang)
            if self.error:
                raise self.error
        finally:
            time.sleep(0 if self.lets_go else 60)
            self.ended.append(question)

    def resume(self, run_id: str | None = None) -> Iterator[Event]:
        if run_id == "unknown":
            raise RunError("there is no run 'unknown'; --resume without an id takes the newest unfinished one")
        return self.stream(f"resumed {run_id}")

    async def astream(self, question: str) -> AsyncIterator[Event]:
        self.asked.append(question)
        try:
            for event in self.said:
                await asyncio.sleep(self.pause)
                yield event
            await asyncio.sleep(self.hang)
            if self.error:
                raise self.error
        finally:
            self.ended.append(question)

    async def stored_text(self, snapshot: str) -> str:
        if snapshot != SNAPSHOT:
            raise LibraryError(f"no stored text has the snapshot {snapshot!r}")
        return "Zeile eins\r\n第二行"
