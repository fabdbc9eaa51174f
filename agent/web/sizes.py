"""How much of a page is taken."""

from __future__ import annotations

from agent.errors import FetchFailed
from agent.web.sniff import DOCX

TEXT_BYTES = 2_000_000  # a text is cut here: its beginning is worth reading, and 5 MB of HTML take 4.5 s to extract
WHOLE_BYTES = 20_000_000  # a PDF has its table of contents at the end: half of one is nothing, so larger ones are left
_WHOLE = frozenset({"application/pdf", DOCX})


def is_cut(media_type: str) -> bool:
    """May a page of this kind be cut?  Else it is taken whole or not at all."""
    return media_type not in _WHOLE


def check_size(size: int, url: str) -> None:
    """Raises `FetchFailed`."""
    if size > WHOLE_BYTES:
        raise FetchFailed(f"too large (over {WHOLE_BYTES // 1_000_000} MB)", url)
