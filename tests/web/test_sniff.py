"""What kind of page bytes are: told by themselves, whatever the header says."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import FetchFailed
from agent.extract import media_types
from agent.extract.format_registry import FORMATS


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
        (archive("[Content_Types].xml", "word/document.xml"), "application/octet-stream", "", media_types.DOCX),
        (archive("a.xml"), media_types.DOCX, "", media_types.DOCX),
        (archive("a.xml"), "", "http://a.example/paper.DOCX?x=1", media_types.DOCX),
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
    assert set(FORMATS) == media_types.TAKEN


@given(st.binary(max_size=5_000), st.sampled_from(["", "text/html", "text/plain", "application/json", "x"]))
def test_any_bytes_have_a_kind_or_a_reason(start: bytes, declared: str) -> None:
    told = kind(start, declared)
    assert told in media_types.TAKEN or told.startswith(("not ", "empty page"))
