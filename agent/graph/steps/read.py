"""read: wait until enough pages are in, the best among them, not until all are; and with none in hand to the end."""

from __future__ import annotations

from agent.graph.state import Run, update
from agent.graph.step_context import StepContext
from agent.graph.steps import StepResult
from agent.graph.steps.scout import want_all

_FIRST = 3  # times what one page may take, where no page is in hand: some wait for their turn


async def read(run: Run, context: StepContext) -> StepResult:
    want_all(run, context)  # and wait for the searches: at once in, unless the run was interrupted before this step
    await context.parts.pool.searched(
        round=run.round, seconds=context.seconds_left(run, context.services.limits.search_seconds)
    )
    limits = context.services.limits
    records = await context.parts.pool.read(
        seconds=context.seconds_left(run, limits.read_seconds),
        first=context.seconds_left(run, _FIRST * limits.page_seconds),
    )
    good = sum(r.status != "skipped" for r in records)
    return StepResult(update(pages={r.url: r for r in records}), f"{good} pages read, {len(records) - good} skipped")
