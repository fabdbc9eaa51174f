"""Extraction meets what no one would write: an outcome every time, a document or a plain reason, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agent.sample
from agent.errors import ExtractFailed, PageError
from agent.extract.format_base import FormatInput
from agent.extract.format_registry import extract_function
from agent.extract.page_extractor import PageExtractor
from agent.extract.text_cleanup import clean_text
from agent.types import Document, Page
from tests.web.docx_file import docx, paragraph
from tests.web.pdf_file import pdf

HERE = "http://a.example/page"
Edit = tuple[int, bytes, int]  # where, which bytes, instead of how many
QUICK = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
SLOW = settings(QUICK, max_examples=4_000)

_PAGES = Path(agent.sample.__file__).parent / "pages"
SEEDS = [
    *(("text/html", path.read_bytes()) for path in sorted(_PAGES.glob("*/*.html"))[:6]),
    ("application/rss+xml", b"<rss><channel><title>t</title><item><title>a</title><description>b</description></item>"),
    ("application/json", b'{"title": "a", "rows": [{"x": 1.5, "y": null}, {"x": "\\u6df1"}]}'),
    ("text/markdown", b"# Head\n\n<!-- x -->\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", docx(paragraph("Words", "Heading1"))),
]
PDF = pdf(["A line of text here.", "Another line."], ["Second page."], title="T")

_TAGS = [
    "p",
    "div",
    "table",
    "tr",
    "td",
    "caption",
    "dl",
    "dt",
    "dd",
    "sup",
    "sub",
    "a",
    "style",
    "script",
    "template",
    "noscript",
    "h1",
    "ul",
    "li",
    "pre",
    "code",
    "svg",
    "math",
    "details",
    "body",
    "html",
    "head",
    "title",
    "meta",
    "b",
    "br",
]
_TRAITS = [
    "hidden",
    "aria-hidden=true",
    "class=a",
    "id=b",
    "style='display:none'",
    "style=font-size:0",
    "style='visibility:hidden",
    "lang=zz",
    "itemprop=datePublished",
    "datetime=0000-99-99",
    "rel=canonical href='//['",
    "type=application/ld+json",
]
_CSS = [
    ".a{display:none}",
    "#b{opacity:0}",
    "@media(",
    "{",
    "}",
    ":is(",
    "::",
    "\\",
    "/*",
    '"',
    "&",
    "p:nth-child(-n+3){font-size:0}",
    "*{visibility:hidden}",
    "a,,b>{",
    "@layer x{",
    "!important",
    ";:",
    "url(",
]
_WORDS = [
    "The model came in January. ",
    "深度求索",
    "\u200b\u202e\ufeff",
    "&#0;&#xD800;&amp;&bogus;",
    "\x00",
    "]]>",
    "-->",
    "<!--",
]
pieces = st.one_of(
    st.sampled_from(_WORDS),
    st.builds("<{} {}>".format, st.sampled_from(_TAGS), st.sampled_from(_TRAITS)),
    st.builds("<{}>".format, st.sampled_from(_TAGS)),
    st.builds("</{}>".format, st.sampled_from(_TAGS)),
    st.builds("<style>{}</style>".format, st.lists(st.sampled_from(_CSS), max_size=8).map("".join)),
    st.text(max_size=8),
)
pages = st.lists(pieces, max_size=40).map(lambda told: "".join(told).encode("utf-8", "surrogatepass"))
edits = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=12)


def mutated(body: bytes, changes: list[Edit]) -> bytes:
    for place, new, length in changes:
        at = place % (len(body) + 1)
        body = body[:at] + new + body[at + length :]
    return body


ten_broken_pdfs = st.lists(edits.map(lambda changes: mutated(PDF, changes)), min_size=10, max_size=10)


async def read_all(bodies: list[bytes]) -> None:
    """In the workers, where PDFium may crash; a whole PDF among them is read whatever happens to the others."""
    jobs = [PageExtractor().extract(Page(HERE, body, "application/pdf", "2026")) for body in [*bodies, PDF]]
    *outcomes, whole = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(got, Document | PageError) for got in outcomes)
    assert isinstance(whole, Document)


def outcome(kind: str, body: bytes) -> None:
    try:
        got = extract_function(kind)(body, FormatInput(HERE, None))
    except ExtractFailed:
        return
    assert got.text == clean_text(got.text)
    assert got.text
    assert "\n" not in got.title + got.author


@QUICK
@given(pages)
def test_an_odd_page_has_an_outcome(body: bytes) -> None:
    outcome("text/html", body)


@QUICK
@given(st.sampled_from(SEEDS), edits)
def test_a_broken_file_has_an_outcome(seed: tuple[str, bytes], changes: list[Edit]) -> None:
    outcome(seed[0], mutated(seed[1], changes))


@settings(QUICK, max_examples=12)
@given(ten_broken_pdfs)
def test_a_broken_pdf_has_an_outcome(bodies: list[bytes]) -> None:
    asyncio.run(read_all(bodies))


@pytest.mark.slow
@SLOW
@given(pages)
def test_each_of_many_odd_pages_has_an_outcome(body: bytes) -> None:
    outcome("text/html", body)


@pytest.mark.slow
@SLOW
@given(st.sampled_from(SEEDS), edits)
def test_each_of_many_broken_files_has_an_outcome(seed: tuple[str, bytes], changes: list[Edit]) -> None:
    outcome(seed[0], mutated(seed[1], changes))


@pytest.mark.slow
@settings(QUICK, max_examples=200)
@given(ten_broken_pdfs)
def test_each_of_many_broken_pdfs_has_an_outcome(bodies: list[bytes]) -> None:
    asyncio.run(read_all(bodies))
