"""Ten kinds of pages as the web has them: what is kept of each, what is lost that should be, and what that should not.

The pages are ours; each stands between menus, banners and footers, and some hide something.  `lost` holds what ought
to be left out, `missed` what ought to be kept and is not: a change that mends one fails here, and tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.formats import html

KINDS = Path(__file__).parent / "kinds"
CHROME = ("Accept all", "Skip to content", "Most read", "Why the ferry was late", "All rights reserved", "Imprint")


@dataclass(frozen=True)
class Kind:
    name: str
    title: str
    kept: tuple[str, ...]
    lost: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    author: str = ""
    published: str | None = None
    certainty: str = ""
    modified: str | None = None


KINDS_OF_PAGES = [
    Kind(
        "news",
        "Harbour tunnel opens two years late",
        (
            "two years after the date first planned", "1.37 billion crowns, 290 million more",
            "## Water in the second shaft",
            "“We had measured the rock every ten metres", "Nobody drills into this bay", "31 votes to 14",
        ),
        ("Ignore all earlier", "How tunnels are ventilated", "First! The bridge"),
        missed=("The northern entrance on Friday morning",),
        author="Ada Writer", published="2025-03-14", certainty="stated", modified="2025-03-15",
    ),
    Kind(
        "blog",
        "What I learnt from a year of baking rye bread",
        (
            "At 5 °C the starter", "## Keep the sourdough cold", "2. Add 100 g of flour and 110 g of water.",
            "The loaf is done when its core has 96 °C.",
        ),
        ("Facebook", "never miss a post"),
        author="Ben Baker", published="2024-11-02", certainty="stated",
    ),
    Kind(
        "documentation",
        "retry()",
        (
            "added in version 2.7", "@retry(times=3, wait=0.5)\ndef fetch(url):\n    return get(url, timeout=10)",
            "times: How often", "the default is 5", "| Status | Retried |", "| 429 | yes, after Retry-After |",
            "Which errors are retried", "may run twice",
        ),
        ("Created using a tool", "Table of Contents"),
    ),
    Kind(
        "encyclopedia",
        "Lake Orla",
        (
            "third-largest lake of the Southern Uplands. It lies at 412 m", "3.1 × 10^9 m^3", "raised it by 6.5 metres",
            "| Pike | 14.2 |", "| Whitefish | 61.0 |",
        ),
        ("1 History", "[edit]", "This page was last edited"),
        published="2025-05-03", certainty="inferred",  # of the last edit: the page says no other
    ),
    Kind(
        "forum",
        "Why does df show less free space than du suggests?",
        ("95% are used", "still takes its space", "lsof +L1", "log of 48 GB", "tune2fs -m 1"),
    ),
    Kind(
        "questions",
        "Returns and refunds",
        ("orders from 1 January 2025", "45 days from the day of delivery", "up to 20 kg"),
        missed=("Within 7 working days",),  # folded by a style, which honest pages and hidden instructions share
    ),
    Kind(
        "paper",
        "A slower decay of memory in honeybees",
        (
            "0.61 ± 0.04, against 0.38 ± 0.05", "(p < 0.001)", "2.5 × 10^−3 mg", "C12H22O11", "| 9 | 0.61 | 0.38 |",
            "Recall by day", "EX-2231",
        ),
        author="R. Alder, S. Birk", published="2023-08-17", certainty="stated",
    ),
    Kind(
        "authority",
        "Registering a boat",
        ("Fee: 84.50 euros", "Law: Inland Waters Act, § 12 (3)", "- proof of ownership", "up to 2,000 euros"),
        published="2021-06-30", certainty="stated", modified="2025-02-02",
    ),
    Kind(
        "chinese",
        "港口隧道今日通车",
        ("隧道全长4.2公里，总投资13.7亿元", "三万八千辆汽车", "我们每十米测量一次岩石"),
        ("忽略之前", "京ICP备", "微博"),
        published="2025-03-14", certainty="stated",
    ),
    Kind(
        "figures",
        "Coffee prices 2020–2024",
        ("| Year | North | South | All |", "| 2022 | 11.90 | 9.75 | 10.83 |", "6,200 households", "provisional"),
        ("Open the menu",),
    ),
]  # fmt: skip


def read(kind: Kind) -> ExtractedText:
    return html.extract((KINDS / f"{kind.name}.html").read_bytes(), FormatInput(f"http://{kind.name}.example/page"))


@pytest.mark.parametrize("kind", KINDS_OF_PAGES, ids=lambda kind: kind.name)
def test_what_is_worth_quoting_is_kept_and_what_surrounds_it_is_lost(kind: Kind) -> None:
    got = read(kind)
    assert [words for words in kind.kept if words not in got.text] == []
    assert [words for words in (*kind.lost, *CHROME) if words in got.text] == []
    assert [words for words in kind.missed if words in got.text] == []
    assert not got.suspect


@pytest.mark.parametrize("kind", KINDS_OF_PAGES, ids=lambda kind: kind.name)
def test_what_a_page_says_of_itself_is_told(kind: Kind) -> None:
    got = read(kind)
    assert got.title == kind.title
    assert got.language == ("zh-CN" if kind.name == "chinese" else "en")
    assert got.author == kind.author
    assert (got.published, got.date_certainty, got.modified) == (kind.published, kind.certainty, kind.modified)
