"""What servers offer, asked of real ones on loopback, good and bad."""

import threading
import traceback

import pytest

from agent.http_probe import MOST_BYTES, all_at_once, ask
from agent.wiring.model_setup import NoList, Offer, Server, Window, offers, window
from tests.nearby import Nearby, Sends, closed_port, listed, tags


def at(server: Nearby, kind: str = "vllm", key: str = "") -> Server:
    return Server(kind, kind, server.url, key)


# ---------------------------------------------------------------------------------------------------- one question


def test_a_closed_port_is_an_os_error():
    with pytest.raises(OSError):
        ask(f"http://127.0.0.1:{closed_port()}/v1/models", seconds=5)


def test_a_server_that_accepts_and_says_nothing_is_left():
    with Nearby(Sends(silent=True)) as server, pytest.raises(OSError):
        ask(f"{server.url}/models", seconds=0.2)


def test_a_reply_that_drips_ends_with_the_time_that_was_given():
    with Nearby(Sends(b"[" + b" " * 100_000 + b"]", pause_s=0.05)) as server, pytest.raises(TimeoutError):
        ask(f"{server.url}/models", seconds=0.3)


def test_more_than_a_megabyte_is_not_read():
    with Nearby(Sends(b"[" + b" " * (MOST_BYTES + 10) + b"]")) as server:
        assert ask(f"{server.url}/models", seconds=5).json is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe{", b"[" * 100_000, b"{} {}"])
def test_what_is_no_json_is_none(body):
    with Nearby(Sends(body)) as server:
        assert ask(f"{server.url}/models", seconds=5).json is None


def test_what_is_no_http_is_an_os_error():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(OSError):
            ask(f"http://127.0.0.1:{listener.getsockname()[1]}/v1/models", seconds=2)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http:///v1"])
def test_an_address_that_is_none_is_an_os_error(url):
    with pytest.raises(OSError):
        ask(url, seconds=1)


def test_a_key_that_cannot_be_sent_is_in_no_traceback():
    key = "planted\nover\nlines"
    with pytest.raises(OSError) as caught:
        ask("http://127.0.0.1:9/v1/models", seconds=1, key=key)
    assert "planted" not in "".join(traceback.format_exception(caught.value))


def test_an_error_is_a_reply_too():
    with Nearby({"/v1/models": Sends(b'{"error": {"message": "no"}}', 401)}) as server:
        reply = ask(f"{server.url}/models", seconds=5)
    assert (reply.status, reply.json) == (401, {"error": {"message": "no"}})


def test_a_redirect_is_not_followed_so_that_the_key_goes_nowhere_else():
    with (
        Nearby({"/v1/models": listed("r1")}) as other,
        Nearby(Sends(status=302, headers={"Location": f"{other.url}/models"})) as server,
    ):
        assert ask(f"{server.url}/models", seconds=5, key="secret").status == 302
    assert other.asked == []


def test_a_server_on_this_machine_is_asked_without_the_proxy_of_the_environment(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Nearby({"/v1/models": listed("r1")}) as server:
        assert ask(f"{server.url}/models", seconds=5).status == 200


# ---------------------------------------------------------------------------------------------------- several at once


def test_questions_are_asked_at_once_and_one_that_hangs_is_left():
    both, never = threading.Barrier(2), threading.Event()
    replies = all_at_once([both.wait, never.wait, both.wait], seconds=0.5)
    assert sorted((replies[0], replies[2])) == [0, 1]
    assert replies[1] is None
    never.set()


def test_a_question_that_fails_is_none():
    def refused() -> int:
        raise ConnectionRefusedError

    assert all_at_once([refused, lambda: 2], seconds=1) == [None, 2]


# ---------------------------------------------------------------------------------------------------- lists of models


def test_ollama_tells_names_sizes_and_parameters():
    with Nearby({"/api/tags": tags("deepseek-r1:32b")}) as server:
        there = at(server, "ollama")
        assert offers(there, seconds=5) == (Offer(there, "deepseek-r1:32b", 5_225_376_047, "32.8B"),)


def test_a_model_that_ollama_only_passes_on_to_a_paid_service_is_not_a_local_one():
    with Nearby({"/api/tags": tags("deepseek-r1:671b-cloud", remote_host="https://ollama.example:443")}) as server:
        assert offers(at(server, "ollama"), seconds=5) == ()


def test_vllm_tells_how_much_text_its_model_takes():
    with Nearby({"/v1/models": listed("deepseek-ai/DeepSeek-R1", max_model_len=65_536)}) as server:
        assert [(o.model, o.tokens) for o in offers(at(server), seconds=5)] == [("deepseek-ai/DeepSeek-R1", 65_536)]


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", '{"data": 5}', '{"data": null}', '"models"', "null", '{"models": [{"name": "deepseek-r1"}]}'],
)
def test_an_answer_in_another_form_is_no_list(body):
    with Nearby({"/v1/models": Sends(body)}) as server, pytest.raises(NoList):
        offers(at(server), seconds=5)


def test_rows_that_are_no_models_are_left_out():
    rows = [
        None,
        7,
        {},
        {"id": 5},
        {"id": ""},
        {"id": "a\x1b[31m"},
        {"id": "x" * 1000},
        {"id": "good", "max_model_len": "9"},
    ]
    with Nearby({"/v1/models": {"data": rows}}) as server:
        assert [(o.model, o.tokens) for o in offers(at(server), seconds=5)] == [("good", None)]


def test_a_server_that_wants_a_key_says_so_by_its_status():
    with Nearby({"/v1/models": Sends(b"{}", 401)}) as server, pytest.raises(NoList) as caught:
        offers(at(server), seconds=5)
    assert caught.value.status == 401


def test_a_key_is_sent_only_where_one_is_given_and_is_not_shown():
    with Nearby({"/v1/models": listed("r1")}) as server:
        offers(at(server), seconds=5)
        offers(at(server, key="sk-planted"), seconds=5)
        assert [a.headers.get("authorization") for a in server.asked] == [None, "Bearer sk-planted"]
        assert "planted" not in repr(at(server, key="sk-planted"))


# ---------------------------------------------------------------------------------------------------- how much text

SHOWN = {"parameters": 'stop "x"\nnum_ctx                        8192', "model_info": {"qwen3.context_length": 131_072}}


def test_ollama_gives_a_loaded_model_what_it_says_of_running_models():
    running = {"models": [{"name": "other:8b", "context_length": 9}, {"name": "r1:latest", "context_length": 4096}]}
    with Nearby({"/api/show": SHOWN, "/api/ps": running}) as server:
        assert window(at(server, "ollama"), "R1", seconds=5) == Window(4096, 131_072)
        assert server.asked[0].body == {"model": "R1"}


def test_ollama_gives_a_model_that_is_not_loaded_what_its_modelfile_says():
    with Nearby({"/api/show": SHOWN, "/api/ps": {"models": []}}) as server:
        assert window(at(server, "ollama"), "r1:8b", seconds=5) == Window(8192, 131_072)


def test_nothing_is_guessed_where_ollama_does_not_say():
    with Nearby({"/api/show": {"model_info": {}}, "/api/ps": {"models": [{"name": "r1:8b"}]}}) as server:
        assert window(at(server, "ollama"), "r1:8b", seconds=5) == Window()


@pytest.mark.parametrize(
    ("kind", "routes", "told"),
    [
        ("llama.cpp", {"/props": {"default_generation_settings": {"n_ctx": 4096}}}, Window(4096)),
        ("vllm", {"/v1/models": listed("a/r1", max_model_len=32_768)}, Window(32_768)),
        ("sglang", {"/v1/models": listed("other", max_model_len=1)}, Window()),
        (
            "lmstudio",
            {"/api/v0/models/a/r1": {"loaded_context_length": 4096, "max_context_length": 131_072}},
            Window(4096, 131_072),
        ),
    ],
)
def test_other_servers_are_asked_in_their_own_way(kind, routes, told):
    with Nearby(routes) as server:
        assert window(at(server, kind), "a/r1", seconds=5) == told
