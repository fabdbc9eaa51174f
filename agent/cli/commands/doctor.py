"""`doctor`: tries what a question needs, and says in plain words what is wrong and how to mend it.

Knows how findings look on a screen and as JSON; what is tried is `agent.doctor`'s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.command_base import ANSWERED, FAILED, Leaving, Parser, Start, prepare
from agent.text.safe_text import one_line

if TYPE_CHECKING:
    from agent.doctor.diagnosis_item import DiagnosisItem, Machine
    from agent.settings import Settings

_SETTINGS = ("model", "base_url", "profile", "search", "searxng_url", "folder", "depth", "data_dir")
_COLOURS = {"ok": "32", "weak": "33", "problem": "31"}  # green, yellow, red
_NARROWEST = 60  # columns; below, the text would be a thread


def run(words: Sequence[str], start: Start) -> int:
    parsed = _parser().parse_args(words)
    given = {name: getattr(parsed, name) for name in _SETTINGS if name in parsed}
    prepare()
    from agent.doctor.diagnosis_item import this_machine
    from agent.settings import Settings

    with Leaving(lambda: "interrupted"):
        return look(Settings(**given), this_machine(), as_json=parsed.json)


def look(settings: Settings, machine: Machine, *, as_json: bool = False) -> int:
    """The exit status: 0 where a question would be answered."""
    from agent.doctor.diagnosis_item import can_run

    show: Callable[[DiagnosisItem], None] = (lambda _: None) if as_json else _show
    findings = asyncio.run(_findings(settings, machine, show))
    if as_json:
        told = {"can_run": can_run(findings), "findings": [asdict(finding) for finding in findings]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        print(f"\n{_summary(findings)}")
    return ANSWERED if can_run(findings) else FAILED


async def _findings(settings: Settings, machine: Machine, show: Callable[[DiagnosisItem], None]) -> list[DiagnosisItem]:
    from agent.doctor.diagnosis import examine

    findings: list[DiagnosisItem] = []
    async with aclosing(examine(settings, machine)) as found:
        async for finding in found:
            findings.append(finding)
            show(finding)
    return findings


def _show(finding: DiagnosisItem) -> None:
    head = f"{_coloured(finding.state)}  {finding.part:<17}  "
    indent = " " * (7 + 2 + 17 + 2)
    mends = _lines(finding.mend, len(indent) + 3)
    lines = _lines(finding.told, len(indent)) + [f"{'   ' if i else '-> '}{line}" for i, line in enumerate(mends)]
    print(head + f"\n{indent}".join(lines), flush=True)


def _lines(text: str, indent: int) -> list[str]:
    """Wrapped for a terminal; one line in a pipe, where it may be searched for."""
    text = one_line(text)
    if not sys.stdout.isatty():
        return [text] if text else []
    width = max(_NARROWEST, shutil.get_terminal_size().columns) - indent
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _coloured(state: str) -> str:
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return f"{state:<7}" if plain else f"\x1b[{_COLOURS[state]}m{state:<7}\x1b[0m"


def _summary(findings: Sequence[DiagnosisItem]) -> str:
    problems, weak = (sum(finding.state == state for finding in findings) for state in ("problem", "weak"))
    better = f"; {weak} thing{'s' * (weak != 1)} could be better" if weak else ""
    if problems:
        return f"Questions cannot be answered yet: {problems} problem{'s' * (problems != 1)}{better}."
    return f"Questions can be answered{better}."


def _parser() -> Parser:
    parser = Parser(
        "doctor",
        description="Try what a question needs: one tiny request to each model, one search with each provider, the\n"
        "library.  Exit status 0 where a question would be answered, else 1.  No key is printed.",
        argument_default=argparse.SUPPRESS,  # a flag that is not given is no setting
    )
    parser.add_argument("--model", metavar="NAME", help="model at the endpoint")
    parser.add_argument("--base-url", metavar="URL", help="OpenAI-compatible endpoint of the reasoner")
    parser.add_argument("--profile", metavar="NAME", help="endpoint profile")
    parser.add_argument("--search", metavar="NAME[,NAME…]", help="search providers; `sample` needs no network")
    parser.add_argument("--searxng-url", metavar="URL", help="the SearXNG instance")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="local documents as a source")
    parser.add_argument("--depth", choices=("quick", "standard", "deep"), help="whose evidence has to fit the model")
    parser.add_argument("--data-dir", metavar="DIR", help="where the library and the runs are kept")
    parser.add_argument("--json", action="store_true", default=False, help="the findings as one JSON object")
    return parser
