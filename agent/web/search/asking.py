"""One request to a provider's JSON interface, and what its failures mean.

Knows HTTP and the search errors.  Knows no provider.  An error's text names the host that was asked and never a key, a
query or a whole URL: those may hold secrets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.errors import SearchBroken, SearchThrottled, SettingsError

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Request, Response

_BODY_BYTES = 4 << 20  # 20 long results are 0.1 MB; more than this is no search reply
_RETRY_SECONDS = 86_400.0  # a longer wait than a day says no more than a day does
_USED_UP_SECONDS = 3_600.0  # plans are by the month; somebody may top one up
_WALLS = (  # words of captchas and bot walls, in lower case: Cloudflare's, Google's, DataDome's, Anubis', DuckDuckGo's
    b"captcha",
    b"cf-chl",
    b"challenge-platform",
    b"just a moment...",
    b"unusual traffic",
    b"are you a robot",
    b"not a robot",
    b"not a bot",
    b"verify you are human",
    b"anomaly-modal",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that arrived whole.  `json` is None where the body is not JSON."""

    who: str  # "Tavily at api.tavily.com", for error texts
    status: int
    json: object
    retry_after: float | None  # seconds
    location: str = ""  # the host a redirect points to
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


def endpoint(url: str, variable: str) -> str:
    """The URL without a slash at its end.  Raises `SettingsError` where no request could be made to it."""
    import httpx2

    try:
        parsed = httpx2.URL(url)
        host = urlsplit(url).hostname  # stricter than httpx2 about brackets
    except (httpx2.InvalidURL, ValueError) as e:
        raise SettingsError(f"{variable} is not a URL ({e}): give one like https://search.example") from e
    if parsed.scheme not in {"http", "https"} or not host or " " in host:
        raise SettingsError(f"{variable} is not a URL: it needs to begin with http:// or https:// and a host")
    return url.rstrip("/")


def key(value: str | None, variable: str) -> str | None:
    """The key, if it could stand in a header at all.  The error does not show it."""
    value = (value or "").strip()
    if not (value.isascii() and value.isprintable()):
        raise SettingsError(f"{variable} holds a character that no key has: copy the key again")
    return value or None


async def ask(client: AsyncClient, request: Request, *, provider: str, seconds: float) -> Reply:
    """The reply, whatever its status; redirects are not followed, so that a key goes to its own host only.

    Raises `SearchBroken` where none arrives within `seconds`, or more than `_BODY_BYTES` do, and `SearchThrottled`
    for a captcha or a bot wall, whatever its status.
    """
    import httpx2

    who = f"{provider} at {request.url.netloc.decode('ascii', 'replace')}"  # without user and password
    try:
        async with asyncio.timeout(seconds):
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                return _reply(who, response, await _body(who, response))
            finally:
                await response.aclose()
    except (TimeoutError, httpx2.TimeoutException) as e:
        raise SearchBroken(f"{who} did not answer within {seconds:g} seconds") from e
    except (httpx2.RequestError, httpx2.StreamError) as e:
        raise SearchBroken(f"{who} cannot be reached: {str(e) or type(e).__name__}") from e


async def _body(who: str, response: Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _BODY_BYTES:
            raise SearchBroken(f"{who} sent more than {_BODY_BYTES >> 20} MB")
    return bytes(body)


def _reply(who: str, response: Response, body: bytes) -> Reply:
    wait = retry_after(response.headers.get("retry-after", ""))
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        if is_wall(body):
            raise SearchThrottled(f"{who} shows a captcha or a bot wall (HTTP {response.status_code})", wait) from None
        parsed = None
    location = response.next_request.url.host if response.next_request else ""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(who, response.status_code, parsed, wait, location, headers)


def is_wall(body: bytes) -> bool:
    """Is this page one that asks whether a person is there?"""
    small = body.lower()
    return any(words in small for words in _WALLS)


def retry_after(header: str) -> float | None:
    """Seconds from a Retry-After header: a number of them, or a date; None where it is neither."""
    if header.strip().isdecimal():
        return min(float(header), _RETRY_SECONDS)
    try:
        wait = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
    return min(max(wait, 0.0), _RETRY_SECONDS)


def accept(reply: Reply) -> Mapping[str, object]:
    """The JSON object of a good reply.  Raises `SearchThrottled` where it refuses for now, `SearchBroken` else.

    A 503 that says when to come back is a refusal for now; one that does not is a fault.
    """
    if reply.status in {202, 429} or (reply.status == 503 and reply.retry_after is not None):
        raise SearchThrottled(f"{reply.who} refuses for now (HTTP {reply.status})", reply.retry_after)
    if 300 <= reply.status < 400:
        raise SearchBroken(f"{reply.who} redirects to {reply.location or 'nowhere'}: set that address instead")
    if reply.status != 200:
        raise SearchBroken(f"{reply.who} answers HTTP {reply.status}")
    if not isinstance(reply.json, dict):
        raise SearchBroken(f"{reply.who} answers with something other than its JSON: a log-in, a bot wall, an error?")
    return reply.json


# ------------------------------------------------------------------------------------------------- inside a reply


def inside(value: object, *path: str) -> object:
    """What stands at the path, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def rows(reply: Reply, body: Mapping[str, object], *path: str) -> Sequence[Mapping[str, object]]:
    """The objects in the list at the path.  Raises `SearchBroken` where there is no list."""
    found = inside(body, *path)
    if not isinstance(found, list):
        raise SearchBroken(f"{reply.who} answers without {'.'.join(path)}: its interface has changed")
    return [row for row in found if isinstance(row, dict)]


def text(row: object, *path: str) -> str:
    """The string at the path; the empty one where there is none."""
    found = inside(row, *path)
    return found if isinstance(found, str) else ""


def wrong_key(reply: Reply, variable: str) -> SearchBroken:
    """The service does not take the key.  What it says about it is not repeated: it may repeat the key."""
    return SearchBroken(f"{reply.who} refuses (HTTP {reply.status}): check {variable}")


def used_up(reply: Reply, variable: str) -> SearchThrottled:
    """The plan behind the key has nothing left; when it will, no service says."""
    told = f"{reply.who}: the plan of {variable} is used up (HTTP {reply.status})"
    return SearchThrottled(told, reply.retry_after or _USED_UP_SECONDS)
