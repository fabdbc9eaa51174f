"""R1Reasoner: plans, writes and revises with a reasoning model.

Puts together prompts, calls and readers.  Knows what each of the three asks for and how its reply is told from a
useless one; knows nothing of steps, of the web or of how a model is reached.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import date
from typing import TYPE_CHECKING

from agent.reasoning.calls import RETRIES, Ask, ModelCalls
from agent.reasoning.languages import language_name
from agent.reasoning.models.failures import Endpoint
from agent.reasoning.prompts import load
from agent.services import Journal
from agent.text.frame import neutral, webpages
from agent.text.queries import cut_query, query_key
from agent.text.replies import QueryReader, StanceReader, from_declaration, parse_revisions
from agent.types import Again, Brief, Delta, Evidence, Finding, Query, Stance, Thought

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_MARK = re.compile(r"\[(\d+)\]")  # as the answer shows it; the model knows [citation:N]
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}


class R1Reasoner:
    """Fulfils `services.Reasoner` with any LangChain chat model.  One for a run."""

    def __init__(
        self,
        model: BaseChatModel,
        *,
        endpoint: Endpoint,
        journal: Journal,
        retries: int = RETRIES,
        pause_s: float = 1.0,
    ) -> None:
        """`endpoint` names the model in errors and in the journal; `pause_s`: before the first retry."""
        self._calls = ModelCalls(model, endpoint, journal, retries=retries, pause_s=pause_s)

    async def plan(self, brief: Brief) -> AsyncGenerator[Thought, None]:
        prompt = _filled("plan", brief, max_queries=str(brief.max_queries), asked=_listed(brief.asked))
        ask = Ask("plan", brief, prompt, _nothing_wrong, _plan_in_reasoning)
        plan = _Plan(brief)
        async with aclosing(self._calls.make(ask)) as thoughts:
            async for thought in thoughts:
                match thought:
                    case Delta(text=text) if text:
                        for query in plan.feed(text):
                            yield query
                        continue
                    case Again():
                        plan = _Plan(brief)
                yield thought
        for query in plan.finish():
            yield query

    async def write(self, brief: Brief, evidence: Sequence[Evidence]) -> AsyncGenerator[Thought, None]:
        prompt = _filled(
            "write",
            brief,
            webpages=webpages(evidence) or "-",
            may_search="yes" if brief.may_search else "",
            max_queries=str(brief.max_queries),
            asked=_listed(brief.asked) or "  -",
        )
        ask = Ask("write", brief, prompt, lambda text, cut: _fault_of_writing(text, cut, brief), _answer_in_reasoning)
        writing = _Writing(brief)
        async with aclosing(self._calls.make(ask)) as thoughts:
            async for thought in thoughts:
                match thought:
                    case Delta(text=text) if text:
                        for said in writing.feed(text):
                            yield said
                        continue
                    case Again():
                        writing = _Writing(brief)
                yield thought
        for said in writing.finish():
            yield said

    async def revise(
        self, brief: Brief, findings: Sequence[Finding], evidence: Sequence[Evidence]
    ) -> AsyncGenerator[Thought, None]:
        prompt = _filled("revise", brief, webpages=webpages(evidence) or "-", findings=_numbered(findings))
        ask = Ask("revise", brief, prompt, _fault_of_revisions, _revisions_in_reasoning)
        async with aclosing(self._calls.make(ask)) as thoughts:
            async for thought in thoughts:
                yield thought


def _filled(name: str, brief: Brief, **values: str) -> str:
    """The prompt in the form that DeepSeek's models were trained on: all of it in the one user message."""
    prompt = load(name, brief.language)
    common = {
        "question": brief.question,
        "today": _today(brief),
        "language": language_name(brief.language),
        "earlier": neutral(brief.earlier),
    }
    return prompt.fill({n: v for n, v in (common | values).items() if n in prompt.variables or n in values})


def _today(brief: Brief) -> str:
    days = _DAYS.get(brief.language.casefold().split("-")[0], _DAYS["en"])
    return f"{brief.today} ({days[date.fromisoformat(brief.today).weekday()]})"


def _listed(asked: Sequence[str]) -> str:
    return "\n".join(f"  - {text}" for text in asked)


