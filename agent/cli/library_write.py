"""The commands that change a library: forget, verify, repair, reindex."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from agent.cli.command_base import ANSWERED, FAILED, NAME, Parser, Start, prepare
from agent.cli.library_read import (
    add_choice,
    add_place,
    age_in_words,
    choice_of,
    of,
    settings_of,
    shelf_of,
    size_in_words,
)
from agent.errors import LibraryError, UsageError
from agent.text.safe_text import one_line

if TYPE_CHECKING:
    from agent.library.catalogue import DocumentEntry, DocumentFilter, ForgetPlan, LibraryPaths
    from agent.library.chroma_store import ChromaServer
    from agent.library.embedder import Embedder
    from agent.library.integrity import IntegrityReport
    from agent.library.record import Record
    from agent.library.repair import Reindexed


# ------------------------------------------------------------------------------------------ library_keeping

# `library forget`, `verify` and `repair`: what changes the library, or finds that it needs to be changed.
#
# Knows how a user is told and asked; what goes together and what is mended how, `agent.library` knows.

_SHOWN = 20  # documents that are named before somebody is asked


# ------------------------------------------------------------------------------------------------- forget


def run_forget(words: Sequence[str], _: Start) -> int:
    parsed = _forget_parser().parse_args(words)
    prepare()
    now = datetime.now(UTC)
    choice = choice_of(parsed, now)
    _check_that_something_is_chosen(choice)
    shelf = shelf_of(parsed)
    with closing(shelf.record()) as record:
        planned = _planned(parsed, record, choice)
        if not parsed.json:
            print("\n".join([*_told_plan(planned, now), *_told_folders(parsed, shelf, planned)]))
        busy = _forgotten(parsed, shelf, record, planned)
    if parsed.json:
        print(json.dumps(_plan_as_json(planned, done=busy is not None), ensure_ascii=False, indent=2))
    for told in busy or []:
        print(f"{NAME}: {one_line(told)}", file=sys.stderr)
    return ANSWERED


def _forget_parser() -> Parser:
    parser = Parser(
        "library forget",
        description="Take documents out for good: text, passages, words, vectors, and what Chroma has of them.  What\n"
        "would go is told first, and asked about in a terminal; elsewhere nothing goes without --yes.  Texts that\n"
        "answers cite stay unless --cited-too is given.  Answers that were given keep their quotes.",
    )
    add_choice(parser, "an address, a local path, or a text's hash or its beginning")
    parser.add_argument("--cited-too", action="store_true", help="also what answers cite: their quotes are then bare")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")
    parser.add_argument("--json", action="store_true", help="tell it as one JSON object")
    add_place(parser)
    return parser


def _check_that_something_is_chosen(choice: DocumentFilter) -> None:
    if not any((choice.keys, choice.hosts, choice.run_id, choice.before, choice.since, choice.folder)):
        raise UsageError(
            "what is to be forgotten? Name addresses, --host, --run, --older-than or --folder (--older-than 0d is all)"
        )


def _planned(parsed: argparse.Namespace, record: Record, choice: DocumentFilter) -> ForgetPlan:
    from agent.library.catalogue import entries, plan
    from agent.run_registry import Runs

    found = entries(record, choice)
    citing = Runs(settings_of(parsed).data_home).citing()
    return plan(found, choice, citing, cited_too=parsed.cited_too)


def _told_plan(planned: ForgetPlan, now: datetime) -> list[str]:
    lines = [
        f"  {age_in_words(e, now):>7}  {size_in_words(e.bytes):>8}  {one_line(e.url)}" for e in planned.goes[:_SHOWN]
    ]
    if len(planned.goes) > _SHOWN:
        lines.append(f"  … and {len(planned.goes) - _SHOWN:,} more")
    if planned.goes:
        lines.insert(0, f"{of(len(planned.goes), 'document')} ({size_in_words(planned.bytes)} of text):")
    else:
        lines.append("no document is to go")
    if planned.cited:
        lines.append(f"{_staying(planned.cited, 'that answers cite')}: --cited-too takes such out as well")
    if planned.shared:
        lines.append(f"{_staying(planned.shared, 'that other runs have read too')}, without this run")
    return lines


def _staying(kept: Sequence[DocumentEntry], which: str) -> str:
    return f"{of(len(kept), 'document')} {which} stay{'s' if len(kept) == 1 else ''}"


def _forgotten(
    parsed: argparse.Namespace, shelf: LibraryPaths, record: Record, planned: ForgetPlan
) -> list[str] | None:
    """Of indexes that could not be emptied, why; None where it was not done.  Raises `UsageError`."""
    from agent.library.catalogue import forget

    files = _are_files(parsed, planned)
    if parsed.dry_run or not (planned.goes or planned.shared or (files and shelf.has_folders)):
        return None
    if not parsed.yes and not _agreed(len(planned.goes)):
        return None
    before = shelf.bytes()
    busy = [
        f"another program is using {path} just now: it forgets when it is opened next"
        for path in forget(record, planned, shelf.indexes)
    ]
    busy += _not_forgotten_on_servers(parsed, shelf) if planned.goes else []
    if files:
        shelf.forget_folders()
    if not parsed.json:
        print(f"forgotten; the library takes {size_in_words(shelf.bytes())} ({size_in_words(before)} before)")
    return busy


def _are_files(parsed: argparse.Namespace, planned: ForgetPlan) -> bool:
    return bool(parsed.folder) or any(entry.url.startswith("file:") for entry in planned.goes)


def _told_folders(parsed: argparse.Namespace, shelf: LibraryPaths, planned: ForgetPlan) -> list[str]:
    told = "what was read of folders to search them goes too: they are read anew when they are asked about"
    return [told] if _are_files(parsed, planned) and shelf.has_folders else []


def _not_forgotten_on_servers(parsed: argparse.Namespace, shelf: LibraryPaths) -> list[str]:
    from agent.library.integrity import drop_served
    from agent.wiring.model_setup import chroma_server_of

    server = chroma_server_of(settings_of(parsed))
    return [why for path in sorted(shelf.indexes.glob("*/")) if (why := drop_served(path, server))]


def _agreed(count: int) -> bool:
    """Raises `UsageError` where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UsageError("nothing was forgotten: there is nobody to ask here; add --yes to do it")
    print(f"Forget {'it' if count == 1 else 'them'}? [y/N] ", end="", flush=True)
    agreed = sys.stdin.readline().strip().lower() in {"y", "yes"}
    if not agreed:
        print("nothing was forgotten")
    return agreed


