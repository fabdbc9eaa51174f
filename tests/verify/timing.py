"""How long checking takes: the rules on a long answer, and what the judge adds after the last written word.

The judge and the writer are scripted and twenty times faster than R1 at its usual pace: 30 tokens a second, about 60 of
them thought and said on each claim.  The figures are told at R1's pace; they are measured, so no two runs are alike.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace

from agent.events import Writing, decode
from agent.graph.graph_builder import build
from agent.types import Delta, WriteDecision
from agent.verify.clauses import atoms
from agent.verify.figures import _stock
from agent.verify.quotes import _quotable
from agent.verify.verdicts import RuleChecker
from tests.parts import CALL, LIMITS, PLAN, ScriptedJudge, ScriptedReasoner, World
from tests.verify.evaluate import claims_of, load

FASTER = 20.0  # than R1
SENTENCE_S = 25 / 30  # 25 tokens at 30 a second
JUDGED_S = 2.0  # a claim …
CALL_S = 5.0  # … and a call
_CLAIMS, _SOURCES, _LENGTH = 40, 15, 20_000


async def rules_seconds() -> tuple[float, float]:
    """40 claims over 15 sources of 20,000 characters that nobody has looked at; and once they were read."""
    labelled, documents = load()
    filler = "\n\n".join(documents.values())
    texts = {n: (documents.get(n, "") + f"\n\nPage {n}. " + filler * 9)[:_LENGTH] for n in range(1, _SOURCES + 1)}
    fitting = [one for one in labelled if one.cites in texts]
    chosen = fitting[:: len(fitting) // _CLAIMS][:_CLAIMS]
    assert len(chosen) == _CLAIMS
    _quotable.cache_clear()
    atoms.cache_clear()
    _stock.cache_clear()
    given = claims_of(chosen, texts)
    began = time.perf_counter()
    await RuleChecker().check(*given)
    read = time.perf_counter()
    atoms.cache_clear()
    await RuleChecker().check(*given)
    return read - began, time.perf_counter() - read


async def judge_seconds(*, beside: bool) -> float:
    """From the last written word to the end of the run, at R1's pace; half of 40 sentences are for the judge."""
    loose = "R1 came out in {}, free for everybody to take [citation:2]."
    true = "DeepSeek released R1 on 20 January 2025 under the MIT licence [citation:2]."
    said = [part for n in range(_CLAIMS // 2) for text in (loose.format(f"the {n}th of the years"), true)
            for part in (Delta(text=f"{text}\n\n"), SENTENCE_S / FASTER)]  # fmt: skip
    world = World(
        reasoner=ScriptedReasoner(plan=PLAN, write=[[WriteDecision("answer"), *said, CALL]]),
        checker=RuleChecker(),
        judge=ScriptedJudge({"R1": "supported"}, beside=beside, pause=CALL_S / FASTER, pause_each=JUDGED_S / FASTER),
        limits=replace(LIMITS, revisions=0),
    )
    last = 0.0
    question = {"question": "When was R1 released, and at what temperature is it used?"}
    async for part in build(world.services()).astream(question, stream_mode="custom"):
        if isinstance(decode(part), Writing):
            last = time.perf_counter()
    return (time.perf_counter() - last) * FASTER


async def _report() -> str:
    unread, read = sorted([await rules_seconds() for _ in range(5)])[2]
    after, beside = await judge_seconds(beside=False), await judge_seconds(beside=True)
    return (
        f"rules, {_CLAIMS} claims over {_SOURCES} sources of {_LENGTH:,} characters: {unread:.2f} s; "
        f"{read:.2f} s where they were read beside the writing\n"
        f"judge at R1's pace, after the last word: {after:.0f} s; begun beside the writing: {beside:.0f} s"
    )


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(_report()) + "\n")
