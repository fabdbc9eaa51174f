"""`library list`, `show` and `export`: what is looked at and changes nothing.

Knows how documents look on a screen and as JSON; what there is, `agent.library` finds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.cli.clean import one_line
from agent.cli.command import ANSWERED, NAME, Parser, Start
from agent.cli.environment import prepare
from agent.cli.library_flags import (
    add_choice,
    add_place,
    choice_of,
    of,
    settings_of,
    shelf_of,
    told_age,
    told_size,
    told_time,
)

if TYPE_CHECKING:
    from agent.library.catalogue import Address, Entry, Text, Totals
    from agent.library.shelf import Shelf

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


def _lines(shown: Sequence[Entry], now: datetime) -> list[str]:
    if not shown:
        return ["no such documents"]
    from agent.text.urls import host

    rows = [("TEXT", "READ", "SIZE", "HOST", "TITLE")]
    rows += [
        (e.snapshot[:_HASH], told_age(e, now), told_size(e.bytes), host(e.url) or _LOCAL, _title(e)) for e in shown
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


def _title(entry: Entry) -> str:
    return one_line(entry.title) or one_line(entry.url)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _summary(shelf: Shelf, all_of: Totals) -> str:
    return (
        f"{of(all_of.documents, 'document')} in all: {of(all_of.texts, 'text')} from "
        f"{all_of.addresses:,} address{'' if all_of.addresses == 1 else 'es'}, read by {of(all_of.runs, 'run')}; "
        f"{told_size(shelf.bytes())} in {shelf.directory}"
    )


def _tell_size(parsed: argparse.Namespace, shelf: Shelf) -> None:
    from agent.library.shelf import size_note

    if note := size_note(shelf.directory, settings_of(parsed).library_warn_mb):
        print(f"{NAME}: {note}", file=sys.stderr)


def _list_as_json(shelf: Shelf, all_of: Totals, shown: Sequence[Entry], found: int) -> dict[str, Any]:
    return {
        "directory": str(shelf.directory),
        "bytes": shelf.bytes(),
        "totals": asdict(all_of),
        "found": found,
        "documents": [_entry_as_json(entry) for entry in shown],
    }


def _entry_as_json(entry: Entry) -> dict[str, Any]:
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
    size = f"{text.characters:,} characters in {of(first.passages, 'passage')}, {told_size(first.bytes)} as stored"
    lines = [f"text {text.snapshot}", f"  {size}"]
    for address in text.addresses:
        lines += _told_address(address)
    return lines


def _told_address(address: Address) -> list[str]:
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
        lines.append(f"    fetched {told_time(seen.fetched_at)} UTC: {', '.join(one_line(t) for t in told if t)}")
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
