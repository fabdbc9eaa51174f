"""plan: the reasoner says what to search for; each query is on its way the moment it is complete."""

from __future__ import annotations

from agent.errors import ModelError, ModelRefused, ModelUnreachable
from agent.events import Planned
from agent.graph.state import QueryState, Run, update
from agent.graph.step_context import ModelOutput, StepContext, record_output
from agent.graph.steps import StepResult
from agent.graph.steps.scout import brief_of
from agent.protocols import Reasoner
from agent.text.tokens import query_key
from agent.types import Query

QUERIES_KEPT = 12  # more than any depth asks for: a model that floods is cut


async def plan(run: Run, context: StepContext) -> StepResult:
    heard, asked = ModelOutput(), dict(run.queries)
    warnings: dict[str, bool] = {}
    limits = context.services.limits
    try:
        await _send_off(
            context.parts.reasoner if limits.plans else context.services.fallback(""), run, context, heard, asked
        )
    except (ModelRefused, ModelUnreachable):
        raise  # nothing is in yet, and asking again will not help: the user must hear of it
    except ModelError as e:
        warnings = context.warn(f"No plan from the model ({e}); the question was split by rules instead.")
        await _send_off(context.services.fallback(""), run, context, heard, asked)
    found = len(asked) - len(run.queries)
    return StepResult(
        update(queries=asked, warnings=warnings | heard.warnings),
        f"{found} quer{'ies' if found != 1 else 'y'}",
        "".join(heard.reasoning),
        heard.usage,
    )


async def _send_off(
    reasoner: Reasoner, run: Run, context: StepContext, heard: ModelOutput, asked: dict[str, QueryState]
) -> None:
    brief = brief_of(run, context)
    async for thought in record_output(reasoner.plan(brief), context, heard):
        if isinstance(thought, Query) and len(asked) < min(brief.max_queries, QUERIES_KEPT):
            send(thought, run.round, context, asked)


def send(
    query: Query, round: int, context: StepContext, asked: dict[str, QueryState], *, local_only: bool = False
) -> None:
    """Hand one query to the page pool, once."""
    key = query_key(query.text)
    if key and key not in asked:
        asked[key] = QueryState(query, round, local_only)
        context.parts.pool.want(query, round=round, local_only=local_only)
        context.say(Planned, query=query)
