"""What the commands share: how they are started, their parser, and their exit statuses.

Knows no command and imports the standard library only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.events import Event
    from agent.settings import Settings

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
