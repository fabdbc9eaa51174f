"""The app in a real browser: what is seen, what is stopped, what survives a reload, and that nothing leaves the page.

Slow.  Needs Chromium (`tests/system_packages.sh`); the pages and the stand-in for the agent are served on loopback.
"""

from __future__ import annotations

import http.client
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
INPUT = '[data-testid="stChatInputTextArea"]'
STOP = '[data-testid="stChatInputStopButton"]'
PAGE = """
import streamlit as st
from agent.ui.page import show
from agent.ui.background_runs import BackgroundRuns
from tests.ui.stand_in import StandIn

def make():
    agent = StandIn()
    return BackgroundRuns(lambda choice: agent)

show(st.cache_resource(show_spinner=False)(make)())
"""
APP = """
import streamlit as st
from starlette.middleware import Middleware
from agent.ui.app import Guard

app = st.App("page.py", middleware=[Middleware(Guard)] if {guarded} else [])
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: sh tests/system_packages.sh"),
]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENT_", "STREAMLIT_"))}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)}


def wait_until_up(address: str, process: subprocess.Popen) -> None:
    for _ in range(120):
        assert process.poll() is None, process.communicate()
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise AssertionError(f"{address} did not come up")


class Served:
    """A Streamlit server of its own, ended with the test."""

    def __init__(self, home: Path, command: list[str], **variables: str) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, "--server.port", str(port)],
            cwd=home, env={**environment(home), **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> Served:
        wait_until_up(self.address, self.process)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)


def stand_in(home: Path, *, guarded: bool = True) -> Served:
    """The page with the stand-in, under the app's own configuration."""
    home.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "ui" / ".streamlit", home / ".streamlit")
    (home / "page.py").write_text(PAGE)
    (home / "app.py").write_text(APP.format(guarded=guarded))
    return Served(home, ["streamlit", "run", str(home / "app.py")])


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with stand_in(tmp_path_factory.mktemp("app") / "home") as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser, served):
    page = browser.new_page(viewport={"width": 1100, "height": 1200})
    page.set_default_timeout(20_000)
    page.goto(served.address)
    page.wait_for_selector(INPUT)
    yield page
    page.close()


def ask(page, question: str) -> None:
    page.fill(INPUT, question)
    page.keyboard.press("Enter")


def text(page) -> str:
    return page.inner_text("#stMain" if page.query_selector("#stMain") else "body")


# ------------------------------------------------------------------------------------------------ watching


def test_steps_pages_and_reasoning_are_seen_while_the_run_goes(tab):
    ask(tab, "think How was R1-Zero trained?")
    tab.wait_for_selector("text=Thought 7")
    assert tab.is_visible("text=duckduckgo refuses for now")  # a search of the meantime
    assert not tab.is_visible("text=How this was found")
    tab.wait_for_selector("text=How this was found")
    assert text(tab).index("R1-Zero was trained by reinforcement") < text(tab).index("How this was found")


def test_the_draft_is_seen_as_it_is_written_and_goes_when_it_is_checked(tab):
    ask(tab, "slow q")
    tab.wait_for_selector("text=Draft, not checked yet")
    tab.wait_for_selector("text=How this was found")
    assert not tab.is_visible("text=Draft, not checked yet")


def test_marks_lead_to_the_quote_in_their_source(tab):
    ask(tab, "plainly")
    mark = tab.wait_for_selector('a:has-text("[1]")')
    assert mark.get_attribute("href") == "https://papers.example/r1#:~:text=words"
    tab.click("text=How each sentence fared")
    tab.wait_for_selector("text=trained with reinforcement learning and nothing else")


def test_stop_ends_the_run(tab):
    ask(tab, "hang q")
    tab.wait_for_selector("text=Check each sentence")
    tab.click(STOP)
    time.sleep(1)
    tab.reload()
    tab.wait_for_selector("text=Stopped.")


