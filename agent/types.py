"""The nouns: the frozen values that move through a run.

Knows shapes and units, nothing else: no behaviour beyond properties, no imports from the rest of the package.
Offsets count Unicode code points.  Times are ISO 8601 strings in UTC unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Verdict = Literal["supported", "partial", "unsupported", "refuted", "unchecked"]
Status = Literal["complete", "partial", "abstained", "failed"]
SearchOutcome = Literal["found", "nothing", "throttled", "broken"]
PageStatus = Literal["read", "cached", "skipped"]
DateCertainty = Literal["", "stated", "inferred"]  # by the page for machines to read; from its address or its words
StanceKind = Literal["answer", "nearest", "search more", "no answer"]  # nearest: quotes what comes near to one
Judged = Literal["supported", "partial", "unsupported", "refuted", "cannot tell"]
Sufficiency = Literal["none", "thin", "conflicting", "enough"]
JUDGED: tuple[Judged, ...] = get_args(Judged)


# ------------------------------------------------------------------------------------------------- asking


@dataclass(frozen=True, slots=True)
class Query:
    """What one web search asks for."""

    text: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a reasoner is told of the run before it plans or writes."""

    run_id: str
    question: str
    today: str  # YYYY-MM-DD, set once per run
    language: str  # BCP 47 code of the answer
    round: int = 1
    may_search: bool = False  # may `write` ask for another round?
    max_queries: int = 4
    asked: tuple[str, ...] = ()  # queries of this run so far
    spent_usd: float = 0.0  # by this run's model calls so far, as far as prices are known
    earlier: str = ""  # earlier turns of a conversation: they say what the question refers to, never evidence


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a run may go.  First values per depth stand in `settings.DEPTHS`."""

    rounds: int  # of searching
    queries: int  # a round
    hits: int  # asked of a search provider per query
    pages: int  # a run
    fetches: int  # under way at once
    evidence_tokens: int  # shown to the writer
    revisions: int
    seconds: float | None  # soft: past it the run stops gathering and writes
    total_tokens: int | None = None  # soft, over all model calls
    usd: float | None = None  # likewise
    plans: bool = True  # False: code splits the question, no model call
    page_seconds: float = 12.0  # one page, from connect to text
    search_seconds: float = 10.0  # one query, with all providers tried
    judge_seconds: float = 240.0  # one batch of claims, where there is a limit on time; R1 takes 30 to 120
    read_seconds: float = 8.0  # a round's wait for pages once its searches are in
    quorum: float = 0.6  # share of the wanted pages that is enough to go on, with the best-ranked among them …
    grace_seconds: float = 0.5  # … after a moment for those that are about to come


# ------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One line of a search provider's reply."""

    url: str
    title: str
    snippet: str
    rank: int  # from 1, the provider's own order
    provider: str
    published: str | None = None  # YYYY-MM-DD


@dataclass(frozen=True, slots=True)
class Tried:
    """How one provider fared with a query that another one answered, or whose failure weighs more."""

    provider: str
    outcome: SearchOutcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """How one query fared with the providers."""

    query: Query
    round: int
    outcome: SearchOutcome
    provider: str  # the one that answered, else the last one asked
    hits: tuple[SearchHit, ...] = ()
    why: str = ""  # for `throttled` and `broken`, and where a provider before this one was left
    tried: tuple[Tried, ...] = ()  # the other providers of its order, in that order, as far as they were asked
    hit_count: int = 0  # in the graph's state, where the hits themselves are not


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it came over the wire."""

    url: str  # after redirects
    body: bytes
    media_type: str  # sniffed from the bytes: text/html, application/pdf, text/plain, text/markdown
    fetched_at: str
    charset: str | None = None  # as the header declared it
    etag: str | None = None
    last_modified: str | None = None
    kept: Document | None = None  # the server says that what the library has is still so; then `body` is empty


@dataclass(frozen=True, slots=True)
class Document:
    """A page's text, ready to be cited.  `text[p.start:p.end] == p.text` for each of its passages `p`."""

    id: str  # SHA-256 of url and text
    snapshot: str  # SHA-256 of text
    url: str
    title: str
    site: str  # registrable domain, or the folder's name
    text: str  # Markdown
    media_type: str
    fetched_at: str
    published: str | None = None  # YYYY-MM-DD
    language: str | None = None
    page_starts: tuple[int, ...] = ()  # of a PDF: where each page begins in `text`
    etag: str | None = None  # as the page's header said, for asking again later
    last_modified: str | None = None
    extraction: str = ""  # which extractor made the text, and its version
    author: str = ""
    modified: str | None = None  # YYYY-MM-DD, only where the page states it
    date_certainty: DateCertainty = ""  # of `published`
    suspect: bool = False  # shows little and hides more; what it hides is in `text`
    declares: str = ""  # the address that it declares to be its own, where that is on the same site


