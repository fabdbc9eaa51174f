"""LiteLLM's proxy between ChatR1 and the scripted server: one server in the chain that was not written here.

It has an environment of its own, which is made once in the user's cache directory: in ours it would take openai and
others down to older releases.  Knows pip, the proxy's settings and its process; knows nothing of what is tested.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError

from platformdirs import user_cache_path

LOCK = Path(__file__).parent / "litellm.lock"
KEY = "sk-gateway-0123456789"
MODEL = "deepseek-r1"
INSTALL_SECONDS = 600.0
START_SECONDS = 90.0
STOP_SECONDS = 10.0

_UNREACHABLE = re.compile(r"from versions: none|connection broken|Max retries exceeded|Name or service not known")
# Ends with its parent, however that ends: the pipe is closed then.
_PROGRAM = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from litellm import run_server
run_server()
"""


class NoIndex(Exception):
    """pip reaches no index that has the proxy."""


def python() -> Path:
    """The interpreter of the proxy's environment.  Made at the first call, in about half a minute; raises `NoIndex`."""
    version = ".".join(map(str, sys.version_info[:2]))
    fingerprint = sha256(LOCK.read_bytes() + sys.base_prefix.encode()).hexdigest()[:12]
    home = user_cache_path("r1-research-agent") / "tests" / f"litellm-{version}-{fingerprint}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)  # another run may be making it
        if not (home / "complete").exists():
            venv.create(home, with_pip=True, clear=True)
            _install(home / "bin" / "python")
            (home / "complete").touch()
    return home / "bin" / "python"


def _install(interpreter: Path) -> None:
    pinned = re.search(r"^litellm==(\S+)$", LOCK.read_text(), re.MULTILINE)
    assert pinned, LOCK
    wanted = f"litellm[proxy]=={pinned[1]}"
    command = [interpreter, "-m", "pip", "install", "--retries", "1", "--constraint", LOCK, wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode and _UNREACHABLE.search(done.stderr):
        raise NoIndex(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr[-4000:]


@contextmanager
def gateway(upstream: str, home: Path) -> Iterator[str]:
    """The base URL of a proxy that passes on to `upstream`; its log is in `home`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    settings, log = home / "litellm.yaml", home / "litellm.log"
    settings.write_text(json.dumps(_settings(upstream)))  # JSON is YAML
    command = [python(), "-c", _PROGRAM, "--config", settings, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=home, env=_variables(home)
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/health/liveliness", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _settings(upstream: str) -> dict[str, object]:
    """One model, no retries of the proxy's own, and no pause of a model that has failed."""
    route = {"model": f"openai/{MODEL}", "api_base": upstream, "api_key": "sk-upstream-0123456789"}
    return {
        "model_list": [{"model_name": MODEL, "litellm_params": route}],
        "litellm_settings": {"drop_params": True, "num_retries": 0, "telemetry": False},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }


def _variables(home: Path) -> dict[str, str]:
    """Whatever else it would fetch is sent to a port where nobody listens: the tests need no network."""
    nobody = "http://127.0.0.1:9"
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HTTP_PROXY": nobody,
        "HTTPS_PROXY": nobody,
        "NO_PROXY": "127.0.0.1",
    }


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < ends and server.poll() is None:
        try:
            direct.open(url, timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"the proxy did not start:\n{log.read_text()[-3000:]}")
