from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from agent.errors import ExtractFailed, SearchBroken, SettingsError
from agent.extract.format_registry import ENDINGS
from agent.search.folder_index import FolderIndex, file_of
from agent.search.provider_base import ReadFile
from agent.search.provider_http import HitRow
from agent.search.providers.folder import SETTLED, Folder
from agent.types import Query, SearchHit
from tests.contracts.search_provider import SearchProviderContract


class TestFolder(SearchProviderContract):
    name = "folder"
    schemes = frozenset({"file"})

    @pytest.fixture(autouse=True)
    def _bring(self, tmp_path: Path) -> None:
        self.root = tmp_path

    async def found(self, rows: Sequence[HitRow], *, query: str = "lion", limit: int = 10) -> list[SearchHit]:
        for i, row in enumerate(rows):
            (self.root / f"{i} {row.title}.txt").write_text(row.snippet.replace("\n", " "))
        return await Folder(self.root).search(Query(query), limit=limit)


async def _titles(folder: Folder, query: str) -> list[str]:
    return [hit.title for hit in await folder.search(Query(query), limit=10)]


async def _as_text(path: Path) -> str:
    return path.read_text()


async def test_a_hit_opens_the_file_and_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "notes on lions" / "100% größe #1.md"
    path.parent.mkdir()
    path.write_text("A lion.")
    [hit] = await Folder(tmp_path).search(Query("lion"), limit=5)
    assert hit.title == "notes on lions/100% größe #1.md"
    assert Path(unquote(urlsplit(hit.url).path)) == path
    assert urlsplit(hit.url).fragment == ""


async def test_the_file_that_says_most_about_it_comes_first(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One lion among many other animals, such as the zebra, the gnu and the ostrich.")
    (tmp_path / "b.txt").write_text("The lion. Lions sleep. Lions hunt.")
    (tmp_path / "c.txt").write_text("Nothing of the kind.")
    assert await _titles(Folder(tmp_path), "how do lions live?") == ["b.txt", "a.txt"]


async def test_a_name_counts_for_more_than_a_mention(tmp_path: Path) -> None:
    (tmp_path / "lion.txt").write_text("It sleeps a lot.")
    (tmp_path / "zoo.txt").write_text("It has a lion.")
    assert await _titles(Folder(tmp_path), "lion") == ["lion.txt", "zoo.txt"]


async def test_small_words_alone_match_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("What is the use of it, and how?")
    assert await _titles(Folder(tmp_path), "What is a lion?") == []


async def test_chinese_is_found_inside_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "zh.txt").write_text("模型完全依靠强化学习训练，没有示例。")
    (tmp_path / "en.txt").write_text("Trained by reinforcement learning.")
    assert await _titles(Folder(tmp_path), "强化学习是什么") == ["zh.txt"]


