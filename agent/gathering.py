"""Settings → the page pool of a run: who searches, who fetches, who reads local files, and what of the library is used.

Beside `wiring`, which opens it with each run and closes it with the run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent import fetching, searching
from agent.reuse import NoFetcher, reuse
from agent.searching import FOLDER, SAMPLE

if TYPE_CHECKING:
    from agent.sample.server import SampleWeb
    from agent.services import Clock, Extractor, Fetcher, Library, PagePool, PoolNews, SearchProvider
    from agent.settings import Settings
    from agent.types import Limits
    from agent.web.files import Recall


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all runs of one wiring share."""

    settings: Settings
    limits: Limits
    clock: Clock
    library: Library
    search_names: tuple[str, ...]
    brought: tuple[SearchProvider, ...] = ()  # the caller's own, asked instead of the named ones
    is_sample: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """What one run is told by."""

    run_id: str
    began: datetime
    tell: Callable[[PoolNews], None]


async def open_pool(ground: Ground, stack: AsyncExitStack, start: Start) -> PagePool:
    """The run's own; `stack` closes it.  Raises `SettingsError`."""
    from agent.web.extract.extractor import PageExtractor
    from agent.web.files import FolderFetcher
    from agent.web.pool import Pool
    from agent.web.reading import PoolParts

    settings = ground.settings
    sample = await stack.enter_async_context(_sample_web()) if SAMPLE in ground.search_names else None
    extractor = PageExtractor(folder=settings.folder.name if settings.folder else "")
    files = FolderFetcher(settings.folder, ground.clock, recall=_known(ground)) if settings.folder else None
    occasion = searching.Occasion(
        today=start.began.date(),
        seconds=ground.limits.search_seconds,
        sample_search_url=sample.search_url if sample else None,
        read=_reader(files, extractor) if files else None,
    )
    web, local = await _open_search(ground, occasion, stack)
    used = reuse(settings, ground.library, occasion.today, is_sample=ground.is_sample)
    parts = PoolParts(
        run_id=start.run_id,
        started_at=start.began,
        web=web,
        local=local,
        kept=next(iter(searching.within(used.kept, settings, occasion.today)), None),
        good_for=used.good_for,
        fetcher=await _open_fetcher(ground, sample, stack),
        local_fetcher=files,
        extractor=extractor,
        library=ground.library,
        limits=ground.limits,
        tell=start.tell,
        bounds=searching.bounds(settings, occasion.today),
    )
    return await stack.enter_async_context(Pool(parts, warm=extractor.warm))


def _known(ground: Ground) -> Recall | None:
    """What the library made of a file serves as long as the file is the same; not where nothing of it is to be used."""
    return None if ground.settings.library == "fresh" else fetching.recalling(ground.library)


async def _open_fetcher(ground: Ground, sample: SampleWeb | None, stack: AsyncExitStack) -> Fetcher:
    settings = ground.settings
    if settings.library == "only":
        return NoFetcher()
    known = ground.library if settings.library == "use" else None
    return await fetching.open_fetcher(settings, ground.limits, ground.clock, known, sample=sample, stack=stack)


async def _open_search(
    ground: Ground, occasion: searching.Occasion, stack: AsyncExitStack
) -> tuple[tuple[SearchProvider, ...], tuple[SearchProvider, ...]]:
    """Providers for the web in order, and those for local documents, which are asked beside them."""
    settings, mine = ground.settings, ground.brought
    is_offline = settings.library == "only"
    folder = (FOLDER,) if settings.folder else ()
    asked = folder if mine or is_offline else ground.search_names
    providers = await searching.open_providers(settings, asked, stack, occasion)
    local = tuple(provider for name, provider in providers.items() if name == FOLDER)
    web = tuple(provider for name, provider in providers.items() if name != FOLDER)
    if is_offline:
        return (), local
    return searching.within(mine, settings, occasion.today) or web, local


def _sample_web() -> SampleWeb:
    from agent.sample.server import SampleWeb

    return SampleWeb()


def _reader(files: Fetcher, extractor: Extractor) -> Callable[[Path], Awaitable[str]]:
    """How the folder provider reads what is not plain text: in the extraction workers."""

    async def read(path: Path) -> str:
        return (await extractor.extract(await files.fetch(path.as_uri()))).text

    return read
