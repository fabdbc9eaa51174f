"""One request to a provider's JSON interface, and what its failures mean.

Knows HTTP and the search errors.  Knows no provider.  An error's text names the host that was asked and never a key, a
query or a whole URL: those may hold secrets."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.errors import SearchBroken, SearchThrottled, SettingsError
from agent.text.dates import dates
from agent.text.source_filters import SourceFilter, operators
from agent.types import SearchHit

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
class ProviderReply:
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


async def ask(client: AsyncClient, request: Request, *, provider: str, seconds: float) -> ProviderReply:
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


def _reply(who: str, response: Response, body: bytes) -> ProviderReply:
    wait = retry_after(response.headers.get("retry-after", ""))
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        if is_wall(body):
            raise SearchThrottled(f"{who} shows a captcha or a bot wall (HTTP {response.status_code})", wait) from None
        parsed = None
    location = response.next_request.url.host if response.next_request else ""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ProviderReply(who, response.status_code, parsed, wait, location, headers)


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


def accept(reply: ProviderReply) -> Mapping[str, object]:
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


def rows(reply: ProviderReply, body: Mapping[str, object], *path: str) -> Sequence[Mapping[str, object]]:
    """The objects in the list at the path.  Raises `SearchBroken` where there is no list."""
    found = inside(body, *path)
    if not isinstance(found, list):
        raise SearchBroken(f"{reply.who} answers without {'.'.join(path)}: its interface has changed")
    return [row for row in found if isinstance(row, dict)]


def text(row: object, *path: str) -> str:
    """The string at the path; the empty one where there is none."""
    found = inside(row, *path)
    return found if isinstance(found, str) else ""


def wrong_key(reply: ProviderReply, variable: str) -> SearchBroken:
    """The service does not take the key.  What it says about it is not repeated: it may repeat the key."""
    return SearchBroken(f"{reply.who} refuses (HTTP {reply.status}): check {variable}")


def used_up(reply: ProviderReply, variable: str) -> SearchThrottled:
    """The plan behind the key has nothing left; when it will, no service says."""
    told = f"{reply.who}: the plan of {variable} is used up (HTTP {reply.status})"
    return SearchThrottled(told, reply.retry_after or _USED_UP_SECONDS)


# ------------------------------------------------------------------------------------------ wording

# A query as a search engine takes it: with the sites in its operators, and within what it accepts.  Pure.

_FOR_OPERATORS = 0.6  # of a query's length; with more sites than that the hits are filtered, and the words stay


def worded(text: str, bounds: SourceFilter, *, characters: int, words: int = 1_000) -> str:
    """The text, cut at a word where it must be, with `site:` and `-site:` behind it, whole or not at all."""
    last = operators(bounds)
    if len(last) > _FOR_OPERATORS * characters or len(last.split()) > _FOR_OPERATORS * words:
        last = ""
    kept = text.split(" ")[: words - len(last.split())]
    room = characters - len(last) - bool(last)
    return f"{within(' '.join(kept), room)} {last}".rstrip() if last else within(" ".join(kept), room)


# ------------------------------------------------------------------------------------------ hits

# From a provider's rows to search hits: plain text, absolute URLs, whole days, ranks from 1.
#
# Knows what may stand in a hit.  Knows no provider and no network.

_URL_CHARACTERS = 4_000  # longer ones are not links that a server would take
_TITLE_CHARACTERS = 300
_SNIPPET_CHARACTERS = 1_000
_RAW_CHARACTERS = 20_000  # of a text before it is cleaned; bounds the regular expressions below

# Only real elements: a title about R1 may well speak of a "<think>" tag.
_INLINE = "a|abbr|b|bdi|bdo|big|cite|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|tt|u|var|wbr"
_BLOCK = "blockquote|br|div|dd|dl|dt|h[1-6]|hr|img|li|ol|p|pre|table|tbody|td|th|thead|tr|ul"
# One that is not closed goes on to the end, as in a browser; looking for each one's end in vain would take for ever.
_UNSHOWN = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_BREAKS = re.compile(rf"</?(?:{_BLOCK})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TAGS = re.compile(rf"</?(?:{_INLINE})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_AGO = re.compile(r"(\d{1,3})\s+(second|minute|min|hour|day)s?\s+ago", re.IGNORECASE)
_JOINERS = "\u200c\u200d"  # Persian and Hindi words need them; every other invisible character goes


@dataclass(frozen=True, slots=True)
class HitRow:
    """One result as a provider gave it: texts may hold tags and entities, the date may have any common form."""

    url: str
    title: str = ""
    snippet: str = ""
    published: str = ""


def ranked(rows: Iterable[HitRow], *, provider: str, limit: int) -> list[SearchHit]:
    """The first `limit` rows that have an absolute http(s) URL, each URL once, in the provider's order."""
    hits: dict[str, SearchHit] = {}
    for row in rows:
        url = absolute(row.url)
        if not url or url in hits or len(hits) >= limit:
            continue
        title = shortened(plain(row.title), _TITLE_CHARACTERS) or url
        snippet = shortened(plain(row.snippet), _SNIPPET_CHARACTERS)
        hits[url] = SearchHit(url, title, snippet, len(hits) + 1, provider, day(row.published))
    return list(hits.values())


def absolute(url: str) -> str | None:
    """The URL, its escapes untouched, if it is an absolute http(s) one; spaces inside are escaped."""
    url = url.strip().replace(" ", "%20")
    if len(url) > _URL_CHARACTERS or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        return url if parts.scheme in {"http", "https"} and parts.hostname else None
    except ValueError:
        return None


def plain(text: str) -> str:
    """The text without HTML elements, entities and invisible characters, on one line.

    Entities are resolved twice, because some providers encode what was already encoded.
    """
    text = text[:_RAW_CHARACTERS]
    for _ in range(2):
        text = unescape(_without_tags(text))
    visible = (c for c in _without_tags(text) if c.isprintable() or c.isspace() or c in _JOINERS)
    return " ".join("".join(visible).split())


def _without_tags(text: str) -> str:
    return _TAGS.sub("", _BREAKS.sub(" ", _UNSHOWN.sub(" ", text)))


def shortened(text: str, characters: int) -> str:
    """The text, cut at a word's end where it has one, with an ellipsis where it was cut."""
    if len(text) <= characters:
        return text
    return (text[: characters - 1].rsplit(" ", 1)[0] or text[: characters - 1]) + "…"


def within(text: str, characters: int) -> str:
    """A query for a provider that refuses longer ones: whole words, no ellipsis."""
    return text if len(text) <= characters else shortened(text, characters).removesuffix("…")


def day(text: str) -> str | None:
    """YYYY-MM-DD of a date in ISO 8601 or RFC 5322 form; None where it is neither."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).date().isoformat()
    except ValueError:
        return None


def stated_day(text: str, today: date | None) -> str | None:
    """YYYY-MM-DD of a date as a search engine shows it: `Jan 20, 2025`, `3 days ago`; also in the forms of `day`.

    None where it leaves the day open: a month, `2 weeks ago`.  `today`: from which ages count; None: they do not.
    """
    exact = day(text)
    if exact:
        return exact
    ago = _AGO.search(text)
    if ago:
        days = int(ago[1]) if ago[2].lower() == "day" else 0
        return (today - timedelta(days=days)).isoformat() if today else None
    for found in dates(text):
        if found.year and found.month > 0 and found.day and not found.other:
            return day(f"{found.year:04}-{found.month:02}-{found.day:02}")
    return None
