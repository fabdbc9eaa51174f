"""Extraction in worker processes: what comes back, what a hostile page costs, and where it works from."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from agent.errors import ExtractFailed, PageError
from agent.extract.page_extractor import EXTRACTION, PageExtractor, _crew
from agent.types import Document, Page
from tests.web.docx_file import docx
from tests.web.pdf_file import pdf as pdf_file

WORDS = "DeepSeek released the model in January and published its weights for everybody to use. "
HTML = f"<!doctype html><html lang=en><head><title>Story</title></head><body><p>{WORDS * 3}</p></body></html>"

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def page(body: str | bytes, kind: str = "text/html", url: str = "http://www.news.example/story") -> Page:
    raw = body.encode() if isinstance(body, str) else body
    return Page(url, raw, kind, "2026-11-24T12:00:00+00:00", None, '"tag"', "Mon")


async def test_a_page_becomes_a_document() -> None:
    got = await PageExtractor().extract(page(HTML))
    text = (WORDS * 3).strip()
    assert got == Document(
        id=hashlib.sha256(f"http://www.news.example/story\n{text}".encode()).hexdigest(),
        snapshot=hashlib.sha256(text.encode()).hexdigest(),
        url="http://www.news.example/story",
        title="Story",
        site="news.example",
        text=text,
        media_type="text/html",
        fetched_at="2026-11-24T12:00:00+00:00",
        published=None,
        language="en",
        etag='"tag"',
        last_modified="Mon",
        extraction=EXTRACTION,
    )


async def test_a_pdf_brings_where_its_pages_begin() -> None:
    got = await PageExtractor().extract(page(pdf_file(["First page."], ["Second page."]), "application/pdf"))
    assert [got.text[start:][:5] for start in got.page_starts] == ["First", "Secon"]


async def test_a_local_document_has_its_folder_as_site() -> None:
    got = await PageExtractor(folder="notes").extract(page("# Head", "text/markdown", "file:///home/x/notes/a.md"))
    assert (got.site, got.title) == ("notes", "Head")


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("https://www.nytimes.com/story", ""),
        ("http://news.example.evil.test/story", ""),
        ("javascript:alert(1)", ""),
        ("//[", ""),
        ("http://m.news.example/story?utm_source=x#top", "http://m.news.example/story"),
        ("/story", "http://www.news.example/story"),
    ],
)
async def test_a_page_may_declare_another_address_of_its_own_site_only(declared: str, kept: str) -> None:
    head = f'<link rel=canonical href="{declared}"><meta property=og:site_name content="The New York Times">'
    got = await PageExtractor().extract(page(HTML.replace("<title>", f"{head}<title>")))
    assert (got.url, got.site, got.declares) == ("http://www.news.example/story", "news.example", kept)
    assert "New York" not in repr(got)


async def test_what_a_page_says_of_itself_comes_with_how_sure_it_is() -> None:
    head = (
        '<meta name=author content="A. Writer"><meta property="article:published_time" content="2025-01-20T10:00Z">'
        '<meta property="article:modified_time" content="2025-02-01">'
    )
    got = await PageExtractor().extract(page(HTML.replace("<title>", f"{head}<title>")))
    assert (got.author, got.published, got.modified) == ("A. Writer", "2025-01-20", "2025-02-01")
    assert got.date_certainty == "stated"


async def test_a_page_that_hides_nearly_all_its_text_is_suspect() -> None:
    got = await PageExtractor().extract(page(HTML.replace("<p>", "<p style='display:none'>")))
    assert got.suspect
    assert "DeepSeek" in got.text


async def test_a_refusal_comes_with_its_reason() -> None:
    with pytest.raises(ExtractFailed, match="blocked page"):
        await PageExtractor().extract(page("<title>Just a moment...</title><p>Verify you are human, please."))


async def test_a_page_that_takes_too_long_is_left_and_the_others_survive() -> None:
    bomb = "<html><body><p>x" + "<br>x" * 150_000
    slow, quick = await asyncio.gather(
        PageExtractor(seconds=0.5).extract(page(bomb)), PageExtractor().extract(page(HTML)), return_exceptions=True
    )
    assert isinstance(slow, ExtractFailed)
    assert slow.reason == "took longer than 0.5 s to read"
    assert isinstance(quick, Document)


async def test_a_page_that_takes_too_much_memory_is_left_and_the_others_survive() -> None:
    bomb = page(docx("<a/>" * 4_900_000), DOCX)  # 20 kB, 20 MB unpacked, and over 512 MB as a tree
    large, quick = await asyncio.gather(
        PageExtractor(seconds=30).extract(bomb), PageExtractor().extract(page(HTML)), return_exceptions=True
    )
    assert isinstance(large, ExtractFailed)
    assert large.reason == "took too much memory to read"
    assert isinstance(quick, Document)


async def test_a_worker_that_is_killed_costs_one_page() -> None:
    extractor = PageExtractor()
    await extractor.warm()
    slow = asyncio.create_task(extractor.extract(page("<p>x" + "<br>x" * 150_000)))
    await asyncio.sleep(0.3)
    for pid in _crew().pids():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ExtractFailed, match="could not be read"):
        await slow
    assert await extractor.extract(page(HTML))


async def test_warming_starts_both_workers() -> None:
    _crew().close()  # one that other tests have made large would end after its next reply
    await PageExtractor().warm()
    assert len(_crew().pids()) == 2


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>" + "<div>" * 100_000 + "<p>deep",
        "<html><body><p title='" + "x" * 1_900_000 + f"'>{WORDS * 3}",
        '<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><html><body><p>&b;&b;&b;&b; words, words',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><html><body><p>&a; words and words and words',
        f"<html><head><script type='application/ld+json'>{'[' * 500_000}</script><body><p>{WORDS * 3}",
        "\0" * 100_000 + HTML,
        "<html xml:lang='\ud800'><body>" + WORDS,
    ],
    ids=["deep", "wide attribute", "entities", "external entity", "metadata", "zeros", "surrogate"],
)
async def test_a_hostile_page_ends_in_a_document_or_a_plain_reason(body: str) -> None:
    hostile = PageExtractor().extract(page(body.encode("utf-8", "surrogatepass")))
    outcome = (await asyncio.gather(hostile, return_exceptions=True))[0]
    assert isinstance(outcome, Document | PageError)
    assert "root:" not in getattr(outcome, "text", "")


async def test_mutated_pages_end_in_a_document_or_a_plain_reason() -> None:
    chance = random.Random(20261124)
    seeds = [(HTML.encode(), "text/html"), (pdf_file(["Some text here."], title="T"), "application/pdf")]
    jobs = []
    for _ in range(60):
        body, kind = chance.choice(seeds)
        mutated = bytearray(body)
        for _ in range(chance.randint(1, 20)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        jobs.append(PageExtractor().extract(page(bytes(mutated), kind)))
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(outcome, Document | PageError) for outcome in outcomes)
    assert sum(isinstance(outcome, Document) for outcome in outcomes) > 20


def test_a_script_without_a_main_guard_can_extract_from_a_thread_beside_a_loop() -> None:
    script = textwrap.dedent("""
        import asyncio, threading
        from agent.types import Page
        from agent.extract.page_extractor import PageExtractor
        page = Page("http://a.example/", b"<html><body><p>" + b"Some words that count. " * 20, "text/html", "2026")
        out = []
        def work():
            out.append(asyncio.run(PageExtractor().extract(page)).text[:10])
        async def main():
            thread = threading.Thread(target=work)
            thread.start()
            out.append((await PageExtractor().extract(page)).text[:10])
            await asyncio.to_thread(thread.join)
        asyncio.run(main())
        print(out)
    """)
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=30, cwd=root
    )
    assert (done.stdout, done.stderr) == ("['Some words', 'Some words']\n", "")


def test_it_works_from_inside_streamlit() -> None:
    from streamlit.testing.v1 import AppTest

    def app() -> None:
        import asyncio

        import streamlit as st

        from agent.extract.page_extractor import PageExtractor
        from agent.types import Page

        body = b"<html><body><p>" + b"Some words that count. " * 20
        got = asyncio.run(PageExtractor().extract(Page("http://a.example/", body, "text/html", "2026")))
        st.text(got.text[:22])

    run = AppTest.from_function(app, default_timeout=20).run()
    assert not run.exception
    assert run.text[0].value == "Some words that count."
