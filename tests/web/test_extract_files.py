"""What is made of DOCX, JSON, feeds and Markdown: their words and structure, and none of their traps."""

from __future__ import annotations

import json
import tracemalloc
import zipfile

import pytest

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.formats import docx, feed, json_text, markdown
from tests.web.docx_file import CORE, paragraph
from tests.web.docx_file import docx as packed

HERE = FormatInput("http://a.example/files/report.docx")
ITEM = '<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr>'


def word(*blocks: str, **parts: str) -> ExtractedText:
    return docx.extract(packed(*blocks, **parts), HERE)


def refusal(body: bytes) -> str:
    with pytest.raises(ExtractFailed) as refused:
        docx.extract(body, HERE)
    return refused.value.reason


# ------------------------------------------------------------------------------------------------- Word


def test_a_word_document_keeps_headings_lists_and_tables() -> None:
    cells = [f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Model", "Score", "R1", "64 | 65")]
    got = word(
        paragraph("The Report", "Title"),
        paragraph("First part", "Heading2"),
        paragraph("R1 was published in January."),
        paragraph("one", more=ITEM.format(depth=0)),
        paragraph("two", more=ITEM.format(depth=1)),
        f"<w:tbl><w:tr>{''.join(cells[:2])}</w:tr><w:tr>{''.join(cells[2:])}</w:tr></w:tbl>",
        f"<w:sdt><w:sdtContent>{paragraph('In a content control.')}</w:sdtContent></w:sdt>",
    )
    assert got.text == (
        "# The Report\n\n## First part\n\nR1 was published in January.\n\n- one\n  - two\n\n"
        "| Model | Score |\n|---|---|\n| R1 | 64 \\| 65 |\n\nIn a content control."
    )


def test_a_word_document_says_who_wrote_it_and_when() -> None:
    got = word(paragraph("Some words."), **{"docProps/core.xml": CORE})
    assert (got.title, got.author, got.published, got.modified) == (
        "A Report", "Ada Writer", "2025-01-20", "2025-02-01"
    )  # fmt: skip
    assert got.date_certainty == "inferred"


def test_what_word_hides_or_has_deleted_does_not_come_through() -> None:
    got = word(
        paragraph("seen"),
        paragraph("PLANTED", run="<w:vanish/>"),
        paragraph("shown after all", run='<w:vanish w:val="0"/>'),
        "<w:p><w:del><w:r><w:delText>PLANTED</w:delText><w:t>PLANTED</w:t></w:r></w:del></w:p>",
        "<w:p><w:r><w:instrText>PLANTED</w:instrText></w:r></w:p>",
        "<!-- PLANTED -->",
        paragraph("zero\u200bwidth"),
    )
    assert got.text == "seen\n\nshown after all\n\nzerowidth"


def test_a_bomb_costs_no_memory() -> None:
    bomb = packed(**{"word/document.xml": b"<w>" + b" " * 300_000_000})
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    assert refusal(bomb) == "too large when unpacked"
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_entities_are_not_resolved() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    got = docx.extract(packed(paragraph("words &b; &f;"), prolog=laughs), HERE).text
    assert "root:" not in got
    assert "haha" not in got


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04 nothing", "broken Word document"),
        (b"", "broken Word document"),
        (packed()[:200], "broken Word document"),
        (packed(**{"word/document.xml": "<w:document"}), "broken Word document"),
        (packed(), "no text in the document"),
    ],
)
def test_a_word_document_without_text_is_refused(body: bytes, reason: str) -> None:
    assert refusal(body) == reason


