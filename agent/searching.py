"""Settings → what search providers are built from.  Beside `wiring`, which decides which of them are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.settings import APP, Settings
from agent.version import VERSION
from agent.web.search.parts import ProviderParts, ReadFile

if TYPE_CHECKING:
    from httpx2 import AsyncClient


def provider_parts(
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
