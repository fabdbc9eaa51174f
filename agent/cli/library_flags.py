"""What the actions on the library share: the flags that choose documents, the library they mean, and how it is shown.

Knows flags and short words for ages and sizes.  Imports the standard library only until a flag is used.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.command import Parser
from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.library.catalogue import Choice, Entry
    from agent.library.shelf import Shelf
    from agent.settings import Settings

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


def choice_of(parsed: argparse.Namespace, now: datetime) -> Choice:
    """Raises `UsageError`."""
    from agent.library.catalogue import Choice

    return Choice(
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


def shelf_of(parsed: argparse.Namespace) -> Shelf:
    """The library that is there.  Raises `LibraryError` where there is none."""
    from agent.errors import LibraryError
    from agent.library.shelf import Shelf

    home = settings_of(parsed).data_home
    world, sample = Shelf(home / "library"), Shelf(home / "sample" / "library")
    wanted, other = (sample, world) if parsed.sample else (world, sample)
    if not wanted.is_there:
        way_out = "ask a question first, or give --data-dir"
        if other.is_there:
            way_out = "leave out --sample" if parsed.sample else "what was read on the sample web is shown by --sample"
        raise LibraryError(f"there is no library in {wanted.directory} yet: {way_out}")
    return wanted


# ------------------------------------------------------------------------------------------------- showing


def told_age(entry: Entry, now: datetime) -> str:
    """`3 d`: in the largest unit of which there is one."""
    seconds = max(0.0, now.timestamp() - entry.fetched)
    for unit, length in _STEPS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"


def told_size(size: int) -> str:
    """`4.1 kB`, `12 MB`."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= length:
            return f"{size / length:.{0 if size >= 10 * length else 1}f} {unit}"
    return f"{size} B"


def told_time(moment: str) -> str:
    """`2026-03-01 10:00`, in UTC; as it stands where it is no time."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{(parsed.astimezone(UTC) if parsed.tzinfo else parsed):%Y-%m-%d %H:%M}"


def of(count: int, noun: str) -> str:
    """`1 page`, `1,204 pages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
