"""Wikipedia, or another MediaWiki: full-text search through `api.php`, in the query's language.

Source: https://www.mediawiki.org/wiki/API:Search.  `siteinfo` comes with the same request, because where articles
stand differs from wiki to wiki.  A result's timestamp is its last edit, not a publication, so hits carry no date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from agent.errors import SearchBroken, SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext, ProviderSetting
from agent.search.provider_http import HitRow, ProviderReply, accept, ask, endpoint, ranked, rows, text, within
from agent.text.language import detect, script_share
from agent.text.source_filters import UNBOUNDED, SourceFilter, is_allowed
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_QUERY_CHARACTERS = 300  # CirrusSearch refuses longer ones
_RESULTS = 50  # a request's most, without an account
_OF_THE_SCRIPT = 0.3  # of the letters: names in a Chinese query are often left in Latin
_BUSY = {"ratelimited", "maxlag", "readonly", "cirrussearch-too-busy-error"}


def build(parts: ProviderContext) -> SearchProvider:
    return Wikipedia(
        parts.client,
        user_agent=parts.user_agent,
        url=parts.options.get("wikipedia_url"),
        language=parts.language,
        bounds=parts.bounds,
        seconds=parts.seconds,
    )


PROVIDER = Provider("wikipedia", build, (ProviderSetting("url", "a MediaWiki's api.php instead of Wikipedia's"),))


class Wikipedia:
    name = "wikipedia"
    applies = frozenset({"site", "not_site"})  # it is one site; when an article was written, its search does not say

    def __init__(
        self,
        client: AsyncClient,
        *,
        user_agent: str,
        url: str | None = None,
        language: str | None = None,
        bounds: SourceFilter = UNBOUNDED,
        seconds: float = 8.0,
    ) -> None:
        """`url`: an `api.php` to ask whatever the language; None: Wikipedia's.  `language`: BCP 47, or the query's."""
        self._client = client
        self._url = endpoint(url, "AGENT_WIKIPEDIA_URL") if url else None
        self._headers = {"User-Agent": user_agent}
        self._language = language
        self._bounds = bounds
        self._seconds = seconds

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Articles; none, and nobody is asked, where the wiki is not among the sites that may be sources."""
        url = self._url or f"https://{wiki_language(query.text, self._language)}.wikipedia.org/w/api.php"
        if not is_allowed(self._bounds, url):
            return []
        request = self._client.build_request("GET", url, params=_parameters(query, limit), headers=self._headers)
        reply = await ask(self._client, request, provider="Wikipedia", seconds=self._seconds)
        body = accept(reply)
        _refused(reply, text(body, "error", "code"), text(body, "error", "info"))
        articles = urljoin(url, text(body, "query", "general", "server"))
        path = text(body, "query", "general", "articlepath") or "/wiki/$1"
        hits = (
            HitRow(
                urljoin(articles, path.replace("$1", _in_url(text(r, "title")))), text(r, "title"), text(r, "snippet")
            )
            for r in rows(reply, body, "query", "search")
            if text(r, "title")
        )
        return ranked(hits, provider=self.name, limit=limit)


def wiki_language(query: str, language: str | None) -> str:
    """Which Wikipedia to ask: `language`, if the query is written in its script; else the query's own."""
    if language and script_share(query, language) >= _OF_THE_SCRIPT:
        return language.partition("-")[0].lower()
    return detect(query)


def _parameters(query: Query, limit: int) -> dict[str, str]:
    return {
        "action": "query",
        "format": "json",
        "formatversion": "2",
        "list": "search",
        "srsearch": within(query.text, _QUERY_CHARACTERS),
        "srlimit": str(min(limit, _RESULTS)),
        "srprop": "snippet",
        "meta": "siteinfo",
        "siprop": "general",
    }


def _in_url(title: str) -> str:
    """An article's title as MediaWiki spells it in addresses."""
    return quote(title.replace(" ", "_"), safe=":/!$*(),;@~")


def _refused(reply: ProviderReply, code: str, why: str) -> None:
    """Raise where `api.php` reports an error, which it does with HTTP 200."""
    if code in _BUSY:
        raise SearchThrottled(f"{reply.who} refuses for now ({code})", reply.retry_after)
    if code:
        raise SearchBroken(f"{reply.who} reports {code}: {why[:200]}")
