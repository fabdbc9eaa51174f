"""Limits on sources: newer than, only these sites, not these sites; and how fresh a question wants them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from agent.text.urls import host

# ------------------------------------------------------------------------------------------ bounds

# Bounds on what may be a source: from which day on, from which sites, from which not.  Pure.
#
# Knows dates and host names.  Does not know how a search provider is told of them, nor what was found.

Period = Literal["day", "week", "month", "year"]

# Days, each the longest that the word can mean: a bound lets in a day too many rather than one too few.
_DAYS: dict[Period, int] = {"day": 1, "week": 7, "month": 31, "year": 366}
_PART_OF_A_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """`sites` and `not_sites` are host names; each stands for its subdomains too."""

    since: date | None = None
    today: date | None = None  # the run's own day, from which `since` was counted; given where `since` is
    sites: tuple[str, ...] = ()
    not_sites: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.since or self.sites or self.not_sites)


UNBOUNDED = SourceFilter()


def first_day(text: str, today: date) -> date:
    """The first day that `text` lets in: `day`, `week`, `month`, `year`, or a date (`2025-01-20`, `2025-01`, `2025`).

    Raises `ValueError`, with what would have been right.
    """
    word = text.strip().lower()
    for period, days in _DAYS.items():
        if word == period:
            return today - timedelta(days=days)
    part = _PART_OF_A_DATE.fullmatch(word)
    try:
        first = date(int(part[1]), int(part[2] or 1), 1) if part else date.fromisoformat(word)
    except ValueError as e:
        raise ValueError("is neither day, week, month or year nor a date such as 2025-01-20") from e
    if first > today:
        raise ValueError(f"is after today, {today.isoformat()}")
    return first


def period(bounds: SourceFilter) -> Period | None:
    """The shortest period up to today that holds all of the time since; None where a year does not, or without one."""
    if bounds.since is None or bounds.today is None:
        return None
    age = (bounds.today - bounds.since).days
    return next((name for name, days in _DAYS.items() if age <= days), None)


def site_name(text: str) -> str:
    """The host that somebody names, bare or inside an address.  Raises `ValueError`.

    A bare ending is one too: `edu`, `ac.uk`.
    """
    given = text.strip().lower()
    bare = given.partition("://")[2] or given
    bare = bare.removeprefix("*.").removeprefix(".").rstrip("/")
    if any(sign in bare for sign in "/?#@ "):
        raise ValueError(f"{text!r} is not a host: give one such as example.org, without a path")
    name = host(f"https://{bare}")
    if not _HOST.fullmatch(name):
        raise ValueError(f"{text!r} is not a host: give one such as example.org")
    return name


def is_allowed(bounds: SourceFilter, url: str, published: str | None = None) -> bool:
    """May this page be a source?  What has no known date may; so may files, which are the user's own.

    `published`: YYYY-MM-DD, or as much of it as is known.
    """
    if url.lower().startswith("file:"):
        return True
    name = host(url)
    if bounds.sites and not _is_of(name, bounds.sites):
        return False
    if _is_of(name, bounds.not_sites):
        return False
    return not is_too_old(bounds, published)


def is_too_old(bounds: SourceFilter, published: str | None) -> bool:
    """Is it known to be from before the first day?  Of a date without its day, the whole month or year counts."""
    if bounds.since is None or not published:
        return False
    parts = [int(part) for part in published.split("-") if part.isdecimal()]
    if not parts:
        return False
    year, month, day = (*parts, *(0, 0))[:3]
    month = month or 12
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1]) < bounds.since
    except ValueError:
        return False


def operators(bounds: SourceFilter) -> str:
    """The sites in the words of Google, Bing, Brave and DuckDuckGo: `(site:a OR site:b) -site:c`."""
    wanted = " OR ".join(f"site:{name}" for name in bounds.sites)
    group = f"({wanted})" if len(bounds.sites) > 1 else wanted
    return " ".join(filter(None, [group, *(f"-site:{name}" for name in bounds.not_sites)]))


def _is_of(name: str, sites: Sequence[str]) -> bool:
    return any(name == site or name.endswith(f".{site}") for site in sites)


# ------------------------------------------------------------------------------------------ freshness

# How fresh a page has to be for a question: does it ask about now, and how long is a kept page good for it?
#
# Knows the words for "now" of a few languages.  Does not know pages or the library.

_NOW_SPACED = r"""
    now | nowadays | today(?:['’]s)? | tonight | yesterday | tomorrow | current(?:ly)? | at\ present | presently |
    right\ now | latest | newest | most\ recent(?:ly)? | recent(?:ly)? | upcoming | so\ far | still | as\ of |
    to\ date | breaking | news | live\ score | (?:this|last|past|next)\ (?:week|month|year|quarter|season|weekend) |
    exchange\ rate | stock\ price | share\ price | weather |
    heute | gestern | morgen | jetzt | aktuell\w* | derzeit(?:ig\w*)? | momentan\w* | zurzeit | gegenwärtig\w* |
    neueste\w* | jüngste\w* | kürzlich | inzwischen | immer\ noch | bisher | nachrichten | wechselkurs | aktienkurs |
    wetter | (?:diese|letzte|nächste|vorige)[rsnm]?\ (?:woche|monat|jahr|quartal) |
    hoy | ayer | ahora | actual(?:mente|es)? | recientes? | recientemente | últim[oa]s? | todavía | aún | noticias |
    tipo\ de\ cambio | (?:esta|este|la\ próxima|el\ próximo)\ (?:semana|mes|año) |
    aujourd['’]hui | demain | maintenant | actuel(?:le|s|les|lement)? | récent\w* | dernière?s? |
    actualités? | (?:cette|ce|cet)\ (?:semaine|mois|année) |
    oggi | ieri | adesso | attual\w+ | recent[ei] | ultim[oaie] | notizie | hoje | ontem | agora | atual\w* | notícias
"""
_NOW_UNSPACED = (
    "今天|今日|昨天|明天|现在|現在|目前|当前|如今|近来|最近|最新|近期|今年|去年|明年|本周|上周|本月|上个月|这个月|新闻|天气|汇率|股价|"
    "昨日|明日|先週|今週|今月|来年|ニュース|天気|오늘|어제|내일|지금|현재|최신|최근|올해|뉴스|날씨"
)
_NOW = re.compile(rf"(?<!\w)(?:{_NOW_SPACED})(?!\w)|{_NOW_UNSPACED}", re.IGNORECASE | re.VERBOSE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")

TIMELY = timedelta(hours=1)  # first values, both: news pages change by the hour …
USUAL = timedelta(days=7)  # … and most pages that answer a question did not change in a week


def asks_about_now(question: str, today: date) -> bool:
    """Does the answer change from day to day?  A year of its own says so too, unless it is past."""
    years = [int(year) for year in _YEAR.findall(question)]
    if years:
        return max(years) >= today.year
    return bool(_NOW.search(question))


def good_for(question: str, today: date) -> timedelta:
    """How long after it was read a page may serve this question without being asked for again."""
    return TIMELY if asks_about_now(question, today) else USUAL
