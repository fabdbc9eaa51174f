"""verify: every sentence against what it cites; then back to the writer once more, or the answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from agent.events import Checked, Landed
from agent.graph.answer_builder import build_answer
from agent.graph.draft_checker import JudgeQueue
from agent.graph.state import Run, update
from agent.graph.step_context import ModelOutput, StepContext, slices, source_texts
from agent.graph.steps import StepResult
from agent.graph.steps.write import findings
from agent.phrases import phrase
from agent.protocols import AskJudge
from agent.text.citation_marks import without_marks
from agent.text.output_filter import close
from agent.types import Claim
from agent.verify.claims import claims as cut
from agent.verify.claims import dependent_claims, points_back, remove_claims, set_apart

_HANGS = "it goes on from a sentence that is not confirmed"


async def verify(run: Run, context: StepContext) -> StepResult:
    text, judge = run.draft.text, context.parts.judge
    # Cut short is what ran out of time or money, or out of its model: nothing more is asked then.
    examiner = JudgeQueue(run, context, judge) if judge and not run.draft.cut_short else None
    checked = await check(run, text, context, run.claims, examiner)
    for claim in checked:
        context.say(Checked, claim=claim, verdict=claim.verdict)
    heard = examiner.heard if examiner else ModelOutput()
    judged = run.judged or bool(examiner and examiner.known)  # also before a repair
    if _go_back(run, checked, context):
        back = update(claims=checked, judged=judged, outcome="revise", warnings=heard.warnings)
        return StepResult(back, f"{len(findings(checked))} sentences to mend", usage=heard.usage)
    given = len(checked)
    text, checked = await _parted(run, checked, context, heard)
    run = replace(run, warnings=run.warnings | heard.warnings, usage=run.usage | {"verify:judge": heard.usage})
    nothing_left = examiner is not None and all(claim.verdict != "unchecked" for claim in checked)
    answer = await build_answer(
        run, text, checked, context, left_out=given - len(checked), judged=judged or nothing_left
    )
    over = update(claims=checked, outcome="done", warnings=heard.warnings)
    return StepResult({**over, **answer}, _told(checked), usage=heard.usage)


async def check(
    run: Run, text: str, context: StepContext, known: Sequence[Claim] = (), examine: AskJudge | None = None
) -> tuple[Claim, ...]:
    """The claims of a text with quotes and verdicts.  An answer that abstains claims nothing.

    `known`: claims that were checked before; whatever still stands as it stood is not checked again.
    """
    found = [] if run.draft.abstains else cut(text)
    before = {_key(claim): claim for claim in known} | {_listed(claim): claim for claim in known}
    fresh = [claim for claim in found if _key(claim) not in before]
    numbers = {c.source for claim in fresh for c in claim.citations}
    texts = await source_texts(run, numbers, context.services.library)
    checked = iter(await context.services.checker.check(fresh, texts, examine, slices(run)) if fresh else ())
    said = {" ".join(without_marks(claim.text).split()) for claim in known}
    return tuple(_moved(before[_key(c)], c, said) if _key(c) in before else next(checked) for c in found)


def _key(claim: Claim) -> tuple[str, str]:
    return " ".join(claim.text.split()), claim.about or ""


def _listed(claim: Claim) -> tuple[str, str]:
    """A cell as it stands where it was set apart: a list item with its heads."""
    return f"{claim.about}: {' '.join(claim.text.split())}" if claim.about else _key(claim)[0], ""


def _moved(old: Claim, new: Claim, said: Collection[str]) -> Claim:
    """The claim where it stands now.  If what it points back to was taken out, it is about something else."""
    moved = replace(old, text=new.text, start=new.start, end=new.end, about=new.about)
    hangs = points_back(new) and new.context != old.context and (new.context is None or new.context in said)
    return replace(moved, verdict="unsupported", why=_HANGS) if hangs else moved


async def _parted(
    run: Run, checked: tuple[Claim, ...], context: StepContext, heard: ModelOutput
) -> tuple[str, tuple[Claim, ...]]:
    """The answer without what failed, or with it below a heading of its own, and its claims."""
    text, failed = run.draft.text, _failed(checked)
    if not failed:
        return text, checked
    hanging = {claim.start for claim in dependent_claims(text, checked, failed)}
    checked = tuple(replace(c, verdict="unsupported", why=_HANGS) if c.start in hanging else c for c in checked)
    failed = _failed(checked)
    if context.services.unconfirmed == "show":
        apart = set_apart(text, checked, run.run.language)
    else:
        told = "1 sentence was" if len(failed) == 1 else f"{len(failed)} sentences were"
        heard.warnings |= context.warn(f"{told} left out: the sources cited do not bear them out.")
        apart = remove_claims(text, failed).strip() or f"*{phrase('nothing_confirmed', run.run.language)}*"
    apart = close(apart, {source.url for source in run.sources.values()})  # what was apart stands together now
    return apart, await check(run, apart, context, checked)


def _failed(checked: Sequence[Claim]) -> list[Claim]:
    """What may not stay in the body."""
    return [claim for claim in checked if claim.verdict in ("unsupported", "refuted")]


def _go_back(run: Run, checked: tuple[Claim, ...], context: StepContext) -> bool:
    """Is another turn of the writer wanted, allowed and affordable?"""
    if run.draft.cut_short or not findings(checked) or run.draft.revision >= context.services.limits.revisions:
        return False
    if landed := context.used_up(run):
        context.say(Landed, why=landed)
        return False
    return True


def _told(checked: tuple[Claim, ...]) -> str:
    good = sum(c.verdict == "supported" for c in checked)
    return f"{good} of {len(checked)} sentences supported"
