"""When claims go before the judge, how often, and what becomes of what fails."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from agent.errors import ModelOverloaded
from agent.events import Writing, decode
from agent.graph.draft_checker import BESIDE, SURE, TOGETHER, batches, fitted, grouped
from agent.graph.graph_builder import build
from agent.reasoning.prompt_builder import for_judging
from agent.types import CitedPassage, Delta, JudgeCase, WriteDecision
from agent.verify.verdicts import RuleChecker
from tests.parts import CALL, LIMITS, PLAN, ScriptedJudge, ScriptedReasoner, World

QUESTION = "When was R1 released, and at what temperature is it used?"
TRUE = "DeepSeek released R1 on 20 January 2025 under the MIT licence [citation:2]."
LOOSE = "R1 came out in {}, free for everybody to take [citation:2]."
WORDS = ("winter", "spring", "summer", "autumn", "dawn", "dusk", "noon", "night")


def world(judge, *sentences, pause=0.0, **limits):
    said = [Delta(text=f"{s}\n\n") for s in sentences]
    script = [WriteDecision("answer"), *(part for delta in said for part in (delta, pause)), CALL]
    reasoner = ScriptedReasoner(plan=PLAN, write=[script])
    return World(reasoner=reasoner, checker=RuleChecker(), judge=judge, limits=replace(LIMITS, revisions=0, **limits))


async def ask(one: World) -> dict:
    return (await build(one.services()).ainvoke({"question": QUESTION}))["answer"]


def verdicts(answer):
    return [claim["verdict"] for claim in answer["claims"]]


async def test_only_what_the_rules_cannot_tell_goes_before_the_judge_and_in_one_batch():
    judge = ScriptedJudge({"winter": "supported"})
    answer = await ask(world(judge, TRUE, LOOSE.format("winter"), LOOSE.format("spring")))
    assert [len(batch) for batch in judge.asked] == [2]
    assert verdicts(answer) == ["supported", "supported", "unchecked"]


async def test_a_judge_that_failed_before_a_repair_has_checked_nothing_after_it_either():
    failing = ScriptedJudge(error=ModelOverloaded("busy"))
    one = world(failing, TRUE, LOOSE.format("winter"), "It was free for everybody.")
    one.limits = replace(one.limits, revisions=1)
    one.reasoner.scripts["revise"] = [[Delta(text="1: drop"), CALL]]
    assert (await ask(one))["checked_by"] == "rules"


async def test_an_answer_that_was_judged_before_its_repair_counts_as_checked():
    one = world(
        ScriptedJudge({"winter": "unsupported", "spring": "partial"}), LOOSE.format("winter"), LOOSE.format("spring")
    )
    one.limits = replace(one.limits, revisions=1)
    one.reasoner.scripts["revise"] = [[Delta(text="1: drop"), CALL]]
    assert (await ask(one))["checked_by"] == "model"


async def test_the_judges_call_is_counted():
    judge = ScriptedJudge({"winter": "supported"})
    answer = await ask(world(judge, LOOSE.format("winter")))
    assert answer["usage"]["model_calls"] == 3
    assert answer["usage"]["serial_model_calls"] == 3


async def test_a_judge_that_fails_leaves_claims_unchecked_and_the_reader_is_told():
    answer = await ask(world(ScriptedJudge(error=ModelOverloaded("the server is busy")), TRUE, LOOSE.format("winter")))
    assert verdicts(answer) == ["supported", "unchecked"]
    assert answer["status"] == "complete"
    assert any("could not be checked by the model (the server is busy)" in w for w in answer["warnings"])


async def test_a_judge_that_is_late_leaves_claims_unchecked():
    answer = await ask(world(ScriptedJudge(pause=3_600), LOOSE.format("winter"), judge_seconds=0.1))
    assert verdicts(answer) == ["unchecked"]
    assert any("not done after" in w for w in answer["warnings"])


async def test_a_budget_that_is_used_up_is_not_spent_on_judging():
    judge = ScriptedJudge({"winter": "supported"})
    answer = await ask(world(judge, LOOSE.format("winter"), total_tokens=1))
    assert judge.asked == []
    assert verdicts(answer) == ["unchecked"]


async def test_what_is_unsupported_leaves_the_body_and_is_not_judged_again():
    judge = ScriptedJudge({"winter": "unsupported", "spring": "partial"})
    answer = await ask(world(judge, TRUE, LOOSE.format("winter"), LOOSE.format("spring")))
    body, _, apart = answer["answer"].partition("## Not confirmed")
    assert "winter" not in body
    assert "winter" in apart
    assert "spring" in body
    assert verdicts(answer) == ["supported", "partial", "unsupported"]
    assert len(judge.asked) == 1


async def test_what_is_unsupported_can_be_dropped():
    judge = ScriptedJudge({"winter": "unsupported"})
    one = world(judge, TRUE, LOOSE.format("winter"))
    one.unconfirmed = "drop"
    answer = await ask(one)
    assert "winter" not in answer["answer"]
    assert verdicts(answer) == ["supported"]
    assert any("1 sentence was left out" in w for w in answer["warnings"])


async def test_a_revision_is_judged_for_its_new_sentences_only():
    judge = ScriptedJudge({"winter": "unsupported", "spring": "supported", "summer": "supported"})
    one = world(judge, LOOSE.format("winter"), LOOSE.format("spring"))
    one.limits = replace(one.limits, revisions=1)
    one.reasoner.scripts["revise"] = [[Delta(text="1: " + LOOSE.format("summer")), CALL]]
    answer = await ask(one)
    assert [[claim.split()[4].strip(",") for claim in batch] for batch in judge.asked] == [
        ["winter", "spring"],
        ["summer"],
    ]
    assert verdicts(answer) == ["supported", "supported"]


# ------------------------------------------------------------------------------------------------- beside the writing


async def test_where_a_second_call_costs_nothing_claims_are_judged_while_the_rest_is_written():
    judge = ScriptedJudge(dict.fromkeys(WORDS, "supported"), beside=True)
    one = world(judge, *(LOOSE.format(word) for word in WORDS), TRUE, pause=0.03)
    asked_at_end: list[int] = []
    async for part in build(one.services()).astream({"question": QUESTION}, stream_mode="custom"):
        event = decode(part)
        if isinstance(event, Writing) and "20 January" in event.text:
            asked_at_end.append(len(judge.asked))
    assert asked_at_end == [1]
    assert len(judge.asked[0]) == BESIDE


class PromptKeeper(ScriptedJudge):
    """Keeps the prompt of each call, by which the journal knows a reply."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.prompts: list[tuple[str, int]] = []

    async def judge(self, brief, cases):
        self.prompts.append((for_judging(brief, cases), len(cases)))
        async for thought in super().judge(brief, cases):
            yield thought


