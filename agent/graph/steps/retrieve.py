"""retrieve: choose the passages that the writer is shown, and give their sources numbers that never change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agent.events import Ranked
from agent.graph.desk import Desk
from agent.graph.state import EvidenceRef, PassageRef, Run, update
from agent.graph.steps import Done
from agent.text.copies import origins
from agent.text.ranking import evidence as pack
from agent.text.surroundings import surrounded
from agent.types import Evidence, Source

CANDIDATES = 200  # passages ranked before packing; several times what any budget holds
LEAST_PER_SOURCE = 3  # passages; with few sources each may fill its share of the budget
_FILLED = 0.9  # of the budget may be filled with what stands around: the count of tokens is an estimate
PASSAGE_TOKENS = 250  # of the usual passage: 1,000 characters


async def retrieve(run: Run, desk: Desk) -> Done:
    pages = run.pages | {p.url: p for p in await desk.parts.pool.read(seconds=0)}  # some came in since
    read = origins({p.source.document_id: p.source for p in pages.values() if p.source})
    texts = [run.run.question, *(a.query.text for a in run.queries.values())]
    ranked = await desk.services.library.find(texts, documents=read, limit=CANDIDATES) if read else []
    budget = desk.services.limits.evidence_tokens
    share = budget // PASSAGE_TOKENS // (len(read) or 1)
    chosen = pack(ranked, read, budget_tokens=budget, per_source=max(LEAST_PER_SOURCE, share))
    read_texts = {e.source.document_id: await desk.services.library.text(e.source.snapshot) for e in chosen}
    chosen = await asyncio.to_thread(surrounded, chosen, read_texts, budget_tokens=int(budget * _FILLED))
    sources = _numbered(chosen, run.sources)
    refs = tuple(
        EvidenceRef(e.source.document_id, tuple(PassageRef(p.id, p.start, p.end) for p in e.passages), e.score)
        for e in chosen
    )
    passages = sum(len(e.passages) for e in chosen)
    shown = tuple(sources[e.source.document_id] for e in chosen)
    desk.say(Ranked, sources=shown, passages=passages)
    return Done(update(evidence=refs, sources=sources, pages=pages), f"{passages} passages of {len(chosen)} sources")


def _numbered(chosen: list[Evidence], known: dict[str, Source]) -> dict[str, Source]:
    """Known sources keep their numbers; new ones follow, best first."""
    numbered = dict(known)
    for piece in chosen:
        if piece.source.document_id not in numbered:
            numbered[piece.source.document_id] = replace(piece.source, number=len(numbered) + 1)
    return numbered
