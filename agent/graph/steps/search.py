"""search: wait until this round's searches are in, and say how they fared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.graph.state import Run, update
from agent.graph.step_context import StepContext
from agent.graph.steps import StepResult
from agent.graph.steps.scout import want_all
from agent.text.tokens import query_key
from agent.types import Search

FAILURES = ("throttled", "broken")


async def search(run: Run, context: StepContext) -> StepResult:
    want_all(run, context)
    limits = context.services.limits
    found = await context.parts.pool.searched(round=run.round, seconds=context.seconds_left(run, limits.search_seconds))
    warnings = _degraded(found, context)
    kept = {f"{s.round}:{query_key(s.query.text)}": replace(s, hits=(), hit_count=len(s.hits)) for s in found}
    hits = sum(len(s.hits) for s in found)
    return StepResult(update(searches=kept, warnings=warnings), f"{len(found)} searches, {hits} hits")


def _degraded(found: tuple[Search, ...], context: StepContext) -> dict[str, bool]:
    """Throttled is not the same as nothing found, and the reader should know which it was, and who answered instead."""
    failed = [s for s in found if s.outcome in FAILURES]
    elsewhere = [s for s in found if s.outcome == "found" and any(t.outcome in FAILURES for t in s.tried)]
    if not failed and not elsewhere:
        return {}
    share = f"Search degraded ({len(failed) + len(elsewhere)} of {len(found)} queries)"
    whole = "Search failed" if len(failed) == len(found) else share
    instead = ", ".join(dict.fromkeys(s.provider for s in elsewhere))
    told = "; ".join(f"{provider}: {why}" for provider, why in _reasons(failed, elsewhere).items())
    return context.warn(f"{whole}: {told}{f'; {instead} answered instead' if instead else ''}")


def _reasons(failed: Sequence[Search], elsewhere: Sequence[Search]) -> dict[str, str]:
    """Why, by provider: one reason of each, because waits that are counted down read as different ones."""
    reasons: dict[str, str] = {}
    for search in failed:
        reasons.setdefault(search.provider, search.why)
    for tried in (t for search in elsewhere for t in search.tried if t.outcome in FAILURES):
        reasons.setdefault(tried.provider, tried.why)
    return reasons
