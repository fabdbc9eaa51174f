"""The search providers by name.  A new one is a file with a `build`, and a line here.

Knows names; what a provider needs and lacks, it says itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.errors import SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_base import ProviderContext
from agent.search.providers import brave, duckduckgo, folder, sample, searxng, serper, tavily, wikipedia

PROVIDERS: Mapping[str, Callable[[ProviderContext], SearchProvider]] = MappingProxyType(
    {
        "brave": brave.build,
        "duckduckgo": duckduckgo.build,
        "folder": folder.build,
        "sample": sample.build,
        "searxng": searxng.build,
        "serper": serper.build,
        "tavily": tavily.build,
        "wikipedia": wikipedia.build,
    }
)


def build(name: str, parts: ProviderContext) -> SearchProvider:
    """The provider of that name.  Raises `SettingsError` for an unknown name, or where a setting is missing."""
    if name not in PROVIDERS:
        raise SettingsError(f"AGENT_SEARCH={name!r}: no such search provider; there are {', '.join(sorted(PROVIDERS))}")
    return PROVIDERS[name](parts)
