"""The way back from `verify`: the sentences that failed go to the reasoner, and only they may change."""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import ModelError
from agent.events import Writing
from agent.graph.desk import Desk, Heard, listen
from agent.graph.state import Draft, Run, update
from agent.graph.steps import Done
from agent.graph.steps.brief import brief_of
from agent.graph.texts import gathered
from agent.text.citations import without_marks
from agent.text.output import close
from agent.text.replies import parse_revisions
from agent.text.revised import revised, said
from agent.text.words import terms
from agent.types import Claim, Delta, Evidence, Finding
from agent.verify.claims import without


def findings(claims: tuple[Claim, ...]) -> list[Finding]:
    """What the reasoner should rewrite: what failed, and what its sources say in part only."""
    return [Finding(c, c.why) for c in claims if c.verdict in ("refuted", "unsupported", "partial")]


def evidence_for(failed: Sequence[Finding], evidence: Sequence[Evidence]) -> list[Evidence]:
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


async def revise(run: Run, desk: Desk) -> Done:
    heard, evidence = Heard(), await gathered(run, desk.services.library)
    failed = findings(run.claims)
    said: list[str] = []
    warnings: dict[str, bool] = {}
    try:
        shown = evidence_for(failed, evidence)
        async for thought in listen(desk.parts.reasoner.revise(brief_of(run, desk), failed, shown), desk, heard):
            said = [*said, thought.text] if isinstance(thought, Delta) else []
    except ModelError as e:
        warnings = desk.warn(f"The failed sentences could not be rewritten ({e}).")
        said = []
    text = _replaced(run, failed, parse_revisions("".join(said)), evidence)
    number = run.draft.number + 1
    desk.say(Writing, text=text, draft=number)
    draft = Draft(text, number, run.draft.revision + 1, run.draft.abstains, run.draft.cut_short)
    return Done(
        update(draft=draft, outcome="answer", warnings=warnings | heard.warnings),
        f"{len(failed)} sentences",
        "".join(heard.reasoning),
        heard.usage,
    )


def _replaced(run: Run, failed: list[Finding], anew: dict[int, str | None], evidence: list[Evidence]) -> str:
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
            text = without(text, [finding.claim])
    return close(text, urls).strip()
