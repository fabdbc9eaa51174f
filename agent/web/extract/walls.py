"""Pages that are not what was asked for: blocks, captchas, cookie and login walls, "not found", errors, empty shells.

They come with status 200 and would be cited as sources.  Judged by the words a reader sees, where there are few: an
article about captchas is an article.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.web.extract.wall_signs import BLOCKED, CHALLENGE, NO_SCRIPT, NOT_FOUND, PAYWALL, WALLS, Wall

_SHORT = 2_500  # characters seen on a page; walls have 100 to 1,500
_TINY = 700  # of a bot check
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
    challenge: bool = False  # its source is that of a bot check


def wall(signs: Signs) -> str | None:
    """Why a page is none, in plain words; None: it is a page."""
    if len(signs.seen) > _SHORT:
        return _among_menus(signs)
    if signs.challenge:
        return BLOCKED.reason
    if found := next((candidate for candidate in WALLS if _is(candidate, signs)), None):
        return found.reason
    if signs.shell and len(signs.text) < _EMPTY:
        return NO_SCRIPT.reason
    return "empty page" if len(signs.seen) < _EMPTY else _among_menus(signs)


def is_challenge(source: str, seen: str) -> bool:
    """`source`: of a page, with its scripts; `seen`: all words on it."""
    return len(seen) <= _TINY and CHALLENGE.search(source) is not None


def _is(candidate: Wall, signs: Signs) -> bool:
    """On a tiny page one sign is enough, on a short one it takes two different ones; the title counts as one."""
    found = {match[0].lower() for match in candidate.words.finditer(signs.text or signs.seen)}
    titled = candidate.title.search(signs.titles) is not None
    return len(found) + titled >= (1 if len(signs.seen) <= candidate.tiny else 2)


def _among_menus(signs: Signs) -> str | None:
    """A page with all of a site's menus around an apology or a teaser."""
    if len(signs.text) < _STUB and NOT_FOUND.title.search(signs.titles) and NOT_FOUND.words.search(signs.text):
        return NOT_FOUND.reason
    if len(signs.text) < _TEASER and (signs.sold or _ends_in_an_offer(signs.text)):
        return PAYWALL.reason
    return None


def _ends_in_an_offer(text: str) -> bool:
    return len({match[0].lower() for match in PAYWALL.words.finditer(text[-_TEASER_END:])}) >= 2
