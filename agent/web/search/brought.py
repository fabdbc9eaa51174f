"""A search provider that a host program brings: any object with `async search(query, *, limit)`.

Its hits may be dicts, and whatever it raises is a search that broke, so that the next provider is asked.
"""

from __future__ import annotations

from typing import Any

from agent.errors import AgentError, SearchBroken, SettingsError
from agent.types import Query, SearchHit


class Brought:
    def __init__(self, provider: Any) -> None:
        if not callable(getattr(provider, "search", None)):
            raise SettingsError(f"{type(provider).__name__} cannot search: it needs `async search(query, *, limit)`")
        self._provider = provider
        self.name = str(getattr(provider, "name", type(provider).__name__))

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        try:
            hits = await self._provider.search(query, limit=limit)
            return [self._hit(hit, rank) for rank, hit in enumerate(hits[:limit], start=1)]
        except AgentError:
            raise
        except Exception as e:
            raise SearchBroken(f"{self.name} failed: {type(e).__name__}: {e}") from e

    def _hit(self, hit: Any, rank: int) -> SearchHit:
        if isinstance(hit, SearchHit):
            return hit
        return SearchHit(
            url=str(hit["url"]),
            title=str(hit.get("title", "")),
            snippet=str(hit.get("snippet", "")),
            rank=rank,
            provider=self.name,
            published=hit.get("published"),
        )
