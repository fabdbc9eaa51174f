"""Settings → search providers: which are asked, in which order and why, what they are built from, and within what.

Beside `wiring`, which gives them to a run, and `doctor`, which tries them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import getproxies

from agent.errors import SettingsError
from agent.settings import APP, Settings
from agent.text.bounds import Bounds, first_day
from agent.version import VERSION
from agent.web.search.parts import ProviderParts, ReadFile

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from pydantic import SecretStr

    from agent.services import SearchProvider
    from agent.web.search.folder_index import FolderIndex
    from agent.web.search.shelf import Shelf

SAMPLE = "sample"
FOLDER = "folder"
LIBRARY = "library"  # what earlier runs read; no provider of the web
DEFAULT = ("duckduckgo", "wikipedia")
# What makes a provider the first choice where none is named, in this order; the further ones stand behind it.
_CONFIGURED_BY = {
    "searxng": "searxng_url",
    "tavily": "tavily_api_key",
    "brave": "brave_api_key",
    "serper": "serper_api_key",
}
_OURS = (SAMPLE, FOLDER)  # they refuse nobody, and answer at once
DIRECT = {"all://127.0.0.1": None, "all://localhost": None}  # a proxy in the environment does not know this machine
_SHARE = 0.7  # of the time for a query: a provider's behind which another one waits, less than it is waited for
_LAST_SHARE = 0.8  # the last one's
_FAULTS = 1  # of a provider behind which another one waits, before it is left alone for a while
_LAST_FAULTS = 3  # of the last one: there is nobody else to ask


@dataclass(frozen=True, slots=True)
class Occasion:
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


def bounds(settings: Settings, today: date) -> Bounds:
    """Raises `SettingsError` for a day that is still to come."""
    try:
        since = first_day(settings.since, today) if settings.since else None
    except ValueError as e:
        raise SettingsError(f"AGENT_SINCE={settings.since!r}: {e}") from e
    return Bounds(since, today, settings.site, settings.not_site)


def _found(settings: Settings) -> tuple[str, ...]:
    return _configured(settings) or DEFAULT


def _configured(settings: Settings) -> tuple[str, ...]:
    return tuple(name for name, setting in _CONFIGURED_BY.items() if getattr(settings, setting))


def _check(named: Sequence[str]) -> None:
    from agent.web.search.registry import PROVIDERS

    for name in named:
        if name not in PROVIDERS:
            raise SettingsError(
                f"AGENT_SEARCH={name!r}: no such search provider; there are {', '.join(sorted(PROVIDERS))}"
            )
    if SAMPLE in named and len(named) > 1:
        raise SettingsError("the sample web has a library of its own: --search sample takes no other provider")


async def open_providers(
    settings: Settings, named: Sequence[str], stack: AsyncExitStack, occasion: Occasion
) -> dict[str, SearchProvider]:
    """The named providers, in their order, within the bounds of the settings; what they hold closes with `stack`.

    One that refuses is left alone, by later commands too.  Raises `SettingsError`.
    """
    import httpx2

    from agent.web.search.registry import build
    from agent.web.search.shelf import Shelf

    client = await stack.enter_async_context(httpx2.AsyncClient(mounts=DIRECT))
    shelf = Shelf(settings.cache_home / "search.sqlite")
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
    from agent.library.shelf import Shelf
    from agent.web.extract.extractor import EXTRACTION
    from agent.web.search.folder_index import FolderIndex, file_of

    home = Shelf(settings.data_home / "library").folders
    index = FolderIndex(file_of(home, folder), made_by=EXTRACTION)
    stack.callback(index.close)
    return index


def within(brought: Sequence[SearchProvider], settings: Settings, today: date) -> tuple[SearchProvider, ...]:
    """The caller's own providers, within the bounds of the settings.  Raises `SettingsError`."""
    from agent.web.search.bounded import Bounded

    limits = bounds(settings, today)
    return tuple(Bounded(provider, limits) for provider in brought) if limits.any else tuple(brought)


def _held(
    provider: SearchProvider, shelf: Shelf, settings: Settings, occasion: Occasion, *, is_last: bool
) -> SearchProvider:
    """Within the bounds; not asked while it refuses; not asked twice for what has no date that passes."""
    from agent.web.search.bounded import Bounded
    from agent.web.search.breaker import Guarded
    from agent.web.search.remembered import Remembered

    limits = bounds(settings, occasion.today)
    if provider.name in _OURS:
        return Bounded(provider, limits)
    asked = _identity(provider.name, settings)
    guarded = Guarded(provider, shelf, identity=asked, faults=_LAST_FAULTS if is_last else _FAULTS)
    bounded = Bounded(guarded, limits)
    if limits.since or not occasion.remembers:
        return bounded
    return Remembered(bounded, shelf, identity=json.dumps([asked, limits.sites, limits.not_sites, settings.lang]))


def _identity(name: str, settings: Settings) -> str:
    """Who is asked, where, with which key and from which address; none of it can be read from it."""
    mine = [getattr(settings, f"{name}_{what}", None) for what in ("url", "api_key")]
    told = json.dumps([*(_plain(each) or "" for each in mine), sorted(getproxies().items())])
    return f"{name} {hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _plain(value: SecretStr | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else value.get_secret_value()


def _provider_parts(
    settings: Settings, client: AsyncClient, shelf: Shelf, occasion: Occasion, *, is_last: bool
) -> ProviderParts:
    from agent.web.client import user_agent

    return ProviderParts(
        client=client,
        user_agent=user_agent(APP, VERSION),
        language=settings.lang,
        searxng_url=settings.searxng_url,
        tavily_url=settings.tavily_url,
        tavily_api_key=_plain(settings.tavily_api_key),
        brave_url=settings.brave_url,
        brave_api_key=_plain(settings.brave_api_key),
        serper_url=settings.serper_url,
        serper_api_key=_plain(settings.serper_api_key),
        wikipedia_url=settings.wikipedia_url,
        folder=settings.folder,
        read=occasion.read,
        sample_search_url=occasion.sample_search_url,
        shelf=shelf,
        bounds=bounds(settings, occasion.today),
        seconds=occasion.seconds * (_LAST_SHARE if is_last else _SHARE),
    )
