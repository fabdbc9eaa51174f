"""`library reindex`: after an embedder was set up or exchanged, vectors for all that is stored, and how far that is."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from agent.cli.clean import one_line
from agent.cli.command import ANSWERED, NAME, Parser, Start
from agent.cli.environment import prepare
from agent.cli.library_flags import add_place, of, settings_of, shelf_of
from agent.errors import LibraryError

if TYPE_CHECKING:
    from agent.library.embed import Embedder
    from agent.library.reindexing import Reindexed

_BAR = 30  # characters
_PAUSE = 10.0  # seconds between two lines where there is no terminal to draw on


def run_reindex(words: Sequence[str], _: Start) -> int:
    parsed = _parser().parse_args(words)
    prepare()
    embedder = _embedder(parsed)
    done = asyncio.run(_reindex(parsed, embedder, _Progress()))
    if parsed.json:
        print(json.dumps({"embedder": embedder.name, **asdict(done)}, ensure_ascii=False, indent=2))
        return ANSWERED
    left = done.looked_at - done.embedded
    unread = f"; {left:,} are in a language that it does not read, and are found by their words" if left else ""
    print(one_line(f"{of(done.embedded, 'passage')} got a vector of {embedder.name}{unread}; {done.index}"))
    return ANSWERED


def _parser() -> Parser:
    parser = Parser(
        "library reindex",
        description="Give every passage that has none a vector of the embedder that is set up now.  It is not needed:\n"
        "what is asked for gets its vectors as it is met.  It may be broken off, and goes on where it was.",
    )
    parser.add_argument("--json", action="store_true", help="what was done, as one JSON object")
    add_place(parser)
    return parser


def _embedder(parsed: argparse.Namespace) -> Embedder:
    """Raises `LibraryError` where there is none."""
    from agent.embedding import embedder_of

    found = embedder_of(settings_of(parsed))
    if found is None:
        raise LibraryError("no embedder is set up: `python -m agent setup-embeddings`, or set AGENT_EMBEDDINGS_MODEL")
    return found


async def _reindex(parsed: argparse.Namespace, embedder: Embedder, progress: _Progress) -> Reindexed:
    from agent.embedding import chroma_server_of
    from agent.library.reindexing import reindex

    last = None
    try:
        async for last in reindex(shelf_of(parsed), embedder, chroma_server_of(settings_of(parsed))):
            progress.show(last)
    finally:
        progress.end()
    assert last
    return last


class _Progress:
    """A bar in a terminal, a line now and then elsewhere; on stderr."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._is_drawn = False

    def show(self, now: Reindexed) -> None:
        moment = time.monotonic()
        if sys.stderr.isatty():
            self._is_drawn = True
            print(f"\r{_bar(now)} {self._left(now, moment):<12}", end="", file=sys.stderr, flush=True)
        elif moment - self._told > _PAUSE:
            self._told = moment
            print(f"{NAME}: {_numbers(now)} {self._left(now, moment)}".rstrip(), file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._is_drawn:
            print(file=sys.stderr)

    def _left(self, now: Reindexed, moment: float) -> str:
        if not now.looked_at or now.looked_at == now.of:
            return ""
        seconds = (moment - self._began) / now.looked_at * (now.of - now.looked_at)
        return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"


def _bar(now: Reindexed) -> str:
    full = _BAR * now.looked_at // now.of if now.of else _BAR
    return f"[{'#' * full}{'.' * (_BAR - full)}] {_numbers(now)}"


def _numbers(now: Reindexed) -> str:
    return f"{now.looked_at:,} of {of(now.of, 'passage')}"
