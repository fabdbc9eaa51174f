"""Judging: cases put before a model in one batch, and its judgement on each.  A batch asked for again is journalled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from agent.reasoning.asking import for_judging
from agent.reasoning.calls import ModelCalls
from agent.reasoning.models.profiles import Profile
from agent.reasoning.tries import Ask
from agent.text.frame import with_shorter_exhibits
from agent.text.verdicts import parse_judgements
from agent.types import Again, Brief, Case, Delta, Spending, Thought

_ROOM = 24_000  # tokens: more at once, and a model reads its middle worse
_LEAST_ROOM = 500
_FRAME = 1_800  # tokens of the prompt itself, by the longer language
NO_THINKING = "none"  # the effort that turns thinking off, where an endpoint can


class Bench:
    """The judge of one run."""

    def __init__(self, calls: ModelCalls, *, beside: bool, profile: Profile | None = None) -> None:
        """`beside`: does a call cost one that is under way nothing?  `profile`: of the model, where it is known."""
        self._calls = calls
        self.beside = beside
        self.room = room_for_cases(profile)

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


def room_for_cases(profile: Profile | None) -> int:
    """Tokens that a model's window leaves for sources and claims, besides the prompt's own words and the reply."""
    if profile is None or profile.context_tokens is None:
        return _ROOM
    reply = min(profile.max_tokens or profile.context_tokens // 2, profile.context_tokens // 2)
    return max(_LEAST_ROOM, min(_ROOM, profile.context_tokens - reply - _FRAME))


def ask_of(brief: Brief, cases: Sequence[Case]) -> Ask:
    def fault(text: str, _cut: bool) -> str:
        return "" if parse_judgements(text, len(cases)) else "gave no verdict"

    def salvage(reasoning: str) -> str:
        """Its last paragraph, where that decides every case."""
        last = reasoning.strip().rpartition("\n\n")[2]
        return last if len(parse_judgements(last, len(cases))) == len(cases) else ""

    def shorter() -> str:
        return for_judging(brief, [with_shorter_exhibits(case) for case in cases])

    return Ask("judge", brief, for_judging(brief, cases), fault, salvage, shorter, effort=NO_THINKING)