async def test_no_call_is_paid_twice():
    judge = PromptKeeper(dict.fromkeys(WORDS, "supported"), beside=True)
    last = "R1 came out in frost, for 7,431 people to take [citation:2]."  # a missing figure comes first elsewhere
    await ask(world(judge, *(LOOSE.format(word) for word in WORDS), TRUE, last, pause=0.03))
    different = dict(judge.prompts)
    assert len(judge.prompts) > len(different)  # `verify` asked again for what was asked during the writing
    assert sum(different.values()) == len(WORDS) + 1  # no claim stands in two different prompts


async def test_what_was_judged_beside_the_writing_is_the_same_as_after_it():
    kinds = dict(zip(WORDS, ["supported", "partial", "refuted", "cannot tell"] * 2, strict=True))
    found = []
    for beside in (True, False):
        judge = ScriptedJudge(kinds, beside=beside)
        found.append(await ask(world(judge, *(LOOSE.format(word) for word in WORDS), TRUE)))
    assert verdicts(found[0]) == verdicts(found[1])
    assert found[0]["answer"] == found[1]["answer"]


async def test_a_run_that_is_left_leaves_no_judging_behind():
    judge = ScriptedJudge(beside=True, pause=3_600)
    one = world(judge, *(LOOSE.format(word) for word in WORDS), TRUE, pause=0.05)
    before = asyncio.all_tasks()
    stream: Any = build(one.services()).astream({"question": QUESTION}, stream_mode="custom")
    async with aclosing(stream):
        async for _ in stream:
            if judge.asked:
                break
    async with asyncio.timeout(10):
        while {t for t in asyncio.all_tasks() - before if not t.done()}:
            await asyncio.sleep(0)


