"""How fresh a page has to be for a question: does it ask about now, and how long is a kept page good for it?

Knows the words for "now" of a few languages.  Does not know pages or the library.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

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