async def test_the_excerpt_is_the_line_that_answers(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Animals\n\nZebras graze.\n\nLions sleep for twenty hours.\n")
    [hit] = await Folder(tmp_path).search(Query("how long do lions sleep"), limit=1)
    assert hit.snippet == "Lions sleep for twenty hours."


async def test_pdf_html_and_word_are_read_by_the_given_reader_and_text_is_not(tmp_path: Path) -> None:
    asked: list[str] = []

    async def read(path: Path) -> str:
        asked.append(path.name)
        return "All about the lion"

    for name in ("a.pdf", "b.HTML", "c.htm", "d.txt", "e.md", "f.docx", "g"):
        (tmp_path / name).write_text("lion")
    found = sorted(await _titles(Folder(tmp_path, read, endings=ENDINGS), "lion"))
    assert found == [
        "a.pdf",
        "b.HTML",
        "c.htm",
        "d.txt",
        "e.md",
        "f.docx",
    ]
    assert sorted(asked) == ["a.pdf", "b.HTML", "c.htm", "f.docx"]


async def test_a_file_that_cannot_be_read_is_found_by_its_name(tmp_path: Path) -> None:
    async def read(path: Path) -> str:
        raise ExtractFailed("damaged", path.as_uri())

    (tmp_path / "lion report.pdf").write_bytes(b"%PDF-1.4 lion")
    [hit] = await Folder(tmp_path, read).search(Query("lion"), limit=5)
    assert (hit.title, hit.snippet) == ("lion report.pdf", "")


async def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    asked: list[str] = []

    async def read(path: Path) -> str:
        asked.append(path.name)
        return path.read_text()

    page = tmp_path / "a.html"
    page.write_text("a lion")
    folder = Folder(tmp_path, read)
    assert await _titles(folder, "lion") == ["a.html"]
    assert await _titles(folder, "zebra") == []
    assert asked == ["a.html"]
    page.write_text("now a zebra")
    os.utime(page, ns=(1, 1))
    assert await _titles(folder, "zebra") == ["a.html"]
    assert await _titles(folder, "lion") == []
    page.unlink()
    assert await _titles(folder, "zebra") == []


def _slowly(seconds: float) -> ReadFile:
    async def read(path: Path) -> str:
        await asyncio.sleep(seconds)
        return "a lion"

    return read


def _pdfs(root: Path, count: int) -> None:
    for i in range(count):
        (root / f"{i:02}.pdf").write_bytes(b"%%PDF %d" % i)


async def test_reading_stops_when_its_time_is_over_and_goes_on_with_the_next_search(tmp_path: Path) -> None:
    _pdfs(tmp_path, 12)
    folder = Folder(tmp_path, _slowly(0.05), seconds=0.01)
    assert await _titles(folder, "lion") == ["00.pdf", "01.pdf", "02.pdf", "03.pdf"]
    assert len(await _titles(folder, "lion")) == 8


async def test_what_was_never_read_comes_before_what_is_only_looked_at_again(tmp_path: Path) -> None:
    _pdfs(tmp_path, 10)
    folder = Folder(tmp_path, _slowly(0.01), seconds=0)  # each search is late from its start, as on a busy machine
    assert [len(await _titles(folder, "lion")) for _ in range(3)] == [4, 8, 10]


async def test_a_file_that_was_rewritten_comes_before_what_is_only_looked_at_again(tmp_path: Path) -> None:
    old = tmp_path / "9.pdf"
    old.write_text("a zebra")
    later = SETTLED
    folder = Folder(tmp_path, _as_text, seconds=0, now=lambda: time.time() + later)
    await _titles(folder, "zebra")
    later = 0.0
    for i in range(6):
        (tmp_path / f"{i}.pdf").write_text("a zebra")
    assert [len(await _titles(folder, "zebra")) for _ in range(2)] == [5, 7]
    old.write_text("a lion")
    assert await _titles(folder, "lion") == ["9.pdf"]


async def test_only_a_few_files_are_read_at_once(tmp_path: Path) -> None:
    under_way: set[Path] = set()
    most = 0

    async def read(path: Path) -> str:
        nonlocal most
        under_way.add(path)
        most = max(most, len(under_way))
        await asyncio.sleep(0.002)
        under_way.remove(path)
        return ""

    for i in range(20):
        (tmp_path / f"{i}.pdf").write_bytes(b"%%PDF %d" % i)
    folder = Folder(tmp_path, read)
    await asyncio.gather(_titles(folder, "lion"), _titles(folder, "zebra"))
    assert most == 4


async def test_a_link_out_of_the_directory_leads_nowhere(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "lion.txt").write_text("a secret lion")
    (inside / "linked lion.txt").symlink_to(outside / "lion.txt")
    (inside / "linked").symlink_to(outside)
    (inside / "up.txt").symlink_to(inside / ".." / "out" / "lion.txt")
    assert await _titles(Folder(inside), "lion") == []


async def test_a_link_within_the_directory_is_the_file_itself_once(tmp_path: Path) -> None:
    (tmp_path / "lion.txt").write_text("a lion")
    (tmp_path / "a copy.txt").symlink_to(tmp_path / "lion.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert await _titles(Folder(tmp_path), "lion") == ["lion.txt"]


async def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "lion.txt").write_text("a lion")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    [hit] = await Folder(tmp_path / "link").search(Query("lion"), limit=5)
    assert hit.url == (tmp_path / "real" / "lion.txt").as_uri()


async def test_hidden_files_stay_hidden_by_any_name(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "lion.txt").write_text("a lion")
    (tmp_path / ".lion.txt").write_text("a lion")
    (tmp_path / "lion key").write_text("a lion")
    (tmp_path / "seen.txt").symlink_to(tmp_path / ".lion.txt")
    (tmp_path / "key.txt").symlink_to(tmp_path / "lion key")
    assert await _titles(Folder(tmp_path), "lion") == []


async def test_a_pipe_does_not_hold_up_the_search(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lion.txt")
    async with asyncio.timeout(2):
        assert await _titles(Folder(tmp_path), "lion") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_text_in_any_common_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("Der Löwe schläft.".encode(encoding))
    [hit] = await Folder(tmp_path).search(Query("Löwe"), limit=1)
    assert hit.snippet == "Der Löwe schläft."


async def test_a_huge_text_is_found_by_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a lion\n" + "é" * 3_000_000 + "\na zebra")
    assert await _titles(Folder(tmp_path), "lion") == ["a.txt"]
    assert await _titles(Folder(tmp_path), "zebra") == []


async def test_a_name_that_is_not_utf8_does_not_stop_the_search(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff lion.txt")).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    [hit] = await Folder(tmp_path).search(Query("lion"), limit=1)
    assert hit.url.endswith("/%FF%20lion.txt")


async def test_a_directory_that_is_gone_is_broken(tmp_path: Path) -> None:
    root = tmp_path / "documents"
    root.mkdir()
    folder = Folder(root)
    root.rmdir()
    with pytest.raises(SearchBroken, match="AGENT_FOLDER"):
        await folder.search(Query("lion"), limit=5)


def test_a_directory_that_never_was_is_refused_by_the_settings_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"AGENT_FOLDER=.*nowhere"):
        Folder(tmp_path / "nowhere")


async def test_a_cancelled_search_leaves_the_provider_usable(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def read(path: Path) -> str:
        if not begun.is_set():
            begun.set()
            await asyncio.sleep(10)
        return await _as_text(path)

    (tmp_path / "a.html").write_text("a lion")
    folder = Folder(tmp_path, read)
    search = asyncio.create_task(_titles(folder, "lion"))
    await begun.wait()
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert await _titles(folder, "lion") == ["a.html"]


# ---------------------------------------------------------------------------------------- from command to command


class Desk:
    """One directory of documents, and an index that outlives the commands that use it; `parsed` are names of files."""

    def __init__(self, home: Path) -> None:
        self.home = home / "indexes"
        self.root = home / "documents"
        self.root.mkdir()
        self.parsed: list[str] = []
        self.broken: set[str] = set()
        self.later = 0.0  # seconds by which the commands' clock is ahead of the files'

    @property
    def index(self) -> Path:
        return file_of(self.home, self.root)

    def command(self, *, made_by: str = "1", seconds: float = 8.0) -> Folder:
        index = FolderIndex(self.index, made_by=made_by)
        return Folder(self.root, self._read, seconds=seconds, index=index, now=lambda: time.time() + self.later)

    async def _read(self, path: Path) -> str:
        self.parsed.append(path.name)
        if path.name in self.broken:
            raise ExtractFailed("no text in the document", path.as_uri())
        return path.read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_the_next_command_reads_only_what_has_changed(desk: Desk) -> None:
    for name in ("a.html", "b.html"):
        (desk.root / name).write_text(f"a lion in {name}")
    assert await _titles(desk.command(), "lion") == ["a.html", "b.html"]
    (desk.root / "b.html").write_text("a zebra, by now")
    assert await _titles(desk.command(), "lion") == ["a.html"]
    assert await _titles(desk.command(), "zebra") == ["b.html"]
    assert sorted(desk.parsed) == ["a.html", "b.html", "b.html"]


async def test_a_file_that_was_moved_is_not_parsed_again_and_is_found_where_it_is(desk: Desk) -> None:
    (desk.root / "a.html").write_text("a lion")
    await _titles(desk.command(), "lion")
    (desk.root / "new").mkdir()
    (desk.root / "a.html").rename(desk.root / "new" / "b.html")
    assert await _titles(desk.command(), "lion") == ["new/b.html"]
    assert desk.parsed == ["a.html"]


async def test_the_same_bytes_under_another_ending_are_another_document(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("<p>a lion</p>")
    await _titles(desk.command(), "lion")
    (desk.root / "a.txt").rename(desk.root / "a.html")
    assert await _titles(desk.command(), "lion") == ["a.html"]
    assert desk.parsed == ["a.html"]


async def test_of_a_file_that_is_gone_nothing_is_found_or_kept(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("the lion's password is hippopotamus" + " and more" * 200)
    (desk.root / "b.txt").write_text("a lion")
    assert await _titles(desk.command(), "hippopotamus") == ["a.txt"]
    (desk.root / "a.txt").unlink()
    assert await _titles(desk.command(), "hippopotamus") == []
    assert await _titles(desk.command(), "lion") == ["b.txt"]
    index = FolderIndex(desk.index, made_by="1")
    assert len(index.known()) == 1
    assert index.characters() == len("a lion")
    assert index.text(f"{sha256((desk.root / 'b.txt').read_bytes()).hexdigest()}.txt") == "a lion"


async def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(desk: Desk) -> None:
    page = desk.root / "a.html"
    page.write_text("a lion")
    before = page.stat()
    await _titles(desk.command(), "lion")
    page.write_text("a puma")
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await _titles(desk.command(), "puma") == ["a.html"]
    assert await _titles(desk.command(), "lion") == []


async def test_a_file_that_has_lain_for_a_while_is_not_even_opened(desk: Desk) -> None:
    page = desk.root / "a.txt"
    page.write_text("a lion")
    await _titles(desk.command(), "lion")
    assert FolderIndex(desk.index, made_by="1").known()[page.as_uri()].stamp == ""
    desk.later += SETTLED
    await _titles(desk.command(), "lion")
    opened = page.stat().st_atime_ns
    assert FolderIndex(desk.index, made_by="1").known()[page.as_uri()].stamp != ""
    assert await _titles(desk.command(), "lion") == ["a.txt"]
    assert page.stat().st_atime_ns == opened


async def test_what_another_extractor_made_is_read_again(desk: Desk) -> None:
    (desk.root / "a.html").write_text("a lion")
    await _titles(desk.command(made_by="1"), "lion")
    assert await _titles(desk.command(made_by="2"), "lion") == ["a.html"]
    assert desk.parsed == ["a.html", "a.html"]


async def test_what_could_not_be_read_comes_last_the_next_time(desk: Desk) -> None:
    for i in range(6):
        (desk.root / f"{i} lion.pdf").write_text("a scan")
        desk.broken.add(f"{i} lion.pdf")
    (desk.root / "9.pdf").write_text("a lion")
    assert len(await _titles(desk.command(), "lion")) == 7
    desk.parsed.clear()
    (desk.root / "8.pdf").write_text("another lion")
    await _titles(desk.command(), "lion")
    assert desk.parsed.index("8.pdf") < 4  # so many are read at once


async def test_two_folders_with_the_same_file_do_not_know_of_each_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "one" / "below"
    other.mkdir(parents=True)
    for root in (one, other):
        (root / "a.txt").write_text("a lion")
    (one / "secret.txt").write_text("a secret lion")

    async def found(root: Path) -> list[str]:
        index = FolderIndex(file_of(tmp_path / "indexes", root))
        return sorted(hit.url for hit in await Folder(root, index=index).search(Query("lion"), limit=9))

    assert file_of(tmp_path, one) != file_of(tmp_path, other)
    assert len(await found(one)) == 3
    assert await found(other) == [(other / "a.txt").as_uri()]
    assert len(await found(one)) == 3


async def test_an_index_that_is_damaged_costs_one_reading_anew(desk: Desk) -> None:
    (desk.root / "a.html").write_text("a lion")
    await _titles(desk.command(), "lion")
    for path in desk.home.iterdir():
        path.write_bytes(b"no database at all" * 999)
    assert await _titles(desk.command(), "lion") == ["a.html"]
    assert await _titles(desk.command(), "lion") == ["a.html"]
    assert desk.parsed == ["a.html"] * 3
    assert await _titles(desk.command(), "lion") == ["a.html"]
    assert desk.parsed == ["a.html"] * 3


async def test_where_no_index_can_be_kept_the_folder_is_searched_all_the_same(desk: Desk) -> None:
    (desk.root / "a.html").write_text("a lion")
    desk.home.write_text("a file where the directory of indexes would be")
    assert await _titles(desk.command(), "lion") == ["a.html"]


def test_who_looked_before_another_had_read_takes_nothing_from_what_was_read() -> None:
    index = FolderIndex()
    index.put("file:///a", "a", "a lion", digest="1")
    index.put("file:///b", "b", "a lion", stamp="new", digest="1")
    index.name([("file:///a", "a", ""), ("file:///b", "b", "old")])
    assert [hit.url for hit in index.find("lion", 10)] == ["file:///a", "file:///b"]
    index.name([("file:///b", "b", "new")])  # it has changed since
    assert [hit.url for hit in index.find("lion", 10)] == ["file:///a"]


async def test_two_commands_at_once_share_one_index(desk: Desk) -> None:
    for i in range(40):
        (desk.root / f"{i:02}.txt").write_text(f"a lion, the {i}th")
    commands = [desk.command() for _ in range(4)]
    found = await asyncio.gather(*(command.search(Query("lion"), limit=50) for command in commands))
    assert [len(hits) for hits in found] == [40] * 4
    assert len(FolderIndex(desk.index, made_by="1").known()) == 40
