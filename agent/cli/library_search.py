"""`library search`: passages of what was read, found by their words and their meaning.

Knows the flags that bound a search, and how what is found looks; finding is `agent.library`'s.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.clean import one_line
from agent.cli.command import ANSWERED, NAME, Parser, Start
from agent.cli.environment import prepare
from agent.cli.library_flags import add_place, moment, settings_of, shelf_of, told_time

if TYPE_CHECKING:
    from agent.library.library import StoredLibrary
    from agent.types import LibraryHit, Within

_HASH = 12  # characters of a snapshot that are shown; as many are enough to name it
_PASSAGE = 400  # characters


def run_search(words: Sequence[str], _: Start) -> int:
    parsed = _search_parser().parse_args(words)
    prepare()
    import asyncio

    found, note = asyncio.run(_search(parsed))
    if parsed.json:
        print(json.dumps({"hits": [asdict(hit) for hit in found]}, ensure_ascii=False, indent=2))
        return ANSWERED
    if note:
        print(f"{NAME}: {one_line(note)}", file=sys.stderr)
    print("\n\n".join(_told_hit(number, hit) for number, hit in enumerate(found, 1)) or _nothing(parsed))
    return ANSWERED


def _nothing(parsed: argparse.Namespace) -> str:
    return (
        "nothing was found" if parsed.folder else "nothing was found (local documents are searched with --folder DIR)"
    )


def _search_parser() -> Parser:
    parser = Parser(
        "library search",
        description="Find passages in what was read, by their words and, where an embedder is set up, by their\n"
        "meaning: of each document the best one.",
    )
    parser.add_argument("words", nargs="+", metavar="WORDS", help="what is looked for; a question will do")
    parser.add_argument("--host", action="append", default=[], metavar="HOST", help="on this host only; repeatable")
    parser.add_argument("--not-host", action="append", default=[], metavar="HOST", help="not on this one; repeatable")
    parser.add_argument("--run", metavar="RUN_ID", help="in what this run has read")
    parser.add_argument("--newer-than", metavar="AGE", help="in what was read since then: 12h, 90d, 2026-01-31")
    parser.add_argument("--lang", metavar="CODE", help="in texts of this language")
    parser.add_argument("--folder", metavar="DIR", help="in local documents below this directory, too")
    parser.add_argument("--limit", type=int, default=10, metavar="N", help="documents at most; default: 10")
    parser.add_argument("--json", action="store_true", help="as one JSON object, with whole passages and offsets")
    add_place(parser)
    return parser


async def _search(parsed: argparse.Namespace) -> tuple[list[LibraryHit], str]:
    library = _library(parsed)
    async with library.in_use():
        question = " ".join(parsed.words)
        found = await library.search([question], within=_within(parsed), limit=max(1, parsed.limit))
    return found, library.note


def _library(parsed: argparse.Namespace) -> StoredLibrary:
    """As runs have it; by words alone where nothing can be written, as vectors are kept the moment they are made."""
    from agent.library.library import StoredLibrary
    from agent.wiring import library_of

    directory = shelf_of(parsed).directory
    return library_of(settings_of(parsed)) if os.access(directory, os.W_OK) else StoredLibrary(directory)


def _within(parsed: argparse.Namespace) -> Within:
    from agent.types import Within

    return Within(
        run_id=parsed.run,
        hosts=tuple(parsed.host),
        not_hosts=tuple(parsed.not_host),
        fetched_since=moment("--newer-than", parsed.newer_than, datetime.now(UTC)),
        language=parsed.lang,
        folder=str(Path(parsed.folder).expanduser().resolve()) if parsed.folder else None,
    )


def _told_hit(number: int, hit: LibraryHit) -> str:
    dates = [f"read {told_time(hit.fetched_at)} UTC", f"published {hit.published}" if hit.published else ""]
    return "\n".join([
        f"{number}  {one_line(hit.title) or one_line(hit.url)}",
        f"   {one_line(hit.url)}",
        f"   {'; '.join(filter(None, dates))}; text {hit.snapshot[:_HASH]}, characters {hit.start:,} to {hit.end:,}",
        f"   {one_line(hit.passage)[:_PASSAGE]}",
    ])  # fmt: skip
