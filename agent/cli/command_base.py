"""What all commands share: the parser, `.env`, the terminal, signals."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, NoReturn, Protocol

from agent.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from agent.events import Event
    from agent.settings import Settings


# ------------------------------------------------------------------------------------------ command

# What the commands share: how they are started, their parser, and their exit statuses.
#
# Knows no command and imports the standard library only.

NAME = "r1-research"

ANSWERED = 0
FAILED = 1
USAGE = 2
LANDED = 3  # a partial answer, or none because there is no evidence
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE


class Researcher(Protocol):
    """What the commands need of `agent.ResearchAgent`."""

    def stream(self, question: str) -> Iterator[Event]: ...

    def resume(self, run_id: str | None = None) -> Iterator[Event]: ...

    def describe(self) -> str: ...

    async def stored_text(self, snapshot: str) -> str: ...


Start = Callable[["Settings"], Researcher]
Command = Callable[[Sequence[str], Start], int]
"""A command takes the words after its name and returns the exit status.  Raises `AgentError`."""


class Parser(argparse.ArgumentParser):
    """argparse, with an error of one line and no guessing of shortened flags."""

    def __init__(self, command: str, **words: str) -> None:
        super().__init__(
            prog=f"{program()} {command}".strip(),
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **words,  # type: ignore[arg-type]  # description, usage and epilog are all texts
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; {self.prog} --help lists what there is")


def program() -> str:
    """How the user has called us, so that a line we print can be run as it stands."""
    return NAME if Path(sys.argv[0]).name == NAME else "python -m agent"


# ------------------------------------------------------------------------------------------ environment

# What a door does to its process before the agent is built: `.env`, libraries' chatter, the terminal's alphabet.

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


# ------------------------------------------------------------------------------------------ leaving

# How a run is left: Ctrl-C and SIGTERM end it cleanly if that is quick, and end it in any case.
#
# The first signal raises KeyboardInterrupt in the main thread, so that the run puts its things away; a second one, or
# GRACE_S seconds, end the process.  Leaving never waits for threads that still hang on the network.

GRACE_S = 2.0  # closing a run takes some ms; a person who pressed Ctrl-C takes more for a hang
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STDERR = 2
_SHOW_CURSOR = "\x1b[?25h"  # the live view hides it


class Leaving:
    """While this is entered, the two signals leave, with `last_words()` as the last line on stderr."""

    def __init__(self, last_words: Callable[[], str], grace_s: float = GRACE_S) -> None:
        self._last_words = last_words
        self._grace_s = grace_s
        self._heard_once = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Leaving:
        if threading.current_thread() is threading.main_thread():  # elsewhere signals cannot be set, and do not arrive
            self._before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.leave()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave us

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._heard_once:
            self.leave()
        self._heard_once = True
        timer = threading.Timer(self._grace_s, self.leave)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def leave(self) -> NoReturn:
        """Past Python's buffers: the signal may have come in the middle of a print."""
        with contextlib.suppress(OSError):  # nobody reads any more
            cursor = _SHOW_CURSOR if os.isatty(_STDERR) else ""
            os.write(_STDERR, f"{cursor}{NAME}: {self._last_words()}\n".encode())
        os._exit(INTERRUPTED)
