"""The commands that read a library: list, show, export, search."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.command_base import ANSWERED, NAME, Parser, Start, prepare
from agent.errors import UsageError
from agent.text.safe_text import one_line

if TYPE_CHECKING:
    from agent.library.catalogue import DocumentAddress, DocumentEntry, DocumentFilter, LibraryPaths, Text, Totals
    from agent.library.stored_library import StoredLibrary
    from agent.settings import Settings
    from agent.types import LibraryFilter, LibraryHit


# ------------------------------------------------------------------------------------------ library_flags

# What the actions on the library share: the flags that choose documents, the library they mean, and how it is shown.
#
# Knows flags and short words for ages and sizes.  Imports the standard library only until a flag is used.

_AGE = re.compile(r"(\d{1,6})\s*([hdwy])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "y": 24 * 366}
_STEPS = (("y", 365 * 86_400), ("d", 86_400), ("h", 3_600), ("min", 60))
AGE = "an age such as 12h, 90d, 8w or 2y, or a date such as 2026-01-31"


def add_place(parser: Parser) -> None:
    parser.add_argument("--sample", action="store_true", help="the library of the sample web instead of the world's")
    parser.add_argument("--data-dir", metavar="DIR", default=argparse.SUPPRESS, help="where the library is kept")


def add_choice(parser: Parser, keys: str = "") -> None:
    """`keys`: what stands beside the flags; "" where nothing does."""
    if keys:
        parser.add_argument("keys", nargs="*", metavar="ADDRESS", help=keys)
    chosen = parser.add_argument_group("which documents", "those that fulfil all that is given")
    chosen.add_argument("--host", action="append", default=[], metavar="HOST", help="from this host; repeatable")
    chosen.add_argument("--run", metavar="RUN_ID", help="read by this run")
    chosen.add_argument("--older-than", metavar="AGE", help=f"last read longer ago than that: {AGE}")
    chosen.add_argument("--newer-than", metavar="AGE", help="last read since then")
    chosen.add_argument("--folder", metavar="DIR", help="local documents below this directory")


def choice_of(parsed: argparse.Namespace, now: datetime) -> DocumentFilter:
    """Raises `UsageError`."""
    from agent.library.catalogue import DocumentFilter

    return DocumentFilter(
        keys=tuple(getattr(parsed, "keys", ())),
        hosts=tuple(parsed.host),
        run_id=parsed.run,
        before=moment("--older-than", parsed.older_than, now),
        since=moment("--newer-than", parsed.newer_than, now),
        folder=Path(parsed.folder) if parsed.folder else None,
    )


def moment(flag: str, given: str | None, now: datetime) -> datetime | None:
    if given is None:
        return None
    if age := _AGE.fullmatch(given.strip().lower()):
        return now - timedelta(hours=int(age[1]) * _HOURS[age[2]])
    try:
        return datetime.combine(date.fromisoformat(given.strip()), time(), UTC)
    except ValueError:
        raise UsageError(f"{flag} {given!r} is not {AGE}") from None


def settings_of(parsed: argparse.Namespace) -> Settings:
    from agent.settings import Settings

    given = {"data_dir": parsed.data_dir} if "data_dir" in parsed else {}
    return Settings(**given, **({"search": ("sample",)} if parsed.sample else {}))


def shelf_of(parsed: argparse.Namespace) -> LibraryPaths:
    """The library that is there.  Raises `LibraryError` where there is none."""
    from agent.errors import LibraryError
    from agent.library.catalogue import LibraryPaths

    home = settings_of(parsed).data_home
    world, sample = LibraryPaths(home / "library"), LibraryPaths(home / "sample" / "library")
    wanted, other = (sample, world) if parsed.sample else (world, sample)
    if not wanted.is_there:
        way_out = "ask a question first, or give --data-dir"
        if other.is_there:
            way_out = "leave out --sample" if parsed.sample else "what was read on the sample web is shown by --sample"
        raise LibraryError(f"there is no library in {wanted.directory} yet: {way_out}")
    return wanted


# ------------------------------------------------------------------------------------------------- showing


def age_in_words(entry: DocumentEntry, now: datetime) -> str:
    """`3 d`: in the largest unit of which there is one."""
    seconds = max(0.0, now.timestamp() - entry.fetched)
    for unit, length in _STEPS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"


def size_in_words(size: int) -> str:
    """`4.1 kB`, `12 MB`."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= length:
            return f"{size / length:.{0 if size >= 10 * length else 1}f} {unit}"
    return f"{size} B"


