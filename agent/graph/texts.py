"""Evidence with its text, and what is said where there is none.

The state holds offsets; the library holds texts; this puts the two together for the steps that write and check.
"""

from __future__ import annotations

from agent.graph.state import Run
from agent.services import Library
from agent.text.remarks import remark
from agent.types import Evidence, Passage, Source


async def gathered(run: Run, library: Library) -> list[Evidence]:
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
    words = _WORDS.get(run.run.language.split("-")[0], _WORDS["en"])
    read = sum(p.status != "skipped" for p in run.pages.values())
    asked = list(dict.fromkeys([s.query.text for s in run.searches.values()]))
    lines = [
        remark("no answer", run.run.language),
        "",
        words["searched"].format(n=len(asked), queries="; ".join(f"“{q}”" for q in asked[:6])),
    ]
    lines.append(words["read"].format(read=read, skipped=len(run.pages) - read))
    for outcome in ("throttled", "broken"):  # neither means that there is nothing to be found
        failed = [s for s in run.searches.values() if s.outcome == outcome]
        if failed:
            lines.append(words[outcome].format(n=len(failed), by=", ".join(dict.fromkeys(s.provider for s in failed))))
    reasons = list(dict.fromkeys(p.reason for p in run.pages.values() if p.status == "skipped"))
    if reasons:
        lines.append(words["reasons"].format(reasons=", ".join(reasons[:5])))
    return "\n".join([*lines[:2], *(f"- {line}" for line in lines[2:])])


_WORDS = {
    "en": {
        "searched": "searched for {n}: {queries}",
        "read": "pages read: {read}, skipped: {skipped}",
        "throttled": "searches refused for now: {n} ({by})",
        "broken": "searches that did not work: {n} ({by})",
        "reasons": "pages were skipped because: {reasons}",
    },
    "de": {
        "searched": "gesucht wurde nach {n}: {queries}",
        "read": "Seiten gelesen: {read}, übersprungen: {skipped}",
        "throttled": "vorerst abgewiesene Suchen: {n} ({by})",
        "broken": "fehlgeschlagene Suchen: {n} ({by})",
        "reasons": "Seiten wurden übersprungen wegen: {reasons}",
    },
    "zh": {
        "searched": "搜索了 {n} 项：{queries}",
        "read": "已读网页：{read}，跳过：{skipped}",
        "throttled": "暂时被拒绝的搜索：{n}（{by}）",
        "broken": "失败的搜索：{n}（{by}）",
        "reasons": "跳过网页的原因：{reasons}",
    },
}
