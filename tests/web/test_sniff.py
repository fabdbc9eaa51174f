"""What kind of page bytes are: told by themselves, whatever the header says."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import FetchFailed
from agent.extract import media_types
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.format_registry import FORMATS, Format, extract_function, format_of

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, "<x/>" * 20)
    return packed.getvalue()


def kind(start: bytes, declared: str = "", url: str = "http://a.example/page") -> str:
    """The kind, or the reason why it is refused."""
    try:
        return media_types.media_type(start, declared=declared, url=url)
    except FetchFailed as e:
        return e.reason


@pytest.mark.parametrize(
    ("start", "declared", "url", "expected"),
    [
        (b'<?xml version="1.0"?>\n<rss version="2.0"><channel>', "text/xml", "", "application/rss+xml"),
        (b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'>", "application/xml", "", "application/rss+xml"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", "text/html", "", "application/atom+xml"),
        (b"<?xml version='1.0'?><atom:feed xmlns:atom='x'>", "", "", "application/atom+xml"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "application/feed+json", "", "application/json"),
        (b'\n[{"a": 1}]', "application/json; charset=utf-8", "", "application/json"),
        (b'{"a": 1}', "text/html", "", "text/plain"),
        (b"[link] is how it begins", "text/plain", "", "text/plain"),
        (archive("[Content_Types].xml", "word/document.xml"), "application/octet-stream", "", DOCX),
        (archive("a.xml"), DOCX, "", DOCX),
        (archive("a.xml"), "", "http://a.example/paper.DOCX?x=1", DOCX),
    ],
)
def test_feeds_json_and_word_files_are_known(start: bytes, declared: str, url: str, expected: str) -> None:
    assert kind(start, declared, url) == expected


@pytest.mark.parametrize("start", [archive("xl/workbook.xml"), archive("ppt/slide1.xml"), archive("a.txt")])
def test_other_archives_are_no_text(start: bytes) -> None:
    assert kind(start) == "not text (a ZIP or Office file)"


@pytest.mark.parametrize("start", [b"<?xml version='1.0'?><urlset>", b"<svg>", b"<?xml version='1.0'?><data/>"])
def test_other_xml_is_no_page(start: bytes) -> None:
    assert kind(start, "text/xml") == "not a page (XML)"


def test_every_kind_that_is_taken_has_an_extractor() -> None:
    for one in FORMATS:
        assert all(callable(extract_function(media_type)) for media_type in one.media_types)


@given(st.binary(max_size=5_000), st.sampled_from(["", "text/html", "text/plain", "application/json", "x"]))
def test_any_bytes_have_a_kind_or_a_reason(start: bytes, declared: str) -> None:
    told = kind(start, declared)
    assert format_of(told) or told.startswith(("not ", "empty page"))


PACKED = Format("sheet", ("application/x-sheet",), (".sheet",), b"PK\x03\x04", part=b"xl/")
ROWS = Format("sheet", ("text/csv",), (".csv",))


@pytest.mark.parametrize(
    ("added", "start", "declared", "url"),
    [
        (
            Format("sheet", ("application/x-sheet",), (".sheet",), b"PK\x03\x04", part=b"xl/"),
            archive("xl/a.xml"),
            "",
            "",
        ),
        (
            Format("sheet", ("application/x-sheet",), (".sheet",), b"PK\x03\x04", part=b"xl/"),
            archive("a"),
            "",
            "/a.sheet",
        ),
        (ROWS, b"a,b\n1,2", "text/plain", "http://a.example/x.CSV"),
        (ROWS, b"a,b\n1,2", "text/csv; charset=utf-8", "http://a.example/x"),
    ],
)
def test_a_format_is_one_file_and_one_line(added: Format, start: bytes, declared: str, url: str) -> None:
    file = ModuleType("agent.extract.formats.sheet")
    file.extract = lambda body, hints: ExtractedText(f"{len(body)} bytes")  # type: ignore[attr-defined]
    sys.modules[file.__name__] = file
    try:
        found = media_types.media_type(start, declared=declared, url=url, formats=(*FORMATS, added))
        assert found == added.media_types[0]
        assert extract_function(found, (*FORMATS, added))(start, FormatInput(url)).text == f"{len(start)} bytes"
    finally:
        del sys.modules[file.__name__]


def test_naming_the_formats_loads_no_parser() -> None:
    code = "import sys, agent.extract.media_types; print({'lxml', 'trafilatura', 'pypdfium2'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
