"""retrieve: choose the passages that the writer is shown, and give their sources numbers that never change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from agent.events import Ranked
from agent.graph.state import EvidenceRef, PassageRef, Run, update
from agent.graph.step_context import StepContext
from agent.graph.steps import StepResult
from agent.protocols import Reranker
from agent.text.chunking import passage_id, slices
from agent.text.ranking import estimate_tokens, near_the_best, newest_up, origins, reranked
from agent.text.ranking import evidence as pack
from agent.text.source_filters import asks_about_now
from agent.types import Evidence, Passage, RankedPassage, Source

CANDIDATES = 200  # passages ranked before packing; several times what any budget holds
RERANKED = 50  # of them go to a reranker: a cross-encoder reads as many in seconds on a processor
RERANK_SECONDS = 30.0
LEAST_PER_ORIGIN = 6  # passages of one site's pages
LEAST_PER_SOURCE = 3  # passages; with few sources each may fill its share of the budget
_FILLED = 0.9  # of the budget may be filled with what stands around: the count of tokens is an estimate
PASSAGE_TOKENS = 250  # of the usual passage: 1,000 characters


async def retrieve(run: Run, context: StepContext) -> StepResult:
    pages = run.pages | {p.url: p for p in await context.parts.pool.read(seconds=0)}  # some came in since
    read = origins({p.source.document_id: p.source for p in pages.values() if p.source})
    ranked, warnings = await _ranked(run, context, read) if read else ([], {})
    budget = context.services.limits.evidence_tokens
    room = budget // PASSAGE_TOKENS
    chosen = pack(
        ranked,
        read,
        budget_tokens=budget,
        per_source=max(LEAST_PER_SOURCE, room // (len(read) or 1)),
        per_origin=max(LEAST_PER_ORIGIN, room // (len({s.site for s in read.values()}) or 1)),
    )
    read_texts = {e.source.document_id: await context.services.library.text(e.source.snapshot) for e in chosen}
    chosen = await asyncio.to_thread(surrounded, chosen, read_texts, budget_tokens=int(budget * _FILLED))
    sources = _numbered(chosen, run.sources)
    refs = tuple(
        EvidenceRef(e.source.document_id, tuple(PassageRef(p.id, p.start, p.end) for p in e.passages), e.score)
        for e in chosen
    )
    passages = sum(len(e.passages) for e in chosen)
    shown = tuple(sources[e.source.document_id] for e in chosen)
    context.say(Ranked, sources=shown, passages=passages)
    told = f"{passages} passages of {len(chosen)} sources"
    return StepResult(update(evidence=refs, sources=sources, pages=pages, warnings=warnings), told)


async def _ranked(
    run: Run, context: StepContext, read: Mapping[str, Source]
) -> tuple[Sequence[RankedPassage], Mapping[str, bool]]:
    """The pages' passages, best first, and what a reader should be warned of.

    By words and meaning, then by the reranker where there is one, and by age where the question is about now.
    """
    texts = [run.run.question, *(a.query.text for a in run.queries.values())]
    found = await context.services.library.find(texts, documents=read, limit=CANDIDATES)
    ranked: Sequence[RankedPassage] = near_the_best(found, _named(run.run.question, read))
    warnings: Mapping[str, bool] = {}
    if context.services.reranker and ranked:
        ranked, warnings = await _reranked(ranked, run.run.question, context, context.services.reranker)
    today = date.fromisoformat(run.run.today)
    return newest_up(ranked, read, today) if asks_about_now(run.run.question, today) else ranked, warnings


def _named(question: str, read: Mapping[str, Source]) -> set[str]:
    """The documents whose address the question gives: they are asked for, whatever they say."""
    bare = {document: source.url.partition("://")[2].rstrip("/") for document, source in read.items()}
    return {document for document, url in bare.items() if url and url in question}


async def _reranked(
    ranked: Sequence[RankedPassage], question: str, context: StepContext, reranker: Reranker
) -> tuple[Sequence[RankedPassage], Mapping[str, bool]]:
    texts = [one.passage.text for one in ranked[:RERANKED]]
    try:
        async with asyncio.timeout(RERANK_SECONDS):
            scores = [float(score) for score in await reranker.rerank(question, texts)]
        first = reranked(ranked[:RERANKED], scores)
        return [*first, *(replace(one, score=0.0) for one in ranked[RERANKED:])], {}
    except TimeoutError:
        why = f"it took longer than {RERANK_SECONDS:.0f} s"
    except Exception as e:  # noqa: BLE001 - the reranker is the host's own; its fault costs an order, not the run
        why = f"{type(e).__name__}: {e}"
    return ranked, context.warn(f"The reranker failed ({why}); passages stand as words and meaning rank them.")


def _numbered(chosen: list[Evidence], known: dict[str, Source]) -> dict[str, Source]:
    """Known sources keep their numbers; new ones follow, best first."""
    numbered = dict(known)
    for piece in chosen:
        if piece.source.document_id not in numbered:
            numbered[piece.source.document_id] = replace(piece.source, number=len(numbered) + 1)
    return numbered


# ------------------------------------------------------------------------------------------ surroundings

# What stands around the passages that were chosen, as far as a budget of tokens has room.
#
# A table of what fits where may be the passage before the one that matched, and what a colon announces the one after
# it. Knows texts and how they are cut into passages; does not rank.


def surrounded(chosen: Sequence[Evidence], texts: Mapping[str, str], *, budget_tokens: int) -> list[Evidence]:
    """The evidence with the passage after each one, and then the one before, best source first.

    `texts`: by document.  `budget_tokens`: for everything together; what is chosen already is never left out.  A source
    that hides its text gets no more of it shown.
    """
    left = budget_tokens - sum(estimate_tokens(p.text) for one in chosen for p in one.passages)
    grown = list(chosen)
    for side in (1, -1):
        for at, one in enumerate(grown):
            if one.source.suspect or one.source.document_id not in texts:
                continue
            more = _beside(one, texts[one.source.document_id], side)
            added = []
            for passage in more:
                if (cost := estimate_tokens(passage.text)) <= left:
                    left -= cost
                    added.append(passage)
            passages = sorted((*one.passages, *added), key=lambda p: p.start)
            grown[at] = replace(one, passages=tuple(passages))
    return grown


def _beside(one: Evidence, text: str, side: int) -> list[Passage]:
    """The neighbours on that side (1: after, -1: before) of the source's passages that are not among them."""
    places = [(piece.start, piece.end) for piece in slices(text)]
    had = {(p.start, p.end) for p in one.passages}
    wanted = [places[at + side] for at, place in enumerate(places) if place in had and 0 <= at + side < len(places)]
    document = one.source.document_id
    return [Passage(passage_id(document, a, z), document, a, z, text[a:z]) for a, z in wanted if (a, z) not in had]