def _numbered(findings: Sequence[Finding]) -> str:
    """Each finding's sentence under its number, from 1, with what is wrong below it."""
    lines = []
    for number, finding in enumerate(findings, start=1):
        sentence = _MARK.sub(r"[citation:\1]", " ".join(finding.claim.text.split()))
        lines.append(f"{number}: {sentence}\n   ({neutral(' '.join(finding.why.split())) or '?'})")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------- reading


class _Plan:
    """Queries as they become complete: new ones, and no more than are wanted."""

    def __init__(self, brief: Brief, words: int = 24) -> None:
        """`words`: of a query, at most; twice what the prompt asks for, where the model has seen no page."""
        self._words = words
        self._reader = QueryReader()
        self._known = {query_key(text) for text in brief.asked}
        self._left = brief.max_queries

    def feed(self, text: str) -> Iterator[Query]:
        return self._wanted(self._reader.feed(text))

    def finish(self) -> Iterator[Query]:
        return self._wanted(self._reader.finish())

    def _wanted(self, queries: list[Query]) -> Iterator[Query]:
        for query in (cut_query(q, self._words) for q in queries):
            key = query_key(query.text)
            if self._left and key not in self._known:
                self._left -= 1
                self._known.add(key)
                yield query


class _Writing:
    """A stance, and then either the answer or queries.  Searches that are not allowed are no answer."""

    def __init__(self, brief: Brief) -> None:
        self._may_search = brief.may_search
        self._stance = StanceReader()
        self._queries = _Plan(brief, words=12)  # whoever planted something in a page cannot get it out in so few
        self._told = False

    def feed(self, text: str) -> Iterator[Thought]:
        return self._act(self._stance.feed(text))

    def finish(self) -> Iterator[Thought]:
        yield from self._act(self._stance.finish())
        if self._stance.kind == "search more" and self._may_search:
            yield from self._queries.finish()

    def _act(self, passed: str) -> Iterator[Thought]:
        kind = self._stance.kind
        if kind is None:
            return
        refused = kind == "search more" and not self._may_search
        if not self._told:
            self._told = True
            yield Stance("no answer" if refused else kind)
        if kind == "search more":
            yield from [] if refused else self._queries.feed(passed)
        elif passed:
            yield Delta(text=passed)


def _nothing_wrong(_text: str, _cut: bool) -> str:
    """A plan in prose is no fault: its question is searched for as it stands."""
    return ""


def _fault_of_writing(text: str, cut: bool, brief: Brief) -> str:
    stance = StanceReader()
    body = stance.feed(text) + stance.finish()
    if cut and not stance.declared:
        return "was cut off before its answer began"  # an undeclared text may still be its thinking
    if stance.kind == "answer" and not body.strip():
        return "announced an answer and gave none"
    if stance.kind == "search more" and brief.may_search and not _queries(body):
        return "asked to search and did not say for what"
    return ""


def _fault_of_revisions(text: str, _cut: bool) -> str:
    return "" if parse_revisions(text) else "gave no numbered sentence"


# ------------------------------------------------------------------------------------------------- salvaging


def _plan_in_reasoning(reasoning: str) -> str:
    """The last object with queries."""
    tail = reasoning[max(0, reasoning.rfind("{", 0, max(0, reasoning.rfind('"queries"')))) :]
    return tail if '"queries"' in tail and _queries(tail) else ""


def _answer_in_reasoning(reasoning: str) -> str:
    """From its last declaration on, where what follows has the form of what is declared."""
    tail = from_declaration(reasoning)
    stance = StanceReader()
    body = stance.feed(tail) + stance.finish()
    has_form = {"answer": "[citation:" in body, "search more": bool(_queries(body)), "no answer": True}
    return tail if tail and has_form[stance.kind or "answer"] else ""


def _revisions_in_reasoning(reasoning: str) -> str:
    """The last paragraph, where it is made of revisions only."""
    last = re.split(r"\n\s*\n", reasoning.strip())[-1]
    lines = [line for line in last.splitlines() if line.strip()]
    return last if lines and all(parse_revisions(line) for line in lines) else ""


def _queries(text: str) -> list[Query]:
    reader = QueryReader()
    return [*reader.feed(text), *reader.finish()]
