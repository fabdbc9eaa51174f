"""What the steps call: protocols of a few methods each, and their bundle.

Steps know these contracts; wings fulfil them; `wiring` puts the two together.  Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from agent.result import MadeWith
from agent.types import (
    Brief,
    Claim,
    Conflict,
    Document,
    Evidence,
    FailedClaim,
    JudgeCase,
    JudgeVerdict,
    LibraryFilter,
    LibraryHit,
    Limits,
    Page,
    PageRecord,
    Query,
    RankedPassage,
    ReasonerEvent,
    Search,
    SearchHit,
    Source,
)


class Reasoner(Protocol):
    """How a run thinks.  Each method yields `ReasonerEvent`s as they come and ends when the work is done.

    Errors: `ModelError`.  A `Query` is yielded the moment it is complete, so that its search can start.
    """

    def plan(self, brief: Brief) -> AsyncIterator[ReasonerEvent]:
        """Queries for the question, at most `brief.max_queries`; none is a valid reply (the question is asked)."""
        ...

    def write(self, brief: Brief, evidence: Sequence[Evidence]) -> AsyncIterator[ReasonerEvent]:
        """A `Stance` first; then the answer as text with `[citation:N]` marks, or `Query`s for another round."""
        ...

    def revise(
        self, brief: Brief, findings: Sequence[FailedClaim], evidence: Sequence[Evidence]
    ) -> AsyncIterator[ReasonerEvent]:
        """For each finding, in order, one line of text: `N: the sentence anew`, or `N: drop`."""
        ...


class Judge(Protocol):
    """Who decides on claims that rules cannot decide on: a model, asked for nothing else."""

    beside: bool  # does a call beside the writing cost the writing nothing?
    room: int  # tokens of sources and claims that one call can take

    def judge(self, brief: Brief, cases: Sequence[JudgeCase]) -> AsyncIterator[ReasonerEvent]:
        """A `JudgeVerdict` for each case that it decides on; of a case that none comes for, nothing is known.

        Errors: `ModelError`; then nothing is known of any.
        """
        ...


AskJudge = Callable[[Sequence[JudgeCase]], Awaitable[Sequence[JudgeVerdict]]]
"""Put cases before a judge: judgements in any order, none for those that nothing is known of.  Raises nothing."""


class SearchProvider(Protocol):
    name: str

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        """At most `limit` hits, best first; `[]` is a valid reply.  Raises `SearchThrottled` or `SearchBroken`."""
        ...


class Fetcher(Protocol):
    async def fetch(self, url: str) -> Page:
        """The page behind `url`, redirects followed.  Raises `PageError`; bounded in time and size by itself."""
        ...


class Extractor(Protocol):
    async def extract(self, page: Page) -> Document:
        """The page's readable text.  Raises `ExtractFailed`; bounded in time and memory by itself."""
        ...


class PagePool(Protocol):
    """The web work of one run, beside everything else: searches, fetches, extracts, stores."""

    def want(self, wanted: Query | str, *, round: int, local_only: bool = False) -> None:
        """Begin to search for a query, or to read a URL (a str).  Asking twice is asking once.

        `local_only`: the query goes to local documents only, because who wrote it has seen some.
        """
        ...

    async def searched(self, *, round: int, seconds: float) -> tuple[Search, ...]:
        """The searches of this round, when all are in or `seconds` are over (then those that are in)."""
        ...

    async def read(self, *, seconds: float, first: float = 0.0) -> tuple[PageRecord, ...]:
        """Every page wanted so far, when enough is in or `seconds` are over; those still under way are left out.

        `first`: seconds to wait for a first good page where none is in by then.
        """
        ...

    def left_out(self) -> tuple[PageRecord, ...]:
        """For the run's last word: the pages that are still under way, as skipped."""
        ...


