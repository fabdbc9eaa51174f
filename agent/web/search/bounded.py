"""A provider whose hits keep within the run's bounds, whatever its service made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.services import SearchProvider
from agent.text.bounds import Bounds, is_allowed
from agent.types import Query, SearchHit

_MORE = 3  # times as many hits are asked for where they are sifted here only; first value


class Bounded:
    def __init__(self, provider: SearchProvider, bounds: Bounds) -> None:
        self.name = provider.name
        self._provider = provider
        self._bounds = bounds
        told: frozenset[str] = getattr(provider, "applies", frozenset())
        wanted = {"since": bounds.since, "site": bounds.sites, "not_site": bounds.not_sites}
        self._is_sifted_here = any(value and name not in told for name, value in wanted.items())

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        """The hits within the bounds, ranks from 1 again.  One without a date is kept: what it lacks is a date."""
        wanted = limit * _MORE if self._is_sifted_here else limit
        hits = await self._provider.search(query, limit=wanted)
        kept = [hit for hit in hits if is_allowed(self._bounds, hit.url, hit.published)][:limit]
        return [replace(hit, rank=rank) for rank, hit in enumerate(kept, start=1)]
