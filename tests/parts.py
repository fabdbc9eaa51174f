"""Real parts in memory: small, honest fulfilments of the protocols, for tests of what stands above them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from agent.errors import FetchFailed, LibraryError, SearchBroken
from agent.protocols import AskJudge, RunParts, Services, ShownRanges
from agent.result import MadeWith
from agent.text.chunking import split
from agent.text.urls import site
from agent.types import (
    Brief,
    CallCost,
    Claim,
    Conflict,
    Delta,
    Document,
    Evidence,
    FailedClaim,
    JudgeCase,
    Judged,
    JudgeVerdict,
    LibraryFilter,
    LibraryHit,
    Limits,
    Page,
    Query,
    RankedPassage,
    ReasonerEvent,
    SearchHit,
    Source,
    Usage,
    WriteDecision,
)
from tests.memory_journal import MemoryJournal

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CALL = CallCost(Usage(model_calls=1, serial_model_calls=1, prompt_tokens=100, reasoning_tokens=50, answer_tokens=50))

LIMITS = Limits(
    rounds=2,
    queries=4,
    hits=8,
    pages=8,
    fetches=4,
    evidence_tokens=4_000,
    revisions=1,
    seconds=60,
    page_seconds=5,
    search_seconds=5,
    read_seconds=5,
)


class FixedClock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


# ------------------------------------------------------------------------------------------------- a small web

PAGES = {
    "http://news.example/release": (
        "R1 released",
        "# R1 released\n\nDeepSeek released R1 on 20 January 2025 under the MIT licence. "
        "The weights can be downloaded by anybody.\n\nIts distilled models range from 1.5B to 70B parameters.",
    ),
    "http://lab.example/training": (
        "How R1 was trained",
        "# How R1 was trained\n\nR1-Zero was trained with pure reinforcement learning, without supervised examples. "
        "It learned to think longer as training went on.",
    ),
    "http://docs.example/usage": (
        "Using R1",
        "# Using R1\n\nUse R1 without a system prompt, at a temperature between 0.5 and 0.7. "
        "A temperature of 0.6 is recommended.",
    ),
}


class MemorySearch:
    """Finds the pages that share a word with the query."""

    def __init__(self, pages: Mapping[str, tuple[str, str]] | None = None, name: str = "memory") -> None:
        self.pages = PAGES if pages is None else pages
        self.name = name
        self.asked: list[str] = []

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        self.asked.append(query.text)
        words = {w.strip("?.,") for w in query.text.lower().split()}
        found = [
            (url, title, text)
            for url, (title, text) in self.pages.items()
            if words & {w.strip("?.,") for w in f"{title} {text}".lower().split()}
        ]
        return [
            SearchHit(url, title, text[:80], rank, self.name)
            for rank, (url, title, text) in enumerate(found[:limit], start=1)
        ]


class BrokenSearch:
    name = "broken"

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        raise SearchBroken("the search service at broken.example does not answer")


@dataclass
class MemoryFetcher:
    """Gives pages after `seconds`; URLs that it does not have are 404."""

    pages: Mapping[str, tuple[str, str]] = field(default_factory=lambda: PAGES)
    seconds: Mapping[str, float] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> Page:
        self.fetched.append(url)
        await asyncio.sleep(self.seconds.get(url, 0))
        if url not in self.pages:
            raise FetchFailed("404", url)
        return Page(url, self.pages[url][1].encode(), "text/markdown", NOON.isoformat())


class PlainExtractor:
    """Takes the body as the text."""

    async def extract(self, page: Page) -> Document:
        text = page.body.decode()
        snapshot = hashlib.sha256(text.encode()).hexdigest()
        title = text.splitlines()[0].lstrip("# ")
        identity = hashlib.sha256(f"{page.url}\n{text}".encode()).hexdigest()
        return Document(
            identity,
            snapshot,
            page.url,
            title,
            site(page.url),
            text,
            page.media_type,
            page.fetched_at,
            "2025-01-20",
            "en",
        )


class MemoryLibrary:
    """Keeps documents in a dict and ranks passages by shared words."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.stored: list[str] = []

    async def store(self, document: Document, *, run_id: str) -> int:
        self.documents[document.id] = document
        self.stored.append(document.url)
        return len(split(document))

    async def embed(self, document_id: str, *, run_id: str) -> None:
        assert document_id in self.documents

    async def find(self, texts: Sequence[str], *, documents: Collection[str], limit: int) -> list[RankedPassage]:
        words = {w.strip("?.,").lower() for text in texts for w in text.split()}
        passages = [p for d in documents for p in split(self.documents[d])]
        scored = [
            RankedPassage(p, len(words & {w.strip("?.,").lower() for w in p.text.split()}) / (len(words) or 1))
            for p in passages
        ]
        return sorted((r for r in scored if r.score), key=lambda r: -r.score)[:limit]

    async def text(self, snapshot: str) -> str:
        for document in self.documents.values():
            if document.snapshot == snapshot:
                return document.text
        raise LibraryError(f"no text {snapshot}")

    async def recall(self, url: str, *, since: datetime) -> Document | None:
        known = (d for d in self.documents.values() if datetime.fromisoformat(d.fetched_at) >= since)
        return next((d for d in known if d.url == url), None)

    async def search(self, texts: Sequence[str], *, within: LibraryFilter, limit: int) -> list[LibraryHit]:
        ranked = await self.find(texts, documents=self.documents, limit=len(self.documents) * 10)
        hits = [(self.documents[r.passage.document_id], r.passage, r.score) for r in ranked]
        best = {d.id: (d, p, score) for d, p, score in reversed(hits)}
        ordered = sorted(best.values(), key=lambda hit: -hit[2])[:limit]
        return [
            LibraryHit(
                d.id, d.snapshot, d.url, d.title, d.site, d.fetched_at, d.published, d.language,
                p.text, p.start, p.end, score,
            )
            for d, p, score in ordered
        ]  # fmt: skip


