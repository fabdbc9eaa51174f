"""`library`: what was read, as its owner lists, searches, exports, forgets, checks and mends it.

Knows the actions and where each of them is.  Importing this, and `--help`, cost the standard library only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from agent.cli.command_base import ANSWERED, Command, Parser, Start, prepare

_READING, _KEEPING = "agent.cli.library_read", "agent.cli.library_write"
ACTIONS = {
    "list": (_READING, "the documents, newest first, with their age, size and host"),
    "show": (_READING, "one text or address: everywhere it was seen, when, and what the server said"),
    "text": (__name__, "a stored text byte for byte, so that anybody can check a quote"),
    "search": ("agent.cli.library_read", "the best passages for some words, with where they stand"),
    "export": (_READING, "documents as JSON Lines: text, passages, every fetch, the runs"),
    "forget": (_KEEPING, "take documents out for good, by address, host, age or run"),
    "verify": (_KEEPING, "check every hash, offset, word, vector and index"),
    "reindex": ("agent.cli.library_write", "give every passage a vector of the embedder that is set up now"),
    "repair": (_KEEPING, "mend what is damaged, from the texts, and say what was"),
}
_EPILOG = "\n".join(["actions:", *(f"  {name:<8} {what}" for name, (_, what) in ACTIONS.items()), ""])
_EPILOG += f"""
ACTION --help tells more of each.  Wherever an ADDRESS is asked for, the first eight or more characters of a text's hash
will do, or a local path.  Nothing is ever thrown away unasked; past AGENT_LIBRARY_WARN_MB a run says how large it is.

exit status: {ANSWERED} done, 1 failed or found damaged, 2 usage"""


def run(words: Sequence[str], start: Start) -> int:
    action = words[0] if words else ""
    if action not in ACTIONS:
        _parser().parse_args(words[:1])  # --help; all else is an error that names what there is
    module, _ = ACTIONS[action]
    command: Command = getattr(import_module(module), f"run_{action}")
    return command(words[1:], start)


def run_text(words: Sequence[str], start: Start) -> int:
    parser = Parser("library text", description=f"Print {ACTIONS['text'][1]}.")
    parser.add_argument(
        "snapshot", metavar="SNAPSHOT", help="the text's hash, as in `sources` of the result, or its beginning"
    )
    parser.add_argument("--data-dir", metavar="DIR", default=argparse.SUPPRESS, help="where the library is kept")
    parsed = parser.parse_args(words)
    prepare()
    import asyncio

    from agent.settings import Settings

    given = {"data_dir": parsed.data_dir} if "data_dir" in parsed else {}
    text = asyncio.run(start(Settings(**given)).stored_text(parsed.snapshot))
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    return ANSWERED


def _parser() -> Parser:
    parser = Parser(
        "library",
        description="What was read stays read: pages as they were, found again by their words and meaning.",
        usage="%(prog)s ACTION …",
        epilog=_EPILOG,
    )
    parser.add_argument("action", choices=list(ACTIONS), metavar="ACTION", help="one of those below")
    return parser
