"""Builds the answer from the channels of a finished run, and grades how far its evidence goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

from langchain_core.messages import AIMessage, HumanMessage

from agent.graph.state import Json, Run
from agent.graph.step_context import ZERO, StepContext, add, source_texts
from agent.result import Answer, AnswerPage, AnswerSearch, AnswerSource, StepRecord, to_json
from agent.text.citation_marks import without_marks
from agent.text.question_parts import parts
from agent.text.safe_text import visible
from agent.text.sentence_scoring import NEAR, trust
from agent.types import Claim, Conflict, PageRecord, Source, Status, Sufficiency

# ------------------------------------------------------------------------------------------ answer

# The run's channels, put together into the one value that everybody gets.


async def build_answer(
    run: Run, text: str, claims: tuple[Claim, ...], context: StepContext, *, left_out: int = 0, judged: bool = False
) -> Json:
    """The update that ends a run: the answer, and the conversation with it.

    `left_out`: claims that are not in it.  `judged`: has a model checked what the rules left open?
    """
    cited = {c.source for claim in claims for c in claim.citations}
    conflicts = await _conflicts(run, claims, context)
    reach = sufficiency(run.run.question, claims, conflicts, {s.number: s.site for s in run.sources.values()})
    answer = Answer(
        run_id=run.run.id,
        question=run.run.question,
        status=_status(run, claims, cited),
        made_with=replace(context.services.made_with, started_at=run.run.started_at),
        answer=text,
        sources=tuple(_as_read(s, cited) for s in sorted(run.sources.values(), key=lambda s: s.number)),
        claims=claims,
        left_out=left_out,
        conflicts=conflicts,
        sufficiency=reach,
        as_of=_as_of(run, cited),
        steps=await _steps(run, context),
        searches=_searches(run),
        pages=tuple(AnswerPage(p.url, p.status, p.reason, p.bytes, p.seconds) for p in await _pages(run, context)),
        usage=replace(reduce(add, run.usage.values(), ZERO), seconds=round(context.seconds(run), 3)),
        warnings=(*_warnings(run, context), *_undated(run, cited, context)),
        language=run.run.language,
        checked_by="nobody" if context.services.check == "none" else "model" if judged else "rules",
    )
    return {"answer": to_json(answer), "messages": _messages(run, answer)}


async def _conflicts(run: Run, claims: tuple[Claim, ...], context: StepContext) -> tuple[Conflict, ...]:
    """Between all the sources that the writer was shown, cited or not."""
    if not claims:
        return ()
    texts = await source_texts(run, {s.number for s in run.sources.values() if s.number}, context.services.library)
    found = await context.services.checker.conflicts(claims, texts)
    return tuple(Conflict(visible(c.about), tuple(replace(s, says=visible(s.says)) for s in c.sides)) for c in found)


def _as_of(run: Run, cited: set[int]) -> str | None:
    """The newest date of a cited source; one that lies after the run is a mistake, and the day it was read counts."""
    used = [source for source in run.sources.values() if source.number in cited]
    today = run.run.started_at[:10]
    dates = [source.published or source.fetched_at[:10] for source in used]
    return max(
        (date if date <= today else source.fetched_at[:10] for date, source in zip(dates, used, strict=True)),
        default=None,
    )


def _status(run: Run, claims: tuple[Claim, ...], cited: set[int]) -> Status:
    """An answer of which nothing stood, or that claims nothing, is no answer.

    Where no passage bears any of it, it came from memory, unless its sources are in another language: there a passage
    is found by figures and names only.
    """
    failed = all(c.verdict in ("unsupported", "refuted") for c in claims)
    foreign = any(s.number in cited and s.language not in (None, run.run.language) for s in run.sources.values())
    borne = any(c.verdict in ("supported", "partial") or stands(c) for c in claims)
    if run.draft.abstains or failed or not (borne or foreign):
        return "abstained"
    return "partial" if run.draft.cut_short else "complete"


def _warnings(run: Run, context: StepContext) -> tuple[str, ...]:
    told = [*context.services.cautions, *run.warnings]
    if run.draft.cut_short and not any(run.draft.cut_short in w for w in told):
        told.append(f"Landed early: {run.draft.cut_short}.")
    return tuple(told)


def _undated(run: Run, cited: set[int], context: StepContext) -> tuple[str, ...]:
    """A source without a date is kept, but nobody knows whether it keeps within the bound."""
    since = context.services.made_with.since
    used = [source for source in run.sources.values() if source.number in cited]
    numbers = sorted(source.number for source in used if not source.published and not source.url.startswith("file:"))
    if not since or not numbers:
        return ()
    which = ", ".join(map(str, numbers))
    told = f"Of {len(numbers)} of {len(used)} cited sources no date is known, so --since {since} is unproved: {which}"
    return tuple(context.warn(told))


def _searches(run: Run) -> tuple[AnswerSearch, ...]:
    return tuple(
        AnswerSearch(s.query.text, s.round, s.provider, s.outcome, s.hit_count, s.why, s.tried)
        for s in run.searches.values()
    )


def _as_read(source: Source, cited: set[int]) -> AnswerSource:
    return AnswerSource(
        number=source.number,
        url=source.url,
        title=visible(source.title),
        site=visible(source.site),
        published=source.published,
        fetched_at=source.fetched_at,
        language=source.language,
        cited=source.number in cited,
        snapshot=source.snapshot,
        author=source.author,
        modified=source.modified,
        date_certainty=source.date_certainty,
        suspect=source.suspect,
        copies=source.copies,
    )


async def _pages(run: Run, context: StepContext) -> list[PageRecord]:
    """Every page that was wanted, those that came after the evidence was chosen included."""
    late = {p.url: p for p in (*await context.parts.pool.read(seconds=0), *context.parts.pool.left_out())}
    return list({**late, **run.pages}.values())


async def _steps(run: Run, context: StepContext) -> tuple[StepRecord, ...]:
    """The steps with their reasoning; this one, which is not over yet, without."""
    notes = await context.services.journal.notes(run.run.id)
    past = tuple(
        replace(step, reasoning=notes.get((key.partition(":")[0], step.round), "")) for key, step in run.steps.items()
    )
    return (*past, StepRecord("verify", run.round, round(context.seconds(run) - run.seconds, 3)))


def _messages(run: Run, answer: Answer) -> list[HumanMessage | AIMessage]:
    """Ids are the run's, so that a step that runs again after a crash replaces its message."""
    said: list[HumanMessage | AIMessage] = []
    if run.run.asked_as == "question":
        said.append(HumanMessage(run.run.question, id=f"{run.run.id}-question"))
    return [*said, AIMessage(str(answer), id=f"{run.run.id}-answer")]


