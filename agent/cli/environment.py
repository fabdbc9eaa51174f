"""What a door does to its process before the agent is built: `.env`, libraries' chatter, the terminal's alphabet."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from agent.errors import SettingsError

ENV_FILE = Path(".env")


def prepare() -> None:
    """Before a command does its work.  Raises `SettingsError`."""
    read_env_file()
    quiet_libraries()
    forgive_characters()


def read_env_file() -> None:
    """Set what `.env` in the working directory says; what is set already wins.  Raises `SettingsError`."""
    if not ENV_FILE.is_file():
        return
    from dotenv import dotenv_values

    try:
        for name, value in dotenv_values(ENV_FILE).items():
            if value is not None:
                os.environ.setdefault(name, value)
    except (OSError, ValueError) as e:  # unreadable, not UTF-8, a NUL in a value
        raise SettingsError(f"{ENV_FILE.resolve()} cannot be read as a .env file: {e}") from e


def quiet_libraries() -> None:
    """stderr is ours: what libraries log or warn of there is kept for AGENT_DEBUG=1."""
    if os.environ.get("AGENT_DEBUG"):
        return
    import logging
    import warnings

    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")


def forgive_characters() -> None:
    """A terminal that knows ASCII only shows question marks; it does not end the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
