"""Builds what reads the web from the settings: providers, page pool, fetcher, stored pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import getproxies

from agent.errors import FetchFailed, LibraryError, SettingsError
from agent.search.provider_base import ProviderContext, ReadFile
from agent.search.provider_registry import PROVIDERS
from agent.settings import APP, Settings
from agent.text.source_filters import SourceFilter, first_day, good_for
from agent.types import Document, Limits
from agent.version import VERSION

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from agent.protocols import Clock, Extractor, Fetcher, Library, PagePool, PoolNews, SearchProvider
    from agent.sample.sample_server import SampleWeb
    from agent.search.folder_index import FolderIndex
    from agent.search.provider_state import ProviderStateStore
    from agent.settings import Settings
    from agent.types import Limits, Page
    from agent.web.http_client import Reach
    from agent.web.page_fetcher import Recall


# ------------------------------------------------------------------------------------------ gathering

# Settings → the page pool of a run: who searches, who fetches, who reads local files, and what of the library is
# used.
#
# Beside `wiring`, which opens it with each run and closes it with the run.


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """What all runs of one wiring share."""

    settings: Settings
    limits: Limits
    clock: Clock
    library: Library
    search_names: tuple[str, ...]
    brought: tuple[SearchProvider, ...] = ()  # the caller's own, asked instead of the named ones
    is_sample: bool = False


@dataclass(frozen=True, slots=True)
class RunStart:
    """What one run is told by."""

    run_id: str
    began: datetime
    tell: Callable[[PoolNews], None]


async def open_pool(ground: PoolConfig, stack: AsyncExitStack, start: RunStart) -> PagePool:
    """The run's own; `stack` closes it.  Raises `SettingsError`."""
    from agent.extract.page_extractor import PageExtractor
    from agent.web.page_fetcher import FolderFetcher
    from agent.web.page_pool import RunPagePool
    from agent.web.page_reader import PoolServices

    settings = ground.settings
    sample = await stack.enter_async_context(_sample_web()) if SAMPLE in ground.search_names else None
    extractor = PageExtractor(folder=settings.folder.name if settings.folder else "")
    files = FolderFetcher(settings.folder, ground.clock, recall=_known(ground)) if settings.folder else None
    occasion = SearchContext(
        today=start.began.date(),
        seconds=ground.limits.search_seconds,
        sample_search_url=sample.search_url if sample else None,
        read=_reader(files, extractor) if files else None,
    )
    web, local = await _open_search(ground, occasion, stack)
    used = reuse(settings, ground.library, occasion.today, is_sample=ground.is_sample)
    parts = PoolServices(
        run_id=start.run_id,
        started_at=start.began,
        web=web,
        local=local,
        kept=next(iter(within(used.kept, settings, occasion.today)), None),
        good_for=used.good_for,
        fetcher=await _open_fetcher(ground, sample, stack),
        local_fetcher=files,
        extractor=extractor,
        library=ground.library,
        limits=ground.limits,
        tell=start.tell,
        bounds=bounds(settings, occasion.today),
    )
    return await stack.enter_async_context(RunPagePool(parts, warm=extractor.warm))


def _known(ground: PoolConfig) -> Recall | None:
    """What the library made of a file serves as long as the file is the same; not where nothing of it is to be used."""
    return None if ground.settings.library == "fresh" else recalling(ground.library)


async def _open_fetcher(ground: PoolConfig, sample: SampleWeb | None, stack: AsyncExitStack) -> Fetcher:
    settings = ground.settings
    if settings.library == "only":
        return NoFetcher()
    known = ground.library if settings.library == "use" else None
    return await open_fetcher(settings, ground.limits, ground.clock, known, sample=sample, stack=stack)