class KindChecker:
    """Gives every cited claim the verdict that `verdicts` has for a word in it, else `supported`."""

    def __init__(self, verdicts: Mapping[str, str] | None = None) -> None:
        self.verdicts = verdicts or {}

    async def check(
        self,
        claims: Sequence[Claim],
        sources: Mapping[int, tuple[Source, str]],
        examine: AskJudge | None = None,
        seen: ShownRanges | None = None,
    ) -> list[Claim]:
        def judged(claim: Claim) -> Claim:
            verdict = next((v for word, v in self.verdicts.items() if word in claim.text), "supported")
            return replace(claim, verdict=verdict, why="as the test says") if claim.citations else claim

        return [judged(c) for c in claims]

    async def conflicts(self, claims: Sequence[Claim], sources: Mapping[int, tuple[Source, str]]) -> list[Conflict]:
        return []


# ------------------------------------------------------------------------------------------------- reasoners

Script = Sequence[ReasonerEvent | Exception | float]  # a float is a pause in seconds


class ScriptedReasoner:
    """Says what it was given, call by call; the last script of a kind repeats."""

    def __init__(
        self,
        plan: Script = (),
        write: Sequence[Script] = ((Delta(text="Nothing."),),),
        revise: Sequence[Script] = ((),),
    ) -> None:
        self.scripts = {"plan": [plan], "write": list(write), "revise": list(revise)}
        self.calls: list[str] = []
        self.briefs: list[Brief] = []
        self.evidence: list[Sequence[Evidence]] = []
        self.findings: list[Sequence[FailedClaim]] = []

    def plan(self, brief: Brief) -> AsyncIterator[ReasonerEvent]:
        return self._say("plan", brief)

    def write(self, brief: Brief, evidence: Sequence[Evidence]) -> AsyncIterator[ReasonerEvent]:
        self.evidence.append(evidence)
        return self._say("write", brief)

    def revise(
        self, brief: Brief, findings: Sequence[FailedClaim], evidence: Sequence[Evidence]
    ) -> AsyncIterator[ReasonerEvent]:
        self.findings.append(findings)
        return self._say("revise", brief)

    async def _say(self, kind: str, brief: Brief) -> AsyncIterator[ReasonerEvent]:
        self.calls.append(kind)
        self.briefs.append(brief)
        scripts = self.scripts[kind]
        for item in scripts.pop(0) if len(scripts) > 1 else scripts[0]:
            match item:
                case Exception():
                    raise item
                case float() | int():
                    await asyncio.sleep(item)
                case _:
                    yield item


