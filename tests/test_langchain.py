"""The door for LangChain applications: a tool, a runnable, the graph for LangGraph's server, parts of a host's own."""

import asyncio
import json
from pathlib import Path

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser

from agent import build_graph
from agent.errors import SettingsError
from agent.langchain import as_retriever, as_runnable, as_tool, graph_for_server
from agent.settings import Settings
from agent.types import LibraryFilter
from agent.wiring.factory import stored_text

QUESTION = "Under which licence was DeepSeek-R1 released, and at what temperature should it be used?"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", search="sample")


def test_the_tool_gives_the_answer_as_text_and_the_whole_as_its_artifact(settings):
    tool = as_tool(settings)
    call = {"name": tool.name, "args": {"question": QUESTION}, "id": "1", "type": "tool_call"}
    message = tool.invoke(call)
    assert "## Sources" in message.content
    assert message.artifact["question"] == QUESTION
    assert set(tool.args) == {"question"}


async def test_the_tool_works_in_async_code(settings):
    text = await as_tool(settings).ainvoke({"question": QUESTION})
    assert "## Sources" in text


def test_the_runnable_takes_a_question_and_is_a_link_of_a_chain(settings):
    chain = as_runnable(settings) | (lambda answer: answer["answer"]) | StrOutputParser()
    assert "MIT" in chain.invoke(QUESTION)


async def test_the_runnable_takes_the_graphs_own_input_too(settings):
    assert (await as_runnable(settings).ainvoke({"question": QUESTION}))["status"] == "complete"


def test_langgraph_json_points_at_a_graph(settings, monkeypatch):
    monkeypatch.setenv("AGENT_SEARCH", "sample")
    config = json.loads(Path("langgraph.json").read_text(encoding="utf-8"))
    module, name = config["graphs"]["agent"].split(":")
    assert (module, name) == ("./agent/langchain.py", graph_for_server.__name__)
    assert {"question", "messages"} <= set(graph_for_server().get_input_jsonschema()["properties"])


def test_any_chat_model_can_be_the_reasoner(settings):
    said = iter(
        [
            AIMessage('{"queries": [{"query": "R1 licence", "purpose": "the licence"}]}'),
            AIMessage("ANSWER\nR1 is under the MIT licence [citation:1]."),
            AIMessage("1: drop"),
        ]
    )
    graph = build_graph(settings, reasoner=GenericFakeChatModel(messages=said))
    answer = graph.invoke({"question": "Under which licence is R1?"})["answer"]
    assert "[1]" in answer["answer"]
    assert answer["made_with"]["model"] == "GenericFakeChatModel"


class Counting(Embeddings):
    """Two numbers a text, and a count of the texts."""

    def __init__(self):
        self.texts = 0

    def embed_documents(self, texts):
        self.texts += len(texts)
        return [[float(len(t)), 1.0] for t in texts]

    def embed_query(self, text):
        return [float(len(text)), 1.0]


def test_any_langchain_embeddings_can_be_used(settings):
    embeddings = Counting()
    answer = build_graph(settings, embeddings=embeddings).invoke({"question": QUESTION})["answer"]
    assert answer["status"] == "complete"
    assert embeddings.texts > 0


class DictSearch:
    name = "mine"

    async def search(self, query, *, limit):
        return [{"url": "http://127.0.0.1:1/x", "title": "Mine", "snippet": "of my own"}]


def test_any_object_with_search_can_be_the_search(settings):
    answer = build_graph(settings, search=DictSearch()).invoke({"question": QUESTION})["answer"]
    assert answer["made_with"]["search"] == ["mine"]
    assert answer["status"] == "abstained"  # its only page is at a private address, which is refused
    (page,) = answer["pages"]
    assert page["status"] == "skipped"


class Exploding:
    async def search(self, query, *, limit):
        raise ValueError("boom")


def test_a_hosts_search_that_raises_is_a_search_that_broke(settings):
    answer = build_graph(settings, search=[Exploding()]).invoke({"question": QUESTION})["answer"]
    assert answer["status"] == "abstained"
    assert any("boom" in w for w in answer["warnings"])


def test_an_object_that_cannot_search_is_refused(settings):
    with pytest.raises(SettingsError, match="async search"):
        build_graph(settings, search=object())


def test_the_retriever_finds_verbatim_what_earlier_runs_read(settings):
    answer = build_graph(settings).invoke({"question": QUESTION})["answer"]
    retriever = as_retriever(settings, limit=3)
    found = retriever.invoke("licence of DeepSeek-R1")
    texts = {source["snapshot"]: source["url"] for source in answer["sources"]}
    assert 0 < len(found) <= 3
    assert any("MIT" in document.page_content for document in found)
    assert all(texts.get(d.metadata["snapshot"], d.metadata["source"]) == d.metadata["source"] for d in found)
    text = asyncio.run(stored_text(settings, found[0].metadata["snapshot"]))
    assert text[found[0].metadata["start"] : found[0].metadata["end"]] == found[0].page_content


async def test_the_retriever_works_in_async_code_and_keeps_within_its_bounds(settings):
    await build_graph(settings).ainvoke({"question": QUESTION})
    bound = as_retriever(settings, within=LibraryFilter(hosts=("nowhere.example",)))
    assert await bound.ainvoke("licence of DeepSeek-R1") == []
    assert await as_retriever(settings).ainvoke("licence of DeepSeek-R1")
