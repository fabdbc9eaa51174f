"""DuckDuckGo, through the form and the page that the `ddgs` package knows.

Goes below `ddgs.DDGS`, which turns every refusal into "No results found", asks other engines first, and reorders.
The form, the browser's TLS fingerprint (without which DuckDuckGo answers 202) and the reading of the page are ddgs'
and primp's; the request is made here, so that its status is seen and a cancelled run closes its socket.

Only the first page is asked for: a second one without DuckDuckGo's own token gets the address blocked at once.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import SearchBroken, SearchThrottled
from agent.services import SearchProvider
from agent.types import Query, SearchHit
from agent.web.search.asking import retry_after
from agent.web.search.hits import ranked, within
from agent.web.search.parts import ProviderParts

if TYPE_CHECKING:
    import primp

_QUERY_CHARACTERS = 490  # 500 and more are refused
_PAGE_BYTES = 2 << 20  # a page of results is 30 to 45 kB
_REFUSALS = {202, 403, 429}
_CAPTCHA = (b"anomaly-modal", b"challenge-form", b"bots use DuckDuckGo")
_FORM = b'name="q"'  # stands on every page of DuckDuckGo's, also on one without results


class Pace:
    """At most one request every `seconds`, over all threads and event loops of the process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, patience: float) -> float:
        """Take the next turn; the seconds until then.  Raises `SearchThrottled` where that is over `patience`."""
        with self._lock:
            now = time.monotonic()
            wait = max(self._free_at - now, 0.0)
            if wait > patience:
                raise SearchThrottled(
                    f"DuckDuckGo is asked once every {self._seconds:g} seconds, to not be blocked", wait
                )
            # Jitter: a fixed rhythm is what blocks look for.
            self._free_at = now + wait + self._seconds * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
            return wait


_PACE = Pace(2.0)  # ddgs' own tests wait as long; five requests in quick succession brought a captcha


@dataclass(frozen=True, slots=True)
class _Page:
    status: int
    retry_after: float | None  # seconds
    body: bytes


def build(parts: ProviderParts) -> SearchProvider:
    return DuckDuckGo(seconds=parts.seconds)


class DuckDuckGo:
    name = "duckduckgo"

    def __init__(
        self,
        *,
        seconds: float = 8.0,
        patience: float = 7.0,
        pace: Pace = _PACE,
        proxy: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """`patience`: seconds to wait for a turn.  `proxy`, `ca_file`: None leaves both to the environment."""
        self._seconds = seconds
        self._patience = patience
        self._pace = pace
        self._proxy = proxy
        self._ca_file = ca_file

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        """Hits in DuckDuckGo's own order, about 10 at most.  Raises `SearchThrottled` at once in a long queue."""
        await asyncio.sleep(self._pace.take(self._patience))
        page = await self._ask(within(query.text, _QUERY_CHARACTERS))
        _refused(page)
        from agent.web.search import duckduckgo_page

        rows = await asyncio.to_thread(duckduckgo_page.rows, page.body)
        if not rows and _FORM not in page.body:
            raise SearchBroken("DuckDuckGo answers with a page that is not its own: a proxy's, or its form has changed")
        return ranked(rows, provider=self.name, limit=limit)

    async def _ask(self, text: str) -> _Page:
        import primp

        from agent.web.search import duckduckgo_page

        url, form = duckduckgo_page.form(text)
        try:
            async with asyncio.timeout(self._seconds), self._client() as client:
                return await _read(await client.post(url, data=form))
        except (TimeoutError, primp.TimeoutError) as e:
            raise SearchBroken(f"DuckDuckGo did not answer within {self._seconds:g} seconds") from e
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


async def _read(response: primp.AsyncResponse) -> _Page:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _PAGE_BYTES:
            raise SearchBroken(f"DuckDuckGo sent more than {_PAGE_BYTES >> 20} MB")
    return _Page(response.status_code, retry_after(response.headers.get("retry-after", "")), bytes(body))


def _refused(page: _Page) -> None:
    """Raise for every way in which DuckDuckGo says no, a captcha with status 200 among them."""
    if page.status in _REFUSALS or any(mark in page.body for mark in _CAPTCHA):
        how = f"HTTP {page.status}" if page.status in _REFUSALS else "a captcha"
        told = f"DuckDuckGo refuses for now ({how}): it blocks an address for about an hour"
        raise SearchThrottled(told, page.retry_after)
    if page.status != 200:
        raise SearchBroken(f"DuckDuckGo answers HTTP {page.status}")
