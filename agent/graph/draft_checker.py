"""Claims before a judge: in batches, some of them while the answer is still being written.

Batches are cut from the front of the list of doubtful claims, so those that were asked for during the writing are the
ones that `verify` asks for, and the journal has their replies.  A judge that fails, is late or too dear has decided
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from agent.errors import LibraryError, ModelError
from agent.graph.state import Run
from agent.graph.step_context import ModelOutput, StepContext, record_output, slices, source_texts
from agent.graph.steps.scout import brief_of
from agent.protocols import Judge
from agent.text.ranking import estimate_tokens
from agent.text.source_blocks import with_shorter_exhibits
from agent.types import Claim, JudgeCase, JudgeVerdict
from agent.verify.claims import claims as cut

BESIDE = 6  # claims a batch where it is asked beside the writing: about a paragraph's doubtful ones
AT_ONCE = 3  # batches under way
TOGETHER = 24  # claims a batch where nothing else runs: thinking is paid once a call
_AROUND = 40  # tokens of a claim's number, its sources and the like
_LEAST = 200  # characters of a source
SURE = 2  # cases that must follow a batch before it is known to be whole: one alone would join it


def batches(cases: Sequence[JudgeCase], most: int, room: int) -> Iterator[Sequence[JudgeCase]]:
    """The cases in order: a batch has at most `most`, or one more that would be left alone, in `room` tokens.

    A source counts once in a batch.  A case that was asked before is a batch of its own, and so is one that is larger
    than the room.
    """
    begin = 0
    while begin < len(cases):
        end = begin + 1
        while end < min(len(cases), begin + most) and _fits(cases[begin : end + 1], room):
            end += 1
        if end == len(cases) - 1 and _fits(cases[begin:], room):
            end += 1
        yield cases[begin:end]
        begin = end


def _fits(cases: Sequence[JudgeCase], room: int) -> bool:
    return not any(case.failed for case in cases) and _tokens(cases) <= room


def _tokens(cases: Sequence[JudgeCase]) -> int:
    shown = {text for case in cases for exhibit in case.exhibits for text in (exhibit.text, exhibit.more)}
    said = " ".join(part for case in cases for part in (case.claim, case.context, case.about))
    return estimate_tokens(said) + sum(map(estimate_tokens, shown)) + _AROUND * len(cases)


def grouped(cases: Sequence[JudgeCase]) -> list[JudgeCase]:
    """Those first in which something is missing; then those together that cite the same sources."""
    return sorted(cases, key=lambda case: (not case.missing, sorted(exhibit.source for exhibit in case.exhibits)))


def fitted(case: JudgeCase, room: int) -> JudgeCase:
    """The case with its sources cut to the room, first to what bears on the claim, then at the end."""
    if _tokens([case]) > room:
        case = with_shorter_exhibits(case)
    while (size := _tokens([case])) > room and any(len(e.text) > _LEAST for e in case.exhibits):
        part = max(0.1, min(0.9, room / size))
        cut = tuple(replace(e, text=e.text[: max(_LEAST, int(len(e.text) * part))]) for e in case.exhibits)
        case = replace(case, exhibits=cut)
    return case


@dataclass
class JudgeQueue:
    """Puts cases before the run's judge.  `heard`: what it cost and what failed."""

    run: Run
    context: StepContext
    judge: Judge
    heard: ModelOutput = field(default_factory=ModelOutput)
    known: dict[JudgeCase, JudgeVerdict] = field(default_factory=dict)
    failed: bool = False  # did a call come to nothing?

    def __post_init__(self) -> None:
        self.most = BESIDE if self.judge.beside else TOGETHER
        self._turn = asyncio.Semaphore(AT_ONCE if self.judge.beside else 1)

    async def __call__(self, cases: Sequence[JudgeCase]) -> list[JudgeVerdict]:
        """Judgements on these cases, as far as there are any.  Raises nothing but cancellation."""
        cases = self.fit(cases)
        in_order = cases if self.judge.beside else grouped(cases)  # as asked beside the writing: the journal has it
        asked = list(batches(in_order, self.most, self.judge.room))
        before = self.heard.usage
        async with asyncio.TaskGroup() as tasks:
            for batch in asked:
                tasks.create_task(self.ask(batch))
        if len(asked) > 1 and self.judge.beside and self.heard.usage != before:  # they were waited for together
            self.heard.usage = replace(self.heard.usage, serial_model_calls=before.serial_model_calls + 1)
        return [replace(self.known[case], case=at) for at, case in enumerate(cases) if case in self.known]

    def fit(self, cases: Sequence[JudgeCase]) -> list[JudgeCase]:
        return [fitted(case, self.judge.room) for case in cases]

    async def ask(self, batch: Sequence[JudgeCase]) -> None:
        """One call; what it says is known from then on."""
        if spent := self.context.used_up(self.run):
            self._tell(spent)
            return
        brief, seconds = brief_of(self.run, self.context), self._seconds()
        try:
            async with self._turn, asyncio.timeout(seconds):
                async for thought in record_output(self.judge.judge(brief, batch), self.context, self.heard):
                    if isinstance(thought, JudgeVerdict) and 0 <= thought.case < len(batch):
                        self.known[batch[thought.case]] = thought
        except TimeoutError:
            self._tell(f"it was not done after {seconds:.0f} s")
        except ModelError as e:
            self._tell(str(e))

    def _seconds(self) -> float | None:
        """A local endpoint takes the time that it takes."""
        return self.context.services.limits.judge_seconds if self.context.services.limits.seconds is not None else None

    def _tell(self, why: str) -> None:
        self.failed = True
        self.heard.warnings |= self.context.warn(f"Some sentences could not be checked by the model ({why}).")


