"""`ui`: the Streamlit app, served by Streamlit itself in place of this program."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from agent.cli.command_base import Parser, Start, read_env_file
from agent.errors import UsageError


def run(words: Sequence[str], start: Start) -> NoReturn:
    _, streamlit_flags = _parser().parse_known_args(words)
    read_env_file()
    if find_spec("streamlit") is None:
        raise UsageError("the app needs Streamlit: pip install 'r1-research-agent[ui]'")
    command = [sys.executable, "-m", "streamlit", "run", str(_app()), *streamlit_flags]
    os.execv(sys.executable, command)  # noqa: S606 - a list, no shell


def _app() -> Path:
    """The app's file, without importing it: streamlit runs it as a script."""
    package = find_spec("agent.ui")
    assert package
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0], "app.py")


def _parser() -> Parser:
    return Parser(
        "ui",
        description="The app in a browser.  Settings come from the environment and .env.",
        usage="%(prog)s [flags of `streamlit run`, such as --server.port 8502]",
    )
