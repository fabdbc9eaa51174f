"""scout: begin a run.  Reads the question out of what came in, and sends it off to the web before anybody thinks."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from agent.errors import QuestionError
from agent.graph.state import Run, RunInfo, State, begin
from agent.graph.step_context import StepContext, spent_usd
from agent.graph.steps import StepResult
from agent.protocols import Services
from agent.text.language import detect
from agent.text.ranking import estimate_tokens
from agent.text.urls import find_urls
from agent.types import Brief, Query

MAX_QUESTION = 20_000  # characters; about 5,000 tokens, a third of what a small local model takes in all
MAX_EARLIER_TOKENS = 2_000
MAX_QUERY = 200  # characters; DuckDuckGo refuses 500, Brave 400
RUN_ID = "research_run_id"  # `configurable` key under which our own doors name the run


def facts(state: State, config: RunnableConfig, services: Services) -> RunInfo:
    """What this run is about.  Raises `QuestionError`."""
    messages = state.get("messages") or []
    question = clean(state.get("question") or _last_human(messages))
    if not question:
        raise QuestionError("the question is empty: give it as the argument, or on stdin with -")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(question):,} characters, more than {MAX_QUESTION:,}: "
            "shorten it, or put long material into a file and use --folder"
        )
    now = services.clock.now().astimezone(UTC)
    return RunInfo(
        id=config.get("configurable", {}).get(RUN_ID) or new_run_id(now),
        question=question,
        earlier=_earlier(messages) if not state.get("question") else "",
        started_at=now.isoformat(timespec="seconds"),
        today=now.date().isoformat(),
        language=services.language or detect(question),
        urls=tuple(find_urls(question)),
        asked_as="question" if state.get("question") else "messages",
    )


async def scout(run: RunInfo, context: StepContext) -> StepResult:
    for caution in context.services.cautions:
        context.warn(caution)
    for url in run.urls:
        context.parts.pool.want(url, round=1)
    query = the_question_as_query(run)
    if query.text:
        context.parts.pool.want(query, round=1)
    told = (
        f"{len(run.urls)} address{'es' * (len(run.urls) != 1)} from the question" if run.urls else "question sent off"
    )
    return StepResult(begin(run), told)


def new_run_id(now: datetime) -> str:
    """Sorts by time; the tail keeps two runs of the same second apart."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def the_question_as_query(run: RunInfo) -> Query:
    """The question as a search engine takes it: without its addresses, on one line, cut at a word."""
    text = run.question
    for url in run.urls:
        text = text.replace(url, " ")
    text = " ".join(text.split())
    if len(text) > MAX_QUERY:
        text = text[:MAX_QUERY].rsplit(" ", 1)[0]
    return Query(text, "the question itself")


def clean(text: str) -> str:
    """Without control, private and unassigned characters; line breaks and tabs stay."""
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Co", "Cs", "Cn"})
    return "".join(kept).strip()


def _last_human(messages: Sequence[AnyMessage]) -> str:
    return next((_text(m) for m in reversed(messages) if isinstance(m, HumanMessage)), "")


def _earlier(messages: Sequence[AnyMessage]) -> str:
    """The turns before the question, newest kept, oldest first."""
    last = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=0)
    kept: list[str] = []
    room = MAX_EARLIER_TOKENS
    for message in reversed(messages[:last]):
        if message.type not in ("human", "ai") or not _text(message):
            continue
        turn = f"{'User' if isinstance(message, HumanMessage) else 'Assistant'}: {clean(_text(message))}"
        room -= estimate_tokens(turn)
        if room < 0:
            break
        kept.append(turn)
    return "\n".join(reversed(kept))


def _text(message: AnyMessage) -> str:
    return str(message.text)


# ------------------------------------------------------------------------------------------ brief

# What steps share: the brief for a reasoner, and what a round wants of the web.


def brief_of(run: Run, context: StepContext, *, may_search: bool = False) -> Brief:
    return Brief(
        run_id=run.run.id,
        question=run.run.question,
        today=run.run.today,
        language=run.run.language,
        round=run.round,
        may_search=may_search,
        max_queries=context.services.limits.queries,
        asked=tuple(a.query.text for a in run.queries.values()),
        spent_usd=spent_usd(run),
        earlier=run.run.earlier,
    )


def want_all(run: Run, context: StepContext) -> None:
    """The pool of a run that was resumed is empty; for any other this asks for what is already under way."""
    pool = context.parts.pool
    if run.round == 1:
        for url in run.run.urls:
            pool.want(url, round=1)
        if (question := the_question_as_query(run.run)).text:
            pool.want(question, round=1)
    for asked in run.queries.values():
        if asked.round == run.round:
            pool.want(asked.query, round=asked.round, local_only=asked.local_only)
