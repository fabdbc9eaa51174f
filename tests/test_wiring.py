"""Settings become parts: which reasoner and search answer, and what the user is told of it."""

import pytest
from langchain_core.embeddings import Embeddings

from agent.errors import SettingsError
from agent.research import ResearchAgent
from agent.settings import Settings
from agent.wiring.factory import build_graph
from tests.parts import good_reasoner


@pytest.fixture
def told(tmp_path):
    def describe(**given):
        return ResearchAgent(Settings(data_dir=tmp_path, cache_dir=tmp_path, **given)).describe()

    return describe


def test_the_built_in_reasoner_is_named_with_the_reason(told):
    line = told(model="extractive")
    assert "extractive (as configured; no model is asked)" in line
    assert "duckduckgo, wikipedia (none is configured)" in line
    assert "\n" not in line


def test_a_configured_model_is_named_with_its_host(told):
    line = told(model="deepseek-r1", base_url="http://gpu.example:8000/v1")
    assert "deepseek-r1 at gpu.example" in line


def test_a_searxng_that_is_set_is_used_without_being_named(told):
    assert "search: searxng (AGENT_SEARXNG_URL is set)" in told(searxng_url="http://localhost:8080")


def test_a_tavily_key_is_used_and_never_shown(told):
    line = told(tavily_api_key="tvly-planted")
    assert "search: tavily (AGENT_TAVILY_API_KEY is set)" in line
    assert "tvly-planted" not in line


def test_a_folder_is_asked_beside_the_web(told, tmp_path):
    assert "search: duckduckgo, wikipedia, folder" in told(folder=tmp_path)


def test_a_folder_can_be_the_only_search(told, tmp_path):
    assert "search: folder (as configured)" in told(folder=tmp_path, search="folder")


def test_a_provider_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(SettingsError, match=r"'altavista'.*duckduckgo"):
        build_graph(Settings(search="altavista"))


def test_the_sample_web_does_not_mix_with_the_world():
    with pytest.raises(SettingsError, match="library of its own"):
        build_graph(Settings(search="sample,wikipedia"))


async def test_an_answer_names_the_model_that_made_it_and_not_one_that_is_only_configured(tmp_path):
    configured = {"model": "deepseek-r1", "base_url": "https://models.example/v1", "search": "sample"}
    graph = build_graph(Settings(data_dir=tmp_path, cache_dir=tmp_path, **configured), reasoner=good_reasoner())
    answer = (await graph.ainvoke({"question": "What did R1 cost?"}))["answer"]
    assert answer["made_with"]["model"] == "ScriptedReasoner"
    assert answer["made_with"]["endpoint_host"] == ""


class Remembering(Embeddings):
    """Two numbers a text, and every text that it was given."""

    def __init__(self):
        self.texts = []

    def embed_documents(self, texts):
        self.texts += texts
        return [[float(len(text)), 1.0] for text in texts]

    def embed_query(self, text):
        return [float(len(text)), 1.0]


async def test_without_a_model_the_sentences_of_the_evidence_are_compared_by_the_embedder_that_is_there(tmp_path):
    embeddings = Remembering()
    graph = build_graph(Settings(data_dir=tmp_path, cache_dir=tmp_path, search="sample"), embeddings=embeddings)
    answer = (await graph.ainvoke({"question": "When was DeepSeek-R1 released?"}))["answer"]
    quoted = [claim["text"] for claim in answer["claims"]]
    assert quoted
    assert all(any(text in told for text in embeddings.texts) for told in quoted)


def test_building_a_graph_touches_neither_disk_nor_network(tmp_path):
    build_graph(Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", search="sample"))
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_has_grown_large_is_told_with_the_way_out(told, tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "library.sqlite3").write_bytes(bytes(2_100_000))
    assert "has grown to 2 MB (AGENT_LIBRARY_WARN_MB=1)" in told(model="extractive", library_warn_mb=1)
    assert "has grown" not in told(model="extractive", library_warn_mb=0)
    assert "has grown" not in told(model="extractive")
