"""What earlier runs read serves later ones while it is fresh, with its age told; or not at all, or alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import Settings
from agent.errors import SettingsError
from agent.types import Query, SearchHit
from agent.wiring.factory import build_graph
from agent.wiring.web_setup import ONLY
from tests.parts import NOON, FixedClock
from tests.web.docx_file import docx, paragraph
from tests.web.pdf_file import pdf
from tests.web_server import WebServer, article

LICENCE = "Under which licence was DeepSeek-R1 released?"
LATEST = "What is the latest licence of DeepSeek-R1?"
LICENSED = "DeepSeek-R1 was released under the MIT licence on 20 January 2025."
ABOUT = "DeepSeek-R1 was released under the MIT licence on 20 January 2025. " + "Anybody may use its weights. " * 4


class Finding:
    """A search provider that finds these addresses for every query."""

    name = "finding"

    def __init__(self, *urls: str) -> None:
        self.urls = urls
        self.asked: list[str] = []

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        self.asked.append(query.text)
        return [SearchHit(url, "DeepSeek-R1", "", rank, self.name) for rank, url in enumerate(self.urls, start=1)]


async def ask(
    home: Path, question: str, search: Finding, *, later: timedelta = timedelta(0), **settings: object
) -> dict[str, Any]:
    mine = Settings(
        data_dir=home,
        cache_dir=home / "cache",
        model="extractive",
        depth="quick",
        allow_private_addresses=True,
        **settings,
    )
    graph = build_graph(mine, search=search, clock=FixedClock(NOON + later))
    return (await graph.ainvoke({"question": question}))["answer"]


def fates(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(page["status"], page["reason"]) for page in answer["pages"]]


async def test_a_page_that_was_read_last_week_is_used_with_its_age(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        first = await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
        asked = len(web.requests)
        again = await ask(tmp_path, LICENCE, Finding(web.url("/licence")), later=timedelta(days=3))
        assert len(web.requests) == asked
    assert fates(first) == [("read", "")]
    assert fates(again) == [("cached", "read 3 days ago")]
    assert again["sources"][0]["fetched_at"] == first["sources"][0]["fetched_at"]
    assert again["status"] == "complete"


async def test_what_is_too_old_for_the_question_is_fetched_again(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
        later = await ask(tmp_path, LICENCE, Finding(web.url("/licence")), later=timedelta(days=8))
        now = await ask(tmp_path, LATEST, Finding(web.url("/licence")), later=timedelta(days=8, hours=2))
        moment = await ask(tmp_path, LATEST, Finding(web.url("/licence")), later=timedelta(days=8, hours=2, minutes=30))
    assert [fates(answer)[0][0] for answer in (later, now, moment)] == ["read", "read", "cached"]
    assert fates(moment)[0][1] == "read 30 minutes ago"


async def test_a_page_that_no_search_finds_any_more_is_found_in_the_library(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
        url = web.url("/licence")
        again = await ask(tmp_path, LICENCE, Finding())
    assert [source["url"] for source in again["sources"]] == [url]
    assert again["status"] == "complete"


async def test_a_kept_page_that_speaks_of_something_else_takes_no_place_among_the_pages(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
        again = await ask(tmp_path, "How high is the Zugspitze in the Bavarian Alps?", Finding())
    assert again["pages"] == []
    assert again["status"] == "abstained"


async def test_fresh_uses_nothing_that_was_read_before(tmp_path: Path) -> None:
    soon = timedelta(minutes=1)
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT, etag='"v1"')}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
        again = await ask(tmp_path, LICENCE, Finding(web.url("/licence")), later=soon, library="fresh")
        assert fates(again) == [("read", "")]
        assert "if-none-match" not in web.requests[-1].headers
        assert fates(await ask(tmp_path, LICENCE, Finding(), later=2 * soon, library="fresh")) == []


async def test_the_library_alone_answers_without_search_or_fetch(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
        asked, search = len(web.requests), Finding(web.url("/licence"))
        alone = await ask(tmp_path, LICENCE, search, later=timedelta(days=400), library="only")
        assert len(web.requests) == asked
    assert search.asked == []
    assert fates(alone) == [("cached", "read 400 days ago")]
    assert alone["made_with"]["search"] == ["library"]
    assert {search["provider"] for search in alone["searches"]} == {"library"}
    assert ONLY in alone["warnings"]


async def test_bounds_on_sources_hold_for_what_is_kept(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
    elsewhere = await ask(tmp_path, LICENCE, Finding(), site="elsewhere.example")
    assert elsewhere["pages"] == []


async def test_an_address_in_the_question_that_the_library_alone_has_not_is_told(tmp_path: Path) -> None:
    answer = await ask(tmp_path, "What does https://news.example/item say of R1?", Finding(), library="only")
    assert ("skipped", "not in the library (--library-only)") in fates(answer)


async def test_intranet_pages_are_found_only_where_private_addresses_are_allowed(tmp_path: Path) -> None:
    async with WebServer({"/licence": article("DeepSeek-R1", ABOUT)}) as web:
        await ask(tmp_path, LICENCE, Finding(web.url("/licence")))
    answer = await ask_outside(tmp_path)
    assert answer["pages"] == []


async def ask_outside(home: Path) -> dict[str, Any]:
    mine = Settings(data_dir=home, cache_dir=home / "cache", model="extractive", depth="quick", library="only")
    return (await build_graph(mine, clock=FixedClock(NOON)).ainvoke({"question": LICENCE}))["answer"]


async def test_the_sample_web_is_asked_anew_each_time_and_can_be_asked_as_a_library(tmp_path: Path) -> None:
    async def sample(hours: int, **settings: object) -> list[tuple[str, str]]:
        places = {"data_dir": tmp_path, "cache_dir": tmp_path}
        mine = Settings(model="extractive", search="sample", depth="quick", **places, **settings)
        graph = build_graph(mine, clock=FixedClock(NOON + timedelta(hours=hours)))
        return fates((await graph.ainvoke({"question": LICENCE}))["answer"])

    first, second, alone = await sample(0), await sample(1), await sample(2, library="only")
    assert first == second
    assert {status for status, _ in first} == {"read"}
    assert set(alone) == {("cached", "read 1 hour ago")}


def test_the_library_alone_takes_no_search_provider() -> None:
    with pytest.raises(SettingsError, match="leave out 'wikipedia'"):
        Settings(library="only", search="wikipedia")


# ------------------------------------------------------------------------------------------------- folders


def documents(home: Path, *below: str) -> Path:
    folder = home.joinpath("documents", *below)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "licence.md").write_text(f"# DeepSeek-R1\n\n{ABOUT}\n")
    return folder


async def of_folder(home: Path, folder: Path, **settings: Any) -> dict[str, Any]:
    return await ask(home, LICENCE, Finding(), folder=folder, **{"library": "only", **settings})


async def test_a_file_is_parsed_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    folder = documents(tmp_path)
    first = await of_folder(tmp_path, folder)
    again = await of_folder(tmp_path, folder, later=timedelta(hours=2))
    (folder / "licence.md").write_text(f"# DeepSeek-R1\n\n{ABOUT.replace('MIT', 'Apache')}\n")
    changed = await of_folder(tmp_path, folder, later=timedelta(hours=3))
    fresh = await of_folder(tmp_path, folder, later=timedelta(hours=4), library="fresh")
    assert fates(first) == fates(changed) == fates(fresh) == [("read", "")]
    assert fates(again) == [("cached", "unchanged since it was read 2 hours ago")]
    assert "Apache" in changed["answer"]
    assert "MIT" not in changed["answer"]


async def test_a_folder_answers_from_its_own_files_alone(tmp_path: Path) -> None:
    outer, inner, other = documents(tmp_path), documents(tmp_path, "inner"), documents(tmp_path, "inner", "other")
    for folder in (outer, other):
        (folder / "of its own.md").write_text(f"# The licence of {folder.name}\n\n{ABOUT} It is in {folder.name}.\n")
    await of_folder(tmp_path, outer)
    for folder, files in {inner: 3, other: 2, outer: 5}.items():
        answer = await of_folder(tmp_path, folder)
        urls = [page["url"] for page in answer["pages"]]
        assert len(urls) == files
        assert all(url.startswith(f"{folder.as_uri()}/") for url in urls)


async def test_without_its_folder_no_file_is_in_an_answer(tmp_path: Path) -> None:
    await of_folder(tmp_path, documents(tmp_path))
    answer = await ask(tmp_path, LICENCE, Finding(), library="only")
    assert (answer["pages"], answer["status"]) == ([], "abstained")


@pytest.mark.parametrize(
    ("name", "body", "page"),
    [("a.docx", docx(paragraph(LICENSED)), None), ("b.pdf", pdf(["A cover."], ["A preface.", LICENSED]), 2)],
)
async def test_a_word_document_is_cited_and_a_pdf_by_its_page(
    tmp_path: Path, name: str, body: bytes, page: int | None
) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / name).write_bytes(body)
    answer = await of_folder(tmp_path, tmp_path / "documents")
    [cited] = [citation for claim in answer["claims"] for citation in claim["citations"]]
    assert cited["link"].startswith((tmp_path / "documents" / name).as_uri())
    assert (cited["quote"], cited["page"]) == (LICENSED, page)
