"""Settings → search providers: which are asked, in which order and why, and what they are built from.

Beside `wiring`, which gives them to a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from agent.errors import SettingsError
from agent.settings import APP, Settings
from agent.version import VERSION
from agent.web.search.parts import ProviderParts, ReadFile

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from agent.services import SearchProvider

SAMPLE = "sample"
FOLDER = "folder"
DEFAULT = ("duckduckgo", "wikipedia")
DIRECT = {"all://127.0.0.1": None, "all://localhost": None}  # a proxy in the environment does not know this machine


def names(settings: Settings, brought: Sequence[SearchProvider] = ()) -> tuple[str, ...]:
    """Providers in order of preference.  A folder is asked beside the others, so its place does not matter.

    `brought`: the caller's own, which are asked instead.  Raises `SettingsError`.
    """
    named = tuple(p.name for p in brought) or settings.search or _found(settings)
    if not brought:
        _check(named)
    return named if FOLDER in named or not settings.folder else (*named, FOLDER)


def why(settings: Settings, brought: Sequence[SearchProvider] = ()) -> str:
    """Why these, in a clause."""
    if settings.search or brought:
        return "as configured"
    if settings.searxng_url:
        return "AGENT_SEARXNG_URL is set"
    return "AGENT_TAVILY_API_KEY is set" if settings.tavily_api_key else "none is configured"


def _found(settings: Settings) -> tuple[str, ...]:
    if settings.searxng_url:
        return ("searxng",)
    return ("tavily",) if settings.tavily_api_key else DEFAULT


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
    settings: Settings,
    named: Sequence[str],
    stack: AsyncExitStack,
    *,
    seconds: float,
    sample_search_url: str | None = None,
    read: ReadFile | None = None,
) -> dict[str, SearchProvider]:
    """The named providers, in their order; their client closes with `stack`.  The rest as in `_provider_parts`."""
    import httpx2

    from agent.web.search.registry import build

    client = await stack.enter_async_context(httpx2.AsyncClient(mounts=DIRECT))
    parts = _provider_parts(settings, client, seconds=seconds, sample_search_url=sample_search_url, read=read)
    return {name: build(name, parts) for name in named}


def _provider_parts(
    settings: Settings,
    client: AsyncClient,
    *,
    seconds: float,
    sample_search_url: str | None = None,
    read: ReadFile | None = None,
) -> ProviderParts:
    """`seconds`: for one request.  `read`: for what is not plain text in a folder."""
    from agent.web.client import user_agent

    key = settings.tavily_api_key
    return ProviderParts(
        client=client,
        user_agent=user_agent(APP, VERSION),
        language=settings.lang,
        searxng_url=settings.searxng_url,
        tavily_url=settings.tavily_url,
        tavily_api_key=key.get_secret_value() if key else None,
        wikipedia_url=settings.wikipedia_url,
        folder=settings.folder,
        read=read,
        sample_search_url=sample_search_url,
        seconds=seconds,
    )
