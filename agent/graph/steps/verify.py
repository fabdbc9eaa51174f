"""verify: every sentence against what it cites; then back to the writer once more, or the answer."""

from __future__ import annotations

from agent.events import Checked, Landed
from agent.graph.answer import compose
from agent.graph.desk import Desk
from agent.graph.state import Run, update
from agent.graph.steps import Done
from agent.graph.steps.revise import findings
from agent.graph.texts import source_texts
from agent.text.claims import claims as cut
from agent.text.claims import set_apart
from agent.types import Claim


async def verify(run: Run, desk: Desk) -> Done:
    text = run.draft.text
    checked = await check(run, text, desk)
    for claim in checked:
        desk.say(Checked, claim=claim, verdict=claim.verdict)
    if _go_back(run, checked, desk):
        return Done(update(claims=checked, outcome="revise"), f"{len(findings(checked))} sentences to mend")
    apart = set_apart(text, checked, run.run.language)
    if apart != text:
        text, checked = apart, await check(run, apart, desk)
    answer = await compose(run, text, checked, desk)
    return Done({**update(claims=checked, outcome="done"), **answer}, _told(checked))


async def check(run: Run, text: str, desk: Desk) -> tuple[Claim, ...]:
    """The claims of a text with quotes and verdicts.  An answer that abstains claims nothing."""
    found = [] if run.draft.abstains else cut(text)
    numbers = {c.source for claim in found for c in claim.citations}
    texts = await source_texts(run, numbers, desk.services.library)
    return tuple(await desk.services.checker.check(found, texts))


def _go_back(run: Run, checked: tuple[Claim, ...], desk: Desk) -> bool:
    """Is another turn of the writer wanted, allowed and affordable?"""
    if run.draft.cut_short or not findings(checked) or run.draft.revision >= desk.services.limits.revisions:
        return False
    if landed := desk.used_up(run):
        desk.say(Landed, why=landed)
        return False
    return True


def _told(checked: tuple[Claim, ...]) -> str:
    good = sum(c.verdict == "supported" for c in checked)
    return f"{good} of {len(checked)} sentences supported"
