"""Tavily: a search service that may be asked with a key or, more slowly, without one.

Source: its own documentation of `POST /search`.  Without a key the header `X-Tavily-Access-Mode: keyless` stands in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import SearchBroken, SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext, ProviderSetting
from agent.search.provider_http import (
    HitRow,
    ProviderReply,
    accept,
    ask,
    endpoint,
    inside,
    key,
    ranked,
    rows,
    text,
    used_up,
    within,
)
from agent.text.source_filters import UNBOUNDED, SourceFilter
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_KEY = "AGENT_TAVILY_API_KEY"
_QUERY_CHARACTERS = 400  # Tavily's own limit
_RESULTS = 20  # likewise
_USED_UP = {402, 432, 433}  # Tavily's statuses for a plan whose credits are spent
_URL = "https://api.tavily.com"


def build(parts: ProviderContext) -> SearchProvider:
    return Tavily(
        parts.client,
        key=parts.options.get("tavily_api_key"),
        url=parts.options.get("tavily_url") or _URL,
        user_agent=parts.user_agent,
        bounds=parts.bounds,
        seconds=parts.seconds,
    )


PROVIDER = Provider(
    "tavily",
    build,
    (ProviderSetting("api_key", "Tavily's key"), ProviderSetting("url", "Tavily's address", _URL)),
    enabled_by="api_key",
    hint="look at AGENT_TAVILY_API_KEY and AGENT_TAVILY_URL",
)


class Tavily:
    name = "tavily"
    applies = frozenset({"since", "site", "not_site"})

    def __init__(
        self,
        client: AsyncClient,
        *,
        key: str | None = None,
        url: str = _URL,
        user_agent: str = "",
        bounds: SourceFilter = UNBOUNDED,
        seconds: float = 8.0,
    ) -> None:
        self._bounds = bounds
        self._client = client
        self._url = endpoint(url, "AGENT_TAVILY_URL") + "/search"
        self._headers = _authority(key) | ({"User-Agent": user_agent} if user_agent else {})
        self._seconds = seconds

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        fields = self._fields(query, limit)
        request = self._client.build_request("POST", self._url, json=fields, headers=self._headers)
        reply = await ask(self._client, request, provider="Tavily", seconds=self._seconds)
        _refused(reply, keyed="Authorization" in self._headers)
        body = accept(reply)
        hits = (
            HitRow(text(r, "url"), text(r, "title"), text(r, "content"), text(r, "published_date"))
            for r in rows(reply, body, "results")
        )
        return ranked(hits, provider=self.name, limit=limit)

    def _fields(self, query: Query, limit: int) -> dict[str, object]:
        bounds = self._bounds
        wanted: dict[str, object] = {
            "query": within(query.text, _QUERY_CHARACTERS),
            "max_results": min(limit, _RESULTS),
        }
        if bounds.since:
            wanted["start_date"] = bounds.since.isoformat()
        if bounds.sites:
            wanted["include_domains"] = list(bounds.sites)
        if bounds.not_sites:
            wanted["exclude_domains"] = list(bounds.not_sites)
        return wanted


def _authority(value: str | None) -> dict[str, str]:
    known = key(value, _KEY)
    return {"Authorization": f"Bearer {known}"} if known else {"X-Tavily-Access-Mode": "keyless"}


def _refused(reply: ProviderReply, *, keyed: bool) -> None:
    """Raise where Tavily refuses: for good (the key), for the plan, or for now (its error envelope says how long)."""
    code = text(reply.json, "error", "code")
    if reply.status in {401, 403}:
        remedy = f"check {_KEY}" if keyed else f"set {_KEY}: it does not answer without a key"
        raise SearchBroken(f"{reply.who} refuses (HTTP {reply.status}): {remedy}")
    if reply.status in _USED_UP:
        raise used_up(reply, _KEY)
    if reply.status == 429:
        wait = inside(reply.json, "error", "retry_after_seconds")
        seconds = float(wait) if isinstance(wait, int | float) else reply.retry_after
        raise SearchThrottled(f"{reply.who} refuses for now (HTTP 429{f', {code}' if code else ''})", seconds)
