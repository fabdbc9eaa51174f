"""What a search provider declares of itself, and what it is built from.  Plain values: no environment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent.search.folder_index import FolderIndex
from agent.search.provider_state import ProviderStateStore
from agent.text.source_filters import UNBOUNDED, SourceFilter

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from agent.protocols import SearchProvider

ReadFile = Callable[[Path], Awaitable[str]]
"""A file's text.  May raise any `AgentError`; bounded in time and memory by itself."""


@dataclass(frozen=True, slots=True)
class ProviderSetting:
    """`AGENT_<PROVIDER>_<NAME>` in the environment, `<provider>_<name>` in `Settings`."""

    name: str  # "api_key" is secret; what ends in "url" is an address
    description: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A line of the registry.  `needs`, `enabled_by`: names of settings."""

    name: str
    build: Callable[[ProviderContext], SearchProvider]
    settings: tuple[ProviderSetting, ...] = ()
    needs: str = ""  # it cannot be asked without
    enabled_by: str = ""  # where it is set, the provider is asked although nobody has named it
    hint: str = ""  # what a user can do about a failure

    @property
    def lacks(self) -> str:
        """The error where `needs` is not set."""
        what = f"its address: set AGENT_{self.name.upper()}_URL (--{self.name}-url)"
        key = f"a key: set AGENT_{self.name.upper()}_{self.needs.upper()}"
        return f"the search provider {self.name!r} needs {what if self.needs == 'url' else key}"


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """Everything that some provider may need; each takes what it needs and says what it lacks."""

    client: AsyncClient  # the run's client for endpoints; proxies are set up where it is made
    user_agent: str  # honest, with a way to reach whoever answers for it: Wikipedia refuses others
    language: str | None = None  # BCP 47; None: told from each query's script
    options: Mapping[str, str | None] = field(default_factory=dict)  # "serper_api_key" → its value
    folder: Path | None = None
    read: ReadFile | None = None  # for what is not plain text in the folder: parsing belongs in a worker process
    endings: frozenset[str] = frozenset()  # of the names of such files
    folder_index: FolderIndex | None = None  # the folder's own; None: in memory
    sample_search_url: str | None = None
    shelf: ProviderStateStore | None = None  # on which turns are taken, with other processes
    bounds: SourceFilter = (
        UNBOUNDED  # on what may be found; a provider that cannot tell its service leaves it to the filter
    )
    seconds: float = 8.0  # one search, from waiting for a turn to the last byte
