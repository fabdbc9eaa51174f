"""The judge on labelled claims, with anybody in the model's seat: its prompts as files, and its replies as a table.

`python -m tests.verify.judging prompts DIR` writes one prompt a batch; a reader puts each reply beside it, as
`1.reply.txt` for `1.prompt.txt`; `python -m tests.verify.judging replies DIR` reads them and prints how the claims
fared, rules and judge together.  `python -m tests.verify.judging asks URL MODEL` puts the same batches to a model at
an OpenAI-compatible endpoint, as a run does.  Only kinds that rules mostly cannot decide are taken, mixed in an order
that says nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.errors import ModelError
from agent.reasoning.call_stream import Role, Roles
from agent.reasoning.models import Endpoint, open_chat_model
from agent.reasoning.models.model_profiles import profile_for
from agent.reasoning.prompt_builder import for_judging
from agent.reasoning.r1_reasoner import R1Reasoner
from agent.text.reply_parsers import parse_judgements
from agent.types import Brief, JudgeCase, JudgeVerdict
from agent.verify.verdicts import RuleChecker
from tests.memory_journal import MemoryJournal
from tests.verify.evaluate import KINDS, Labelled, claims_of, confusion, judged, load, wrong

TAKEN = ("paraphrase", "relation reversed", "overgeneralised", "fabricated", KINDS["W"])
BATCH = 18
_PATIENCE_S = 3600.0  # a call: whoever sits in the model's place may be a person who reads
BRIEF = Brief("labelled", "?", "2026-11-24", "en")


def chosen(most: int) -> tuple[list[Labelled], dict[int, str]]:
    """At most so many claims of the kinds taken, mixed by their texts' hashes."""
    labelled, documents = load()
    kept = [one for one in labelled if one.kind in TAKEN]
    return sorted(kept, key=lambda one: hashlib.sha256(one.text.encode()).digest())[:most], documents


class Seat:
    """Batches of cases on their way to a reader, and the reader's replies on their way back."""

    def __init__(self, place: Path, *, reading: bool) -> None:
        self._place, self._reading = place, reading

    async def __call__(self, cases: Sequence[JudgeCase]) -> list[JudgeVerdict]:
        found: list[JudgeVerdict] = []
        for number, start in enumerate(range(0, len(cases), BATCH), start=1):
            batch = cases[start : start + BATCH]
            if self._reading:
                reply = (self._place / f"{number}.reply.txt").read_text("utf-8")
                found += [JudgeVerdict(start + j.case, j.outcome, j.words) for j in parse_judgements(reply, len(batch))]
            else:
                (self._place / f"{number}.prompt.txt").write_text(for_judging(BRIEF, batch), "utf-8")
        return found


class Endpointed:
    """Batches of cases to a model at an endpoint, all at once; one that fails is told and has judged nothing."""

    def __init__(self, url: str, model: str) -> None:
        self._url, self._model = url, model

    async def __call__(self, cases: Sequence[JudgeCase]) -> list[JudgeVerdict]:
        profile = replace(profile_for(self._url, self._model), call_seconds=_PATIENCE_S)
        async with open_chat_model(model=self._model, base_url=self._url, profile=profile) as chat:
            role = Role(chat, Endpoint(self._model, self._url), profile)
            starts = range(0, len(cases), BATCH)
            batches = await asyncio.gather(*(self._ask(role, cases, start) for start in starts))
        return [judgement for batch in batches for judgement in batch]

    async def _ask(self, role: Role, cases: Sequence[JudgeCase], start: int) -> list[JudgeVerdict]:
        judge = R1Reasoner(Roles(role), MemoryJournal()).judge
        found: list[JudgeVerdict] = []
        try:
            async for thought in judge.judge(BRIEF, cases[start : start + BATCH]):
                if isinstance(thought, JudgeVerdict):
                    found.append(replace(thought, case=start + thought.case))
        except ModelError as e:
            sys.stderr.write(f"claims from {start + 1} on: {e}\n")
        return found


async def fared(judge: Callable[[Sequence[JudgeCase]], Awaitable[list[JudgeVerdict]]], most: int) -> str:
    """How so many claims fare with rules and judge together, as a table."""
    labelled, documents = chosen(most)
    saw = {
        number: [(0, len(text))] for number, text in documents.items()
    }  # the writer: short texts, and so all of them
    checked = await RuleChecker().check(*claims_of(labelled, documents), judge, saw)
    seen = judged(labelled, checked)
    return f"{confusion(seen)}\n\nwrongly called:\n{wrong(seen)}"


def main(what: str, where: str, *rest: str) -> str:
    asks = what == "asks"
    judge = Endpointed(where, rest[0]) if asks else Seat(Path(where), reading=what == "replies")
    most = rest[1:] if asks else rest
    table = asyncio.run(fared(judge, int(most[0]) if most else 90))
    return f"prompts written to {where}" if what == "prompts" else table


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]) + "\n")
