"""`library text SNAPSHOT`: a stored page text byte for byte, so that anybody can check a quote."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from agent.cli.command import ANSWERED, Parser, Start
from agent.cli.environment import prepare


def run(words: Sequence[str], start: Start) -> int:
    parsed = _parser().parse_args(words)
    prepare()
    import asyncio

    from agent.settings import Settings

    given = {"data_dir": parsed.data_dir} if "data_dir" in parsed else {}
    text = asyncio.run(start(Settings(**given)).stored_text(parsed.snapshot))
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    return ANSWERED


def _parser() -> Parser:
    parser = Parser("library", description=__doc__ or "", usage="%(prog)s text SNAPSHOT [--data-dir DIR]")
    parser.add_argument("action", choices=("text",), metavar="text", help="print a stored text")
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="SHA-256 of the text, as in `sources` of the result")
    parser.add_argument("--data-dir", metavar="DIR", default=argparse.SUPPRESS, help="where the library is kept")
    return parser
