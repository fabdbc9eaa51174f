"""How an answer comes to be written: by the reasoner, or by a writer from the reasoner's notes.

With a writer it takes two calls: the reasoner takes notes with source numbers, or asks for more; the writer turns the
notes and the passages that they cite into prose.  It pays where a reasoner invents: of R1's own summaries 14.3 % held
something that was not in the text, of V3's 3.9 %, of V3's from R1's thinking 3.3 % (Vectara's leaderboard, 2025).
An answer that drifted into another language is brought back, once.  Knows calls and prompts; nothing of steps.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from agent.errors import BudgetSpent, ModelError
from agent.reasoning import asking
from agent.reasoning.calls import ModelCalls
from agent.reasoning.languages import language_name
from agent.reasoning.reading import (
    Writing,
    answer_in_reasoning,
    cut_in_the_middle,
    fault_of_notes,
    fault_of_writing,
    nothing_in_reasoning,
    nothing_wrong,
)
from agent.reasoning.tries import Ask, shortenable
from agent.text.drift import drifted
from agent.types import Again, Brief, Caution, Delta, Evidence, Spending, Stance, Thought

Thoughts = AsyncGenerator[Thought, None]


class Author:
    """`writer`: None where the reasoner writes itself.  `mender`: who brings back an answer that drifted."""

    def __init__(
        self, reasoner: ModelCalls, writer: ModelCalls | None, mender: ModelCalls, *, pass_thinking: bool
    ) -> None:
        self._reasoner = reasoner
        self._writer = writer
        self._mender = mender
        self._pass_thinking = pass_thinking

    async def write(self, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        draft, stance = "", ""
        async with aclosing(self._written(brief, evidence)) as thoughts:
            async for thought in thoughts:
                match thought:
                    case Stance(kind):
                        stance = kind
                    case Delta(text=text):
                        draft += text
                    case Again():
                        draft = ""
                yield thought
        if stance == "answer" and (found := drifted(draft, brief.language)):
            async with aclosing(self._brought_back(brief, draft, found)) as thoughts:
                async for thought in thoughts:
                    yield thought

    async def _written(self, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        """Where the writer fails, the reasoner writes itself."""
        if self._writer:
            try:
                async with aclosing(self._in_two(self._writer, brief, evidence)) as thoughts:
                    async for thought in thoughts:
                        yield thought
            except _WriterFailed as e:
                yield Again(str(e))
                yield Caution(f"The writer failed ({e}); the reasoner wrote the answer itself.")
            else:
                return
        prompt = partial(asking.for_writing, brief)
        fault = partial(fault_of_writing, brief=brief)
        ask = shortenable(Ask("write", brief, prompt(evidence), fault, answer_in_reasoning), prompt, evidence)
        async with aclosing(_declared(self._reasoner, ask)) as thoughts:
            async for thought in thoughts:
                yield thought

    async def _in_two(self, writer: ModelCalls, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        """Raises `_WriterFailed`, and what the reasoner's call raises."""
        notes = _Notes()
        async with aclosing(self._noted(brief, evidence)) as thoughts:
            async for thought in thoughts:
                if shown := notes.take(thought):
                    yield shown
        if notes.stance != "answer":
            return
        ask = self._prose(brief, evidence, notes)
        try:
            async with aclosing(
                _declared(writer, ask)
            ) as thoughts:  # it was not asked to declare; some do all the same
                async for thought in thoughts:
                    yield thought
        except BudgetSpent:
            raise
        except ModelError as e:
            raise _WriterFailed(str(e)) from e

    def _prose(self, brief: Brief, evidence: Sequence[Evidence], notes: _Notes) -> Ask:
        cited = asking.cited_in(notes.text, evidence)
        thinking = notes.thinking if self._pass_thinking else ""
        prompt = partial(asking.for_prose, brief, notes=notes.text, thinking=thinking)
        last = replace(brief, may_search=False)
        return shortenable(Ask("write", last, prompt(cited), nothing_wrong, nothing_in_reasoning), prompt, cited)

    def _noted(self, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        prompt = partial(asking.for_writing, brief, notes_only=True)
        fault = partial(fault_of_notes, brief=brief)
        ask = Ask("notes", brief, prompt(evidence), fault, answer_in_reasoning)
        return _declared(self._reasoner, shortenable(ask, prompt, evidence))

    async def _brought_back(self, brief: Brief, draft: str, found: str) -> Thoughts:
        """An answer that drifted, once more in the language asked for; shown only if it keeps its citations."""
        wanted = language_name(brief.language)
        anew = ""
        ask = Ask("rewrite", brief, asking.for_rewriting(brief, draft), cut_in_the_middle, nothing_in_reasoning)
        try:
            async with aclosing(self._mender.make(ask)) as thoughts:
                async for thought in thoughts:
                    match thought:
                        case Delta(text=text):
                            anew += text
                        case Again():
                            anew = ""
                        case Spending():
                            yield thought
        except ModelError as e:
            yield Caution(f"The answer is not wholly in {wanted}, and could not be rewritten ({e}).")
            return
        if sorted(asking.citations(anew)) == sorted(asking.citations(draft)):
            yield Again(f"the answer had drifted into {language_name(found)}")
            yield Stance("answer")
            yield Delta(text=anew)
            draft = anew
        if drifted(draft, brief.language):
            yield Caution(f"The answer is not wholly in {wanted}: the model mixes languages.")


class _Notes:
    """What the reasoner's call amounts to where a writer follows."""

    def __init__(self) -> None:
        self.text = self.thinking = self.stance = ""

    def take(self, thought: Thought) -> Thought | None:
        """What is shown of it: the answer is still to come, so notes are thoughts, and the stance is the writer's."""
        match thought:
            case Stance(kind):
                self.stance = kind
                return None if kind == "answer" else thought
            case Delta(text=text) if text and self.stance == "answer":
                self.text += text
                return Delta(reasoning=text)
            case Delta(reasoning=reasoning):
                self.thinking += reasoning
            case Again():
                self.text = self.thinking = ""
        return thought


class _WriterFailed(Exception):
    """What the writer's call raised, in words."""


async def _declared(calls: ModelCalls, ask: Ask) -> Thoughts:
    """A reply that begins with its stance."""
    writing = Writing(ask.brief)
    async with aclosing(calls.make(ask)) as thoughts:
        async for thought in thoughts:
            match thought:
                case Delta(text=text) if text:
                    for said in writing.feed(text):
                        yield said
                    continue
                case Again():
                    writing = Writing(ask.brief)
            yield thought
    for said in writing.finish():
        yield said