class Library(Protocol):
    """What was read stays read.  All methods raise `LibraryError`."""

    async def store(self, document: Document, *, run_id: str) -> int:
        """Keep a document and its passages; their number.  Storing twice is storing once."""
        ...

    async def embed(self, document_id: str, *, run_id: str) -> None:
        """Give the document's passages vectors, where an embedder is there and a run has not had very many."""
        ...

    async def find(self, texts: Sequence[str], *, documents: Collection[str], limit: int) -> list[RankedPassage]:
        """The best passages of these documents for any of the texts, best first."""
        ...

    async def search(self, texts: Sequence[str], *, within: LibraryFilter, limit: int) -> list[LibraryHit]:
        """The best documents for any of the texts, best first, whoever read them and when."""
        ...

    async def text(self, snapshot: str) -> str:
        """A stored text, as it was when it was cited."""
        ...

    async def recall(self, url: str, *, since: datetime) -> Document | None:
        """The document read from this URL at or after `since`, if there is one."""
        ...


class Reranker(Protocol):
    """Orders passages once more, by reading them beside the question.  A host's own: its faults cost no run."""

    async def rerank(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """How well each passage answers the question, in the order given: on any scale, more is better."""
        ...


ShownRanges = Mapping[int, Sequence[tuple[int, int]]]
"""Of each source, by its number, what a writer was shown of its text: (start, end), in order."""


class Checker(Protocol):
    async def check(
        self,
        claims: Sequence[Claim],
        sources: Mapping[int, tuple[Source, str]],
        examine: AskJudge | None = None,
        seen: ShownRanges | None = None,
    ) -> list[Claim]:
        """The claims with citations located in the sources' stored texts, and with verdicts; same order.

        `examine`: where rules cannot tell; None: then a claim stays `unchecked`.  `seen`: for claims in another
        language than their source, whose passage cannot be found by their words.
        """
        ...

    async def conflicts(self, claims: Sequence[Claim], sources: Mapping[int, tuple[Source, str]]) -> list[Conflict]:
        """Where any of the sources, cited or not, says another value than a claim that was found supported."""
        ...


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """What a model call was for; the same key gives the same reply."""

    run_id: str
    step: str
    round: int
    prompt: str  # SHA-256 of model name and messages


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A model's accepted reply."""

    reasoning: str
    text: str


class Journal(Protocol):
    """What a run's models said, kept so that a step that runs again pays nothing."""

    async def find(self, key: ReplyKey) -> StoredReply | None: ...

    async def keep(self, key: ReplyKey, reply: StoredReply) -> None: ...

    async def note(self, run_id: str, step: str, round: int, reasoning: str) -> None:
        """What a step's reasoning was, for the run's record (too large for the graph's state)."""
        ...

    async def notes(self, run_id: str) -> Mapping[tuple[str, int], str]:
        """(step, round) -> reasoning."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, in UTC; tests and replays set it."""
        ...


PoolNews = Search | PageRecord | tuple[str, int]
"""What a page pool tells as it happens: a search, a page's fate, (URL, passages stored)."""


@dataclass(frozen=True, slots=True)
class RunParts:
    """What belongs to one run on one event loop; opened at first use, closed with the run."""

    reasoner: Reasoner
    pool: PagePool
    judge: Judge | None = None  # where claims are checked in full and there is a model to do it


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the steps may call."""

    limits: Limits
    clock: Clock
    library: Library
    checker: Checker
    journal: Journal
    fallback: Callable[[str], Reasoner]  # needs no model; writes when the reasoner fails for good, and says why
    open_run: Callable[[str, datetime, Callable[[PoolNews], None]], AbstractAsyncContextManager[RunParts]]
    # (run_id, when the run began, what to do with the pool's news)
    made_with: MadeWith
    reranker: Reranker | None = None  # after words and meaning are fused; None: as they are
    language: str | None = None  # of the answer; None: the question's
    check: Literal["none", "rules", "full"] = "rules"
    unconfirmed: Literal["show", "drop"] = "show"  # sentences that failed: below a heading of their own, or nowhere
    share_folder: bool = False
    cautions: tuple[str, ...] = ()  # what the reader of any answer should know of how the run was set up
