"""From a provider's rows to search hits: plain text, absolute URLs, whole days, ranks from 1.

Knows what may stand in a hit.  Knows no provider and no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from urllib.parse import urlsplit

from agent.text.dates import dates
from agent.types import SearchHit

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
class Row:
    """One result as a provider gave it: texts may hold tags and entities, the date may have any common form."""

    url: str
    title: str = ""
    snippet: str = ""
    published: str = ""


def ranked(rows: Iterable[Row], *, provider: str, limit: int) -> list[SearchHit]:
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


def told_day(text: str, today: date | None) -> str | None:
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
