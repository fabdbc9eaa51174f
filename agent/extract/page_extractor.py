"""From a page to a document: the parent's side of extraction.

The work is done in two processes that all runs of this program share; here is what they are given and allowed, and the
check of what comes back: a worker that a page has taken over may lie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from agent.errors import ExtractFailed, WorkerError
from agent.text.urls import canonical, site
from agent.types import DateCertainty, Document, Page
from agent.worker_pool import Header, WorkerPool, WorkerTimeout

EXTRACTION = "4"  # changes when the text that is made of a page changes
_WORKERS = 2
_SECONDS = 5.0  # a page; of 181 news pages the slowest took 0.07 s
_MEMORY = 512 << 20  # of address space; a worker at rest has 0.1 GB, 2 MB of HTML need up to 0.3 GB
_WARM_SECONDS = 30.0
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CERTAINTIES: Mapping[str, DateCertainty] = MappingProxyType({"stated": "stated", "inferred": "inferred"})
_AUTHOR = 300  # characters of a name
_ADDRESS = 2_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@lru_cache(maxsize=1)
def _crew() -> WorkerPool:
    return WorkerPool("agent.extract.extract_worker", size=_WORKERS, memory=_MEMORY)


class PageExtractor:
    """`folder`: the name that documents from local files have as their site."""

    def __init__(self, *, folder: str = "", seconds: float = _SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds

    async def warm(self) -> None:
        """Start the workers before the first page is there; 0.5 s each that nobody need wait for."""
        await _crew().rouse(_header("text/plain", "", None), b"warm", seconds=_WARM_SECONDS)

    async def extract(self, page: Page) -> Document:
        try:
            told, body = await _crew().ask(
                _header(page.media_type, page.url, page.charset), page.body, seconds=self._seconds
            )
        except WorkerTimeout as e:
            raise ExtractFailed(f"took longer than {self._seconds:g} s to read", page.url) from e
        except WorkerError as e:
            reason = "took too much memory to read" if "out of memory" in str(e) else "could not be read"
            raise ExtractFailed(reason, page.url) from e
        if "refused" in told:
            raise ExtractFailed(str(told["refused"])[:200], page.url)
        return self._document(page, told, body.decode("utf-8", "replace"))

    def _document(self, page: Page, told: Header, text: str) -> Document:
        return Document(
            id=_hash(f"{page.url}\n{text}"),
            snapshot=_hash(text),
            url=page.url,
            title=str(told.get("title", "")),
            site=site(page.url) or self._folder,
            text=text,
            media_type=page.media_type,
            fetched_at=page.fetched_at,
            published=_matching(_DATE, told.get("published")),
            language=_matching(_LANGUAGE, told.get("language")),
            page_starts=_starts(told.get("page_starts"), len(text)),
            etag=page.etag,
            last_modified=page.last_modified,
            extraction=EXTRACTION,
            author=str(told.get("author", ""))[:_AUTHOR],
            modified=_matching(_DATE, told.get("modified")),
            date_certainty=_CERTAINTIES.get(str(told.get("date_certainty")), ""),
            suspect=bool(told.get("suspect")),
            declares=_own(told.get("declares"), page.url),
        )


def _header(media_type: str, url: str, charset: str | None) -> Header:
    return {"media_type": media_type, "url": url, "charset": charset}


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _own(declared: object, url: str) -> str:
    """An address on the page's own site; empty for any other: there a page may not speak for another."""
    address = canonical(declared) if isinstance(declared, str) and declared.startswith(("http://", "https://")) else ""
    return address if address and site(address) == site(url) and len(address) < _ADDRESS else ""


def _starts(value: object, length: int) -> tuple[int, ...]:
    """Offsets in order, none past the end; none at all where they are anything else."""
    starts = tuple(value) if isinstance(value, list) else ()
    whole = all(isinstance(start, int) and 0 <= start <= length for start in starts)
    return starts if whole and list(starts) == sorted(starts) else ()
