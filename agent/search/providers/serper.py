"""Serper: Google's results as a service, asked with a key.

Source: Serper's playground and schema of `POST /search`; `tbs` is Google's own parameter, passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import SettingsError
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
    stated_day,
    text,
    used_up,
    worded,
    wrong_key,
)
from agent.text.source_filters import UNBOUNDED, SourceFilter, period
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_URL = "https://google.serper.dev"
_KEY = "AGENT_SERPER_API_KEY"
_QUERY_CHARACTERS = 2_000  # Google takes 32 words and ignores more; this bounds the request only
_RESULTS = 20  # a request for more than 10 costs twice as much, so it is made only where more are asked for


def build(parts: ProviderContext) -> SearchProvider:
    key = parts.options.get("serper_api_key")
    if not key:
        raise SettingsError(PROVIDER.lacks)
    url = parts.options.get("serper_url") or _URL
    return Serper(parts.client, key=key, url=url, bounds=parts.bounds, seconds=parts.seconds)


PROVIDER = Provider(
    "serper",
    build,
    (ProviderSetting("api_key", "Serper's key"), ProviderSetting("url", "Serper's address", _URL)),
    needs="api_key",
    enabled_by="api_key",
    hint="look at AGENT_SERPER_API_KEY and AGENT_SERPER_URL",
)


class Serper:
    name = "serper"
    applies = frozenset({"since", "site", "not_site"})

    def __init__(
        self,
        client: AsyncClient,
        *,
        key: str,
        url: str = _URL,
        bounds: SourceFilter = UNBOUNDED,
        seconds: float = 8.0,
    ) -> None:
        self._client = client
        self._url = endpoint(url, "AGENT_SERPER_URL") + "/search"
        self._headers = {"X-API-KEY": _known(key)}
        self._bounds = bounds
        self._seconds = seconds

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        wanted = self._fields(query, limit)
        request = self._client.build_request("POST", self._url, json=wanted, headers=self._headers)
        reply = await ask(self._client, request, provider="Serper", seconds=self._seconds)
        _refused(reply)
        body = accept(reply)
        if "organic" not in body and isinstance(inside(body, "searchParameters"), dict):
            return []
        today = self._bounds.today
        hits = (
            HitRow(text(r, "link"), text(r, "title"), text(r, "snippet"), stated_day(text(r, "date"), today) or "")
            for r in rows(reply, body, "organic")
        )
        return ranked(hits, provider=self.name, limit=limit)

    def _fields(self, query: Query, limit: int) -> dict[str, object]:
        asked = worded(query.text, self._bounds, characters=_QUERY_CHARACTERS)
        wanted: dict[str, object] = {"q": asked, "num": min(max(limit, 10), _RESULTS)}
        since = self._bounds.since
        if since:
            short = period(self._bounds)
            wanted["tbs"] = f"qdr:{short[0]}" if short else f"cdr:1,cd_min:{since:%m/%d/%Y}"
        return wanted


def _known(value: str) -> str:
    return key(value, _KEY) or ""


def _refused(reply: ProviderReply) -> None:
    """Raise where Serper refuses: 403 for the key, 400 where the credits are spent."""
    if reply.status in {401, 403}:
        raise wrong_key(reply, _KEY)
    if reply.status == 402 or (reply.status == 400 and "credit" in text(reply.json, "message").lower()):
        raise used_up(reply, _KEY)
