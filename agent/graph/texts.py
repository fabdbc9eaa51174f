"""Evidence with its text, and what is said where there is none.

The state holds offsets; the library holds texts; this puts the two together for the steps that write and check.
"""

from __future__ import annotations

from agent.graph.state import Run
from agent.phrases import phrase
from agent.services import Library
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
    language = run.run.language
    read = sum(p.status != "skipped" for p in run.pages.values())
    asked = list(dict.fromkeys([s.query.text for s in run.searches.values()]))
    queries = "; ".join(f"“{q}”" for q in asked[:6])
    lines = [phrase("searched", language, n=len(asked), queries=queries)]
    lines.append(phrase("read", language, read=read, skipped=len(run.pages) - read))
    for outcome in ("throttled", "broken"):  # neither means that there is nothing to be found
        failed = [s for s in run.searches.values() if s.outcome == outcome]
        if failed:
            by = ", ".join(dict.fromkeys(s.provider for s in failed))
            lines.append(phrase(outcome, language, n=len(failed), by=by))
    reasons = list(dict.fromkeys(p.reason for p in run.pages.values() if p.status == "skipped"))
    if reasons:
        lines.append(phrase("reasons", language, reasons=", ".join(reasons[:5])))
    return "\n".join([phrase("no_answer", language), "", *(f"- {line}" for line in lines)])