async def _open_search(
    ground: PoolConfig, occasion: SearchContext, stack: AsyncExitStack
) -> tuple[tuple[SearchProvider, ...], tuple[SearchProvider, ...]]:
    """Providers for the web in order, and those for local documents, which are asked beside them."""
    settings, mine = ground.settings, ground.brought
    is_offline = settings.library == "only"
    folder = (FOLDER,) if settings.folder else ()
    asked = folder if mine or is_offline else ground.search_names
    providers = await open_providers(settings, asked, stack, occasion)
    local = tuple(provider for name, provider in providers.items() if name == FOLDER)
    web = tuple(provider for name, provider in providers.items() if name != FOLDER)
    if is_offline:
        return (), local
    return within(mine, settings, occasion.today) or web, local


def _sample_web() -> SampleWeb:
    from agent.sample.sample_server import SampleWeb

    return SampleWeb()


def _reader(files: Fetcher, extractor: Extractor) -> Callable[[Path], Awaitable[str]]:
    """How the folder provider reads what is not plain text: in the extraction workers."""

    async def read(path: Path) -> str:
        return (await extractor.extract(await files.fetch(path.as_uri()))).text

    return read


# ------------------------------------------------------------------------------------------ fetching

# Settings → the page fetcher of a run: how far it reaches, how politely it asks, and what it need not fetch again.
#
# Beside `wiring`, which gives it to a run.

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
    from agent.web.http_client import open_client, user_agent
    from agent.web.page_fetcher import FetchPolicy, HttpFetcher
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
        manners=FetchPolicy(robots=None if settings.ignore_robots else robots),
        recall=recalling(library) if library else None,
    )


def fetching_cautions(settings: Settings) -> tuple[str, ...]:
    """What a reader of the answer should know of how its pages were fetched."""
    return (IGNORES_ROBOTS,) if settings.ignore_robots else ()


def _reach(settings: Settings, sample: SampleWeb | None) -> Reach:
    from agent.web.http_client import Reach

    return Reach(
        allow_private=settings.allow_private_addresses,
        proxies=getproxies(),
        own_hosts=sample.hosts if sample else frozenset(),
        own_port=sample.port if sample else 0,
    )


def recalling(library: Library) -> Recall:
    """What today's extractors made of a page: an older one's text is not worth keeping when the page is there."""
    from agent.extract.page_extractor import EXTRACTION

    async def recall(url: str) -> Document | None:
        try:
            known = await library.recall(url, since=_EVER)
        except LibraryError:
            return None  # whatever is wrong with it, storing will tell
        return known if known and known.extraction == EXTRACTION else None

    return recall


# ------------------------------------------------------------------------------------------ reuse

# Settings → what a run makes of what earlier runs read: not at all, as far as it is fresh, or nothing else.
#
# Beside `wiring`, which gives it to the page pool.

_WITH_BOUNDS = timedelta(days=1)  # who asks for recent sources wants recent pages; first value
_ANY_AGE = timedelta(days=36_500)
ONLY = "Only pages that earlier runs read were asked (--library-only)."
ONLY_WITH_FOLDER = "Only pages that earlier runs read, and the folder, were asked (--library-only)."


@dataclass(frozen=True, slots=True)
class Reuse:
    """What the page pool is given.  Neither: as if there were no library."""

    kept: tuple[SearchProvider, ...] = ()  # one at most; finds what earlier runs read
    good_for: Callable[[str], timedelta] | None = None  # how long a kept page serves a query


def reuse(settings: Settings, library: Library, today: date, *, is_sample: bool) -> Reuse:
    """`is_sample`: of a run on the sample web, which is to do the same each time."""
    from agent.web.page_selection import LibraryProvider

    only = settings.library == "only"
    if settings.library == "fresh" or (is_sample and not only):
        return Reuse()
    kept = LibraryProvider(library, allow_private=settings.allow_private_addresses)
    return Reuse((kept,), (lambda _: _ANY_AGE) if only else _aging(settings, today))


def reuse_cautions(settings: Settings) -> tuple[str, ...]:
    """What a reader of the answer should know of it."""
    if settings.library != "only":
        return ()
    return (ONLY_WITH_FOLDER if settings.folder else ONLY,)


