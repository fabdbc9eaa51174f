"""The line of steps, the two ways back, and what happens when a part fails."""

from dataclasses import replace

import pytest

from agent.errors import ModelOverloaded, ModelRefused, QuestionError
from agent.graph.graph_builder import build
from agent.result import Answer, from_json
from agent.text.output_filter import is_closed
from agent.types import Delta, Document, Page, Query, Restart, WriteDecision
from agent.verify.verdicts import RuleChecker
from tests.parts import (
    ANSWER,
    CALL,
    LIMITS,
    PAGES,
    PLAN,
    BrokenSearch,
    KindChecker,
    MemoryFetcher,
    MemorySearch,
    PlainExtractor,
    ScriptedReasoner,
    World,
)


async def ask(world: World, question: str = "When was R1 released, and at what temperature is it used?") -> dict:
    return (await build(world.services()).ainvoke({"question": question}))["answer"]


async def test_a_question_becomes_an_answer_with_sources_claims_and_pages():
    world = World()
    answer = await ask(world)
    assert answer["status"] == "complete"
    assert answer["answer"].startswith("R1 was released on 20 January 2025 under the MIT licence [1]")
    assert {s["url"] for s in answer["sources"] if s["cited"]} <= set(PAGES)
    assert [c["verdict"] for c in answer["claims"]] == ["supported", "supported"]
    assert {p["status"] for p in answer["pages"]} == {"read"}
    assert answer["usage"]["model_calls"] == 2


async def test_the_steps_are_recorded_in_order_with_their_reasoning():
    answer = await ask(World())
    assert [s["name"] for s in answer["steps"]] == ["scout", "plan", "search", "read", "retrieve", "write", "verify"]
    reasoning = {s["name"]: s["reasoning"] for s in answer["steps"]}
    assert reasoning["plan"] == "Two facts are needed."
    assert reasoning["write"] == "The pages say it."


async def test_the_question_itself_is_searched_before_the_plan_is_made():
    search = MemorySearch()
    world = World(reasoner=ScriptedReasoner(plan=[0.2, *PLAN], write=[ANSWER]), search=[search])
    await ask(world, "R1 release")
    assert search.asked[0] == "R1 release"
    assert set(search.asked) == {"R1 release", "R1 release licence", "R1 temperature"}


async def test_a_url_in_the_question_is_fetched_and_becomes_a_source():
    fetcher = MemoryFetcher({**PAGES, "http://own.example/note": ("Note", "# Note\n\nR1 has a note of its own.")})
    answer = await ask(World(fetcher=fetcher), "What does http://own.example/note say of R1?")
    assert "http://own.example/note" in {s["url"] for s in answer["sources"]}


async def test_the_writer_may_ask_for_more_once_and_then_answers():
    more = [WriteDecision("search more"), Query("R1 distilled parameters"), CALL]
    reasoner = ScriptedReasoner(plan=PLAN, write=[more, ANSWER])
    answer = await ask(World(reasoner=reasoner))
    assert reasoner.calls == ["plan", "write", "write"]
    assert [b.may_search for b in reasoner.briefs[1:]] == [True, False]
    assert [s["name"] for s in answer["steps"]].count("search") == 2
    assert answer["status"] == "complete"


async def test_a_writer_that_asks_for_more_where_it_may_not_has_no_answer():
    more = [WriteDecision("search more"), Query("R1 distilled parameters"), CALL]
    ever_more = [WriteDecision("search more"), Query("R1 benchmarks"), CALL]
    reasoner = ScriptedReasoner(plan=PLAN, write=[more, ever_more])
    answer = await ask(World(reasoner=reasoner))
    assert reasoner.calls == ["plan", "write", "write"]
    assert answer["status"] == "abstained"


async def test_a_writer_that_asks_again_for_what_was_searched_is_told_to_answer():
    again = [WriteDecision("search more"), Query("r1 TEMPERATURE"), CALL]
    reasoner = ScriptedReasoner(plan=PLAN, write=[again, ANSWER])
    answer = await ask(World(reasoner=reasoner))
    assert reasoner.calls == ["plan", "write", "write"]
    assert [s["name"] for s in answer["steps"]].count("search") == 1
    assert answer["status"] == "complete"


