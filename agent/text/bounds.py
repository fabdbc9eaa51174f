"""Bounds on what may be a source: from which day on, from which sites, from which not.  Pure.

Knows dates and host names.  Does not know how a search provider is told of them, nor what was found.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from agent.text.urls import host

Period = Literal["day", "week", "month", "year"]

# Days, each the longest that the word can mean: a bound lets in a day too many rather than one too few.
_DAYS: dict[Period, int] = {"day": 1, "week": 7, "month": 31, "year": 366}
_PART_OF_A_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Bounds:
    """`sites` and `not_sites` are host names; each stands for its subdomains too."""

    since: date | None = None
    today: date | None = None  # the run's own day, from which `since` was counted; given where `since` is
    sites: tuple[str, ...] = ()
    not_sites: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.since or self.sites or self.not_sites)


UNBOUNDED = Bounds()


def first_day(text: str, today: date) -> date:
    """The first day that `text` lets in: `day`, `week`, `month`, `year`, or a date (`2025-01-20`, `2025-01`, `2025`).

    Raises `ValueError`, with what would have been right.
    """
    word = text.strip().lower()
    for period, days in _DAYS.items():
        if word == period:
            return today - timedelta(days=days)
    part = _PART_OF_A_DATE.fullmatch(word)
    try:
        first = date(int(part[1]), int(part[2] or 1), 1) if part else date.fromisoformat(word)
    except ValueError as e:
        raise ValueError("is neither day, week, month or year nor a date such as 2025-01-20") from e
    if first > today:
        raise ValueError(f"is after today, {today.isoformat()}")
    return first


def period(bounds: Bounds) -> Period | None:
    """The shortest period up to today that holds all of the time since; None where a year does not, or without one."""
    if bounds.since is None or bounds.today is None:
        return None
    age = (bounds.today - bounds.since).days
    return next((name for name, days in _DAYS.items() if age <= days), None)


def site_name(text: str) -> str:
    """The host that somebody names, bare or inside an address.  Raises `ValueError`.

    A bare ending is one too: `edu`, `ac.uk`.
    """
    given = text.strip().lower()
    bare = given.partition("://")[2] or given
    bare = bare.removeprefix("*.").removeprefix(".").rstrip("/")
    if any(sign in bare for sign in "/?#@ "):
        raise ValueError(f"{text!r} is not a host: give one such as example.org, without a path")
    name = host(f"https://{bare}")
    if not _HOST.fullmatch(name):
        raise ValueError(f"{text!r} is not a host: give one such as example.org")
    return name


def is_allowed(bounds: Bounds, url: str, published: str | None = None) -> bool:
    """May this page be a source?  What has no known date may; so may files, which are the user's own.

    `published`: YYYY-MM-DD, or as much of it as is known.
    """
    if url.lower().startswith("file:"):
        return True
    name = host(url)
    if bounds.sites and not _is_of(name, bounds.sites):
        return False
    if _is_of(name, bounds.not_sites):
        return False
    return not is_too_old(bounds, published)


def is_too_old(bounds: Bounds, published: str | None) -> bool:
    """Is it known to be from before the first day?  Of a date without its day, the whole month or year counts."""
    if bounds.since is None or not published:
        return False
    parts = [int(part) for part in published.split("-") if part.isdecimal()]
    if not parts:
        return False
    year, month, day = (*parts, *(0, 0))[:3]
    month = month or 12
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1]) < bounds.since
    except ValueError:
        return False


def operators(bounds: Bounds) -> str:
    """The sites in the words of Google, Bing, Brave and DuckDuckGo: `(site:a OR site:b) -site:c`."""
    wanted = " OR ".join(f"site:{name}" for name in bounds.sites)
    group = f"({wanted})" if len(bounds.sites) > 1 else wanted
    return " ".join(filter(None, [group, *(f"-site:{name}" for name in bounds.not_sites)]))


def _is_of(name: str, sites: Sequence[str]) -> bool:
    return any(name == site or name.endswith(f".{site}") for site in sites)