def test_a_reload_goes_on_with_the_run_and_does_not_end_it(tab):
    ask(tab, "think q")
    tab.wait_for_selector("text=Thought 5")
    tab.reload()
    tab.wait_for_selector("text=Thought 1")
    tab.wait_for_selector("text=How each sentence fared")


def test_a_run_goes_on_while_nobody_looks(tab):
    ask(tab, "slow unseen")
    tab.wait_for_selector("text=Plan")
    address = tab.url
    tab.goto("about:blank")
    time.sleep(7)
    tab.goto(address)
    tab.wait_for_selector("text=How each sentence fared")


def test_another_reader_of_the_link_sees_the_run_as_it_happens(tab, browser):
    ask(tab, "slow shared")
    tab.wait_for_url("**run=**")
    other = browser.new_context().new_page()
    other.goto(tab.url)
    other.wait_for_selector("text=slow shared", timeout=20_000)
    other.wait_for_selector("text=How this was found", timeout=20_000)
    other.close()


# ------------------------------------------------------------------------------------------------ nothing leaves


@pytest.fixture
def canary():
    """A server that a stranger could have; what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        asked: list[str]
        url: str

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.asked = asked
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()


def look_everywhere(page) -> list[str]:
    """Open all that folds, and give the addresses of every link, image and frame of the page."""
    page.wait_for_selector("text=How this was found")
    for fold in page.query_selector_all("details:not([open]) > summary"):
        fold.click()
    time.sleep(2)
    return page.evaluate(
        "[...document.querySelectorAll('a[href], img, iframe, object, embed')].map(e => e.href || e.src || e.data)"
    )


def strangers(addresses: list[str], served: Served) -> list[str]:
    ours = (served.address, "https://papers.example/r1", "https://blog.example/thinking%28r1%29")
    return [address for address in addresses if not address.startswith(ours)]


def test_hostile_pages_and_answers_make_no_request_and_no_link(tab, served, canary):
    ask(tab, f"hostile {canary.url}")
    assert strangers(look_everywhere(tab), served) == []
    assert canary.asked == []


def test_the_texts_alone_are_harmless_without_the_headers(browser, canary, tmp_path):
    with stand_in(tmp_path / "bare", guarded=False) as bare:
        page = browser.new_page()
        page.goto(bare.address)
        page.wait_for_selector(INPUT)
        ask(page, f"hostile {canary.url}")
        assert strangers(look_everywhere(page), bare) == []
        page.close()
    assert canary.asked == []


def test_the_headers_alone_let_nothing_out(browser, canary, tmp_path):
    home = tmp_path / "raw"
    with stand_in(home) as served:
        (home / "page.py").write_text(
            f"import streamlit as st\nst.markdown('![a]({canary.url}/raw)')\nst.write('done')"
        )
        page = browser.new_page()
        page.goto(served.address)
        page.wait_for_selector("text=done")
        time.sleep(1)
        assert page.query_selector("img[src*='/raw']")
        page.close()
    assert canary.asked == []


# ------------------------------------------------------------------------------------------------ the real thing


def test_python_m_agent_ui_serves_this_machine_only_with_our_headers(tmp_path):
    with Served(tmp_path, ["agent", "ui"], AGENT_MODEL="extractive", AGENT_SEARCH="sample") as server:
        with urllib.request.urlopen(server.address) as reply:
            assert "default-src 'self'" in reply.headers["content-security-policy"]
            assert reply.headers["referrer-policy"] == "no-referrer"
        port = int(server.address.rpartition(":")[2])
        listening = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True).stdout
        assert [line.split()[3] for line in listening.splitlines()] == [f"127.0.0.1:{port}"]
        assert upgrade(port, f"127.0.0.1:{port}") == 101
        assert upgrade(port, "evil.example") == 403  # a name that a stranger points at this machine


def upgrade(port: int, host: str) -> int:
    """The status of an attempt to open the app's WebSocket under that Host."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Host": host}  # fmt: skip
    connection.request("GET", "/_stcore/stream", headers=wanted)
    status = connection.getresponse().status
    connection.close()
    return status
