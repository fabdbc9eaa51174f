"""How the graph sits in LangGraph: every door, hosts of all kinds, and nothing left behind after any end."""

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from agent.errors import ModelRefused
from agent.graph.graph_builder import build
from agent.graph.sync_bridge import house_loop, run_sync
from agent.types import Delta, WriteDecision
from tests.parts import ANSWER, PLAN, ScriptedReasoner, World

QUESTION = {"question": "When was R1 released, and at what temperature is it used?"}


def slow(seconds: float) -> ScriptedReasoner:
    return ScriptedReasoner(plan=PLAN, write=[[WriteDecision("answer"), Delta(text="R1 "), seconds, *ANSWER[2:]]])


def complete(out: dict) -> bool:
    return out["answer"]["status"] == "complete" and "[1]" in out["answer"]["answer"]


async def nothing_left(world: World, loop: asyncio.AbstractEventLoop | None = None) -> bool:
    """Within two seconds: every run is closed, and no task of one is alive on the loop."""
    loop = loop or asyncio.get_running_loop()
    for _ in range(100):
        tasks = [t for t in asyncio.all_tasks(loop) if t.get_name().startswith("run ")]
        if world.open_now == 0 and not tasks:
            return True
        await asyncio.sleep(0.02)
    return False


# ------------------------------------------------------------------------------------------------- doors


def test_invoke_twice_in_a_row():
    world = World()
    graph = build(world.services())
    assert complete(graph.invoke(QUESTION))
    assert complete(graph.invoke(QUESTION))
    assert world.opened == 2
    assert world.open_now == 0


async def test_ainvoke_twice_in_a_row():
    world = World()
    graph = build(world.services())
    assert complete(await graph.ainvoke(QUESTION))
    assert complete(await graph.ainvoke(QUESTION))
    assert await nothing_left(world)


def test_stream_gives_each_step():
    steps = [next(iter(part)) for part in build(World().services()).stream(QUESTION, stream_mode="updates")]
    assert steps == ["scout", "plan", "search", "read", "retrieve", "write", "verify"]


async def test_astream_gives_each_step_and_our_events():
    graph = build(World().services())
    parts = [p async for p in graph.astream(QUESTION, stream_mode=["updates", "custom"])]
    assert [next(iter(p)) for mode, p in parts if mode == "updates"][-1] == "verify"
    events = [p["event"] for mode, p in parts if mode == "custom"]
    assert events[0] == "Began"
    assert {"Planned", "Searched", "PageRead", "Stored", "Ranked", "Thinking", "Writing", "Checked", "Spent"} <= set(
        events
    )
    assert events[-1] == "Finished"


def test_stream_and_astream_say_the_same_events():
    def names(parts: list[dict]) -> set[str]:
        return {p["event"] for p in parts}

    graph = build(World().services())

    async def all_async() -> list[dict]:
        return [p async for p in graph.astream(QUESTION, stream_mode="custom")]

    assert names(list(graph.stream(QUESTION, stream_mode="custom"))) == names(asyncio.run(all_async()))


async def test_invoke_from_a_thread_in_which_a_loop_is_running():
    world = World()
    assert complete(build(world.services()).invoke(QUESTION))
    assert await nothing_left(world, house_loop())


def test_invoke_on_the_house_loop_itself_raises_instead_of_waiting_for_ever():
    graph = build(World().services())

    async def on_the_house_loop() -> None:
        graph.invoke(QUESTION)

    with pytest.raises(RuntimeError, match="ainvoke"):
        run_sync(on_the_house_loop())


def test_two_at_once_from_two_threads():
    world = World()
    graph = build(world.services())
    answers: list[dict] = []
    threads = [threading.Thread(target=lambda: answers.append(graph.invoke(QUESTION))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [complete(a) for a in answers] == [True, True]
    assert answers[0]["answer"]["run_id"] != answers[1]["answer"]["run_id"]


async def test_two_at_once_on_one_loop():
    world = World()
    graph = build(world.services())
    one, two = await asyncio.gather(graph.ainvoke(QUESTION), graph.ainvoke(QUESTION))
    assert complete(one)
    assert complete(two)
    assert await nothing_left(world)


def test_invoke_after_a_fork():
    world = World()
    graph = build(world.services())
    assert complete(graph.invoke(QUESTION))
    child = os.fork()
    if child == 0:
        os._exit(0 if complete(graph.invoke(QUESTION)) else 1)
    deadline = threading.Timer(20, os.kill, (child, 9))
    deadline.start()
    _, status = os.waitpid(child, 0)
    deadline.cancel()
    assert os.waitstatus_to_exitcode(status) == 0


# ------------------------------------------------------------------------------------------------- hosts


class Parent(TypedDict, total=False):
    question: str
    topic: str
    answer: dict


def parent_of(graph, **compiled):
    builder = StateGraph(Parent)
    builder.add_node(
        "ask", lambda s: {"question": f"When was {s['topic']} released, and at what temperature is it used?"}
    )
    builder.add_node("research", graph)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "research")
    builder.add_edge("research", END)
    return builder.compile(**compiled)


def strict_saver() -> InMemorySaver:
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))


