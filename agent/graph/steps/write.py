"""write: answer from the evidence, or ask for more; on the way back from `verify`, mend the sentences that failed.

The reasoner says which of the two it does before it begins.  No evidence: the answer is that there is none.  A model
that fails for good once evidence is in: the extractive reasoner writes, and the run is partial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.errors import ModelError, ModelRefused, ModelUnreachable
from agent.events import Landed, Writing
from agent.graph.draft_checker import DraftChecker
from agent.graph.state import Draft, QueryState, Run, update
from agent.graph.step_context import ModelOutput, StepContext, add, load_evidence, no_evidence, record_output
from agent.graph.steps import StepResult
from agent.graph.steps.plan import send
from agent.graph.steps.scout import brief_of
from agent.protocols import Reasoner
from agent.text.citation_marks import MarkFilter, without_marks
from agent.text.output_filter import OutputFilter, close
from agent.text.reply_parsers import parse_revisions, revised, said
from agent.text.tokens import cut_query, query_key, terms
from agent.types import Claim, Delta, Evidence, FailedClaim, Query, Restart, StanceKind, WriteDecision
from agent.verify.claims import remove_claims

_NEAREST = "no page read answers the question directly"
LATER_QUERY_WORDS = 12  # a query written by a model that has read pages stays short: it must not carry them out


async def write(run: Run, context: StepContext) -> StepResult:
    if run.outcome == "revise":
        return await revise(run, context)
    evidence = await load_evidence(run, context.services.library)
    if not evidence:
        return _abstain(run, context)
    may_search, landed = _may_search(run, context)
    attempt = DraftAttempt(run, context, evidence)
    with attempt.checking:
        try:
            await attempt.make(context.parts.reasoner, may_search=may_search)
            if attempt.stance == "search more" and not attempt.new_queries():
                await attempt.make(context.parts.reasoner, may_search=False)
        except ModelError as e:
            if isinstance(e, ModelRefused | ModelUnreachable) and not _has_answered(run):
                raise  # nothing has ever come from this endpoint: a wrong setting, which the user must hear of
            await attempt.fall_back(e)
        await attempt.check()
    return attempt.done(landed)


def _has_answered(run: Run) -> bool:
    return any(u.model_calls for u in run.usage.values())


def _may_search(run: Run, context: StepContext) -> tuple[bool, str]:
    """May the reasoner ask for another round, and if only a budget forbids it, which."""
    if run.round >= context.services.limits.rounds:
        return False, ""
    landed = context.used_up(run)
    if landed:
        context.say(Landed, why=landed)
    return not landed, landed


def _abstain(run: Run, context: StepContext) -> StepResult:
    number = run.draft.number + 1
    text = no_evidence(run)
    context.say(Writing, text=text, draft=number)
    return StepResult(update(draft=Draft(text, number, abstains=True), outcome="answer"), "no evidence: no answer")


@dataclass
class DraftAttempt:
    """One go at the answer, made of one or two calls."""

    run: Run
    context: StepContext
    evidence: list[Evidence]
    heard: ModelOutput = field(default_factory=ModelOutput)
    stance: StanceKind = "answer"
    queries: list[Query] = field(default_factory=list)
    warnings: dict[str, bool] = field(default_factory=dict)
    cut_short: str = ""

    def __post_init__(self) -> None:
        self.number = self.run.draft.number
        self.pen = self._new_pen()
        self.checking = DraftChecker(self.run, self.context)

    async def make(self, reasoner: Reasoner, *, may_search: bool) -> None:
        """One call.  `Restart` within it begins the draft anew."""
        self._anew()
        brief = brief_of(self.run, self.context, may_search=may_search)
        async for thought in record_output(reasoner.write(brief, self.evidence), self.context, self.heard):
            match thought:
                case WriteDecision(kind):  # the way back is bounded here, whatever a reasoner makes of its brief
                    self.stance = kind if may_search or kind != "search more" else "no answer"
                    if kind == "nearest":
                        self.warnings |= self.context.warn(f"{_NEAREST[0].upper()}{_NEAREST[1:]}.")
                        self.cut_short = self.cut_short or _NEAREST
                case Delta(text=text):
                    self.pen.write(text)
                    self.checking.feed(self.pen.text)
                case Query():
                    self.queries.append(thought)
                case Restart():
                    self._anew()
        self.pen.close()

    async def fall_back(self, error: ModelError) -> None:
        why = str(error)
        self.warnings |= self.context.warn(f"The model failed ({why}); the answer was put together without it.")
        self.cut_short = why
        await self.make(self.context.services.fallback(why), may_search=False)

    async def check(self) -> None:
        """Wait for the judge, if claims were put before one while they were being written."""
        if self.stance == "answer" and not self.cut_short:
            checked = await self.checking.finish(self.pen.text.strip())
            self.heard.usage = add(self.heard.usage, checked.usage)
            self.warnings |= checked.warnings

    def new_queries(self) -> list[Query]:
        """What it asks for that was not asked yet, cut short."""
        known = {query_key(a.query.text) for a in self.run.queries.values()}
        cut = [cut_query(q, LATER_QUERY_WORDS) for q in self.queries]
        return [q for q in cut if (key := query_key(q.text)) and key not in known]

    def done(self, landed: str) -> StepResult:
        reasoning = "".join(self.heard.reasoning)
        self.warnings |= self.heard.warnings
        queries = self.new_queries()
        if self.stance == "search more" and queries:
            asked = self._send_off(queries)
            more = update(
                queries=asked,
                round=self.run.round + 1,
                outcome="search more",
                draft=self._draft(landed),
                warnings=self.warnings,
            )
            return StepResult(more, f"asks for {len(queries)} more", reasoning, self.heard.usage)
        for known in self.pen.unknown_marks():
            self.warnings |= self.context.warn(known)
        draft = self._draft(landed)
        summary = "no answer in the sources" if draft.abstains else f"{len(draft.text)} characters"
        return StepResult(
            update(draft=draft, outcome="answer", warnings=self.warnings), summary, reasoning, self.heard.usage
        )

    def _draft(self, landed: str) -> Draft:
        text = self.pen.text.strip()
        if self.stance != "search more" and not text:
            return Draft(no_evidence(self.run), self.number, abstains=True, cut_short=self.cut_short or landed)
        return Draft(text, self.number, abstains=self.stance == "no answer", cut_short=self.cut_short or landed)

    def _send_off(self, queries: list[Query]) -> dict[str, QueryState]:
        """The next round begins here: its searches run while this step ends."""
        seen_local = any(e.source.url.startswith("file:") for e in self.evidence)
        asked: dict[str, QueryState] = {}
        for query in queries[: self.context.services.limits.queries]:
            local_only = seen_local and not self.context.services.share_folder
            send(query, self.run.round + 1, self.context, asked, local_only=local_only)
        return asked

    def _anew(self) -> None:
        self.number += 1
        self.stance = "answer"
        self.queries = []
        self.pen = self._new_pen()
        self.checking.anew()

    def _new_pen(self) -> DraftWriter:
        return DraftWriter(self.context, self.evidence, self.number)


class DraftWriter:
    """Writes a draft for everybody to see: what a model says, through the filters, as events."""

    def __init__(self, context: StepContext, evidence: list[Evidence], number: int) -> None:
        self._desk = context
        self._number = number
        numbers = {e.source.url: e.source.number for e in evidence}
        self._marks = MarkFilter(numbers.values(), numbers)
        self._output = OutputFilter({e.source.url for e in evidence})
        self.text = ""

    def write(self, text: str) -> None:
        self._show(self._output.feed(self._marks.feed(text)))

    def close(self) -> None:
        self._show(self._output.feed(self._marks.close()) + self._output.close())

    def unknown_marks(self) -> list[str]:
        """What to tell of source numbers that do not exist and were taken out."""
        n = self._marks.unknown
        return [
            f"{n} citation{'s' * (n != 1)} of sources that do not exist {'were' if n != 1 else 'was'} removed."
        ] * bool(n)

    def _show(self, text: str) -> None:
        if text:
            self.text += text
            self._desk.say(Writing, text=text, draft=self._number)


# ------------------------------------------------------------------------------------------ revise

# The way back from `verify`: the sentences that failed go to the reasoner, and only they may change.


def findings(claims: tuple[Claim, ...]) -> list[FailedClaim]:
    """What the reasoner should rewrite: what failed, and what its sources say in part only."""
    return [FailedClaim(c, c.why) for c in claims if c.verdict in ("refuted", "unsupported", "partial")]


def evidence_for(failed: Sequence[FailedClaim], evidence: Sequence[Evidence]) -> list[Evidence]:
    """The sources that the failed sentences cite, and for each sentence the best other one by its words."""
    words = {one.source.number: _words(one) for one in evidence}
    wanted: set[int] = set()
    for finding in failed:
        cited = {citation.source for citation in finding.claim.citations}
        said = set(terms(f"{finding.claim.about or ''} {without_marks(finding.claim.text)}"))
        shared = {number: len(said & words[number]) for number in words if number not in cited}
        best = max(shared, key=lambda number: shared[number], default=0)
        wanted |= cited | ({best} if shared.get(best) else set())
    return [one for one in evidence if one.source.number in wanted]


def _words(one: Evidence) -> set[str]:
    return {term for passage in one.passages for term in terms(passage.text)}


async def revise(run: Run, context: StepContext) -> StepResult:
    heard, evidence = ModelOutput(), await load_evidence(run, context.services.library)
    failed = findings(run.claims)
    said: list[str] = []
    warnings: dict[str, bool] = {}
    try:
        shown = evidence_for(failed, evidence)
        async for thought in record_output(
            context.parts.reasoner.revise(brief_of(run, context), failed, shown), context, heard
        ):
            said = [*said, thought.text] if isinstance(thought, Delta) else []
    except ModelError as e:
        warnings = context.warn(f"The failed sentences could not be rewritten ({e}).")
        said = []
    text = _replaced(run, failed, parse_revisions("".join(said)), evidence)
    number = run.draft.number + 1
    context.say(Writing, text=text, draft=number)
    draft = Draft(text, number, run.draft.revision + 1, run.draft.abstains, run.draft.cut_short)
    return StepResult(
        update(draft=draft, outcome="answer", warnings=warnings | heard.warnings),
        f"{len(failed)} sentences",
        "".join(heard.reasoning),
        heard.usage,
    )


def _replaced(run: Run, failed: list[FailedClaim], anew: dict[int, str | None], evidence: list[Evidence]) -> str:
    """The draft with the sentences that were rewritten (a str) or dropped (None); numbers count from 1."""
    text, urls = run.draft.text, {e.source.url for e in evidence}
    marks = {e.source.number for e in evidence}
    gone = {finding.claim.start for finding in failed}
    standing = {said(claim.text) for claim in run.claims if claim.start not in gone}
    for number, finding in reversed(list(enumerate(failed, start=1))):
        if number not in anew:
            continue
        mended = revised(finding.claim, anew[number] or "", standing, marks, urls)
        if mended:
            text = text[: finding.claim.start] + mended + text[finding.claim.end :]
            standing.add(said(mended))
        elif mended is not None:
            text = remove_claims(text, [finding.claim])
    return close(text, urls).strip()
