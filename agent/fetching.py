"""Settings → the page fetcher of a run: how far it reaches, how politely it asks, and what it need not fetch again.

Beside `wiring`, which gives it to a run.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.request import getproxies

from agent.errors import LibraryError
from agent.settings import APP, Settings
from agent.types import Document, Limits
from agent.version import VERSION

if TYPE_CHECKING:
    from agent.sample.server import SampleWeb
    from agent.services import Clock, Fetcher, Library
    from agent.web.client import Reach
    from agent.web.fetch import Recall

_SOCKETS_PER_PAGE = 2  # of the run's budget: as many pages may be tried, and a slow one must not keep another waiting
_ROBOTS_SHARE = 0.3  # of a page's time, at most, for a robots.txt that does not come; a connection has a little less
_EVER = datetime.fromtimestamp(0, UTC)
IGNORES_ROBOTS = "robots.txt was ignored (--ignore-robots): pages were read that their sites ask robots to leave alone."


async def open_fetcher(
    settings: Settings,
    limits: Limits,
    clock: Clock,
    library: Library | None,
    *,
    sample: SampleWeb | None,
    stack: AsyncExitStack,
) -> Fetcher:
    """One run's; `stack` closes it.  `library`: what a server says is unchanged is taken from; None: nothing is."""
    from agent.web.client import open_client, user_agent
    from agent.web.fetch import HttpFetcher, Manners
    from agent.web.robots import Robots

    reach = _reach(settings, sample)
    connections = _SOCKETS_PER_PAGE * limits.pages
    client = await stack.enter_async_context(open_client(user_agent(APP, VERSION), reach, connections=connections))
    robots = Robots(APP, clock, settings.cache_home / "robots", seconds=_ROBOTS_SHARE * limits.page_seconds)
    return HttpFetcher(
        client,
        reach,
        clock,
        seconds=limits.page_seconds,
        manners=Manners(robots=None if settings.ignore_robots else robots),
        recall=recalling(library) if library else None,
    )


def cautions(settings: Settings) -> tuple[str, ...]:
    """What a reader of the answer should know of how its pages were fetched."""
    return (IGNORES_ROBOTS,) if settings.ignore_robots else ()


def _reach(settings: Settings, sample: SampleWeb | None) -> Reach:
    from agent.web.client import Reach

    return Reach(
        allow_private=settings.allow_private_addresses,
        proxies=getproxies(),
        own_hosts=sample.hosts if sample else frozenset(),
        own_port=sample.port if sample else 0,
    )


def recalling(library: Library) -> Recall:
    """What today's extractors made of a page: an older one's text is not worth keeping when the page is there."""
    from agent.web.extract.extractor import EXTRACTION

    async def recall(url: str) -> Document | None:
        try:
            known = await library.recall(url, since=_EVER)
        except LibraryError:
            return None  # whatever is wrong with it, storing will tell
        return known if known and known.extraction == EXTRACTION else None

    return recall
