"""`doctor` and `models` as a person and a script see them, with servers on loopback only."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from agent.cli import main
from agent.cli.commands.doctor import look
from agent.cli.commands.models import show
from agent.doctor.diagnosis_item import Machine
from agent.settings import Settings
from agent.wiring.model_setup import Server
from tests.nearby import Nearby, Sends, closed_port, listed, streamed, tags

CHAT = "/v1/chat/completions"
KEY = "sk-planted-0123456789"


def nobody() -> Server:
    return Server("vllm", "vLLM", f"http://127.0.0.1:{closed_port()}/v1")


def machine(*servers: Server, **environ: str) -> Machine:
    return Machine(environ, servers=servers or (nobody(),))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Nothing of the developer's is read or written."""
    monkeypatch.setenv("AGENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


# ---------------------------------------------------------------------------------------------------- doctor


def test_a_machine_where_all_is_well_is_told_so_and_the_exit_status_is_0(place, monkeypatch, capsys):
    with Nearby({CHAT: streamed()}) as server:
        monkeypatch.setenv("AGENT_BASE_URL", server.url)
        monkeypatch.setenv("AGENT_API_KEY", KEY)
        assert main(["doctor", "--search", "sample", "--model", "deepseek-r1"]) == 0
    out, err = capsys.readouterr()
    parts = [line.split()[1] for line in out.splitlines() if line and not line.startswith((" ", "Questions"))]
    assert parts == ["reasoner", "search", "embedder", "library", "chroma", "data", "cache", "disk"]
    assert out.splitlines()[-1] == "Questions can be answered; 1 thing could be better."  # there is no embedder
    assert "planted" not in out + err


def test_a_wrong_key_is_one_problem_and_the_exit_status_is_1(place, monkeypatch, capsys):
    with Nearby({CHAT: Sends(f'{{"error": {{"message": "bad key {KEY}"}}}}', 401)}) as server:
        monkeypatch.setenv("AGENT_BASE_URL", server.url)
        monkeypatch.setenv("AGENT_API_KEY", KEY)
        assert main(["doctor", "--search", "sample", "--model", "deepseek-r1", "--json"]) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["can_run"] is False
    assert [f["part"] for f in told["findings"] if f["state"] == "problem"] == ["reasoner"]
    assert "planted" not in out + err


def test_every_role_is_asked(place, monkeypatch, capsys):
    with Nearby({CHAT: streamed()}) as one, Nearby({CHAT: Sends(b"{}", 401)}) as other:
        settings = Settings(
            model="deepseek-r1", base_url=one.url, writer_model="w", writer_base_url=other.url, search=("sample",)
        )
        assert look(settings, machine()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["ok", "reasoner"], ["problem", "writer"]]
    assert "AGENT_WRITER_API_KEY" in lines[2]


def test_with_nothing_configured_questions_are_answered_without_a_model_and_r1_is_told_of(place, capsys):
    assert look(Settings(search=("sample",)), machine()) == 0
    out = capsys.readouterr().out
    assert "built-in extractive reasoner" in out
    assert "set AGENT_BASE_URL and AGENT_MODEL for R1" in out


def test_a_local_model_that_is_found_is_tried_and_said_to_be_found(place, capsys):
    with Nearby({CHAT: streamed(), "/api/tags": tags("deepseek-r1:8b")}) as server:
        assert look(Settings(search=("sample",)), machine(Server("ollama", "Ollama", server.url))) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert "local Ollama at 127.0.0.1" in first
    assert "deepseek-r1:8b at 127.0.0.1" in second


def test_an_endpoint_that_has_to_be_asked_for_a_model_and_is_not_there_is_a_problem(place, capsys):
    url = f"http://localhost:{closed_port()}/v1"
    settings = Settings(search=("sample",)).model_copy(update={"base_url": url})
    assert look(settings, Machine(in_container=True, servers=())) == 1
    out = capsys.readouterr().out
    assert "nothing answers at localhost" in out
    assert "localhost is the container itself" in out


def test_a_limit_on_money_that_cannot_be_kept_is_a_problem(place, capsys):
    settings = Settings(model="m", base_url=f"http://127.0.0.1:{closed_port()}/v1", max_usd=1, search=("sample",))
    assert look(settings, machine()) == 1
    assert "AGENT_MAX_TOTAL_TOKENS" in capsys.readouterr().out


def test_nothing_that_is_told_can_move_the_terminal(place, capsys):
    with Nearby({CHAT: Sends(b'{"error": {"message": "a\\u001b[2Jb\\u202ec"}}', 400)}) as server:
        odd = place / "a\x1b[2Jb\u202ec"
        look(Settings(model="r1", base_url=server.url, search=("sample",), data_dir=odd), machine())
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_ctrl_c_leaves_at_once_and_leaves_nothing_running(place):
    with Nearby({CHAT: Sends(silent=True)}) as server:
        environ = {**os.environ, "AGENT_BASE_URL": server.url, "AGENT_MODEL": "r1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "doctor", "--search", "sample"],
            env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place,
        )  # fmt: skip
        while not server.asked:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "r1-research: interrupted\n"


# ---------------------------------------------------------------------------------------------------- models


def test_models_tells_what_is_configured_what_is_here_and_which_keys_are_set(capsys):
    shown = {"model_info": {"qwen3.context_length": 131_072}}
    running = {"models": [{"name": "deepseek-r1:8b", "context_length": 4096}]}
    routes = {"/api/tags": tags("llama3.2:3b", "deepseek-r1:8b"), "/api/show": shown, "/api/ps": running}
    with Nearby(routes) as server:
        here = machine(Server("ollama", "Ollama", server.url), nobody(), OPENROUTER_API_KEY=KEY)
        settings = Settings(model="deepseek-r1", base_url="https://openrouter.ai/api/v1", api_key=KEY)
        assert show(settings, here) == 0
        assert all("authorization" not in asked.headers for asked in server.asked)
    out = capsys.readouterr().out
    assert "reasoner  deepseek-r1 at openrouter.ai (as configured)" in out
    assert "$0.7 in, $2.5 out per million tokens (as of 20" in out
    assert "writer    none: the reasoner writes" in out
    assert "* deepseek-r1:8b" in out
    assert "8.2B, 5.2 GB, context 4,096 of 131,072 tokens" in out
    assert "no answer: vLLM" in out
    assert "OPENROUTER_API_KEY" in out
    assert "planted" not in out


def test_models_as_json_has_the_same(capsys):
    with Nearby({"/v1/models": listed("DeepSeek-R1-Distill-Qwen-32B", max_model_len=16_384)}) as server:
        assert show(Settings(), machine(Server("vllm", "vLLM", server.url)), as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    (role,) = told["roles"]
    assert (role["model"], role["profile"]) == ("DeepSeek-R1-Distill-Qwen-32B", "vllm/r1-distill-qwen")
    assert (role["context_tokens"], role["local"], role["price"]) == (16_384, True, None)
    assert told["local"][0]["models"][0]["is_r1"] is True


def test_models_says_so_where_what_is_configured_names_no_model(capsys):
    assert show(Settings(profile="openrouter"), machine()) == 1
    assert "reasoner  none: the profile 'openrouter' needs a key" in capsys.readouterr().out


def test_models_without_any_tells_of_the_built_in_one(capsys):
    assert show(Settings(), machine()) == 0
    assert "reasoner  extractive (no model is configured" in capsys.readouterr().out


def test_a_configured_server_on_this_machine_that_does_not_answer_is_said_not_to(capsys):
    show(Settings(model="deepseek-r1", base_url=f"http://127.0.0.1:{closed_port()}/v1"), machine())
    assert "it does not answer" in capsys.readouterr().out


def test_a_name_of_a_model_cannot_move_the_terminal(capsys):
    models = [
        {"name": f"deepseek-r1{odd}", "details": {"parameter_size": f"8{odd}B"}} for odd in ("", "\u202e", "\x1b[2J")
    ]
    models[1]["name"] = "deepseek-r1:8b"
    with Nearby({"/api/tags": {"models": models}}) as server:
        show(Settings(), machine(Server("ollama", "Ollama", server.url)))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize("words", [["doctor", "--help"], ["models", "--help"]])
def test_both_say_what_they_are_for(words, capsys):
    assert main(words) == 0
    assert "usage: " in capsys.readouterr().out


def test_both_are_in_the_list_of_commands(capsys):
    main(["--help"])
    out = capsys.readouterr().out
    assert "  doctor " in out
    assert "  models " in out


def test_help_costs_the_standard_library_only(tmp_path):
    heavy = "{'pydantic', 'langchain_core', 'httpx2'} & {name.partition('.')[0] for name in sys.modules}"
    code = f"import sys; from agent.cli import main; main(['doctor', '--help']); print({heavy})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert told.stdout.splitlines()[-1] == "set()"
