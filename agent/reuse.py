"""Settings → what a run makes of what earlier runs read: not at all, as far as it is fresh, or nothing else.

Beside `wiring`, which gives it to the page pool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from agent.errors import FetchFailed
from agent.text.freshness import good_for

if TYPE_CHECKING:
    from agent.services import Library, SearchProvider
    from agent.settings import Settings
    from agent.types import Page

_WITH_BOUNDS = timedelta(days=1)  # who asks for recent sources wants recent pages; first value
_EVER = timedelta(days=36_500)
ONLY = "Only pages that earlier runs read were asked (--library-only)."
ONLY_WITH_FOLDER = "Only pages that earlier runs read, and the folder, were asked (--library-only)."


@dataclass(frozen=True, slots=True)
class Reuse:
    """What the page pool is given.  Neither: as if there were no library."""

    kept: tuple[SearchProvider, ...] = ()  # one at most; finds what earlier runs read
    good_for: Callable[[str], timedelta] | None = None  # how long a kept page serves a query


def reuse(settings: Settings, library: Library, today: date, *, is_sample: bool) -> Reuse:
    """`is_sample`: of a run on the sample web, which is to do the same each time."""
    from agent.web.kept import Kept

    only = settings.library == "only"
    if settings.library == "fresh" or (is_sample and not only):
        return Reuse()
    kept = Kept(library, allow_private=settings.allow_private_addresses)
    return Reuse((kept,), (lambda _: _EVER) if only else _aging(settings, today))


def cautions(settings: Settings) -> tuple[str, ...]:
    """What a reader of the answer should know of it."""
    if settings.library != "only":
        return ()
    return (ONLY_WITH_FOLDER if settings.folder else ONLY,)


def _aging(settings: Settings, today: date) -> Callable[[str], timedelta]:
    longest = _WITH_BOUNDS if settings.since else _EVER
    return lambda query: min(good_for(query, today), longest)


class NoFetcher:
    """Fulfils `services.Fetcher` where only the library is asked."""

    async def fetch(self, url: str) -> Page:
        raise FetchFailed("not in the library (--library-only)", url)
