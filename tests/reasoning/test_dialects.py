"""The dialect table: every place where servers put reasoning, and every way of asking ChatR1.

It is the contract with LangChain's base class, whose underscore methods ChatR1 overrides.  `pytest -s` prints it.

    R  the reasoning comes as a standard `reasoning` block      A  the answer comes as text, clean
    T  the tool call comes                                      ∅  nothing
"""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.graph import END, START, MessagesState, StateGraph
from openai import APIError

from agent.reasoning.models import ChatR1, model_error
from agent.reasoning.models.model_errors import Endpoint
from agent.reasoning.models.response_stream import StreamReader, whole
from tests.model_server import DIALECTS, ModelServer, Said
from tests.reasoning.ways import ANSWER, STREAMS, THOUGHT, WAYS, ask, chunks, model_at, told

LANGGRAPH = "LangGraph messages"
COLUMNS = [*WAYS, LANGGRAPH]
BOTH = Said(ANSWER, THOUGHT)
ABOUT_TAGS = "R1 thinks between <think> and </think>\nand then answers."
TOOL = ("look_up", {"word": "forty-two", "times": 2})


@dataclass(frozen=True)
class Row:
    name: str
    said: Said
    wanted: str = "R A"
    reasoning: str = THOUGHT
    answer: str = ANSWER


ROWS = [
    *(Row(about, replace(BOTH, dialect=name)) for name, about in DIALECTS.items() if name != "misfiled"),
    Row("empty thinking, in tags", Said(f"<think>\n\n</think>\n\n{ANSWER}", dialect="think"), "A"),
    Row("empty thinking, the tag opened by the template", Said(f"\n</think>\n\n{ANSWER}", dialect="think"), "A"),
    Row("empty thinking, in a field", Said(ANSWER, dialect="always"), "A"),
    Row("thinking never closed, in tags", Said(f"<think>\n{THOUGHT}", dialect="think"), "R"),
    Row("cut off in mid-thought, in tags", Said(f"<think>\n{THOUGHT}", dialect="think", finish="length"), "R"),
    Row("cut off in mid-thought, in a field", Said("", THOUGHT, dialect="always", finish="length"), "R"),
    Row("answer only in the reasoning field", replace(BOTH, dialect="misfiled"), "R", f"{THOUGHT}\n\n{ANSWER}"),
    Row("tool call and reasoning, in a field", Said("", THOUGHT, tool=TOOL, finish="tool_calls"), "R T"),
    Row(
        "tool call and reasoning, in tags",
        Said(f"<think>\n{THOUGHT}\n</think>\n\n", dialect="think", tool=TOOL, finish="tool_calls"),
        "R T",
    ),
    Row("no thinking at all", Said(ANSWER, dialect="think"), "A"),
    Row("an answer about the tags, beside a field", Said(ABOUT_TAGS, THOUGHT), answer=ABOUT_TAGS),
    Row("an answer about the tags, after tags", Said(ABOUT_TAGS, THOUGHT, dialect="think"), answer=ABOUT_TAGS),
    Row("an answer about the tags, without thinking", Said(ABOUT_TAGS, dialect="think"), "A", answer=ABOUT_TAGS),
    Row("nothing", Said("", dialect="think"), "∅"),
    Row("error event in mid-reply", replace(BOTH, fault="error event"), "ModelOverloaded"),
]


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, dict[str, str]]]:
    """Row by row what came; printed at the end."""
    cells: dict[str, dict[str, str]] = {}
    yield cells
    width = max(map(len, cells))
    lines = [f"| {'':{width}} | " + " | ".join(COLUMNS) + " |", f"|{'-' * (width + 2)}|" + "---|" * len(COLUMNS)]
    lines += [f"| {name:{width}} | " + " | ".join(row[way] for way in COLUMNS) + " |" for name, row in cells.items()]
    print("\n" + "\n".join(lines))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.partition(":")[0])
async def test_reasoning_and_answer_come_apart_however_it_is_asked(row: Row, table: dict[str, dict[str, str]]) -> None:
    table[row.name] = {way: await cell(row, way) for way in COLUMNS}
    assert table[row.name] == dict.fromkeys(COLUMNS, row.wanted)