def _aging(settings: Settings, today: date) -> Callable[[str], timedelta]:
    longest = _WITH_BOUNDS if settings.since else _ANY_AGE
    return lambda query: min(good_for(query, today), longest)


class NoFetcher:
    """Fulfils `services.Fetcher` where only the library is asked."""

    async def fetch(self, url: str) -> Page:
        raise FetchFailed("not in the library (--library-only)", url)


# ------------------------------------------------------------------------------------------ searching

# Settings → search providers: which are asked, in which order and why, what they are built from, and within what.
#
# Beside `wiring`, which gives them to a run, and `doctor`, which tries them.

SAMPLE = "sample"
FOLDER = "folder"
LIBRARY = "library"  # what earlier runs read; no provider of the web
DEFAULT = ("duckduckgo", "wikipedia")
# What makes a provider the first choice where none is named, in order of preference.
_CONFIGURED_BY = {p.name: f"{p.name}_{p.enabled_by}" for p in PROVIDERS.values() if p.enabled_by}
_OURS = (SAMPLE, FOLDER)  # they refuse nobody, and answer at once
DIRECT = {"all://127.0.0.1": None, "all://localhost": None}  # a proxy in the environment does not know this machine
_SHARE = 0.7  # of the time for a query: a provider's behind which another one waits, less than it is waited for
_LAST_SHARE = 0.8  # the last one's
_FAULTS = 1  # of a provider behind which another one waits, before it is left alone for a while
_LAST_FAULTS = 3  # of the last one: there is nobody else to ask


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What the settings do not say about a search."""

    today: date  # of the run: `--since week` is counted from it
    seconds: float  # for a query, with all its providers
    remembers: bool = True  # take and keep recent replies
    sample_search_url: str | None = None
    read: ReadFile | None = None  # for what is not plain text in a folder


def names(settings: Settings, brought: Sequence[SearchProvider] = ()) -> tuple[str, ...]:
    """Providers in order of preference.  A folder is asked beside the others, so its place does not matter.

    `brought`: the caller's own, which are asked instead.  Raises `SettingsError`.
    """
    if settings.library == "only":
        return (LIBRARY, FOLDER) if settings.folder else (LIBRARY,)
    named = tuple(p.name for p in brought) or settings.search or _found(settings)
    if not brought:
        _check(named)
    return named if FOLDER in named or not settings.folder else (*named, FOLDER)


def why(settings: Settings, brought: Sequence[SearchProvider] = ()) -> str:
    """Why these, in a clause."""
    if settings.library == "only":
        return "nothing else is asked"
    if settings.search or brought:
        return "as configured"
    found = [f"AGENT_{_CONFIGURED_BY[name].upper()} is set" for name in _configured(settings)]
    return ", ".join(found) or "none is configured"


def bounds(settings: Settings, today: date) -> SourceFilter:
    """Raises `SettingsError` for a day that is still to come."""
    try:
        since = first_day(settings.since, today) if settings.since else None
    except ValueError as e:
        raise SettingsError(f"AGENT_SINCE={settings.since!r}: {e}") from e
    return SourceFilter(since, today, settings.site, settings.not_site)


def _found(settings: Settings) -> tuple[str, ...]:
    return _configured(settings) or DEFAULT


def _configured(settings: Settings) -> tuple[str, ...]:
    return tuple(name for name, setting in _CONFIGURED_BY.items() if getattr(settings, setting))


def _check(named: Sequence[str]) -> None:
    for name in named:
        if name not in PROVIDERS:
            raise SettingsError(
                f"AGENT_SEARCH={name!r}: no such search provider; there are {', '.join(sorted(PROVIDERS))}"
            )
    if SAMPLE in named and len(named) > 1:
        raise SettingsError("the sample web has a library of its own: --search sample takes no other provider")


async def open_providers(
    settings: Settings, named: Sequence[str], stack: AsyncExitStack, occasion: SearchContext
) -> dict[str, SearchProvider]:
    """The named providers, in their order, within the bounds of the settings; what they hold closes with `stack`.

    One that refuses is left alone, by later commands too.  Raises `SettingsError`.
    """
    import httpx2

    from agent.search.provider_registry import build
    from agent.search.provider_state import ProviderStateStore

    client = await stack.enter_async_context(httpx2.AsyncClient(mounts=DIRECT))
    shelf = ProviderStateStore(settings.cache_home / "search.sqlite")
    stack.callback(shelf.close)
    web = [name for name in named if name != FOLDER]
    providers: dict[str, SearchProvider] = {}
    for name in named:
        is_last = name == FOLDER or name == web[-1]
        parts = _provider_parts(settings, client, shelf, occasion, is_last=is_last)
        if name == FOLDER and settings.folder and occasion.read:
            parts = replace(parts, folder_index=_folder_index(settings, settings.folder, stack))
        provider = build(name, parts)
        providers[name] = provider if name == FOLDER else _held(provider, shelf, settings, occasion, is_last=is_last)
    return providers


def _folder_index(settings: Settings, folder: Path, stack: AsyncExitStack) -> FolderIndex:
    """The folder's own, which later commands go on with; `stack` closes it."""
    from agent.extract.page_extractor import EXTRACTION
    from agent.library.catalogue import LibraryPaths
    from agent.search.folder_index import FolderIndex, file_of

    home = LibraryPaths(settings.data_home / "library").folders
    index = FolderIndex(file_of(home, folder), made_by=EXTRACTION)
    stack.callback(index.close)
    return index


