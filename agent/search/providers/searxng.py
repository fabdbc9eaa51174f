"""SearXNG: the user's own instance, through its JSON interface.

Source: the instance's `/search?format=json`, which is off until `search.formats` names `json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agent.errors import SearchBroken, SearchThrottled, SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext, ProviderSetting
from agent.search.provider_http import (
    HitRow,
    ProviderReply,
    accept,
    ask,
    endpoint,
    inside,
    plain,
    ranked,
    rows,
    text,
    worded,
)
from agent.text.source_filters import UNBOUNDED, SourceFilter, period
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_VARIABLE = "AGENT_SEARXNG_URL"
_QUERY_CHARACTERS = 400  # the engines behind it refuse longer ones
# Words for engines that were blocked, rather than broken: SearXNG's, and searx's "blocked".
_BLOCKED = ("too many requests", "captcha", "access denied", "suspended", "blocked")


def build(parts: ProviderContext) -> SearchProvider:
    url = parts.options.get("searxng_url")
    if not url:
        raise SettingsError(PROVIDER.lacks)
    return SearXNG(
        parts.client,
        url,
        user_agent=parts.user_agent,
        bounds=parts.bounds,
        seconds=parts.seconds,
    )


PROVIDER = Provider(
    "searxng",
    build,
    (ProviderSetting("url", "the SearXNG instance"),),
    needs="url",
    enabled_by="url",
    hint="look whether the instance runs and AGENT_SEARXNG_URL is its address",
)


class SearXNG:
    name = "searxng"
    applies = frozenset({"since"})  # `site:` is passed on too, but not every engine behind it knows that

    def __init__(
        self,
        client: AsyncClient,
        url: str,
        *,
        user_agent: str = "",
        bounds: SourceFilter = UNBOUNDED,
        seconds: float = 8.0,
    ) -> None:
        self._bounds = bounds
        self._client = client
        self._url = endpoint(url, _VARIABLE).removesuffix("/search") + "/search"
        self._headers = {"Accept": "application/json"} | ({"User-Agent": user_agent} if user_agent else {})
        self._seconds = seconds

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Hits from the engines that the instance asks.  No hits because engines were blocked is `SearchThrottled`.

        Told of a time, an instance asks those of its engines only that know of times; where none has anything, it is
        asked again without, and what is known to be too old is left to the filter.
        """
        wanted = self._parameters(query)
        found = await self._found(wanted)
        if not found and "time_range" in wanted:
            found = await self._found({name: value for name, value in wanted.items() if name != "time_range"})
        hits = (HitRow(text(r, "url"), text(r, "title"), text(r, "content"), text(r, "publishedDate")) for r in found)
        return ranked(hits, provider=self.name, limit=limit)

    async def _found(self, wanted: dict[str, str]) -> Sequence[Mapping[str, object]]:
        request = self._client.build_request("GET", self._url, params=wanted, headers=self._headers)
        reply = await ask(self._client, request, provider="SearXNG", seconds=self._seconds)
        if reply.status == 403:
            raise SearchBroken(
                f"{reply.who} refuses JSON (HTTP 403): set `search.formats: [html, json]` in its settings.yml"
            )
        body = accept(reply)
        found = rows(reply, body, "results")
        if not found:
            _say_why(reply, inside(body, "unresponsive_engines"))
        return found

    def _parameters(self, query: Query) -> dict[str, str]:
        asked = worded(query.text, self._bounds, characters=_QUERY_CHARACTERS)
        wanted = {"q": asked, "format": "json", "pageno": "1"}
        short = period(self._bounds)
        return wanted | ({"time_range": short} if short else {})


def _say_why(reply: ProviderReply, engines: object) -> None:
    """Raise where engines failed: an instance whose engines are blocked answers 200 with no results."""
    pairs = engines if isinstance(engines, list) else []
    failed = plain("; ".join(f"{pair[0]}: {pair[1]}" for pair in pairs if isinstance(pair, list) and len(pair) > 1))
    if not failed:
        return
    told = f"{reply.who} found nothing because its engines failed ({failed[:300]})"
    if any(word in failed.lower() for word in _BLOCKED):
        raise SearchThrottled(told)
    raise SearchBroken(told)