def test_another_archive_is_no_word_document(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    assert refusal((tmp_path / "x.zip").read_bytes()) == "not a Word document"


def test_a_table_of_absurd_width_is_cut() -> None:
    wide = "<w:tr>" + "<w:tc><w:p/></w:tc>" * 20_000 + "</w:tr>"
    rows = f"<w:tr><w:tc>{paragraph('x')}</w:tc></w:tr>" * 5_000
    assert len(word(f"<w:tbl>{wide}{rows}</w:tbl>").text) < 2_000_000


# ------------------------------------------------------------------------------------------------- JSON


def read_json(told: object) -> str:
    return json_text.extract(json.dumps(told).encode(), HERE).text


def test_every_value_of_json_stands_with_its_name() -> None:
    got = read_json({"model": "R1", "scores": {"math": 97.3, "open": True}, "tags": ["a", "b"], "none": None, "e": []})
    assert got == ("- model: R1\n- scores:\n  - math: 97.3\n  - open: true\n- tags:\n  - a\n  - b\n- none: null\n- e:")


def test_a_list_of_things_is_numbered() -> None:
    assert read_json([{"a": 1}, {"a": 2}]) == "- 1:\n  - a: 1\n- 2:\n  - a: 2"


def test_signs_stand_as_they_are_meant() -> None:
    assert json_text.extract(b'{"a": "\\u6df1\\u5ea6 \\"x\\""}', HERE).text == '- a: 深度 "x"'


def test_json_is_named_by_itself() -> None:
    assert json_text.extract(b'{"title": "The Set", "x": 1}', HERE).title == "The Set"
    assert json_text.extract(b'{"x": 1}', HERE).title == "report.docx"


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{", "broken JSON"), (b"", "broken JSON"), (b"[" * 200_000, "JSON with too many levels")],
)
def test_json_that_is_none_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ExtractFailed) as refused:
        json_text.extract(body, HERE)
    assert refused.value.reason == reason


def test_long_names_deep_down_do_not_make_json_grow_without_bound() -> None:
    told: object = "x"
    for _ in range(800):
        told = {"n" * 500: [told, told] if isinstance(told, str) else told}
    assert len(read_json(told)) < 2_100_000


# ------------------------------------------------------------------------------------------------- feeds

RSS = """<?xml version="1.0" encoding="ISO-8859-1"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>The Paper</title><language>de-AT</language>
<item><title>One &amp; only</title><pubDate>Mon, 20 Jan 2025 10:00:00 GMT</pubDate><description>short</description>
<content:encoded><![CDATA[<p>First <b>words</b>.</p><p style="display:none">PLANTED</p><p>Second.</p>]]>
</content:encoded></item>
<item><title>Two</title><pubDate>nonsense</pubDate><description>&lt;p&gt;escaped&lt;/p&gt;</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Blog</title>
<entry><title>Post</title><published>2025-01-21T00:00:00Z</published>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Said <i>so</i>.</p></div></content></entry></feed>"""


def test_an_rss_feed_is_its_entries() -> None:
    got = feed.extract(RSS.encode("latin-1"), HERE)
    assert (got.title, got.language, got.published) == ("The Paper", "de-AT", "2025-01-20")
    assert got.text == ("# The Paper\n\n## One & only\n\n2025-01-20\n\nFirst words.\n\nSecond.\n\n## Two\n\nescaped")


def test_an_atom_feed_is_its_entries() -> None:
    got = feed.extract(ATOM.encode(), HERE)
    assert (got.title, got.language) == ("Blog", "en")
    assert got.text == "# Blog\n\n## Post\n\n2025-01-21\n\nSaid so."


def test_an_entry_loses_what_it_hides_and_keeps_its_words() -> None:
    hidden = f"&lt;p hidden&gt;{'PLANTED ' * 50}&lt;/p&gt;few words&lt;script type=application/ld+json&gt;PLANTED"
    got = feed.extract(
        f"<rss><channel><item><title>t</title><description>{hidden}</description></item></channel></rss>".encode(), HERE
    )
    assert "PLANTED" not in got.text
    assert "few words" in got.text


def test_a_feeds_entities_are_not_resolved() -> None:
    dtd = '<!DOCTYPE rss [<!ENTITY a "haha"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    got = feed.extract(
        f"{dtd}<rss><channel><title>T &a;</title><item><title>x &f;</title></item></channel></rss>".encode(), HERE
    )
    assert "haha" not in got.text
    assert "root:" not in got.text


@pytest.mark.parametrize(
    "body", [b"", b"<rss>", b"<rss><channel><title>x</title></channel></rss>", b"not xml", b"<" * 100_000]
)
def test_a_feed_without_entries_is_refused(body: bytes) -> None:
    with pytest.raises(ExtractFailed):
        feed.extract(body, HERE)


# ------------------------------------------------------------------------------------------------- Markdown


def test_markdowns_comments_do_not_come_through_but_those_in_code_do() -> None:
    body = (
        '# Head\n\n<!-- PLANTED\nPLANTED -->words\n\n[//]: # (PLANTED)\n[comment]: <> "PLANTED"\n\n'
        "```html\n<!-- kept -->\n```\n\n[link]: https://a.example/\n"
    )
    got = markdown.extract(body.encode(), HERE).text
    assert "PLANTED" not in got
    assert "<!-- kept -->" in got
    assert "words" in got
    assert "[link]: https://a.example/" in got
