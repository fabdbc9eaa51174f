"""What steps share: the brief for a reasoner, and what a round wants of the web."""

from __future__ import annotations

from agent.graph.desk import Desk, spent_usd
from agent.graph.state import Run
from agent.graph.steps.scout import the_question_as_query
from agent.types import Brief


def brief_of(run: Run, desk: Desk, *, may_search: bool = False) -> Brief:
    return Brief(
        run_id=run.run.id,
        question=run.run.question,
        today=run.run.today,
        language=run.run.language,
        round=run.round,
        may_search=may_search,
        max_queries=desk.services.limits.queries,
        asked=tuple(a.query.text for a in run.queries.values()),
        spent_usd=spent_usd(run),
        earlier=run.run.earlier,
    )


def want_all(run: Run, desk: Desk) -> None:
    """The pool of a run that was resumed is empty; for any other this asks for what is already under way."""
    pool = desk.parts.pool
    if run.round == 1:
        for url in run.run.urls:
            pool.want(url, round=1)
        if (question := the_question_as_query(run.run)).text:
            pool.want(question, round=1)
    for asked in run.queries.values():
        if asked.round == run.round:
            pool.want(asked.query, round=asked.round, local_only=asked.local_only)
