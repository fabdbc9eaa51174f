"""What search providers are built from.  Plain values only: no settings, no environment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.search.folder_index import FolderIndex
from agent.search.provider_state import ProviderStateStore
from agent.text.source_filters import UNBOUNDED, SourceFilter

if TYPE_CHECKING:
    from httpx2 import AsyncClient

ReadFile = Callable[[Path], Awaitable[str]]
"""A file's text.  May raise any `AgentError`; bounded in time and memory by itself."""


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """Everything that some provider may need; each takes what it needs and says what it lacks."""

    client: AsyncClient  # the run's client for endpoints; proxies are set up where it is made
    user_agent: str  # honest, with a way to reach whoever answers for it: Wikipedia refuses others
    language: str | None = None  # BCP 47; None: told from each query's script
    searxng_url: str | None = None
    tavily_url: str = "https://api.tavily.com"
    tavily_api_key: str | None = None
    brave_url: str = "https://api.search.brave.com"
    brave_api_key: str | None = None
    serper_url: str = "https://google.serper.dev"
    serper_api_key: str | None = None
    wikipedia_url: str | None = None  # another MediaWiki's api.php
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
