"""Pages that are not what was asked for: blocks, captchas, cookie and login walls, "not found", empty shells.

They come with status 200 and would be cited as sources.  Judged by the words a reader sees, and only on short pages:
an article about captchas is an article.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHORT = 2_500  # characters seen on a page; walls have 100 to 1,500
_TINY = 700
_EMPTY = 20


@dataclass(frozen=True, slots=True)
class _Wall:
    reason: str
    title: re.Pattern[str]  # on a short page, a title like this is enough
    words: re.Pattern[str]  # on a tiny page one of these is enough, on a short one it takes two different ones


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE | re.MULTILINE)


_WALLS = (
    _Wall(
        "blocked page",
        _any(
            r"just a moment",
            r"attention required!",
            r"access denied",
            r"^\W*(error )?403\b",
            r"^forbidden",
            r"are you (a )?(human|robot)",
            r"(human|security|bot|robot) (verification|check)",
            r"captcha",
            r"request blocked",
            r"pardon our interruption",
            r"ddos-guard",
            r"(安全|人机|访问)验证",
        ),
        _any(
            r"verify(ing)? (that )?you(['’]re| are) (a )?human",
            r"are you (a )?(human|robot)",
            r"not a robot",
            r"captcha",
            r"unusual (traffic|activity)",
            r"automated (requests|access)",
            r"access (to this (page|site|resource) )?((has been|is|was) )?denied",
            r"(do not|don['’]t) have permission to (access|read|view)",
            r"enable (javascript and cookies|cookies and javascript)",
            r"checking (your browser|if the site connection is secure)",
            r"review the security of your connection",
            r"press (&|and) hold",
            r"security check",
            r"you(['’]ve| have) been blocked",
            r"request (has been |was )?blocked",
            r"\bray id\b",
            r"reference #\d",
            r"too many requests",
            r"(安全|人机|访问)验证",
            r"访问过于频繁",
        ),
    ),
    _Wall(
        "not found, says the page",
        _any(
            r"^\W*(error )?404\b",
            r"\b404$",
            r"page (was )?not found",
            r"^not found$",
            r"page (does not|doesn['’]t) exist",
            r"页面不存在",
        ),
        _any(
            r"page (you (are|were) looking for|you requested)?.{0,20}(could not|cannot|can['’]t) be found",
            r"page (does not|doesn['’]t|no longer) exists?",
            r"error 404",
            r"404 (error|not found)",
            r"页面不存在",
        ),
    ),
    _Wall(
        "login or subscription needed",
        _any(r"^(log|sign) in\b", r"^login\b", r"subscribe to (read|continue)"),
        _any(
            r"(log|sign) in to (continue|read|view|access)",
            r"subscribe (now )?to (continue|read|unlock)",
            r"create (an|a free) account to",
            r"(for|to) subscribers only",
            r"this (article|content|story) is (reserved |only )?for (our )?(subscribers|members)",
            r"already a (subscriber|member)\?",
            r"登录后(查看|阅读|继续)",
        ),
    ),
    _Wall(
        "cookie wall",
        _any(r"^before you continue", r"cookie (consent|wall)"),
        _any(
            r"accept (all )?(cookies|and continue)",
            r"we (value|respect) your privacy",
            r"(uses?|our use of) cookies",
            r"manage (cookies|preferences|choices)",
            r"reject all",
            r"our \d* ?partners",
        ),
    ),
    _Wall(
        "empty without JavaScript",
        _any(r"^javascript (is )?(required|disabled)"),
        _any(
            r"(enable|turn on|activate|requires?|need) javascript",
            r"javascript (is )?(required|disabled|not enabled|must be enabled)",
            r"without javascript",
            r"^loading\W*$",
            r"请(启用|开启) ?javascript",
        ),
    ),
)


def wall(titles: str, text: str, seen: str) -> str | None:
    """Why a page is none, in plain words; None: it is a page.

    `titles` are its names for itself, one a line; `text` is what was found as its main text (an honest page's has no
    cookie banner in it), `seen` all words on it.
    """
    if len(seen) > _SHORT:
        return None
    for candidate in _WALLS:
        signs = {match[0].lower() for match in candidate.words.finditer(text or seen)}
        if candidate.title.search(titles) or len(signs) >= (1 if len(seen) <= _TINY else 2):
            return candidate.reason
    return "empty page" if len(seen) < _EMPTY else None