async def test_queries_written_after_reading_pages_are_cut_to_twelve_words():
    flood = " ".join(f"word{n}" for n in range(40))
    search = MemorySearch()
    reasoner = ScriptedReasoner(plan=PLAN, write=[[WriteDecision("search more"), Query(flood), CALL], ANSWER])
    await ask(World(reasoner=reasoner, search=[search]))
    assert max(len(q.split()) for q in search.asked) == 12


async def test_source_numbers_do_not_change_over_the_rounds():
    reasoner = ScriptedReasoner(
        plan=[Query("R1 licence")], write=[[WriteDecision("search more"), Query("reinforcement")], ANSWER]
    )
    await ask(World(reasoner=reasoner), "R1 licence")
    first, second = ({e.source.url: e.source.number for e in shown} for shown in reasoner.evidence)
    assert all(second.get(url, number) == number for url, number in first.items())
    assert len(set(second.values())) == len(second)


async def test_a_refuted_sentence_goes_back_to_the_writer_and_only_it_changes():
    reasoner = ScriptedReasoner(plan=PLAN, write=[ANSWER], revise=[[Delta(text="1: R1 came in 2025 [citation:1].")]])
    world = World(reasoner=reasoner, checker=KindChecker({"20 January": "refuted"}))
    answer = await ask(world)
    assert reasoner.calls == ["plan", "write", "revise"]
    assert [f.claim.verdict for f in reasoner.findings[0]] == ["refuted"]
    assert answer["answer"] == "R1 came in 2025 [1]. It is used at a temperature of 0.6 [2]."


async def test_what_stays_refuted_leaves_the_body():
    world = World(checker=KindChecker({"20 January": "refuted"}))
    answer = await ask(world)
    body, _, apart = answer["answer"].partition("## Not confirmed")
    assert "20 January" not in body
    assert "20 January" in apart
    assert all(answer["answer"][c["start"] : c["end"]] == c["text"] for c in answer["claims"])


@pytest.mark.parametrize(
    "reply",
    [
        "1: R1 came in 2025 [citation:1].\n2: It is used at a temperature of 9 [citation:2].\n7: R1 is loved by all.",
        "1: R1 came in 2025 [citation:1]. It is used at a temperature of 0.6 [citation:2]. R1 is loved by all.",
        "1: # R1 came in 2025 [citation:1]. ",
    ],
)
async def test_whatever_a_writer_sends_back_no_other_sentence_changes_or_comes_in(reply):
    world = World(
        reasoner=ScriptedReasoner(plan=PLAN, write=[ANSWER], revise=[[Delta(text=reply)]]),
        checker=KindChecker({"20 January": "refuted"}),
    )
    assert (await ask(world))["answer"] == "R1 came in 2025 [1]. It is used at a temperature of 0.6 [2]."


async def test_a_writer_that_refuses_to_mend_leaves_what_failed_below_the_body():
    reply = [Delta(text="1: I'm sorry, but I cannot help with that.")]
    world = World(
        reasoner=ScriptedReasoner(plan=PLAN, write=[ANSWER], revise=[reply]),
        checker=KindChecker({"20 January": "refuted"}),
    )
    answer = (await ask(world))["answer"]
    assert "sorry" not in answer
    assert "- R1 was released on 20 January" in answer.partition("## Not confirmed")[2]


async def test_where_all_that_failed_is_dropped_there_is_no_answer_and_it_is_told_how_much_went():
    checker = KindChecker({"R1": "refuted", "0.6": "refuted"})
    answer = await ask(World(checker=checker, unconfirmed="drop", limits=replace(LIMITS, revisions=0)))
    assert answer["status"] == "abstained"
    assert answer["left_out"] == 2
    assert "Sentences checked against their sources: 2 (left out without support: 2)." in str(from_json(Answer, answer))


async def test_an_answer_that_claims_nothing_is_none():
    said = [WriteDecision("answer"), Delta(text="The sources found do not say anything about this.")]
    assert (await ask(World(reasoner=ScriptedReasoner(plan=PLAN, write=[said]))))["status"] == "abstained"


async def test_an_answer_that_no_passage_bears_is_none_whatever_it_cites():
    said = [WriteDecision("answer"), Delta(text="The moon of Endor has three rings of ice [citation:1].")]
    answer = await ask(World(reasoner=ScriptedReasoner(plan=PLAN, write=[said]), checker=RuleChecker()))
    assert (answer["status"], answer["sufficiency"]) == ("abstained", "none")


