"""What is read out of a reply to each prompt, what makes a reply useless, and where a misfiled one is found.

Pure: knows the forms that the prompts ask for, and nothing of prompts or calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.text.reply_parsers import QueryReader, StanceReader, from_declaration, is_revision
from agent.text.tokens import cut_query, query_key
from agent.types import Brief, Delta, Query, ReasonerEvent, WriteDecision

_CITED = re.compile(r"\[citation:\s*\d")


class PlanParser:
    """Queries as they become complete: new ones, and no more than are wanted."""

    def __init__(self, brief: Brief, words: int = 24) -> None:
        """`words`: of a query, at most; twice what the prompt asks for, where the model has seen no page."""
        self._words = words
        self._reader = QueryReader()
        self._known = {query_key(text) for text in brief.asked}
        self._left = brief.max_queries
        self.readable = False  # was there any query, if only one that is known?

    def feed(self, text: str) -> Iterator[Query]:
        return self._wanted(self._reader.feed(text))

    def finish(self) -> Iterator[Query]:
        return self._wanted(self._reader.finish())

    def _wanted(self, queries: list[Query]) -> Iterator[Query]:
        self.readable = self.readable or bool(queries)
        for query in (cut_query(q, self._words) for q in queries):
            key = query_key(query.text)
            if self._left and key not in self._known:
                self._left -= 1
                self._known.add(key)
                yield query


class DraftParser:
    """A stance, and then either the answer or queries.  Searches that are not allowed are no answer."""

    def __init__(self, brief: Brief) -> None:
        self._may_search = brief.may_search
        self._stance = StanceReader()
        self._queries = PlanParser(brief, words=12)  # whoever planted something in a page cannot get it out in so few
        self._told = False

    def feed(self, text: str) -> Iterator[ReasonerEvent]:
        return self._act(self._stance.feed(text))

    def finish(self) -> Iterator[ReasonerEvent]:
        yield from self._act(self._stance.finish())
        if self._stance.kind == "search more" and self._may_search:
            yield from self._queries.finish()

    def _act(self, passed: str) -> Iterator[ReasonerEvent]:
        kind = self._stance.kind
        if kind is None:
            return
        refused = kind == "search more" and not self._may_search
        if not self._told:
            self._told = True
            yield WriteDecision("no answer" if refused else kind)
        if kind == "search more":
            yield from [] if refused else self._queries.feed(passed)
        elif passed:
            yield Delta(text=passed)


def nothing_wrong(_text: str, _cut: bool) -> str:
    """A plan in prose is no fault: its question is searched for as it stands."""
    return ""


def fault_of_writing(text: str, cut: bool, brief: Brief) -> str:
    stance = StanceReader()
    body = stance.feed(text) + stance.finish()
    if cut and not stance.declared:
        return "was cut off before its answer began"  # an undeclared text may still be its thinking
    if stance.kind == "answer" and not body.strip():
        return "announced an answer and gave none"
    if stance.kind == "search more" and brief.may_search and not _queries(body):
        return "asked to search and did not say for what"
    return ""


def fault_of_notes(text: str, cut: bool, brief: Brief) -> str:
    """Notes are for a writer who sees the pages that they cite."""
    if why := fault_of_writing(text, cut, brief):
        return why
    stance = StanceReader()
    body = stance.feed(text) + stance.finish()
    return "" if stance.kind != "answer" or _CITED.search(body) else "took notes without saying where from"


def fault_of_revisions(text: str, cut: bool) -> str:
    return cut_in_the_middle(text, cut) or ("" if is_revision(text) else "gave no numbered sentence")


def cut_in_the_middle(_text: str, cut: bool) -> str:
    """What takes the place of a text that is there already is whole, or it is of no use."""
    return "was cut off in the middle of its reply" if cut else ""


def nothing_in_reasoning(_reasoning: str) -> str:
    """Prose without a form of its own cannot be told from thoughts."""
    return ""


def plan_in_reasoning(reasoning: str) -> str:
    """The last object with queries."""
    tail = reasoning[max(0, reasoning.rfind("{", 0, max(0, reasoning.rfind('"queries"')))) :]
    return tail if '"queries"' in tail and _queries(tail) else ""


def answer_in_reasoning(reasoning: str) -> str:
    """From its last declaration on, where what follows has the form of what is declared."""
    tail = from_declaration(reasoning)
    stance = StanceReader()
    body = stance.feed(tail) + stance.finish()
    has_form = {"answer": "[citation:" in body, "search more": bool(_queries(body)), "no answer": True}
    return tail if tail and has_form[stance.kind or "answer"] else ""


def revisions_in_reasoning(reasoning: str) -> str:
    """The last paragraph, where it is made of revisions only."""
    last = re.split(r"\n\s*\n", reasoning.strip())[-1]
    lines = [line for line in last.splitlines() if line.strip()]
    return last if lines and all(is_revision(line) for line in lines) else ""


def _queries(text: str) -> list[Query]:
    reader = QueryReader()
    return [*reader.feed(text), *reader.finish()]
