"""The judge on labelled claims, with anybody in the model's seat: its prompts as files, and its replies as a table.

`python -m tests.check.judging prompts DIR` writes one prompt a batch; a reader puts each reply beside it, as
`1.reply.txt` for `1.prompt.txt`; `python -m tests.check.judging replies DIR` reads them and prints how the claims
fared, rules and judge together.  Only kinds that rules mostly cannot decide are taken, mixed in an order that says
nothing.  Knows no model.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.check.checker import RuleChecker
from agent.reasoning.asking import for_judging
from agent.text.verdicts import parse_judgements
from agent.types import Brief, Case, Judgement
from tests.check.evaluate import KINDS, Labelled, claims_of, confusion, judged, load, wrong

TAKEN = ("paraphrase", "relation reversed", "overgeneralised", "fabricated", KINDS["W"])
BATCH = 18
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

    async def __call__(self, cases: Sequence[Case]) -> list[Judgement]:
        found: list[Judgement] = []
        for number, start in enumerate(range(0, len(cases), BATCH), start=1):
            batch = cases[start : start + BATCH]
            if self._reading:
                reply = (self._place / f"{number}.reply.txt").read_text("utf-8")
                found += [Judgement(start + j.case, j.outcome, j.words) for j in parse_judgements(reply, len(batch))]
            else:
                (self._place / f"{number}.prompt.txt").write_text(for_judging(BRIEF, batch), "utf-8")
        return found


async def _run(place: Path, *, reading: bool, most: int) -> str:
    labelled, documents = chosen(most)
    seat = Seat(place, reading=reading)
    checked = await RuleChecker().check(*claims_of(labelled, documents), seat)
    seen = judged(labelled, checked)
    return f"{confusion(seen)}\n\nwrongly called:\n{wrong(seen)}" if reading else f"prompts written to {place}"


if __name__ == "__main__":
    what, where = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 90
    sys.stdout.write(asyncio.run(_run(Path(where), reading=what == "replies", most=count)) + "\n")