POINTING = "R1 was released on 20 January 2025 [citation:1]. This was a surprise [citation:1]. R1 is open [citation:1]."


@pytest.mark.parametrize("revise", [[Delta(text="1: drop")], []])
async def test_a_sentence_that_points_back_to_one_that_is_gone_is_not_confirmed(revise):
    world = World(
        reasoner=ScriptedReasoner(
            plan=PLAN, write=[[WriteDecision("answer"), Delta(text=POINTING)]], revise=[revise, []]
        ),
        checker=KindChecker({"20 January": "refuted"}),
    )
    body, _, apart = (await ask(world))["answer"].partition("## Not confirmed")
    assert body.strip() == "R1 is open [1]."
    assert "This was a surprise [1].\n  - *without support: it goes on from a sentence that is not confirmed*" in apart


@pytest.mark.parametrize("unconfirmed", ["show", "drop"])
async def test_what_was_code_stays_harmless_where_the_sentence_that_opened_it_is_cut_out(unconfirmed):
    said = "R1 of 20 January is `run so. <img src=//evil.example> or [x](//evil.example) goes` on [citation:1]."
    world = World(
        reasoner=ScriptedReasoner(plan=PLAN, write=[[WriteDecision("answer"), Delta(text=said)]]),
        checker=KindChecker({"20 January": "refuted"}),
        unconfirmed=unconfirmed,
    )
    answer = await ask(world)
    assert is_closed(answer["answer"], ())
    assert all(answer["answer"][c["start"] : c["end"]] == c["text"] for c in answer["claims"])


async def test_a_number_without_a_source_never_reaches_the_reader():
    reasoner = ScriptedReasoner(plan=PLAN, write=[[WriteDecision("answer"), Delta(text="R1 is open [citation:99].")]])
    answer = await ask(World(reasoner=reasoner))
    assert "99" not in answer["answer"]
    assert any("do not exist" in w for w in answer["warnings"])


async def test_no_page_at_all_means_no_answer_from_memory():
    reasoner = ScriptedReasoner(plan=PLAN, write=[ANSWER])
    answer = await ask(World(reasoner=reasoner, search=[MemorySearch({})]))
    assert answer["status"] == "abstained"
    assert "write" not in reasoner.calls
    assert "do not answer" in answer["answer"]
    assert answer["claims"] == []


async def test_only_dead_links_means_no_answer():
    answer = await ask(World(fetcher=MemoryFetcher({})))
    assert answer["status"] == "abstained"
    assert {p["reason"] for p in answer["pages"]} == {"404"}


async def test_a_search_that_breaks_is_told_and_the_next_provider_answers():
    answer = await ask(World(search=[BrokenSearch(), MemorySearch()]))
    assert answer["status"] == "complete"


async def test_when_every_search_breaks_the_answer_says_so():
    answer = await ask(World(search=[BrokenSearch()]))
    assert answer["status"] == "abstained"
    assert any("broken" in w for w in answer["warnings"])


async def test_a_plan_of_nothing_still_asks_the_question():
    reasoner = ScriptedReasoner(plan=[Delta(text="I would look around.")], write=[ANSWER])
    assert (await ask(World(reasoner=reasoner)))["status"] == "complete"


async def test_a_model_that_fails_while_planning_is_replaced_by_rules():
    reasoner = ScriptedReasoner(plan=[ModelOverloaded("busy")], write=[ANSWER])
    answer = await ask(World(reasoner=reasoner))
    assert answer["status"] == "complete"
    assert any("busy" in w for w in answer["warnings"])


async def test_a_model_that_fails_once_evidence_is_in_is_replaced_and_the_run_is_partial():
    reasoner = ScriptedReasoner(
        plan=PLAN, write=[[WriteDecision("answer"), Delta(text="Half an ans"), ModelOverloaded("broke off")]]
    )
    answer = await ask(World(reasoner=reasoner))
    assert answer["status"] == "partial"
    assert answer["answer"].startswith("The model failed: broke off")
    assert "Half an ans" not in answer["answer"]


async def test_a_wrong_key_fails_the_run_at_once():
    with pytest.raises(ModelRefused):
        await ask(World(reasoner=ScriptedReasoner(plan=[ModelRefused("AGENT_API_KEY was refused")])))