ANSWER: Script = (
    Delta(reasoning="The pages say it."),
    WriteDecision("answer"),
    Delta(text="R1 was released on 20 January 2025 under the MIT licence [citation:1]. "),
    Delta(text="It is used at a temperature of 0.6 [citation:2]."),
    CALL,
)
PLAN: Script = (Delta(reasoning="Two facts are needed."), Query("R1 release licence"), Query("R1 temperature"), CALL)


def good_reasoner() -> ScriptedReasoner:
    return ScriptedReasoner(plan=PLAN, write=[ANSWER])


# ------------------------------------------------------------------------------------------------- together


class ScriptedJudge:
    """Gives each case the verdict that `verdicts` has for a word in its claim, with its first passage as the words.

    Of a case without such a word it says nothing.  `error` is raised instead; `pause` comes before each reply, and
    `pause_each` for each case in it.  A batch that it had before costs nothing, as with a journal.
    """

    def __init__(
        self,
        verdicts: Mapping[str, Judged] | None = None,
        *,
        beside: bool = False,
        error: Exception | None = None,
        pause: float = 0.0,
        pause_each: float = 0.0,
    ) -> None:
        self.verdicts, self.beside, self.error = verdicts or {}, beside, error
        self.room = 24_000
        self.pause, self.pause_each = pause, pause_each
        self.asked: list[tuple[str, ...]] = []  # the claims of each batch

    async def judge(self, brief: Brief, cases: Sequence[JudgeCase]) -> AsyncIterator[ReasonerEvent]:
        batch = tuple(case.claim for case in cases)
        if batch not in self.asked:
            self.asked.append(batch)
            await asyncio.sleep(self.pause + self.pause_each * len(batch))
            yield CALL
        if self.error:
            raise self.error
        for at, case in enumerate(cases):
            for word, verdict in self.verdicts.items():
                if word in case.claim:
                    yield JudgeVerdict(at, verdict, (case.exhibits[0].text,))


@dataclass
class World:
    """Services made of the parts above, and a look at what they did."""

    reasoner: ScriptedReasoner = field(default_factory=good_reasoner)
    search: Sequence[object] = field(default_factory=lambda: [MemorySearch()])
    fetcher: MemoryFetcher = field(default_factory=MemoryFetcher)
    extractor: PlainExtractor = field(default_factory=PlainExtractor)
    library: MemoryLibrary = field(default_factory=MemoryLibrary)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    checker: KindChecker = field(default_factory=KindChecker)
    fallback: Callable[[str], ScriptedReasoner] | None = None
    limits: Limits = LIMITS
    clock: FixedClock = field(default_factory=FixedClock)
    judge: ScriptedJudge | None = None
    unconfirmed: Literal["show", "drop"] = "show"
    opened: int = 0
    open_now: int = 0

    def services(self) -> Services:
        return Services(
            limits=self.limits,
            clock=self.clock,
            library=self.library,
            checker=self.checker,
            journal=self.journal,
            fallback=self.fallback or _put_together,
            open_run=self._open_run,
            made_with=MadeWith(version="test", model="scripted"),
            unconfirmed=self.unconfirmed,
        )

    @asynccontextmanager
    async def _open_run(self, run_id: str, began: datetime, tell: Callable[..., None]) -> AsyncIterator[RunParts]:
        from agent.web.page_pool import RunPagePool
        from agent.web.page_reader import PoolServices

        parts = PoolServices(
            run_id=run_id,
            started_at=began,
            web=tuple(self.search),
            fetcher=self.fetcher,
            extractor=self.extractor,
            library=self.library,
            limits=self.limits,
            tell=tell,
        )
        self.opened += 1
        self.open_now += 1
        try:
            async with RunPagePool(parts) as pool:
                yield RunParts(self.reasoner, pool, self.judge)
        finally:
            self.open_now -= 1


def _put_together(why: str) -> ScriptedReasoner:
    said = f"The model failed: {why} " if why else ""
    return ScriptedReasoner(
        plan=[Query("R1")],
        write=[[WriteDecision("answer"), Delta(text=f"{said}DeepSeek released R1 on 20 January 2025 [citation:1].")]],
    )