class DraftChecker:
    """Checks a draft while it is being written: each sentence by the rules, and what they leave open by the judge.

    The judge is left for later where a call beside the writing would slow it down; the rules have then read the sources
    by the time that the last word is written.  As a context it gives up what is not finished.
    """

    def __init__(self, run: Run, context: StepContext) -> None:
        self._run, self._desk = run, context
        self._going: _Going | None = None

    def __enter__(self) -> DraftChecker:
        return self

    def __exit__(self, *_: object) -> None:
        self.anew()

    def anew(self) -> None:
        """What was written so far does not count."""
        if self._going:
            self._going.task.cancel()
            self._going = None

    def feed(self, text: str) -> None:
        """The draft so far."""
        if "\n" in text:
            self._going = self._going or _Going(self._run, self._desk)
            self._going.feed(text[: text.rfind("\n") + 1])

    async def finish(self, text: str) -> ModelOutput:
        """The whole draft.  Only the last of the calls was waited for."""
        if self._going is None:
            return ModelOutput()
        going, self._going = self._going, None
        heard = await going.finish(text)
        heard.usage = replace(heard.usage, serial_model_calls=min(1, heard.usage.serial_model_calls))
        return heard


class _Going:
    """The checking of one draft, as a task."""

    def __init__(self, run: Run, context: StepContext) -> None:
        judge = context.parts.judge
        self._run, self._desk = run, context
        self._examiner = JudgeQueue(run, context, judge) if judge and judge.beside else None
        self._seen = 0  # claims that the rules have looked at
        self._doubtful: list[JudgeCase] = []
        self._asked = 0  # of these
        self._text, self._over = "", False
        self._stirred = asyncio.Event()
        self.task = asyncio.create_task(self._work())

    def feed(self, text: str) -> None:
        """Whole lines: what stands in them changes no more."""
        if len(text) > len(self._text):
            self._text = text
            self._stirred.set()

    async def finish(self, text: str) -> ModelOutput:
        self._text, self._over = text, True
        self._stirred.set()
        try:
            await self.task
        finally:
            self.task.cancel()
        return self._examiner.heard if self._examiner else ModelOutput()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            over = False
            while not over:
                await self._stirred.wait()
                self._stirred.clear()
                over = self._over
                with suppress(LibraryError):  # `verify` will meet it, too
                    await self._look()
                if examiner := self._examiner:
                    for batch in self._ready(examiner, over=over):
                        tasks.create_task(examiner.ask(batch))

    async def _look(self) -> None:
        """Let the rules look at the claims that have come; those that they cannot decide go on the list."""
        fresh: Sequence[Claim] = cut(self._text)[self._seen :]
        if not fresh:
            return
        self._seen += len(fresh)
        services, numbers = self._desk.services, {c.source for claim in fresh for c in claim.citations}
        texts = await source_texts(self._run, numbers, services.library)

        async def collect(cases: Sequence[JudgeCase]) -> list[JudgeVerdict]:
            self._doubtful += self._examiner.fit(cases) if self._examiner else []
            return []

        await services.checker.check(fresh, texts, collect, slices(self._run))

    def _ready(self, examiner: JudgeQueue, *, over: bool) -> Iterator[Sequence[JudgeCase]]:
        """Batches that nothing more can join, and at the end what is left."""
        waiting = self._doubtful[self._asked :]
        left = len(waiting)
        for batch in batches(waiting, BESIDE, examiner.judge.room):
            left -= len(batch)
            if left < SURE and not over:
                return
            self._asked += len(batch)
            yield batch
