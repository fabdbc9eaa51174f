"""A page that comes too late for one writing is there for the next, and every page that was wanted is told."""

from agent.graph.graph_builder import build
from agent.types import Query, WriteDecision
from tests.parts import ANSWER, CALL, PLAN, MemoryFetcher, ScriptedReasoner, World

SLOW = "http://lab.example/training"
QUESTION = "How was R1 released, trained and used?"


async def test_a_late_page_is_taken_where_it_comes_before_the_last_writing():
    more = [WriteDecision("search more"), 1.5, Query("R1 licence"), CALL]
    reasoner = ScriptedReasoner(plan=PLAN, write=[more, ANSWER])
    world = World(reasoner=reasoner, fetcher=MemoryFetcher(seconds={SLOW: 1.2}))
    answer = (await build(world.services()).ainvoke({"question": QUESTION}))["answer"]
    first, second = ({piece.source.url for piece in evidence} for evidence in reasoner.evidence)
    assert SLOW not in first
    assert SLOW in second
    assert {page["url"]: page["status"] for page in answer["pages"]}[SLOW] == "read"


async def test_a_page_that_never_comes_is_told_as_that():
    world = World(fetcher=MemoryFetcher(seconds={SLOW: 60}))
    answer = (await build(world.services()).ainvoke({"question": QUESTION}))["answer"]
    told = {page["url"]: page for page in answer["pages"]}
    assert (told[SLOW]["status"], told[SLOW]["reason"]) == ("skipped", "not in time")
    assert told[SLOW]["seconds"] > 0.4, "it was waited for until a quorum was in"
    assert answer["status"] == "complete"
