"""Pages that are not what was asked for: blocks, captchas, cookie and login walls, "not found", empty shells.

They come with status 200 and would be cited as sources.  Judged by the words a reader sees, where there are few: an
article about captchas is an article.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.web.extract.wall_signs import NO_SCRIPT, NOT_FOUND, PAYWALL, WALLS, Wall

_SHORT = 2_500  # characters seen on a page; walls have 100 to 1,500
_TINY = 700
_EMPTY = 20
_STUB = 500  # characters of main text: an apology, between whatever menus the site has
_TEASER = 1_500  # likewise: what a paywall lets through
_TEASER_END = 500  # where its invitation to subscribe stands


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page is judged by."""

    titles: str  # its names for itself, one a line
    text: str  # what was found as its main text: an honest page's has no cookie banner in it
    seen: str  # all words on it
    sold: bool = False  # it says for machines that it is not free to read
    shell: bool = False  # the place that a script would fill is empty


def wall(signs: Signs) -> str | None:
    """Why a page is none, in plain words; None: it is a page."""
    if len(signs.seen) > _SHORT:
        return _among_menus(signs)
    for candidate in WALLS:
        if candidate.title.search(signs.titles) or _says(candidate, signs.text or signs.seen, len(signs.seen)):
            return candidate.reason
    if signs.shell and len(signs.text) < _EMPTY:
        return NO_SCRIPT.reason
    return "empty page" if len(signs.seen) < _EMPTY else _among_menus(signs)


def _says(candidate: Wall, text: str, seen: int) -> bool:
    """On a tiny page one sign is enough, on a short one it takes two different ones."""
    found = {match[0].lower() for match in candidate.words.finditer(text)}
    return len(found) >= (1 if seen <= _TINY else 2)


def _among_menus(signs: Signs) -> str | None:
    """A page with all of a site's menus around an apology or a teaser."""
    if len(signs.text) < _STUB and NOT_FOUND.title.search(signs.titles) and NOT_FOUND.words.search(signs.text):
        return NOT_FOUND.reason
    if len(signs.text) < _TEASER and (signs.sold or _ends_in_an_offer(signs.text)):
        return PAYWALL.reason
    return None


def _ends_in_an_offer(text: str) -> bool:
    return len({match[0].lower() for match in PAYWALL.words.finditer(text[-_TEASER_END:])}) >= 2