def _plan_as_json(planned: ForgetPlan, *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "documents": [_as_json(entry) for entry in planned.goes],
        "bytes": planned.bytes,
        "kept_because_cited": [_as_json(entry) for entry in planned.cited],
        "kept_for_other_runs": [_as_json(entry) for entry in planned.shared],
    }


def _as_json(entry: DocumentEntry) -> dict[str, Any]:
    return {"url": entry.url, "snapshot": entry.snapshot, "fetched_at": entry.fetched_at, "bytes": entry.bytes}


# ------------------------------------------------------------------------------------------------- verify and repair


def run_verify(words: Sequence[str], _: Start) -> int:
    parser = Parser(
        "library verify",
        description="Check that every text has its hash, every passage stands where it says, every word and vector is\n"
        "counted, and the indexes of vectors and folders are whole.  Nothing is changed; exit status 1 if one is not.",
    )
    parser.add_argument("--json", action="store_true", help="the same as one JSON object")
    add_place(parser)
    parsed = parser.parse_args(words)
    prepare()
    from agent.wiring.model_setup import chroma_server_of

    shelf = shelf_of(parsed)
    server = chroma_server_of(settings_of(parsed))
    found = _checked(shelf, server, (lambda _: None) if parsed.json else _show)
    damaged = any(checked.faults for checked in found)
    if parsed.json:
        print(json.dumps({"ok": not damaged, "parts": [asdict(one) for one in found]}, ensure_ascii=False, indent=2))
    elif damaged:
        print("\n`library repair` mends it: it drops only what is damaged, and says what")
    return FAILED if damaged else ANSWERED


def _checked(
    shelf: LibraryPaths, server: ChromaServer | None, show: Callable[[IntegrityReport], None]
) -> list[IntegrityReport]:
    found = []
    with closing(shelf.record()) as record:
        for checked in _parts(record, shelf, server):
            show(checked)
            found.append(checked)
    return found


def _parts(record: Record, shelf: LibraryPaths, server: ChromaServer | None) -> Iterator[IntegrityReport]:
    from agent.library.integrity import verify, verify_cache_files, verify_indexes

    for checked in verify(record):
        yield checked
        if checked.part == "file" and checked.faults:
            return
    yield from verify_cache_files(record, shelf.folders)
    yield from verify_indexes(record, shelf.indexes, server)


def _show(checked: IntegrityReport) -> None:
    state = "DAMAGED" if checked.faults else "ok"
    print(f"{checked.part:<9} {state:<8} {one_line(checked.looked_at)}")
    for fault in checked.faults:
        print(f"{'':<18} {one_line(fault)}")
    sys.stdout.flush()


def run_repair(words: Sequence[str], _: Start) -> int:
    parser = Parser(
        "library repair",
        description="Mend what `library verify` finds: what can be made from the texts is made anew, what is damaged\n"
        "beyond that is dropped and named; a damaged file is kept beside the new one.",
    )
    parser.add_argument("--json", action="store_true", help="what was mended, as one JSON object")
    add_place(parser)
    parsed = parser.parse_args(words)
    prepare()
    from agent.library.integrity import repair_cache_files, repair_indexes
    from agent.library.repair import repair
    from agent.wiring.model_setup import chroma_server_of

    shelf, mended = shelf_of(parsed), []
    server = chroma_server_of(settings_of(parsed))
    with closing(shelf.record()) as record:
        asides = repair_cache_files(record, shelf.folders)
        for line in chain(repair(record), asides, repair_indexes(record, shelf.indexes, server)):
            mended.append(line)
            if not parsed.json:
                print(one_line(line), flush=True)
    if parsed.json:
        print(json.dumps({"mended": mended}, ensure_ascii=False, indent=2))
    elif not mended:
        print("there was nothing to mend")
    return ANSWERED


# ------------------------------------------------------------------------------------------ library_reindex

# `library reindex`: after an embedder was set up or exchanged, vectors for all that is stored, and how far that is.

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
    from agent.wiring.model_setup import embedder_of

    found = embedder_of(settings_of(parsed))
    if found is None:
        raise LibraryError("no embedder is set up: `python -m agent setup-embeddings`, or set AGENT_EMBEDDINGS_MODEL")
    return found


async def _reindex(parsed: argparse.Namespace, embedder: Embedder, progress: _Progress) -> Reindexed:
    from agent.library.repair import reindex
    from agent.wiring.model_setup import chroma_server_of

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
