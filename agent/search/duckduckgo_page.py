"""DuckDuckGo's search form and its page of results, as the `ddgs` package knows them.

Parses; asks nobody.  Imported at the first search only: ddgs brings lxml.
"""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import unquote, urljoin, urlsplit

from ddgs.engines.duckduckgo import Duckduckgo
from lxml.etree import LxmlError

from agent.errors import SearchBroken
from agent.search.provider_http import HitRow
from agent.text.source_filters import UNBOUNDED, SourceFilter

_NO_REGION = "wt-wt"  # the query's own words say its language
_DAY = re.compile(r"(?<![\w/-])\d{4}-\d{2}-\d{2}(?=T|\s|$)")  # and not a part of the address beside it


class _Found:
    """A result as it stands on the page.  ddgs' own type unquotes the URL: `a%2Fb` would become `a/b`."""

    title = ""
    href = ""
    body = ""
    extras = ""


class _Engine(Duckduckgo):  # type: ignore[misc]  # ddgs has no types
    elements_xpath: ClassVar[dict[str, str]] = {
        **Duckduckgo.elements_xpath,
        "extras": ".//div[contains(@class, 'result__extras')]//text()",
    }

    def __init__(self) -> None:
        """Without the client that ddgs would open."""

    @property
    def result_type(self) -> type[_Found]:
        return _Found


def form(query: str, bounds: SourceFilter = UNBOUNDED) -> tuple[str, dict[str, str]]:
    """The address and the fields of the form's first page."""
    when = f"{bounds.since}..{bounds.today}" if bounds.since and bounds.today else None
    fields = _Engine().build_payload(query, region=_NO_REGION, safesearch="moderate", timelimit=when, page=1)
    return _Engine.search_url, fields


def rows(body: bytes) -> list[HitRow]:
    """The results on the page, advertisements left out.  Raises `SearchBroken` where it cannot be parsed."""
    try:
        found: list[_Found] = _Engine().extract_results(body.decode("utf-8", "replace"))
    except (LxmlError, ValueError) as e:  # nothing in it, or a form that lxml refuses
        raise SearchBroken(f"DuckDuckGo answers with a page that cannot be read: {e}") from e
    return [_row(url, result) for result in found if (url := unwrapped(result.href))]


def _row(url: str, result: _Found) -> HitRow:
    published = _DAY.search(result.extras)
    return HitRow(url, result.title, result.body, published[0] if published else "")


def unwrapped(href: str) -> str | None:
    """Where a link of the page leads, its escapes untouched; None for an advertisement."""
    try:
        url = urljoin(_Engine.search_url, href) if href.startswith("/") else href
        parts = urlsplit(url)
    except ValueError:
        return None
    if not (parts.hostname or "").endswith("duckduckgo.com"):
        return url or None
    if parts.path == "/y.js":
        return None
    for pair in parts.query.split("&") if parts.path == "/l/" else ():
        name, _, value = pair.partition("=")
        if name == "uddg":
            return unwrapped(unquote(value))
    return url