async def cell(row: Row, way: str) -> str:
    """What came this way; it must not depend on the size of the pieces or on the form of the message's content."""
    verdicts = set()
    with ModelServer(row.said) as server:
        for server.cut, version in itertools.product((0, 1, 3), ("v0", "v1")):
            verdicts.add(await verdict(row, model_at(server, output_version=version), way))
    assert len(verdicts) == 1, verdicts
    return verdicts.pop()


async def verdict(row: Row, model: ChatR1, way: str) -> str:
    try:
        message = (await through_langgraph(model))[-1] if way == LANGGRAPH else await ask(model, way)
    except APIError as error:
        return type(model_error(error, Endpoint("r1"))).__name__
    reasoning, answer = told(message)
    assert reasoning in ("", row.reasoning), reasoning
    assert answer in ("", row.answer), answer
    called = [(c["name"], c["args"]) for c in message.tool_calls]
    assert called in ([], [TOOL]), called
    assert message.response_metadata["finish_reason"] == row.said.finish
    said = {"R": reasoning, "A": answer, "T": called}
    return " ".join(letter for letter, came in said.items() if came) or "∅"


async def through_langgraph(model: ChatR1) -> list[AIMessage]:
    """The pieces of LangGraph's messages stream, and last what they add up to."""
    async with asked_in_a_graph(model) as stream:
        pieces = [chunk async for chunk, _ in stream if isinstance(chunk, AIMessageChunk)]
    whole_message = pieces[0]
    for piece in pieces[1:]:
        whole_message += piece
    return [*pieces, whole_message]


@asynccontextmanager
async def asked_in_a_graph(model: ChatR1) -> AsyncIterator[AsyncIterator[tuple[BaseMessage, object]]]:
    async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").add_edge("answer", END)
    yield graph.compile().astream({"messages": [HumanMessage("Hi")]}, stream_mode="messages")


# ------------------------------------------------------------------------------------------------- in what order


@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "bare"])
async def test_reasoning_comes_before_the_answer_in_langgraphs_messages_stream(dialect: str) -> None:
    with ModelServer([Said("ok", "hm"), BOTH], dialect=dialect) as server:
        model = model_at(server)
        await model.ainvoke("the first reply teaches where the reasoning is")
        *pieces, _ = await through_langgraph(model)
    kinds = ["reasoning" if r else "text" for r, t in map(told, pieces) if r or t]
    assert kinds == sorted(kinds)
    assert kinds.count("reasoning") > 1
    assert kinds.count("text") > 1


@pytest.mark.parametrize("way", STREAMS)
async def test_bare_thinking_is_held_back_on_the_first_reply_and_streamed_from_the_second_on(way: str) -> None:
    with ModelServer(BOTH, dialect="bare") as server:
        model = model_at(server)
        first = [told(chunk) for chunk in await chunks(model, way)]
        second = [told(chunk) for chunk in await chunks(model, way)]
    assert "".join(t for _, t in first) == ANSWER
    assert sum(bool(r) for r, _ in first) == 1
    assert sum(bool(r) for r, _ in second) > 1
    assert "".join(t for _, t in second) == ANSWER


@pytest.mark.parametrize("way", WAYS)
async def test_content_is_a_list_of_standard_blocks_where_the_caller_wants_it(way: str) -> None:
    with ModelServer(BOTH, dialect="think") as server:
        message = await ask(model_at(server, output_version="v1"), way)
    assert [b["type"] for b in message.content] == ["reasoning", "text"]


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("dialect", ["think", "bare"])
async def test_a_tag_that_is_cut_at_any_character_never_shows(way: str, dialect: str) -> None:
    """Pieces of every size, so that every tag is cut everywhere."""
    with ModelServer(BOTH, dialect=dialect) as server:
        for server.cut in range(1, 12):
            said = [told(chunk) for chunk in await chunks(model_at(server), way)]
            assert not any(set("<>/") & set(t) for _, t in said)
            assert joined(said) == (THOUGHT, ANSWER)


