"""Whole runs with a writer and a fast model: what each is asked, what it costs, and what must never get about."""

import json
import logging
import sqlite3
from urllib.request import Request, urlopen

import pytest

from agent.cli import main
from agent.errors import SettingsError
from agent.reasoning.models import open_chat_model
from agent.research import ResearchAgent
from agent.result import to_json
from agent.settings import Settings
from tests.model_server import ModelServer, Said
from tests.nearby import Nearby, Sends
from tests.scripted_r1 import rule_based

CONTENT_TYPE = {"Content-Type": "application/json"}
QUESTION = "Under which licence was DeepSeek-R1 released, and at what temperature should it be used?"
MARKER = "zebra-in-the-thinking-7731"
KEYS = {"api_key": "sk-planted-reasoner-1234", "writer_api_key": "sk-planted-writer-1234"}


def in_roles(request):
    """The scripted R1, with a marker in every thought; notes become prose."""
    if "[notes begin]" in request.prompt:
        notes = request.prompt.split("[notes begin]\n")[1].split("\n[notes end]")[0]
        return Said(notes)
    said = rule_based(request)
    return Said(said.text, f"{said.reasoning} {MARKER}")


@pytest.fixture
def server():
    with ModelServer(in_roles) as server:
        yield server


@pytest.fixture
def settings(tmp_path, server):
    def made(**given):
        places = {"data_dir": tmp_path / "data", "cache_dir": tmp_path / "cache", "search": "sample"}
        return Settings(**{**places, "model": "deepseek-r1", "base_url": server.url, **given})

    return made


def test_a_writer_at_the_same_endpoint_needs_a_name_only(settings, server):
    answer = ResearchAgent(settings(writer_model="claude-sonnet")).invoke(QUESTION)
    assert answer.status == "complete"
    assert answer.made_with.writer == "claude-sonnet"
    assert {r.body["model"] for r in server.requests} == {"deepseek-r1", "claude-sonnet"}
    assert any(c.verdict == "supported" for c in answer.claims)


def test_a_writer_elsewhere_is_sent_its_own_key_and_the_reasoner_its_own(settings, server):
    with ModelServer(in_roles) as elsewhere:
        given = {"writer_model": "w", "writer_base_url": elsewhere.url, **KEYS}
        ResearchAgent(settings(**given)).invoke(QUESTION)
        keys = {r.headers["authorization"] for r in elsewhere.requests}
    assert keys == {f"Bearer {KEYS['writer_api_key']}"}
    assert {r.headers["authorization"] for r in server.requests} == {f"Bearer {KEYS['api_key']}"}


def test_a_writer_elsewhere_without_a_key_is_not_sent_the_reasoners(settings):
    with ModelServer(in_roles) as elsewhere:
        given = {"writer_model": "w", "writer_base_url": elsewhere.url, "api_key": KEYS["api_key"]}
        ResearchAgent(settings(**given)).invoke(QUESTION)
        assert all(KEYS["api_key"] not in r.headers["authorization"] for r in elsewhere.requests)


async def test_a_callers_own_chat_model_may_write(settings, server):
    with ModelServer(in_roles) as elsewhere:
        async with open_chat_model(model="mine", base_url=elsewhere.url) as mine:
            answer = await ResearchAgent(settings(), writer=mine).ainvoke(QUESTION)
        assert len(elsewhere.requests) >= 1
    assert answer.status == "complete"
    assert answer.made_with.writer == "ChatR1"


@pytest.mark.parametrize("writer", [{}, {"writer_model": "w"}])
def test_what_was_thought_is_in_the_runs_record_and_nowhere_else(settings, server, tmp_path, caplog, writer):
    with caplog.at_level(logging.INFO):
        answer = ResearchAgent(settings(**writer)).invoke(QUESTION)
    assert any(MARKER in step.reasoning for step in answer.steps)
    shown = json.dumps({**to_json(answer), "steps": []}, ensure_ascii=False)
    assert MARKER not in shown
    assert MARKER not in caplog.text
    assert all(MARKER not in request.prompt for request in server.requests)
    kept = [p for p in (tmp_path / "data").rglob("*") if p.is_file() and MARKER.encode() in p.read_bytes()]
    assert kept
    assert not [p for p in kept if "library" in str(p) or "chroma" in str(p)], kept


def test_the_writer_reads_what_was_thought_only_where_the_user_wants_it(settings, server):
    ResearchAgent(settings(writer_model="w", pass_thinking=True)).invoke(QUESTION)
    told = [MARKER in r.prompt for r in server.requests if r.body["model"] == "w"]
    assert told
    assert all(told)


