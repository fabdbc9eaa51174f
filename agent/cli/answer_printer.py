"""The answer, once: on stdout in the form that was asked for, and in a file where one is named."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.cli.command_base import ANSWERED
from agent.errors import AgentError, UsageError

if TYPE_CHECKING:
    from agent.result import Answer

Form = Literal["markdown", "json", "events"]
_ENDINGS = (".md", ".json")


def deliver(answer: Answer, form: Form, output: Path | None) -> None:
    """Write the file first, so that a closed stdout does not cost it.  Raises `AgentError`."""
    if output is not None:
        _write(output, _markdown(answer) if output.suffix.lower() == ".md" else _json(answer))
    if form == "json":
        print(_json(answer), end="")
    elif form == "markdown" and sys.stdout.isatty():
        from agent.cli.answer_layout import typeset

        typeset(answer)
    elif form == "markdown":
        print(_markdown(answer), end="")


def check_target(output: Path | None) -> None:
    """Before the run, not after it.  Raises `UsageError`."""
    if output is None:
        return
    if output.suffix.lower() not in _ENDINGS:
        raise UsageError(f"--output {str(output)!r}: the ending says the form, and it is one of {', '.join(_ENDINGS)}")
    if not output.parent.is_dir():
        raise UsageError(f"--output {str(output)!r}: there is no directory {str(output.parent)!r}")
    if output.is_dir():
        raise UsageError(f"--output {str(output)!r} is a directory")


def print_schema() -> int:
    """The JSON Schema of the result."""
    from agent.result import Answer, adapter

    print(json.dumps(adapter(Answer).json_schema(mode="serialization"), indent=2))
    return ANSWERED


def _json(answer: Answer) -> str:
    from agent.result import to_json

    return json.dumps(to_json(answer)) + "\n"


def _markdown(answer: Answer) -> str:
    from agent.text.safe_text import clean

    return clean(str(answer)) + "\n"


def _write(target: Path, text: str) -> None:
    """All or nothing: a reader of the file never sees half an answer."""
    target = target.resolve()  # through a link, the file it names is replaced and not the link
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    except OSError as e:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise AgentError(f"--output {str(target)!r} cannot be written: {e.strerror or e}") from e