@dataclass(frozen=True, slots=True)
class Passage:
    """A citable slice of a document."""

    id: str  # SHA-256 of document id, start and end
    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage with its relevance to what was asked."""

    passage: Passage
    score: float  # 0..1, comparable within one search only


@dataclass(frozen=True, slots=True)
class LibraryFilter:
    """Bounds on a search in the library; empty ones bound nothing, but local files: they are found by their folder."""

    run_id: str | None = None
    hosts: tuple[str, ...] = ()  # and their subdomains
    not_hosts: tuple[str, ...] = ()
    fetched_since: datetime | None = None
    language: str | None = None
    folder: str | None = None  # absolute; local documents below it are found too, otherwise none


@dataclass(frozen=True, slots=True)
class LibraryHit:
    """A document that the library found, with its best passage: `stored text[start:end] == passage`."""

    document_id: str
    snapshot: str
    url: str
    title: str
    site: str
    fetched_at: str
    published: str | None
    language: str | None
    passage: str
    start: int
    end: int
    score: float  # 0..1, comparable within one search only


@dataclass(frozen=True, slots=True)
class Source:
    """A document as the reader sees it; `number` is 0 until a writer was shown it, and never changes then."""

    number: int
    document_id: str
    snapshot: str
    url: str
    title: str
    site: str
    fetched_at: str
    published: str | None = None
    language: str | None = None
    page_starts: tuple[int, ...] = ()
    author: str = ""
    modified: str | None = None
    date_certainty: DateCertainty = ""
    suspect: bool = False  # see `Document`: it comes last, and never makes a claim `supported`
    copy_of: str = ""  # URL of the page read earlier in this run whose text is nearly this one
    copies: tuple[str, ...] = ()  # URLs of pages with nearly this text, which are not shown to the writer


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What became of a page that was wanted."""

    url: str
    status: PageStatus
    reason: str = ""  # why it was skipped, in plain words; of a cached page how old it is
    bytes: int = 0
    seconds: float = 0.0
    source: Source | None = None  # of a page that was read


@dataclass(frozen=True, slots=True)
class Evidence:
    """The passages of one source that the writer is shown, in the order of the text."""

    source: Source
    passages: tuple[Passage, ...]
    score: float  # 0..1, of its best passage
    length: int | None = None  # of the whole text, in characters


# ------------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class Usage:
    """What model calls cost.  `usd` is None where no price is known."""

    model_calls: int = 0
    serial_model_calls: int = 0  # calls that somebody waited for
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    answer_tokens: int = 0
    usd: float | None = None
    usd_is_estimate: bool = True
    usd_why: str = ""  # why `usd` is None
    seconds: float = 0.0  # wall time of the run
    model_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of what a model says, as it says it; one of the two is empty."""

    reasoning: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class WriteDecision:
    """What `write` has decided to do; it says so before the first word of an answer."""

    kind: StanceKind


@dataclass(frozen=True, slots=True)
class Restart:
    """The call is made once more: what it said so far does not count."""

    why: str


@dataclass(frozen=True, slots=True)
class CallCost:
    """One finished model call."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the reader of the answer should know of how it came about."""

    text: str


@dataclass(frozen=True, slots=True)
class JudgeVerdict:
    """What a judge says of one case of a batch.  `words`: of the sources, those that decided; they may be made up."""

    case: int  # its place in the batch, from 0
    outcome: Judged
    words: tuple[str, ...] = ()
    unsaid: str = ""  # of a claim that is said in part: the part that is not


ReasonerEvent = Delta | Query | WriteDecision | Restart | CallCost | Notice | JudgeVerdict
"""What a reasoner yields while it works."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a source bears a claim.  `quote`, `start` and `end` are None where nothing in it does."""

    source: int
    quote: str | None = None  # verbatim: stored text[start:end] == quote
    start: int | None = None
    end: int | None = None
    page: int | None = None  # of a PDF, from 1
    link: str = ""  # the source's URL, with a text fragment that opens at the quote


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer, what it rests on, and how it fared.  `answer[start:end] == text`."""

    text: str
    start: int
    end: int
    citations: tuple[Citation, ...] = ()
    verdict: Verdict = "unchecked"
    why: str = ""
    about: str | None = None  # of a table cell: its row's and column's heads
    context: str | None = None  # what it goes on from: the sentence before it; of a list item, what introduces the list
    missing: tuple[str, ...] = ()  # its figures, dates, names and quoted words that stand in none of its cited sources
    found: tuple[str, ...] = ()  # likewise, those that do


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """What a judge is shown of a source that a claim cites, as the writer saw it, with what is known of the source."""

    source: int
    text: str
    title: str = ""
    published: str | None = None
    site: str = ""
    short: str = ""  # less of it, around what bears on the claim, for a model with a small window; empty: the same
    more: str = ""  # the passage that comes nearest to the claim, where the writer did not see it


@dataclass(frozen=True, slots=True)
class JudgeCase:
    """A claim put before a judge, with its own sources only."""

    claim: str  # without its marks
    exhibits: tuple[CitedPassage, ...]
    about: str = ""  # of a table cell: its row's and column's heads
    context: str = ""  # what it goes on from, in the answer; not to be judged
    missing: tuple[str, ...] = ()  # its figures, dates, names and quoted words that stand in none of its sources
    failed: str = ""  # what was wrong with an earlier reply on it; such a case is asked alone


@dataclass(frozen=True, slots=True)
class FailedClaim:
    """What a revision is asked to mend: one claim, and what is wrong with it."""

    claim: Claim
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    says: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources that disagree on a fact."""

    about: str
    sides: tuple[Side, ...]


# Their names until 0.1, for hosts that bring a reasoner of their own; to be removed with 0.2.
Again, Caution, Case, Exhibit = Restart, Notice, JudgeCase, CitedPassage
Finding, Judgement, Spending, Stance = FailedClaim, JudgeVerdict, CallCost, WriteDecision
