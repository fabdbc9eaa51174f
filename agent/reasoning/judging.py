"""Judging: cases put before a model in one batch, and what it says of each.

Knows the prompt, the reply's form and the calls.  Does not know what becomes of a verdict, nor whether the words that
it names stand in the passages.  A batch is asked once: whoever asks for it again gets the same call's outcome.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from agent.reasoning.asking import for_judging
from agent.reasoning.calls import ModelCalls
from agent.reasoning.tries import Ask
from agent.text.verdicts import parse_judgements
from agent.types import Again, Brief, Case, Delta, Spending, Thought

NO_THINKING = "none"  # the effort that turns thinking off, where an endpoint can


class Bench:
    """The judge of one run."""

    def __init__(self, calls: ModelCalls, *, beside: bool) -> None:
        """`beside`: does a call cost one that is under way nothing?"""
        self._calls = calls
        self.beside = beside

    async def judge(self, brief: Brief, cases: Sequence[Case]) -> AsyncIterator[Thought]:
        """Its `Judgement`s, those that the reply has, after what the call cost.  Raises `ModelError`."""
        said = ""
        async with aclosing(self._calls.make(ask_of(brief, cases))) as made:
            async for thought in made:
                match thought:
                    case Delta(text=text):
                        said += text
                    case Again():
                        said = ""
                    case Spending():
                        yield thought
        for judgement in parse_judgements(said, len(cases)):
            yield judgement


def ask_of(brief: Brief, cases: Sequence[Case]) -> Ask:
    def fault(text: str, _cut: bool) -> str:
        return "" if parse_judgements(text, len(cases)) else "gave no verdict"

    def salvage(reasoning: str) -> str:
        """Its last paragraph, where that decides every case."""
        last = reasoning.strip().rpartition("\n\n")[2]
        return last if len(parse_judgements(last, len(cases))) == len(cases) else ""

    return Ask("judge", brief, for_judging(brief, cases), fault, salvage, effort=NO_THINKING)