def test_no_key_gets_into_what_is_said_or_kept(settings, tmp_path, caplog, capsys):
    """Of a 403, unlike a 401, the server's own words are told: here they repeat the key."""
    refused = Said(status=403, body={"error": {"message": f"Incorrect API key: {KEYS['writer_api_key']}"}})
    with ModelServer(refused) as elsewhere, caplog.at_level(logging.DEBUG):
        given = {"writer_model": "w", "writer_base_url": elsewhere.url, **KEYS}
        events = list(ResearchAgent(settings(**given)).stream(QUESTION))
    told = repr(events) + json.dumps([to_json(e) for e in events]) + "".join(capsys.readouterr())
    files = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for key in KEYS.values():
        assert key not in told
        assert key not in caplog.text
        assert key.encode() not in files
    assert any("the reasoner wrote the answer itself" in w for w in events[-1].answer.warnings)


# ------------------------------------------------------------------------------------------------- money


def test_what_a_server_says_a_call_cost_is_what_it_cost(settings):
    def dear(request):
        said = in_roles(request)
        return Said(said.text, said.reasoning, cost=0.25)

    with ModelServer(dear) as server:
        answer = ResearchAgent(settings(base_url=server.url)).invoke(QUESTION)
    assert answer.usage.usd == 0.25 * answer.usage.model_calls
    assert answer.usage.usd_is_estimate is False
    assert answer.usage.usd_why == ""


def test_a_cost_that_is_not_known_is_null_and_says_why(settings):
    answer = ResearchAgent(settings()).invoke(QUESTION)
    assert answer.usage.usd is None
    assert "no price is known for 'deepseek-r1'" in answer.usage.usd_why


def test_a_limit_in_dollars_without_a_price_is_a_usage_error_that_names_the_way_out(settings):
    with pytest.raises(SettingsError, match="--max-total-tokens"):
        ResearchAgent(settings(max_usd=1)).invoke(QUESTION)


def test_a_limit_in_dollars_without_a_price_ends_with_status_2(settings, server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AGENT_MODEL", "deepseek-r1")
    words = ["--base-url", server.url, "--search", "sample", "--data-dir", str(tmp_path), "--max-usd", "1", QUESTION]
    assert main(words) == 2
    assert "--max-total-tokens" in capsys.readouterr().err


def test_a_run_whose_money_is_spent_lands_with_what_it_has(settings):
    """The endpoint is known by its profile; each call reports more than the run may cost."""

    def dear(request):
        said = in_roles(request)
        return Said(said.text, said.reasoning, cost=0.25)

    with ModelServer(dear) as server:
        answer = ResearchAgent(settings(base_url=server.url, profile="openrouter", max_usd=0.2)).invoke(QUESTION)
    assert len(server.requests) == 1
    assert answer.status == "partial"
    assert any("US dollars" in warning for warning in answer.warnings)
    assert any(source.cited for source in answer.sources)


def test_a_small_window_gets_less_evidence(settings, server):
    """DeepSeek-R1-Distill-Llama-70B has 8,192 tokens at OpenRouter."""
    small = {"profile": "openrouter", "model": "deepseek/deepseek-r1-distill-llama-70b"}
    ResearchAgent(settings(**small)).invoke(QUESTION)
    written = next(r for r in server.requests if "[webpage" in r.prompt)
    assert len(written.prompt) / 4 + written.body["max_tokens"] < 8_192 + 512


def test_a_run_remembers_its_roles_in_the_list_of_runs(settings, tmp_path):
    ResearchAgent(settings(writer_model="w", pass_thinking=True)).invoke(QUESTION)
    with sqlite3.connect(tmp_path / "data" / "runs.sqlite") as db:
        [(kept,)] = db.execute("select settings from runs").fetchall()
    assert {"writer_model": "w", "pass_thinking": True}.items() <= json.loads(kept).items()


def test_a_server_of_ones_own_that_was_started_with_a_small_window_gets_less_evidence(settings, server):
    """llama.cpp tells its window at /props, and passes on what else it is asked."""

    def written(window):
        props = {"default_generation_settings": {"n_ctx": window}}
        with Nearby({"/props": props, "*": lambda asked: passed_on(asked, server)}) as near:
            ResearchAgent(settings(base_url=near.url, profile="llama.cpp")).invoke(QUESTION)
        return next(r for r in reversed(server.requests) if "[webpage" in r.prompt)

    small, large = written(4_096), written(65_536)
    assert len(small.prompt) / 4 + small.body["max_tokens"] < 4_096 + 512
    assert len(small.prompt) < 0.7 * len(large.prompt)


def passed_on(asked, server):
    reply = urlopen(Request(f"{server.url[:-3]}{asked.path}", json.dumps(asked.body).encode(), CONTENT_TYPE))
    return Sends(reply.read(), headers={"Content-Type": reply.headers["Content-Type"]})
