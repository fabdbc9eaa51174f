"""What a page says of itself, and how far that is believed."""

from __future__ import annotations

import pytest
from lxml import html

from agent.extract.page_metadata import About, about

URL = "http://news.example/a"


def told(head: str = "", body: str = "<p>text</p>", url: str = URL, attributes: str = "") -> About:
    return about(html.document_fromstring(f"<html {attributes}><head>{head}</head><body>{body}</body></html>"), url)


def ld(json: str) -> str:
    return f"<script type='application/ld+json'>{json}</script>"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="article:published_time" content="2025-01-20T10:00:00Z">', ""),
        ('<meta name="DC.date.issued" content="2025-01-20">', ""),
        ('<meta name="citation_publication_date" content="2025/01/20">', ""),
        ('<meta itemprop="datePublished" content="20250120">', ""),
        ('<meta name=pubdate content="Mon, 20 Jan 2025 10:00:00 GMT">', ""),
        ("", "<time itemprop=datePublished datetime=2025-01-20>x</time>"),
        ("", "<time pubdate datetime=2025-01-20T01:00>x</time>"),
        (ld('{"@type":"NewsArticle","datePublished":"2025-01-20T10:00:00+01:00"}'), ""),
        (ld('{"@graph":[{"@type":"Organization"},{"@type":["BlogPosting"],"datePublished":"2025-01-20"}]}'), ""),
        (ld('[{"@type":"WebPage","mainEntity":{"@type":"Article","datePublished":"2025-01-20"}}]'), ""),
    ],
)  # fmt: skip
def test_a_date_that_the_page_states_is_taken_as_stated(head: str, body: str) -> None:
    got = told(head, body)
    assert (got.published, got.certainty) == ("2025-01-20", "stated")


def test_a_date_from_the_address_or_the_words_is_inferred() -> None:
    got = told(url="http://news.example/2025/01/20/story")
    assert (got.published, got.certainty) == ("2025-01-20", "inferred")


@pytest.mark.parametrize("day", ["2025-13-40", "0000-00-00", "1970-01-01", "2999-01-01", "yesterday", "", "20 Jan"])
def test_what_is_no_date_of_a_page_is_none(day: str) -> None:
    got = told(f'<meta property="article:published_time" content="{day}">')
    assert (got.published, got.certainty) == (None, "")


def test_a_comments_or_a_videos_date_is_not_the_pages() -> None:
    assert told(ld('{"@type":"VideoObject","datePublished":"2020-01-01"}')).certainty != "stated"


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:modified_time" content="2025-02-03">',
        '<meta property="og:updated_time" content="2025-02-03T00:00:00Z">',
        ld('{"@type":"Article","dateModified":"2025-02-03"}'),
    ],
)
def test_the_day_of_the_last_change_is_told(head: str) -> None:
    assert told(head).modified == "2025-02-03"


def test_a_change_before_the_publication_is_no_change() -> None:
    got = told(ld('{"@type":"Article","datePublished":"2025-02-03","dateModified":"2024-01-01"}'))
    assert (got.published, got.modified) == ("2025-02-03", None)


@pytest.mark.parametrize(
    ("head", "author"),
    [
        ('<meta name=author content="Ada Writer">', "Ada Writer"),
        ('<meta property="article:author" content="https://www.facebook.com/ada">', ""),
        (ld('{"@type":"Article","author":[{"name":"Ada"},{"name":"Ben"}]}'), "Ada, Ben"),
        (ld('{"@type":"Article","author":"Ada"}'), "Ada"),
        (ld('{"@type":"Article","author":{"name":["x"]}}'), ""),
        ('<meta name=citation_author content="A"><meta name=citation_author content="B">', "A, B"),
        ("<meta name=author content=admin>", ""),
        ('<meta name=author content="<script>">', ""),
    ],
)
def test_the_author_is_a_name(head: str, author: str) -> None:
    assert told(head).author == author


def test_what_is_sold_says_so() -> None:
    assert told(ld('{"@type":"NewsArticle","isAccessibleForFree":"False"}')).sold
    assert told(ld('{"@type":"NewsArticle","isAccessibleForFree":false}')).sold
    assert not told(ld('{"@type":"NewsArticle","isAccessibleForFree":true}')).sold
    assert not told().sold


@pytest.mark.parametrize("metadata", ["{", "[" * 100_000, "null", "3", '{"@type":7}', "[[[[{}]]]]", "x" * 1_000])
def test_metadata_that_cannot_be_read_do_no_harm(metadata: str) -> None:
    assert told(ld(metadata)).published is None


def test_the_language_is_the_declared_one_where_it_is_one() -> None:
    assert told(attributes="lang=pt-BR").language == "pt-BR"
    assert told(attributes="lang='{{lang}}'").language is None


WIKI = '<meta name="generator" content="MediaWiki 1.45.0-wmf.3">'
BEGUN = '{"@type": "Article", "datePublished": "2001-11-05T08:00:00Z"}'


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (WIKI + ld(BEGUN.replace("}", ', "dateModified": "2025-03-14T01:00:00Z"}')), "<p>text</p>"),
        (WIKI + ld(BEGUN), "<li id='footer-info-lastmod'> This page was last edited on 14 March 2025, at 10:12.</li>"),
        (WIKI + ld(BEGUN), "<li id='footer-info-lastmod'>Diese Seite wurde zuletzt am 14. März 2025 bearbeitet.</li>"),
        (WIKI + ld(BEGUN), "<li id='footer-info-lastmod'>La dernière modification a été faite le 14 mars 2025.</li>"),
        (WIKI + ld(BEGUN), "<li id='footer-info-lastmod'>Modificata per l'ultima volta il 14 mar 2025.</li>"),
        (WIKI + ld(BEGUN), "<a class='last-modified-bar__text' data-timestamp='1741945920'>Last edited</a>"),
        (WIKI + ld(BEGUN), "<li id='footer-info-lastmod'>此页面最后编辑于2025年3月14日 (星期五) 10:12。</li>"),
    ],
)
def test_a_wiki_page_is_of_the_day_of_its_last_change(head: str, body: str) -> None:
    seen = told(head, body)
    assert (seen.published, seen.certainty) == ("2025-03-14", "stated")


def test_a_wiki_page_that_does_not_say_when_it_was_changed_keeps_its_own_date() -> None:
    assert told(WIKI + ld(BEGUN)).published == "2001-11-05"
    assert told(ld(BEGUN.replace("}", ', "dateModified": "2025-03-14"}'))).published == "2001-11-05"
