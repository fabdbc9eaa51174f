"""The reasoner with a model: plans, writes in one or two passes, revises and judges."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from agent.errors import BudgetSpent, ModelError
from agent.protocols import Journal
from agent.reasoning import prompt_builder
from agent.reasoning.call_stream import Role, Roles, takes_two
from agent.reasoning.draft_parser import (
    DraftParser,
    PlanParser,
    answer_in_reasoning,
    cut_in_the_middle,
    fault_of_notes,
    fault_of_revisions,
    fault_of_writing,
    nothing_in_reasoning,
    nothing_wrong,
    plan_in_reasoning,
    revisions_in_reasoning,
)
from agent.reasoning.model_calls import ModelCalls, ModelRequest, RunBudget, with_shorter_prompt
from agent.reasoning.models.model_profiles import Profile
from agent.reasoning.prompt_builder import for_judging
from agent.text.language import drifted, language_name
from agent.text.reply_parsers import parse_judgements
from agent.text.source_blocks import with_shorter_exhibits
from agent.types import (
    Brief,
    CallCost,
    Delta,
    Evidence,
    FailedClaim,
    JudgeCase,
    Notice,
    ReasonerEvent,
    Restart,
    WriteDecision,
)

# ------------------------------------------------------------------------------------------ r1

# R1Reasoner: plans, writes and revises with a reasoning model, and with a writer and a fast one where there are any.
#
# Fulfils `services.Reasoner` with any LangChain chat models.  Knows which role does what; nothing of steps, of the
# web or of how a model is reached.


class R1Reasoner:
    """One for a run: its calls share one budget of retries and money.  `judge` checks what was written."""

    def __init__(self, roles: Roles, journal: Journal, budget: RunBudget | None = None) -> None:
        shared = budget or RunBudget()

        def calls(role: Role | None) -> ModelCalls | None:
            return ModelCalls(role, journal, shared) if role else None

        self._reasoner = ModelCalls(roles.reasoner, journal, shared)
        writer, fast = calls(roles.writer), calls(roles.fast)
        self._mender = fast or self._reasoner
        self._scribe = writer or self._reasoner
        judging = roles.fast or roles.reasoner
        concurrent = bool(fast) or takes_two(roles.reasoner)
        self.judge = ModelJudge(fast or self._reasoner, beside=concurrent, profile=judging.profile)
        self._author = Author(self._reasoner, writer, fast or self._scribe, pass_thinking=roles.pass_thinking)

    async def plan(self, brief: Brief) -> Thoughts:
        plan, said = PlanParser(brief), ""
        ask = ModelRequest("plan", brief, prompt_builder.for_plan(brief), nothing_wrong, plan_in_reasoning)
        async with aclosing(self._reasoner.make(ask)) as made:
            async for thought in made:
                match thought:
                    case Delta(text=text) if text:
                        said += text
                        for query in plan.feed(text):
                            yield query
                        continue
                    case Restart():
                        plan, said = PlanParser(brief), ""
                yield thought
        for query in plan.finish():
            yield query
        if not plan.readable:
            async with aclosing(self._plan_mended(brief, said)) as mended:
                async for told in mended:
                    yield told

    async def _plan_mended(self, brief: Brief, said: str) -> Thoughts:
        """One call that puts a plan in prose into JSON; after that the question itself is all there is to ask."""
        plan = PlanParser(brief)
        ask = ModelRequest("repair", brief, prompt_builder.for_repair(brief, said), nothing_wrong, plan_in_reasoning)
        try:
            async with aclosing(self._mender.make(ask)) as thoughts:
                async for thought in thoughts:
                    if isinstance(thought, Delta) and thought.text:
                        for query in plan.feed(thought.text):
                            yield query
                    else:
                        yield thought
        except ModelError as e:
            yield Restart(f"the plan could not be put into JSON: {e}")
            return
        for query in plan.finish():
            yield query

    def write(self, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        return self._author.write(brief, evidence)

    async def revise(self, brief: Brief, findings: Sequence[FailedClaim], evidence: Sequence[Evidence]) -> Thoughts:
        prompt = partial(prompt_builder.for_revision, brief, findings)
        ask = ModelRequest("revise", brief, prompt(evidence), fault_of_revisions, revisions_in_reasoning)
        async with aclosing(self._scribe.make(with_shorter_prompt(ask, prompt, evidence))) as thoughts:
            async for thought in thoughts:
                yield thought


# ------------------------------------------------------------------------------------------ judging

# Judging: cases put before a model in one batch, and its judgement on each.  A batch asked for again is journalled.

_ROOM = 24_000  # tokens: more at once, and a model reads its middle worse
_LEAST_ROOM = 500
_FRAME = 1_800  # tokens of the prompt itself, by the longer language
NO_THINKING = "none"  # the effort that turns thinking off, where an endpoint can


class ModelJudge:
    """The judge of one run."""

    def __init__(self, calls: ModelCalls, *, beside: bool, profile: Profile | None = None) -> None:
        """`beside`: does a call cost one that is under way nothing?  `profile`: of the model, where it is known."""
        self._calls = calls
        self.beside = beside
        self.room = room_for_cases(profile)

    async def judge(self, brief: Brief, cases: Sequence[JudgeCase]) -> AsyncIterator[ReasonerEvent]:
        """Its `Judgement`s, those that the reply has, after what the call cost.  Raises `ModelError`."""
        said = ""
        async with aclosing(self._calls.make(ask_of(brief, cases))) as made:
            async for thought in made:
                match thought:
                    case Delta(text=text):
                        said += text
                    case Restart():
                        said = ""
                    case CallCost():
                        yield thought
        for judgement in parse_judgements(said, len(cases)):
            yield judgement


def room_for_cases(profile: Profile | None) -> int:
    """Tokens that a model's window leaves for sources and claims, besides the prompt's own words and the reply."""
    if profile is None or profile.context_tokens is None:
        return _ROOM
    reply = min(profile.max_tokens or profile.context_tokens // 2, profile.context_tokens // 2)
    return max(_LEAST_ROOM, min(_ROOM, profile.context_tokens - reply - _FRAME))


def ask_of(brief: Brief, cases: Sequence[JudgeCase]) -> ModelRequest:
    def fault(text: str, _cut: bool) -> str:
        return "" if parse_judgements(text, len(cases)) else "gave no verdict"

    def salvage(reasoning: str) -> str:
        """Its last paragraph, where that decides every case."""
        last = reasoning.strip().rpartition("\n\n")[2]
        return last if len(parse_judgements(last, len(cases))) == len(cases) else ""

    def shorter() -> str:
        return for_judging(brief, [with_shorter_exhibits(case) for case in cases])

    return ModelRequest("judge", brief, for_judging(brief, cases), fault, salvage, shorter, effort=NO_THINKING)


# ------------------------------------------------------------------------------------------ writing

# How an answer comes to be written: by the reasoner, or by a writer from the reasoner's notes.
#
# With a writer it takes two calls: the reasoner takes notes with source numbers, or asks for more; the writer turns
# the notes and the passages that they cite into prose.  It pays where a reasoner invents: of R1's own summaries 14.3
# % held something that was not in the text, of V3's 3.9 %, of V3's from R1's thinking 3.3 % (Vectara's leaderboard,
# 2025). An answer that drifted into another language is brought back, once.  Knows calls and prompts; nothing of
# steps.

Thoughts = AsyncGenerator[ReasonerEvent, None]


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
                    case WriteDecision(kind):
                        stance = kind
                    case Delta(text=text):
                        draft += text
                    case Restart():
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
                yield Restart(str(e))
                yield Notice(f"The writer failed ({e}); the reasoner wrote the answer itself.")
            else:
                return
        prompt = partial(prompt_builder.for_writing, brief)
        fault = partial(fault_of_writing, brief=brief)
        ask = with_shorter_prompt(
            ModelRequest("write", brief, prompt(evidence), fault, answer_in_reasoning), prompt, evidence
        )
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

    def _prose(self, brief: Brief, evidence: Sequence[Evidence], notes: _Notes) -> ModelRequest:
        cited = prompt_builder.cited_in(notes.text, evidence)
        thinking = notes.thinking if self._pass_thinking else ""
        prompt = partial(prompt_builder.for_prose, brief, notes=notes.text, thinking=thinking)
        last = replace(brief, may_search=False)
        return with_shorter_prompt(
            ModelRequest("write", last, prompt(cited), nothing_wrong, nothing_in_reasoning), prompt, cited
        )

    def _noted(self, brief: Brief, evidence: Sequence[Evidence]) -> Thoughts:
        prompt = partial(prompt_builder.for_writing, brief, notes_only=True)
        fault = partial(fault_of_notes, brief=brief)
        ask = ModelRequest("notes", brief, prompt(evidence), fault, answer_in_reasoning)
        return _declared(self._reasoner, with_shorter_prompt(ask, prompt, evidence))

    async def _brought_back(self, brief: Brief, draft: str, found: str) -> Thoughts:
        """An answer that drifted, once more in the language asked for; shown only if it keeps its citations."""
        wanted = language_name(brief.language)
        anew = ""
        ask = ModelRequest(
            "rewrite", brief, prompt_builder.for_rewriting(brief, draft), cut_in_the_middle, nothing_in_reasoning
        )
        try:
            async with aclosing(self._mender.make(ask)) as thoughts:
                async for thought in thoughts:
                    match thought:
                        case Delta(text=text):
                            anew += text
                        case Restart():
                            anew = ""
                        case CallCost():
                            yield thought
        except ModelError as e:
            yield Notice(f"The answer is not wholly in {wanted}, and could not be rewritten ({e}).")
            return
        if sorted(prompt_builder.citations(anew)) == sorted(prompt_builder.citations(draft)):
            yield Restart(f"the answer had drifted into {language_name(found)}")
            yield WriteDecision("answer")
            yield Delta(text=anew)
            draft = anew
        if drifted(draft, brief.language):
            yield Notice(f"The answer is not wholly in {wanted}: the model mixes languages.")


class _Notes:
    """What the reasoner's call amounts to where a writer follows."""

    def __init__(self) -> None:
        self.text = self.thinking = self.stance = ""

    def take(self, thought: ReasonerEvent) -> ReasonerEvent | None:
        """What is shown of it: the answer is still to come, so notes are thoughts, and the stance is the writer's."""
        match thought:
            case WriteDecision(kind):
                self.stance = kind
                return None if kind == "answer" else thought
            case Delta(text=text) if text and self.stance == "answer":
                self.text += text
                return Delta(reasoning=text)
            case Delta(reasoning=reasoning):
                self.thinking += reasoning
            case Restart():
                self.text = self.thinking = ""
        return thought


class _WriterFailed(Exception):
    """What the writer's call raised, in words."""


async def _declared(calls: ModelCalls, ask: ModelRequest) -> Thoughts:
    """A reply that begins with its stance."""
    writing = DraftParser(ask.brief)
    async with aclosing(calls.make(ask)) as thoughts:
        async for thought in thoughts:
            match thought:
                case Delta(text=text) if text:
                    for said in writing.feed(text):
                        yield said
                    continue
                case Restart():
                    writing = DraftParser(ask.brief)
            yield thought
    for said in writing.finish():
        yield said
