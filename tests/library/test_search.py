"""What the whole library finds, whoever read it and when: bounds, versions, one hit a document."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.library.stored_library import StoredLibrary
from agent.types import LibraryFilter
from tests.library.conftest import WordEmbedder, document

LION = "The lion sleeps for twenty hours a day."


@pytest.fixture(params=["by words", "by words and meaning"])
def library(request, tmp_path: Path):
    library = StoredLibrary(tmp_path / "library", WordEmbedder() if request.param.endswith("meaning") else None)
    yield library
    library._record.close()


async def keep(library: StoredLibrary, *urls: str, text: str = LION, run_id: str = "run", **more: object) -> None:
    for url in urls:
        page = document(text, url=url, **more)
        await library.store(page, run_id=run_id)
        await library.embed(page.id, run_id="run")


async def urls(library: StoredLibrary, text: str = "how long does a lion sleep", **bounds: object) -> set[str]:
    return {hit.url for hit in await library.search([text], within=LibraryFilter(**bounds), limit=20)}


async def test_a_hit_tells_what_is_known_of_its_document_and_where_its_passage_stands(library):
    text = "# Animals\n\n" + "A zebra has stripes. " * 60 + "\n\n# Cats\n\n" + LION
    told = {"title": "Zoo", "site": "a.example", "published": "2026-01-02", "language": "en"}
    page = document(text, url="https://a.example/zoo", **told)
    await library.store(page, run_id="run")
    [hit] = await library.search(["lion"], within=LibraryFilter(), limit=5)
    assert {name: getattr(hit, name) for name in told} == told
    assert (hit.document_id, hit.snapshot, hit.url, hit.fetched_at) == (
        page.id, page.snapshot, page.url, page.fetched_at,
    )  # fmt: skip
    assert LION in hit.passage
    assert hit.passage == text[hit.start : hit.end]
    assert 0 < hit.score <= 1


async def test_each_document_is_found_once_by_its_best_passage_best_document_first(library):
    many = "\n\n".join(f"# Part {n}\n\n" + f"Among others a lion, a zebra and a gnu came by on day {n}. " * 18
                       for n in range(30))  # fmt: skip
    await keep(library, "https://many.example/", text=many.replace("day 7.", "day 7, without a mane.", 1))
    await keep(library, "https://best.example/", text="A lion has a mane.")
    found = await library.search(["mane of a lion"], within=LibraryFilter(), limit=5)
    assert [hit.url for hit in found] == ["https://best.example/", "https://many.example/"]
    assert found[0].score >= found[1].score
    assert "without a mane" in found[1].passage


async def test_no_more_documents_are_found_than_asked_for(library):
    await keep(library, *(f"https://{n}.example/" for n in range(6)))
    assert len(await library.search(["lion"], within=LibraryFilter(), limit=4)) == 4


async def test_any_of_several_texts_may_find_it(library):
    await keep(library, "https://a.example/")
    await keep(library, "https://b.example/", text="Yeast makes bread rise.")
    found = await library.search(["lion", "yeast"], within=LibraryFilter(), limit=5)
    assert {hit.url for hit in found[:2]} == {"https://a.example/", "https://b.example/"}


async def test_an_empty_library_and_no_texts_find_nothing(library):
    assert await library.search(["lion"], within=LibraryFilter(), limit=5) == []
    await keep(library, "https://a.example/")
    assert await library.search([], within=LibraryFilter(), limit=5) == []


# ------------------------------------------------------------------------------------------------- bounds


async def test_bounds_by_run(library):
    await keep(library, "https://a.example/", run_id="one")
    await keep(library, "https://b.example/", run_id="two")
    assert await urls(library, run_id="two") == {"https://b.example/"}


async def test_bounds_by_host_hold_for_subdomains_and_nothing_that_ends_or_reads_alike(library):
    fitting = {"https://zoo.example/a", "http://news.zoo.example:8080/b", "https://ZOO.example/c"}
    others = {"https://notzoo.example/", "https://other.example/zoo.example/", "https://zoo.example.other/"}
    await keep(library, *fitting, *others)
    assert await urls(library, hosts=("zoo.example",)) == fitting
    assert await urls(library, hosts=("example",), not_hosts=("zoo.example",)) == others - {
        "https://zoo.example.other/"
    }
    assert await urls(library, not_hosts=("zoo.example",)) == others
    assert await urls(library, hosts=("zoo.example", "notzoo.example")) == fitting | {"https://notzoo.example/"}


async def test_bounds_by_time_of_reading(library):
    await keep(library, "https://old.example/", fetched_at="2025-12-31T23:59:59+00:00")
    await keep(library, "https://new.example/", fetched_at="2026-01-01T00:00:00+00:00")
    assert await urls(library, fetched_since=datetime(2026, 1, 1, tzinfo=UTC)) == {"https://new.example/"}


async def test_bounds_by_language_hold_for_its_regions(library):
    for language in ("en", "en-GB", "enm", "de", None):
        await keep(library, f"https://{language}.example/", language=language)
    assert await urls(library, language="en") == {"https://en.example/", "https://en-GB.example/"}


async def test_bounds_hold_together(library):
    await keep(library, "https://a.example/1", run_id="one", language="en")
    await keep(library, "https://a.example/2", run_id="one", language="de")
    await keep(library, "https://b.example/3", run_id="one", language="en")
    await keep(library, "https://a.example/4", run_id="two", language="en")
    assert await urls(library, run_id="one", language="en", hosts=("a.example",)) == {"https://a.example/1"}


# ------------------------------------------------------------------------------------------------- versions


async def test_of_a_page_that_has_changed_the_text_that_was_read_last_is_found(library):
    url = "https://a.example/"
    await keep(library, url, text="The lion sleeps here.", run_id="one", fetched_at="2026-01-01T00:00:00+00:00")
    await keep(library, url, text="The lion has left us.", run_id="two", fetched_at="2026-01-02T00:00:00+00:00")
    found = await library.search(["lion"], within=LibraryFilter(), limit=5)
    assert [hit.passage for hit in found] == ["The lion has left us."]
    found = await library.search(["lion"], within=LibraryFilter(run_id="one"), limit=5)
    assert [hit.passage for hit in found] == ["The lion sleeps here."]


async def test_an_older_text_is_not_found_where_the_last_one_does_not_fit(library):
    url = "https://a.example/"
    await keep(library, url, text="The lion sleeps here.", language="en", fetched_at="2026-01-01T00:00:00+00:00")
    await keep(library, url, text="Der Löwe (lion) ist fort.", language="de", fetched_at="2026-01-02T00:00:00+00:00")
    assert await urls(library, language="en") == set()
    assert await urls(library, language="de") == {url}


# ------------------------------------------------------------------------------------------------- folders


async def test_local_files_are_found_by_their_folder_only(library):
    await keep(library, "https://a.example/", "file:///home/ann/notes/lion.md", "file:///home/ann/notes/big/cats.md")
    await keep(library, "file:///home/ann/notes-old/lion.md", "file:///home/bob/notes/lion.md")
    assert await urls(library) == {"https://a.example/"}
    mine = {"file:///home/ann/notes/lion.md", "file:///home/ann/notes/big/cats.md"}
    assert await urls(library, folder="/home/ann/notes") == mine | {"https://a.example/"}
    assert await urls(library, folder="/home/ann/notes/") == mine | {"https://a.example/"}


async def test_no_bound_but_a_folder_finds_a_local_file(library):
    await keep(library, "file:///home/ann/notes/lion.md", run_id="one", language="en")
    assert await urls(library, run_id="one") == set()
    assert await urls(library, language="en", hosts=("",)) == set()
    assert await urls(library, folder="/home/ann/notes", hosts=("a.example",)) == {"file:///home/ann/notes/lion.md"}


async def test_a_folder_is_told_by_its_name_however_that_is_spelled_in_an_address(library, tmp_path):
    folder = tmp_path / "größe 100% #1 (a+b) ~x"
    address = (folder / "lion.md").as_uri()
    await keep(library, address)
    assert await urls(library, folder=str(folder)) == {address}