# ------------------------------------------------------------------------------------------ sufficiency

# How far the evidence goes: none, thin, conflicting, or enough for what was asked.
#
# Graded after the checking, from which sentences stand, on how many independent origins, and which parts of the
# question they speak of.  Pure; what a reader does about it is the reader's.

_ORIGINS = 2  # fewer is thin
_STANDING = 0.5  # of the sentences: fewer is thin


def sufficiency(
    question: str, claims: Sequence[Claim], conflicts: Sequence[Conflict], origins: Mapping[int, str]
) -> Sufficiency:
    """`origins`: source number -> whose it is; two sources of one site, or copies of one text, are one origin."""
    standing = [claim for claim in claims if stands(claim)]
    if not standing:
        return "none"
    if conflicts:
        return "conflicting"
    borne = {origins.get(c.source, "") for claim in standing for c in claim.citations if c.quote is not None}
    if len(borne) < _ORIGINS or len(standing) < _STANDING * len(claims) or not _covers(question, standing):
        return "thin"
    return "enough"


def stands(claim: Claim) -> bool:
    """Did it not fail, and is there a passage that bears it?"""
    failed = claim.verdict in ("unsupported", "refuted")
    return not failed and any(citation.quote is not None for citation in claim.citations)


def _covers(question: str, standing: Sequence[Claim]) -> bool:
    """Does a claim, or what it quotes, come near to every part of the question?"""
    said = [_said(claim) for claim in standing]
    return all(trust(part.about, said) >= NEAR for part in parts(question))


def _said(claim: Claim) -> str:
    quotes = " ".join(c.quote or "" for c in claim.citations)
    return f"{without_marks(claim.text)} {claim.about or ''} {quotes}"