def test_as_a_node_of_a_sync_parent():
    world = World()
    assert complete(parent_of(build(world.services())).invoke({"topic": "R1"}))
    assert world.open_now == 0


async def test_as_a_node_of_an_async_parent():
    world = World()
    assert complete(await parent_of(build(world.services())).ainvoke({"topic": "R1"}))
    assert await nothing_left(world)


async def test_called_inside_a_node_of_a_parent():
    graph = build(World().services())

    async def research(state: Parent) -> Parent:
        return {"answer": (await graph.ainvoke({"question": state["topic"]}))["answer"]}

    builder = StateGraph(Parent)
    builder.add_node("research", research)
    builder.add_edge(START, "research")
    assert complete(await builder.compile().ainvoke({"topic": QUESTION["question"]}))


def test_under_a_parents_checkpointer_with_the_strict_serializer():
    parent = parent_of(build(World().services()), checkpointer=strict_saver())
    config = {"configurable": {"thread_id": "1"}}
    out = parent.invoke({"topic": "R1"}, config)
    assert complete(out)
    assert parent.get_state(config).values["answer"] == out["answer"]


def test_under_strict_msgpack_from_the_environment():
    script = """
        from langgraph.checkpoint.memory import InMemorySaver
        from agent.graph.graph_builder import build
        from tests.parts import World
        graph = build(World().services(), checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "1"}}
        answer = graph.invoke({"question": "When was R1 released?"}, config)["answer"]
        held = [s.values for s in graph.get_state_history(config)]
        assert answer["status"] == "complete" and held[0]["answer"] == answer
        assert type(held[1]["sources"]) is dict, type(held[1]["sources"])
    """
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:langgraph", "-c", textwrap.dedent(script)],
        env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "unregistered" not in done.stderr


def test_on_messages_state_one_message_comes_back():
    builder = StateGraph(MessagesState)
    builder.add_node("research", build(World().services()))
    builder.add_edge(START, "research")
    said = [HumanMessage("Hello"), AIMessage("Ask away."), HumanMessage("When was R1 released?")]
    out = builder.compile().invoke({"messages": said})["messages"]
    assert [m.type for m in out] == ["human", "ai", "human", "ai"]
    assert "[1]" in out[-1].content


def test_earlier_turns_reach_the_reasoner_and_the_last_human_message_is_the_question():
    world = World()
    said = [HumanMessage("Tell me of DeepSeek R1."), AIMessage("It is a model."), HumanMessage("When was it released?")]
    build(world.services()).invoke({"messages": said})
    assert world.reasoner.briefs[0].question == "When was it released?"
    assert "Tell me of DeepSeek R1." in world.reasoner.briefs[0].earlier
    assert "When was it released?" not in world.reasoner.briefs[0].earlier


def test_what_tools_said_takes_no_room_from_the_earlier_turns():
    world = World()
    long = ToolMessage("found " * 20_000, tool_call_id="1")
    said = [
        HumanMessage("Tell me of DeepSeek R1."),
        AIMessage("It is a model."),
        long,
        HumanMessage("When was it made?"),
    ]
    build(world.services()).invoke({"messages": said})
    assert world.reasoner.briefs[0].earlier == "User: Tell me of DeepSeek R1.\nAssistant: It is a model."


def test_messages_mode_shows_the_host_nothing_but_the_checked_answer():
    parts = list(build(World().services()).stream(QUESTION, stream_mode="messages"))
    texts = [message.content for message, _ in parts if message.type == "ai"]
    assert len(texts) == 1
    first, _, body = texts[0].partition("\n\n")
    assert first.startswith("*No model checked this answer")
    assert body.startswith("R1 was released on 20 January 2025 under the MIT licence [1]")


def test_two_questions_on_one_thread_do_not_mix():
    world = World()
    graph = build(world.services(), checkpointer=strict_saver())
    config = {"configurable": {"thread_id": "1"}}
    first = graph.invoke({"question": "When was R1 released?"}, config)["answer"]
    world.reasoner = ScriptedReasoner(
        plan=[], write=[[WriteDecision("answer"), Delta(text="By reinforcement [citation:1].")]]
    )
    second = graph.invoke({"question": "How was R1 trained?"}, config)["answer"]
    assert second["question"] == "How was R1 trained?"
    assert second["run_id"] != first["run_id"]
    assert [s["name"] for s in second["steps"]].count("plan") == 1
    assert second["usage"]["model_calls"] == 0
    assert [s["number"] for s in second["sources"]] == list(range(1, len(second["sources"]) + 1))


