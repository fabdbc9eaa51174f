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
    failed = [s for s in run.searches.values() if s.outcome in ("throttled", "broken")]
    if failed:
        lines.append(words["failed"].format(n=len(failed)))
    reasons = list(dict.fromkeys(p.reason for p in run.pages.values() if p.status == "skipped"))
    if reasons:
        lines.append(words["reasons"].format(reasons=", ".join(reasons[:5])))
    return "\n".join([*lines[:2], *(f"- {line}" for line in lines[2:])])


_WORDS = {
    "en": {
        "searched": "searched for {n}: {queries}",
        "read": "pages read: {read}, skipped: {skipped}",
        "failed": "searches that failed or were refused: {n}",
        "reasons": "pages were skipped because: {reasons}",
    },
    "de": {
        "searched": "gesucht wurde nach {n}: {queries}",
        "read": "Seiten gelesen: {read}, übersprungen: {skipped}",
        "failed": "fehlgeschlagene oder abgewiesene Suchen: {n}",
        "reasons": "Seiten wurden übersprungen wegen: {reasons}",
    },
    "zh": {
        "searched": "搜索了 {n} 项：{queries}",
        "read": "已读网页：{read}，跳过：{skipped}",
        "failed": "失败或被拒绝的搜索：{n}",
        "reasons": "跳过网页的原因：{reasons}",
    },
}
