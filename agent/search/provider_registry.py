"""The search providers by name, in order of preference.  A new one is a file in `providers/` and its name here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from agent.errors import SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext

_MODULES = (
    "searxng",
    "tavily",
    "brave",
    "serper",
    "duckduckgo",
    "wikipedia",
    "folder",
    "sample",
)


def _declared(module: str) -> Provider:
    provider: Provider = import_module(f"agent.search.providers.{module}").PROVIDER
    return provider


PROVIDERS: Mapping[str, Provider] = MappingProxyType({p.name: p for p in map(_declared, _MODULES)})


def build(name: str, parts: ProviderContext) -> SearchProvider:
    """The provider of that name.  Raises `SettingsError` for an unknown name, or where a setting is missing."""
    if name not in PROVIDERS:
        raise SettingsError(f"AGENT_SEARCH={name!r}: no such search provider; there are {', '.join(sorted(PROVIDERS))}")
    return PROVIDERS[name].build(parts)