def test_a_second_question_sent_as_a_message_is_the_one_that_is_answered():
    graph = build(World().services(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"question": "When was R1 released?"}, config)
    out = graph.invoke({"messages": [HumanMessage("At what temperature?")]}, config)
    assert out["answer"]["question"] == "At what temperature?"
    assert [m.type for m in out["messages"]] == ["human", "ai", "human", "ai"]


# ------------------------------------------------------------------------------------------------- ends


async def test_nothing_is_left_after_an_error():
    world = World(reasoner=ScriptedReasoner(plan=[ModelRefused("AGENT_API_KEY was refused")]))
    with pytest.raises(ModelRefused):
        await build(world.services()).ainvoke(QUESTION)
    assert await nothing_left(world)


async def test_parts_that_cannot_be_opened_in_time_end_the_run():
    @asynccontextmanager
    async def too_slow(*_):
        raise TimeoutError("the proxy does not answer")
        yield

    graph = build(replace(World().services(), open_run=too_slow))
    with pytest.raises(TimeoutError, match="the proxy"):
        await asyncio.wait_for(graph.ainvoke(QUESTION), 10)


async def test_nothing_is_left_after_a_cancel():
    world = World(reasoner=slow(30))
    task = asyncio.create_task(build(world.services()).ainvoke(QUESTION))
    while "write" not in world.reasoner.calls:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await nothing_left(world)


async def test_nothing_is_left_after_a_generator_is_closed_early():
    world = World(reasoner=slow(30))
    async with aclosing(build(world.services()).astream(QUESTION, stream_mode="updates")) as parts:
        async for part in parts:
            if "plan" in part:
                break
    assert await nothing_left(world)


async def test_nothing_is_left_after_a_generator_is_dropped_between_two_steps():
    world = World()
    parts = build(world.services()).astream(QUESTION, stream_mode="updates")
    async for part in parts:
        if "plan" in part:
            break
    del parts, part
    gc.collect()
    assert await nothing_left(world)


async def test_nothing_is_left_when_a_generator_is_held_open_for_ever():
    world = World()
    parts = build(world.services(), idle_seconds=0.3).astream(QUESTION, stream_mode="updates")
    async for part in parts:
        if "plan" in part:
            break
    await asyncio.sleep(0.4)
    assert await nothing_left(world)
    await parts.aclose()


async def test_a_run_goes_on_after_its_belongings_were_ended_for_idleness():
    world = World()
    graph = build(world.services(), idle_seconds=0.2)
    out: dict = {}
    async for part in graph.astream(QUESTION, stream_mode="updates"):
        out |= part
        if "plan" in part:
            await asyncio.sleep(0.5)
    assert complete(out["verify"])
    assert world.opened == 2


def test_nothing_is_left_after_a_sync_stream_is_left_early():
    world = World()
    for part in build(world.services()).stream(QUESTION, stream_mode="updates"):
        if "plan" in part:
            break
    assert run_sync(nothing_left(world, house_loop()))


def asking_first(graph, saver):
    def confirm(state: Parent) -> Parent:
        return {"question": interrupt("which question?")}

    builder = StateGraph(Parent)
    builder.add_node("confirm", confirm)
    builder.add_node("research", graph)
    builder.add_node("approve", lambda s: {"topic": interrupt("good?")})
    builder.add_edge(START, "confirm")
    builder.add_edge("confirm", "research")
    builder.add_edge("research", "approve")
    return builder.compile(checkpointer=saver)


async def test_nothing_is_left_after_the_hosts_interrupt_and_the_run_is_not_done_twice():
    world = World()
    parent = asking_first(build(world.services()), strict_saver())
    config = {"configurable": {"thread_id": "1"}}
    await parent.ainvoke({"topic": "R1"}, config)
    out = await parent.ainvoke(Command(resume=QUESTION["question"]), config)
    assert "__interrupt__" in out
    assert complete(out)
    assert await nothing_left(world)
    assert (await parent.ainvoke(Command(resume="yes"), config))["topic"] == "yes"
    assert world.opened == 1


@pytest.mark.parametrize("step", ["plan", "search", "read", "retrieve", "write", "verify"])
async def test_nothing_is_left_after_an_interrupt_before_a_step_and_the_run_goes_on(step):
    world = World()
    graph = build(world.services(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    await graph.ainvoke(QUESTION, config, interrupt_before=[step])
    assert await nothing_left(world)
    out = await graph.ainvoke(None, config)
    assert complete(out)
    assert world.reasoner.calls == ["plan", "write"]
    assert {p["status"] for p in out["answer"]["pages"]} <= {"read", "cached"}


def test_nothing_is_left_when_the_hosts_loop_ends_under_it():
    world = World(reasoner=slow(30))

    async def leave() -> None:
        task = asyncio.ensure_future(build(world.services()).ainvoke(QUESTION))
        while "write" not in world.reasoner.calls:
            await asyncio.sleep(0.01)
        assert not task.done()

    asyncio.run(leave())
    assert world.open_now == 0