async def test_a_call_that_is_made_again_replaces_what_it_had_said():
    script = [WriteDecision("answer"), Delta(text="Wrong start"), Restart("the stream broke"), *ANSWER]
    answer = await ask(World(reasoner=ScriptedReasoner(plan=PLAN, write=[script])))
    assert "Wrong start" not in answer["answer"]
    assert answer["answer"].startswith("R1 was released")


async def test_an_empty_draft_abstains():
    answer = await ask(World(reasoner=ScriptedReasoner(plan=PLAN, write=[[WriteDecision("answer"), Delta(text=" ")]])))
    assert answer["status"] == "abstained"


@pytest.mark.parametrize("question", ["", "   ", "\x00\x07", "x" * 100_000])
async def test_a_question_that_is_none_is_refused(question):
    with pytest.raises(QuestionError):
        await ask(World(), question)


async def test_control_characters_leave_the_question():
    answer = await ask(World(), "When was\x00 R1\x1b[31m released?")
    assert answer["question"] == "When was R1[31m released?"


async def test_past_the_time_limit_no_second_round_is_offered():
    reasoner = ScriptedReasoner(plan=[0.3, *PLAN], write=[ANSWER])
    answer = await ask(World(reasoner=reasoner, limits=replace(LIMITS, seconds=0.2)))
    assert [b.may_search for b in reasoner.briefs] == [False, False]
    assert answer["status"] == "partial"
    assert any("time limit" in w for w in answer["warnings"])


async def test_past_the_token_limit_no_second_round_is_offered():
    reasoner = ScriptedReasoner(plan=PLAN, write=[ANSWER])
    answer = await ask(World(reasoner=reasoner, limits=replace(LIMITS, total_tokens=100)))
    assert answer["status"] == "partial"
    assert any("100 tokens" in w for w in answer["warnings"])


async def test_page_text_and_reasoning_stay_out_of_the_state():
    from langgraph.checkpoint.memory import InMemorySaver

    saver, world = InMemorySaver(), World()
    graph = build(world.services(), checkpointer=saver)
    config = {"configurable": {"thread_id": "t"}}
    await graph.ainvoke({"question": "When was R1 released?"}, config)
    for kept in list(saver.list(config))[1:]:  # all but the last, which holds the answer with its reasoning
        held = str(kept.checkpoint)
        assert "The pages say it." not in held
        assert "can be downloaded by anybody" not in held


# ------------------------------------------------------------------------------------------------- how far it goes


RELEASES = {
    "http://news.example/release": ("R1 released", "# R1\n\nThe final training run of R1 cost 5.5 million dollars."),
    "http://other.example/release": ("R1 costs", "# R1\n\nThe final training run of R1 cost 7.2 million dollars."),
}


async def test_sources_that_disagree_are_shown_with_both_sides_and_their_dates():
    said = [
        WriteDecision("answer"),
        Delta(text="The final training run of R1 cost 5.5 million dollars [citation:1]."),
        CALL,
    ]
    world = World(
        reasoner=ScriptedReasoner(plan=PLAN, write=[said]),
        search=[MemorySearch(RELEASES)],
        fetcher=MemoryFetcher(RELEASES),
        checker=RuleChecker(),
    )
    answer = await ask(world, "What did the final training run of R1 cost?")
    (conflict,) = answer["conflicts"]
    assert {n for side in conflict["sides"] for n in side["sources"]} == {1, 2}
    assert answer["sufficiency"] == "conflicting"
    shown = str(from_json(Answer, answer))
    assert "## The sources disagree" in shown
    assert "[2] 2025-01-20: The final training run" in shown


async def test_an_answer_of_which_nothing_stands_is_none():
    world = World(checker=KindChecker({"R1": "unsupported", "0.6": "unsupported"}), limits=replace(LIMITS, revisions=0))
    answer = await ask(world)
    assert answer["status"] == "abstained"
    assert answer["sufficiency"] == "none"


async def test_the_answer_says_as_of_when():
    assert (await ask(World()))["as_of"] == "2025-01-20"


class FromTheFuture(PlainExtractor):
    """Reads pages that say that they are of a year to come."""

    async def extract(self, page: Page) -> Document:
        return replace(await super().extract(page), published="2031-01-01")


async def test_an_answer_is_never_as_of_a_day_after_the_run():
    answer = await ask(World(extractor=FromTheFuture()))
    assert any(source["published"] == "2031-01-01" for source in answer["sources"] if source["cited"])
    assert answer["as_of"] == answer["made_with"]["started_at"][:10]
