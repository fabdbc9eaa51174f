"""Which command runs, and how every ending becomes an exit status and at most one line.

The first word is a command if it is one of COMMANDS; else everything is a question.  A command's module is imported
when it runs, so that `--help` and a mistyped flag cost the standard library only.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from agent.cli.command_base import FAILED, INTERRUPTED, NAME, PIPE_CLOSED, USAGE, Command, Researcher, Start
from agent.errors import AgentError, UsageError

if TYPE_CHECKING:
    from agent.settings import Settings

COMMANDS = {
    "ask": "agent.cli.commands.ask",
    "doctor": "agent.cli.commands.doctor",
    "library": "agent.cli.commands.library",
    "models": "agent.cli.commands.models",
    "setup-embeddings": "agent.cli.commands.setup_embeddings",
    "ui": "agent.cli.commands.ui",
}
_LONGEST_LINE = 1_000  # characters of an error; a server's reply inside it can be a page


def main(argv: Sequence[str] | None = None, *, agent: Start | None = None) -> int:
    """The exit status.  `agent` makes what answers from its settings; the default is `ResearchAgent`."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _run(words, agent or _research_agent)
        sys.stdout.flush()
        if argv is None:
            gc.freeze()  # a program that ends need not look for cycles in all that it imported: 0.07 s, not 0.45 s
    except SystemExit as e:  # argparse, after --help or --version
        return int(e.code or 0)
    except BrokenPipeError:
        _close_stdout()
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except AgentError as e:
        return _fail(str(e), USAGE if isinstance(e, UsageError) else FAILED, e)
    except OSError as e:  # a disk that is full, a directory that is not ours: no bug
        return _fail(f"{e.strerror or e}{f': {e.filename}' if e.filename else ''}", FAILED, e)
    except Exception as e:  # noqa: BLE001 - the last wall before a person: a bug is one line too
        return _fail(f"{type(e).__name__}: {e} (run with AGENT_DEBUG=1 for the traceback)", FAILED, e)
    return status


def _run(words: list[str], start: Start) -> int:
    name = words.pop(0) if words and words[0] in COMMANDS else "ask"
    command: Command = import_module(COMMANDS[name]).run
    return command(words, start)


def _research_agent(settings: Settings) -> Researcher:
    from agent.research import ResearchAgent

    return ResearchAgent(settings)


def _fail(told: str, status: int, error: BaseException | None = None) -> int:
    from agent.text.safe_text import one_line

    if error and os.environ.get("AGENT_DEBUG"):
        import traceback

        traceback.print_exception(error)
    with contextlib.suppress(OSError):  # nobody reads stderr any more
        print(f"{NAME}: {one_line(told)[:_LONGEST_LINE]}", file=sys.stderr, flush=True)
    _close_stdout()
    return status


def _close_stdout() -> None:
    """What cannot be written must not be tried again, loudly, when the interpreter ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
