"""DuckDuckGo, through the form and the page that the `ddgs` package knows.

Goes below `ddgs.DDGS`, which turns every refusal into "No results found", asks other engines first, and reorders.
The form, the browser's TLS fingerprint (without which DuckDuckGo answers 202) and the reading of the page are ddgs'
and primp's; the request is made here, so that its status is seen and a cancelled run closes its socket.

Only the first page is asked for: a second one without DuckDuckGo's own token gets the address blocked at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import SearchBroken, SearchThrottled
from agent.protocols import SearchProvider
from agent.search.provider_base import Provider, ProviderContext
from agent.search.provider_http import is_wall, ranked, retry_after, worded
from agent.search.provider_state import ProviderStateStore, RateLimiter, wait_for_turn
from agent.text.source_filters import UNBOUNDED, SourceFilter
from agent.types import Query, SearchHit

if TYPE_CHECKING:
    import primp

_QUERY_CHARACTERS = 490  # 500 and more are refused
_PAGE_BYTES = 2 << 20  # a page of results is 30 to 45 kB
_REFUSALS = {202, 403, 429}
_CAPTCHA = (b"anomaly-modal", b"challenge-form", b"bots use DuckDuckGo")
# `no-results` and `result--no-result` stand where a search found nothing, the other where it found only advertisements.
_WITHOUT_HITS = (b"no-result", b"result__a")
_ANSWER_SECONDS = 2.5  # kept of the time for a search when it waits for its turn


_PACE = RateLimiter(
    2.0, "DuckDuckGo"
)  # ddgs' own tests wait as long; five requests in quick succession brought a captcha


@dataclass(frozen=True, slots=True)
class _ResultPage:
    status: int
    retry_after: float | None  # seconds
    body: bytes


def build(parts: ProviderContext) -> SearchProvider:
    return DuckDuckGo(seconds=parts.seconds, bounds=parts.bounds, shelf=parts.shelf)


PROVIDER = Provider("duckduckgo", build)


class DuckDuckGo:
    name = "duckduckgo"
    applies = frozenset({"since", "site", "not_site"})

    def __init__(
        self,
        *,
        seconds: float = 8.0,
        bounds: SourceFilter = UNBOUNDED,
        pace: RateLimiter = _PACE,
        shelf: ProviderStateStore | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """`seconds`: for a search, the wait for its turn included.  `proxy`, `ca_file`: None: the environment's."""
        self._seconds = seconds
        self._bounds = bounds
        self._pace = pace
        self._shelf = shelf
        self._proxy = proxy
        self._ca_file = ca_file

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Hits in DuckDuckGo's own order, about 10 at most.  Raises `NotYet` at once in a long queue."""
        wait = await wait_for_turn(self._pace, self._shelf, max(self._seconds - _ANSWER_SECONDS, 0.0))
        page = await self._ask(worded(query.text, self._bounds, characters=_QUERY_CHARACTERS), self._seconds - wait)
        _refused(page)
        from agent.search import duckduckgo_page

        rows = await asyncio.to_thread(duckduckgo_page.rows, page.body)
        if not rows and not any(mark in page.body for mark in _WITHOUT_HITS):
            if is_wall(page.body):
                raise SearchThrottled(_told("a bot wall"), page.retry_after)
            raise SearchBroken("DuckDuckGo answers with a page without results that does not say so: a soft block?")
        return ranked(rows, provider=self.name, limit=limit)

    async def _ask(self, text: str, seconds: float) -> _ResultPage:
        import primp

        from agent.search import duckduckgo_page

        url, form = duckduckgo_page.form(text, self._bounds)
        try:
            async with asyncio.timeout(seconds), self._client() as client:
                return await _read(await client.post(url, data=form))
        except (TimeoutError, primp.TimeoutError) as e:
            raise SearchBroken(f"DuckDuckGo did not answer within {seconds:.1f} seconds") from e
        except primp.PrimpError as e:
            raise SearchBroken(f"DuckDuckGo cannot be reached ({type(e).__name__})") from e

    def _client(self) -> primp.AsyncClient:
        """A browser of its own for each query: made in 0.3 ms, and nothing of it is left open between queries."""
        import primp

        return primp.AsyncClient(
            impersonate="random",
            impersonate_os="random",
            timeout=self._seconds,
            proxy=self._proxy,
            ca_cert_file=self._ca_file,
        )


async def _read(response: primp.AsyncResponse) -> _ResultPage:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _PAGE_BYTES:
            raise SearchBroken(f"DuckDuckGo sent more than {_PAGE_BYTES >> 20} MB")
    return _ResultPage(response.status_code, retry_after(response.headers.get("retry-after", "")), bytes(body))


def _refused(page: _ResultPage) -> None:
    """Raise for every way in which DuckDuckGo says no, a captcha with status 200 among them."""
    if page.status in _REFUSALS:
        raise SearchThrottled(_told(f"HTTP {page.status}"), page.retry_after)
    if any(mark in page.body for mark in _CAPTCHA) or (page.status != 200 and is_wall(page.body)):
        raise SearchThrottled(_told("a captcha"), page.retry_after)
    if page.status != 200:
        raise SearchBroken(f"DuckDuckGo answers HTTP {page.status}")


def _told(how: str) -> str:
    return f"DuckDuckGo refuses for now ({how}): it blocks an address for about an hour"