async def test_after_the_last_word_the_judge_is_asked_once_at_most():
    judge = ScriptedJudge(dict.fromkeys(WORDS, "supported"), beside=True)
    one = world(judge, *(LOOSE.format(word) for word in WORDS), *[TRUE] * 8, pause=0.01)
    asked = 0
    async for part in build(one.services()).astream({"question": QUESTION}, stream_mode="custom"):
        if isinstance(decode(part), Writing):
            asked = len(judge.asked)
    assert len(judge.asked) - asked <= 1
    assert sum(map(len, judge.asked)) == len(WORDS)


# ------------------------------------------------------------------------------------------------- batches


def cases(*sizes):
    return [JudgeCase(str(at), (CitedPassage(at, chr(97 + at % 26) * size),)) for at, size in enumerate(sizes)]


ROOM = 6_000  # tokens


@pytest.mark.parametrize("most", [BESIDE, TOGETHER])
def test_batches_keep_the_order_and_lose_nothing(most):
    listed = cases(*[100] * 50)
    cut = list(batches(listed, most, ROOM))
    assert [case for batch in cut for case in batch] == listed
    assert max(map(len, cut)) == most


def test_what_comes_later_does_not_change_the_batches_before():
    listed = cases(*[100, 30_000, 9_000, 9_000, 9_000, 10] * 4)
    whole = list(batches(listed, BESIDE, ROOM))
    for end in range(1, len(listed)):
        left, sure = end, []
        for batch in batches(listed[:end], BESIDE, ROOM):
            left -= len(batch)
            sure += [batch] * (left >= SURE)
        assert sure == whole[: len(sure)]


def test_a_claim_that_would_be_left_alone_joins_the_batch_before():
    assert [len(batch) for batch in batches(cases(*[10] * 7), BESIDE, ROOM)] == [7]
    assert [len(batch) for batch in batches(cases(*[10] * 8), BESIDE, ROOM)] == [6, 2]


def test_a_source_that_several_claims_cite_counts_once():
    shared = [JudgeCase(str(at), (CitedPassage(1, "x" * 9_000),)) for at in range(6)]
    assert [len(batch) for batch in batches(shared, BESIDE, ROOM)] == [6]


def test_what_is_shown_for_one_claim_only_counts_too():
    plain = [JudgeCase(str(at), (CitedPassage(1, "x" * 400),)) for at in range(4)]
    with_more = [JudgeCase(str(at), (CitedPassage(1, "x" * 400, more=str(at) * 14_000),)) for at in range(4)]
    assert len(list(batches(plain, BESIDE, ROOM))) == 1
    assert len(list(batches(with_more, BESIDE, ROOM))) > 1


def test_claims_that_cite_the_same_sources_share_a_batch():
    heavy = [CitedPassage(number, str(number) * 20_000) for number in (1, 2)]
    mixed = [JudgeCase(f"{at} of {at % 2 + 1}", (heavy[at % 2],)) for at in range(8)]
    listed = grouped([*mixed, JudgeCase("last of 2", (heavy[1],), missing=("last",))])
    assert [case.claim[-1] for case in listed] == [*"2", *"1111", *"2222"]
    assert listed[0].claim == "last of 2"
    assert len(list(batches(listed, 4, ROOM))) == 3


def test_a_claim_that_was_asked_before_is_asked_alone():
    again = [replace(case, failed="no words") for case in cases(10, 10, 10)]
    assert [len(batch) for batch in batches(again, BESIDE, ROOM)] == [1, 1, 1]


def test_a_source_that_is_too_long_for_any_batch_is_cut_to_what_matters_and_then_to_the_room():
    long = JudgeCase("x", (CitedPassage(1, "a " * 60_000, short="b " * 100),))
    assert fitted(long, ROOM).exhibits[0].text == "b " * 100
    longer = JudgeCase("x", (CitedPassage(1, "a " * 60_000, short="b " * 60_000), CitedPassage(2, "c " * 60_000)))
    (batch,) = batches([fitted(longer, ROOM)], BESIDE, ROOM)
    assert 0 < sum(len(exhibit.text) for exhibit in batch[0].exhibits) < 40_000
    assert fitted(fitted(longer, ROOM), ROOM) == fitted(longer, ROOM)


def test_no_cases_are_no_batch():
    assert list(batches([], 6, ROOM)) == []