def within(brought: Sequence[SearchProvider], settings: Settings, today: date) -> tuple[SearchProvider, ...]:
    """The caller's own providers, within the bounds of the settings.  Raises `SettingsError`."""
    from agent.search.provider_wrappers import FilteredProvider

    limits = bounds(settings, today)
    return tuple(FilteredProvider(provider, limits) for provider in brought) if limits.any else tuple(brought)


def _held(
    provider: SearchProvider, shelf: ProviderStateStore, settings: Settings, occasion: SearchContext, *, is_last: bool
) -> SearchProvider:
    """Within the bounds; not asked while it refuses; not asked twice for what has no date that passes."""
    from agent.search.provider_wrappers import CachedProvider, CircuitBreakerProvider, FilteredProvider

    limits = bounds(settings, occasion.today)
    if provider.name in _OURS:
        return FilteredProvider(provider, limits)
    asked = _identity(provider.name, settings)
    guarded = CircuitBreakerProvider(provider, shelf, identity=asked, faults=_LAST_FAULTS if is_last else _FAULTS)
    bounded = FilteredProvider(guarded, limits)
    if limits.since or not occasion.remembers:
        return bounded
    return CachedProvider(bounded, shelf, identity=json.dumps([asked, limits.sites, limits.not_sites, settings.lang]))


def _identity(name: str, settings: Settings) -> str:
    """Who is asked, where, with which key and from which address; none of it can be read from it."""
    mine = [settings.option(f"{name}_{what}") or "" for what in ("url", "api_key")]
    told = json.dumps([*mine, sorted(getproxies().items())])
    return f"{name} {hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _options() -> list[str]:
    return [f"{provider.name}_{one.name}" for provider in PROVIDERS.values() for one in provider.settings]


def _provider_parts(
    settings: Settings, client: AsyncClient, shelf: ProviderStateStore, occasion: SearchContext, *, is_last: bool
) -> ProviderContext:
    from agent.extract.format_registry import ENDINGS
    from agent.web.http_client import user_agent

    return ProviderContext(
        client=client,
        user_agent=user_agent(APP, VERSION),
        language=settings.lang,
        options={name: settings.option(name) for name in _options()},
        folder=settings.folder,
        read=occasion.read,
        endings=ENDINGS,
        sample_search_url=occasion.sample_search_url,
        shelf=shelf,
        bounds=bounds(settings, occasion.today),
        seconds=occasion.seconds * (_LAST_SHARE if is_last else _SHARE),
    )
