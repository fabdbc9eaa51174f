"""plan: the reasoner says what to search for; each query is on its way the moment it is complete."""

from __future__ import annotations

from agent.errors import ModelError, ModelRefused, ModelUnreachable
from agent.events import Planned
from agent.graph.state import Asked, Run, update
from agent.graph.step_context import Desk, Heard, listen
from agent.graph.steps import Done
from agent.graph.steps.scout import brief_of
from agent.protocols import Reasoner
from agent.text.tokens import query_key
from agent.types import Query

QUERIES_KEPT = 12  # more than any depth asks for: a model that floods is cut


async def plan(run: Run, desk: Desk) -> Done:
    heard, asked = Heard(), dict(run.queries)
    warnings: dict[str, bool] = {}
    limits = desk.services.limits
    try:
        await _send_off(desk.parts.reasoner if limits.plans else desk.services.fallback(""), run, desk, heard, asked)
    except (ModelRefused, ModelUnreachable):
        raise  # nothing is in yet, and asking again will not help: the user must hear of it
    except ModelError as e:
        warnings = desk.warn(f"No plan from the model ({e}); the question was split by rules instead.")
        await _send_off(desk.services.fallback(""), run, desk, heard, asked)
    found = len(asked) - len(run.queries)
    return Done(
        update(queries=asked, warnings=warnings | heard.warnings),
        f"{found} quer{'ies' if found != 1 else 'y'}",
        "".join(heard.reasoning),
        heard.usage,
    )


async def _send_off(reasoner: Reasoner, run: Run, desk: Desk, heard: Heard, asked: dict[str, Asked]) -> None:
    brief = brief_of(run, desk)
    async for thought in listen(reasoner.plan(brief), desk, heard):
        if isinstance(thought, Query) and len(asked) < min(brief.max_queries, QUERIES_KEPT):
            send(thought, run.round, desk, asked)


def send(query: Query, round: int, desk: Desk, asked: dict[str, Asked], *, local_only: bool = False) -> None:
    """Hand one query to the page pool, once."""
    key = query_key(query.text)
    if key and key not in asked:
        asked[key] = Asked(query, round, local_only)
        desk.parts.pool.want(query, round=round, local_only=local_only)
        desk.say(Planned, query=query)
