"""search: wait until this round's searches are in, and say how they fared."""

from __future__ import annotations

from dataclasses import replace

from agent.graph.desk import Desk
from agent.graph.state import Run, update
from agent.graph.steps import Done
from agent.graph.steps.brief import want_all
from agent.text.queries import query_key
from agent.types import Search


async def search(run: Run, desk: Desk) -> Done:
    want_all(run, desk)
    limits = desk.services.limits
    found = await desk.parts.pool.searched(round=run.round, seconds=desk.seconds_left(run, limits.search_seconds))
    warnings = _degraded(found, desk)
    kept = {f"{s.round}:{query_key(s.query.text)}": replace(s, hits=()) for s in found}
    hits = sum(len(s.hits) for s in found)
    return Done(update(searches=kept, warnings=warnings), f"{len(found)} searches, {hits} hits")


def _degraded(found: tuple[Search, ...], desk: Desk) -> dict[str, bool]:
    """Throttled is not the same as nothing found, and the reader should know which it was."""
    failed = [s for s in found if s.outcome in ("throttled", "broken")]
    if not failed:
        return {}
    whole = "Search failed" if len(failed) == len(found) else f"Search degraded ({len(failed)} of {len(found)} queries)"
    reasons = "; ".join(dict.fromkeys(f"{s.provider}: {s.why}" for s in failed))
    return desk.warn(f"{whole}: {reasons}")
