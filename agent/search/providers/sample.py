"""The built-in sample web's own search, asked over HTTP like any other.

Knows the address it was given and the reply's form; nothing of the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext
from agent.search.provider_http import HitRow, accept, ask, ranked, rows, text
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    from httpx2 import AsyncClient


def build(parts: ProviderContext) -> SearchProvider:
    if not parts.sample_search_url:
        raise SettingsError("the search provider 'sample' works only where the built-in sample web is served")
    return SampleSearch(parts.client, parts.sample_search_url, seconds=parts.seconds)


PROVIDER = Provider("sample", build)


class SampleSearch:
    name = "sample"

    def __init__(self, client: AsyncClient, url: str, *, seconds: float = 8.0) -> None:
        self._client = client
        self._url = url
        self._seconds = seconds

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        request = self._client.build_request("GET", self._url, params={"q": query.text, "limit": str(limit)})
        reply = await ask(self._client, request, provider="the sample web", seconds=self._seconds)
        body = accept(reply)
        hits = (
            HitRow(text(r, "url"), text(r, "title"), text(r, "snippet"), text(r, "published"))
            for r in rows(reply, body, "results")
        )
        return ranked(hits, provider=self.name, limit=limit)