def time_in_words(moment: str) -> str:
    """`2026-03-01 10:00`, in UTC; as it stands where it is no time."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{(parsed.astimezone(UTC) if parsed.tzinfo else parsed):%Y-%m-%d %H:%M}"


def of(count: int, noun: str) -> str:
    """`1 page`, `1,204 pages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# ------------------------------------------------------------------------------------------ library_reading

# `library list`, `show` and `export`: what is looked at and changes nothing.
#
# Knows how documents look on a screen and as JSON; what there is, `agent.library` finds.

_NARROWEST = 80  # columns
_HASH = 12  # characters of a snapshot that are shown; as many are enough to name it
_HOST = 32
_ANY = 10_000
_LOCAL = "(local file)"
_MOST = 8  # runs and fetches of one address
_SHOWN = 50  # documents, or as many as are asked for


# ------------------------------------------------------------------------------------------------- list


def run_list(words: Sequence[str], _: Start) -> int:
    parser = Parser("library list", description="List the documents: one text from one address each, newest first.")
    add_choice(parser)
    parser.add_argument("--limit", type=int, default=_SHOWN, metavar="N", help=f"at most; 0: all; default: {_SHOWN}")
    parser.add_argument("--json", action="store_true", help="as one JSON object, with whole addresses and hashes")
    add_place(parser)
    parsed = parser.parse_args(words)
    prepare()
    from agent.library.catalogue import entries, totals

    now, shelf = datetime.now(UTC), shelf_of(parsed)
    with closing(shelf.record()) as record:
        found = entries(record, choice_of(parsed, now))
        shown = found[: parsed.limit] if parsed.limit > 0 else found
        all_of = totals(record)
    if parsed.json:
        told = _list_as_json(shelf, all_of, shown, len(found))
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return ANSWERED
    print("\n".join(_lines(shown, now)))
    if len(found) > len(shown):
        print(f"… and {len(found) - len(shown):,} more (--limit 0 lists all)")
    print(f"\n{_summary(shelf, all_of)}")
    _tell_size(parsed, shelf)
    return ANSWERED


def _lines(shown: Sequence[DocumentEntry], now: datetime) -> list[str]:
    if not shown:
        return ["no such documents"]
    from agent.text.urls import host

    rows = [("TEXT", "READ", "SIZE", "HOST", "TITLE")]
    rows += [
        (e.snapshot[:_HASH], age_in_words(e, now), size_in_words(e.bytes), host(e.url) or _LOCAL, _title(e))
        for e in shown
    ]
    hosts = min(_HOST, max(len(row[3]) for row in rows))
    room = _width() - (_HASH + 7 + 8 + hosts + 8)
    return [
        f"{text:<{_HASH}}  {age:>7}  {size:>8}  {_cut(host, hosts):<{hosts}}  {_cut(title, room)}".rstrip()
        for text, age, size, host, title in rows
    ]


def _width() -> int:
    """Of the terminal; elsewhere nothing is cut."""
    return max(_NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _ANY


def _title(entry: DocumentEntry) -> str:
    return one_line(entry.title) or one_line(entry.url)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _summary(shelf: LibraryPaths, all_of: Totals) -> str:
    return (
        f"{of(all_of.documents, 'document')} in all: {of(all_of.texts, 'text')} from "
        f"{all_of.addresses:,} address{'' if all_of.addresses == 1 else 'es'}, read by {of(all_of.runs, 'run')}; "
        f"{size_in_words(shelf.bytes())} in {shelf.directory}"
    )


def _tell_size(parsed: argparse.Namespace, shelf: LibraryPaths) -> None:
    from agent.library.catalogue import size_note

    if note := size_note(shelf.directory, settings_of(parsed).library_warn_mb):
        print(f"{NAME}: {note}", file=sys.stderr)


def _list_as_json(shelf: LibraryPaths, all_of: Totals, shown: Sequence[DocumentEntry], found: int) -> dict[str, Any]:
    return {
        "directory": str(shelf.directory),
        "bytes": shelf.bytes(),
        "totals": asdict(all_of),
        "found": found,
        "documents": [_entry_as_json(entry) for entry in shown],
    }


def _entry_as_json(entry: DocumentEntry) -> dict[str, Any]:
    return {name: value for name, value in asdict(entry).items() if name not in {"row", "fetched"}}


# ------------------------------------------------------------------------------------------------- show


def run_show(words: Sequence[str], _: Start) -> int:
    parser = Parser(
        "library show", description="Tell of a text, or of all texts that an address had, where it was seen and when."
    )
    parser.add_argument("key", metavar="ADDRESS", help="an address, a local path, or a text's hash or its beginning")
    parser.add_argument("--json", action="store_true", help="the same as one JSON object")
    add_place(parser)
    parsed = parser.parse_args(words)
    prepare()
    from agent.library.catalogue import texts

    with closing(shelf_of(parsed).record()) as record:
        found = texts(record, parsed.key)
    if parsed.json:
        told = {"texts": [_text_as_json(text) for text in found]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        print("\n\n".join("\n".join(_told(text)) for text in found))
    return ANSWERED


def _told(text: Text) -> list[str]:
    first = text.addresses[0].entry
    size = f"{text.characters:,} characters in {of(first.passages, 'passage')}, {size_in_words(first.bytes)} as stored"
    lines = [f"text {text.snapshot}", f"  {size}"]
    for address in text.addresses:
        lines += _told_address(address)
    return lines


def _told_address(address: DocumentAddress) -> list[str]:
    entry = address.entry
    facts = [entry.site, entry.author, entry.language or "", f"published {entry.published}" if entry.published else ""]
    lines = ["", f"  {one_line(entry.url)}", f"    {_title(entry)}"]
    if any(facts):
        lines.append(f"    {', '.join(one_line(fact) for fact in facts if fact)}")
    more = ", …" if len(entry.runs) > _MOST else ""
    lines.append(f"    read by {of(len(entry.runs), 'run')}: {', '.join(entry.runs[:_MOST])}{more}")
    for seen in address.sightings[:_MOST]:
        told = [
            seen.media_type,
            f"ETag {seen.etag}" if seen.etag else "",
            f"last modified {seen.last_modified}" if seen.last_modified else "",
            f"extraction {seen.extraction}" if seen.extraction else "",
        ]
        lines.append(f"    fetched {time_in_words(seen.fetched_at)} UTC: {', '.join(one_line(t) for t in told if t)}")
    if len(address.sightings) > _MOST:
        lines.append(f"    and {len(address.sightings) - _MOST:,} times before that (--json tells them all)")
    return lines


def _text_as_json(text: Text) -> dict[str, Any]:
    return {
        "snapshot": text.snapshot,
        "characters": text.characters,
        "addresses": [
            {**_entry_as_json(address.entry), "fetches": [asdict(seen) for seen in address.sightings]}
            for address in text.addresses
        ],
    }


# ------------------------------------------------------------------------------------------------- export


def run_export(words: Sequence[str], _: Start) -> int:
    parser = Parser(
        "library export",
        description="Print documents as JSON Lines, one object each: the text, its passages as offsets, every fetch\n"
        "with what the server said, and the runs that read it.  Without a choice, all of them.",
    )
    add_choice(parser, "an address, a local path, or a text's hash or its beginning")
    parser.add_argument("--no-text", action="store_true", help="leave the texts out")
    add_place(parser)
    parsed = parser.parse_args(words)
    prepare()
    from agent.library.catalogue import entries, exported

    with closing(shelf_of(parsed).record()) as record:
        chosen = entries(record, choice_of(parsed, datetime.now(UTC)))
        for line in exported(record, chosen, with_text=not parsed.no_text):
            sys.stdout.buffer.write(_as_line(line))
    return ANSWERED


def _as_line(line: dict[str, Any]) -> bytes:
    """In UTF-8; half a character, which has no UTF-8, as an escape."""
    try:
        return f"{json.dumps(line, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:
        return f"{json.dumps(line)}\n".encode()


# ------------------------------------------------------------------------------------------ library_search

# `library search`: passages of what was read, found by their words and their meaning.
#
# Knows the flags that bound a search, and how what is found looks; finding is `agent.library`'s.

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
    from agent.library.stored_library import StoredLibrary
    from agent.wiring.factory import library_of

    directory = shelf_of(parsed).directory
    return library_of(settings_of(parsed)) if os.access(directory, os.W_OK) else StoredLibrary(directory)


def _within(parsed: argparse.Namespace) -> LibraryFilter:
    from agent.types import LibraryFilter

    return LibraryFilter(
        run_id=parsed.run,
        hosts=tuple(parsed.host),
        not_hosts=tuple(parsed.not_host),
        fetched_since=moment("--newer-than", parsed.newer_than, datetime.now(UTC)),
        language=parsed.lang,
        folder=str(Path(parsed.folder).expanduser().resolve()) if parsed.folder else None,
    )


def _told_hit(number: int, hit: LibraryHit) -> str:
    dates = [f"read {time_in_words(hit.fetched_at)} UTC", f"published {hit.published}" if hit.published else ""]
    return "\n".join([
        f"{number}  {one_line(hit.title) or one_line(hit.url)}",
        f"   {one_line(hit.url)}",
        f"   {'; '.join(filter(None, dates))}; text {hit.snapshot[:_HASH]}, characters {hit.start:,} to {hit.end:,}",
        f"   {one_line(hit.passage)[:_PASSAGE]}",
    ])  # fmt: skip
