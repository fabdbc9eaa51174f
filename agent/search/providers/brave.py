"""Brave: a search service with an index of its own, asked with a key.

Source: Brave's documentation of `GET /res/v1/web/search`.  A query without results is a reply without `web`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import SearchThrottled, SettingsError
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext, ProviderSetting
from agent.search.provider_http import (
    HitRow,
    ProviderReply,
    accept,
    ask,
    endpoint,
    key,
    ranked,
    rows,
    stated_day,
    text,
    used_up,
    worded,
    wrong_key,
)
from agent.search.provider_state import ProviderStateStore, RateLimiter, wait_for_turn
from agent.text.language import detect, script_share
from agent.text.source_filters import UNBOUNDED, SourceFilter
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_URL = "https://api.search.brave.com"
_KEY = "AGENT_BRAVE_API_KEY"
_QUERY_CHARACTERS = 400  # Brave's own limit …
_QUERY_WORDS = 50  # … and this one beside it
_RESULTS = 20  # likewise
_PACE = RateLimiter(1.0, "Brave")  # its smallest plan takes one request a second
_OF_THE_SCRIPT = 0.3  # of the letters, as with Wikipedia
_CODES = {"zh": "zh-hans", "ja": "jp", "pt": "pt-pt", "no": "nb"}  # where Brave's are not ISO 639-1's
_BY_SCRIPT = frozenset({"ar", "ja", "ko", "ru", "zh"})  # told from two words; of Latin letters that takes a sentence


def build(parts: ProviderContext) -> SearchProvider:
    key = parts.options.get("brave_api_key")
    if not key:
        raise SettingsError(PROVIDER.lacks)
    url = parts.options.get("brave_url") or _URL
    return Brave(parts.client, key=key, url=url, bounds=parts.bounds, seconds=parts.seconds)


PROVIDER = Provider(
    "brave",
    build,
    (ProviderSetting("api_key", "Brave Search's key"), ProviderSetting("url", "Brave Search's address", _URL)),
    needs="api_key",
    enabled_by="api_key",
    hint="look at AGENT_BRAVE_API_KEY and AGENT_BRAVE_URL",
)


class Brave:
    name = "brave"
    applies = frozenset({"since", "site", "not_site"})

    def __init__(  # noqa: PLR0913 - what there is to say about one service
        self,
        client: AsyncClient,
        *,
        key: str,
        url: str = _URL,
        language: str | None = None,
        bounds: SourceFilter = UNBOUNDED,
        seconds: float = 8.0,
        pace: RateLimiter = _PACE,
        shelf: ProviderStateStore | None = None,
    ) -> None:
        """`language`: BCP 47, of what is preferred; None: told from the query's script where that tells it."""
        self._client = client
        self._url = endpoint(url, "AGENT_BRAVE_URL") + "/res/v1/web/search"
        self._headers = {"Accept": "application/json", "X-Subscription-Token": _known(key)}
        self._language = language
        self._bounds = bounds
        self._seconds = seconds
        self._pace = pace
        self._shelf = shelf

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Hits from Brave's index.  Raises `NotYet` at once in a long queue."""
        wait = await wait_for_turn(self._pace, self._shelf, self._seconds / 2)
        wanted = self._parameters(query, limit)
        request = self._client.build_request("GET", self._url, params=wanted, headers=self._headers)
        reply = await ask(self._client, request, provider="Brave", seconds=self._seconds - wait)
        _refused(reply)
        body = accept(reply)
        if "web" not in body and text(body, "type") == "search":
            return []
        today = self._bounds.today
        hits = (
            HitRow(text(r, "url"), text(r, "title"), text(r, "description"), published or "")
            for r in rows(reply, body, "web", "results")
            for published in [stated_day(text(r, "page_age") or text(r, "age"), today)]
        )
        return ranked(hits, provider=self.name, limit=limit)

    def _parameters(self, query: Query, limit: int) -> dict[str, str]:
        asked = worded(query.text, self._bounds, characters=_QUERY_CHARACTERS, words=_QUERY_WORDS)
        wanted = {"q": asked, "count": str(min(limit, _RESULTS))}
        language = self._language_of(query.text)
        if language:
            wanted["search_lang"] = _CODES.get(language, language)
        if self._bounds.since and self._bounds.today:
            wanted["freshness"] = f"{self._bounds.since}to{self._bounds.today}"
        return wanted

    def _language_of(self, text: str) -> str:
        """Which one to prefer, where that is sure; Brave's own preference is English."""
        if self._language and script_share(text, self._language) >= _OF_THE_SCRIPT:
            return self._language.partition("-")[0].lower()
        found = detect(text)
        return found if found in _BY_SCRIPT else ""


def _known(value: str) -> str:
    return key(value, _KEY) or ""


def _refused(reply: ProviderReply) -> None:
    code = text(reply.json, "error", "code")
    if reply.status in {401, 403} or (reply.status == 422 and "TOKEN" in code):
        raise wrong_key(reply, _KEY)
    if reply.status == 402:
        raise used_up(reply, _KEY)
    if reply.status == 429:
        if "QUOTA" in code or "USAGE" in code:
            raise used_up(reply, _KEY)
        wait = _until_reset(reply) if reply.retry_after is None else reply.retry_after
        raise SearchThrottled(f"{reply.who} refuses for now (HTTP 429)", wait)


def _until_reset(reply: ProviderReply) -> float | None:
    """Seconds until the first used-up window opens; `X-RateLimit-Remaining: 0, 1999` with `…-Reset: 1, 1419704`."""
    left = reply.headers.get("x-ratelimit-remaining", "").split(",")
    resets = reply.headers.get("x-ratelimit-reset", "").split(",")
    waits = [float(r) for n, r in zip(left, resets, strict=False) if n.strip() == "0" and r.strip().isdecimal()]
    return max(waits) if waits else None