# ------------------------------------------------------------------------------------------------- one source only


def test_reasoning_that_a_server_sums_up_in_another_field_is_not_counted_twice() -> None:
    reader = StreamReader("auto")
    deltas = [
        {"reasoning": "I think"},
        {"reasoning": " so.", "reasoning_details": " so."},
        {"reasoning_details": "All."},
    ]
    read = [reader.read(ChatGenerationChunk(message=AIMessageChunk(content="")), fields) for fields in deltas]
    assert "".join(told(chunk.message)[0] for chunk in read) == "I think so."


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": " and so"}]},
    {"type": "text", "text": "Forty-"},
    "two.",
]


def test_content_that_is_a_list_of_parts_is_read_as_one_reply() -> None:
    apart, mode = whole({}, PARTS, "auto")
    assert (apart.reasoning, apart.text, mode) == ("hm and so", "Forty-two.", "tags")


def test_content_that_comes_in_lists_of_parts_is_read_as_a_stream() -> None:
    reader = StreamReader("auto")
    read = [reader.read(ChatGenerationChunk(message=AIMessageChunk(content=[part])), {}) for part in PARTS]
    assert joined([told(chunk.message) for chunk in read]) == ("hm and so", "Forty-two.")


FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
CONTENTS = [ANSWER, ABOUT_TAGS, "", f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}", f"{THOUGHT}\n</think>\n\n{ANSWER}"]


def test_a_stream_says_the_same_as_the_whole_reply_wherever_it_is_cut() -> None:
    rng = random.Random(4)
    for _ in range(4_000):
        thought, content = rng.choice(("", THOUGHT, "嗯。")), rng.choice(CONTENTS)
        names = rng.sample(FIELDS, k=rng.choice((0, 1, 2)) if not thought else rng.choice((1, 2)))
        mode = rng.choice(("auto", "tags", "prefilled"))
        reader = StreamReader(mode)
        deltas = [("", dict.fromkeys(names, piece)) for piece in ["", *pieces(thought, rng)]]
        deltas += [(piece, {}) for piece in pieces(content, rng)]
        said = [told(reader.read(a_chunk(text), fields).message) for text, fields in deltas]
        said.append(told(reader.read(a_chunk("", "stop"), {}).message))
        assert reader.close() is None
        apart, learned = whole(dict.fromkeys(names, thought), content, mode)
        assert (joined(said), reader.learned) == ((apart.reasoning, apart.text), learned), (thought, content, mode)


def pieces(text: str, rng: random.Random) -> list[str]:
    edges = sorted({0, len(text), *(rng.randrange(len(text) + 1) for _ in range(rng.randrange(9)))})
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def a_chunk(text: str, finish: str | None = None) -> ChatGenerationChunk:
    about = {"finish_reason": finish} if finish else None
    return ChatGenerationChunk(message=AIMessageChunk(content=text), generation_info=about)


def joined(said: list[tuple[str, str]]) -> tuple[str, str]:
    return "".join(r for r, _ in said), "".join(t for _, t in said)


# ------------------------------------------------------------------------------------------------- what it cost


@pytest.mark.parametrize("dialect", ["reasoning_content", "openrouter"])
@pytest.mark.parametrize("where", ["after", "finish", "both", "each"])
@pytest.mark.parametrize("way", WAYS)
async def test_tokens_are_counted_once_wherever_the_server_tells_them(way: str, where: str, dialect: str) -> None:
    with ModelServer(replace(BOTH, usage_in=where, cached=3), dialect=dialect) as server:
        message = await ask(model_at(server), way)
    assert message.usage_metadata["output_token_details"] == {"reasoning": 6}
    assert message.usage_metadata["output_tokens"] == 6 + 6
    assert message.usage_metadata["input_token_details"] == {"cache_read": 3}


@pytest.mark.parametrize("way", STREAMS)
async def test_finish_reason_and_model_name_that_come_twice_are_told_once(way: str) -> None:
    with ModelServer(BOTH, dialect="openrouter") as server:
        message = await ask(model_at(server), way)
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["model_name"] == "deepseek-r1"
