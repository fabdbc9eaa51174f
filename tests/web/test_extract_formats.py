"""What is made of HTML, PDF, text and Markdown: the words a reader sees, as they stand, and nothing hidden."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from agent.errors import ExtractFailed
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.formats import html, markdown, pdf, plain_text
from agent.extract.hidden_text import remove_hidden
from agent.extract.text_cleanup import clean_text, decoded, one_line
from tests.web.pdf_file import pdf as pdf_file

WORDS = "DeepSeek released the model in January and published its weights for everybody to use. "
BLOCKED, COOKIES, NOT_FOUND = "blocked page", "cookie wall", "not found, says the page"
HERE = FormatInput("http://news.example/a/story.html")


def made(body: str, head: str = "", attributes: str = "lang=en") -> ExtractedText:
    page = f"<!doctype html><html {attributes}><head><title>Story</title>{head}</head><body>{body}</body></html>"
    return html.extract(page.encode(), HERE)


def refusal(body: str, title: str = "Story") -> str:
    page = f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
    with pytest.raises(ExtractFailed) as refused:
        html.extract(page.encode(), HERE)
    return refused.value.reason


# ------------------------------------------------------------------------------------------------- HTML


def test_structure_is_kept_and_signs_stand_as_the_page_shows_them() -> None:
    got = made(
        f"<main><h1>On R1_Zero</h1><p>{WORDS} It costs 5 * 2 [1], `so` it says.</p><h2>List</h2>"
        "<ul><li>one<li>two</ul><pre>def f(x):\n    return x_y * 2</pre>"
        f"<p>{WORDS}</p></main>"
    ).text
    assert "# On R1_Zero\n" in got
    assert "It costs 5 * 2 [1], `so` it says." in got
    assert "## List\n" in got
    assert "- one\n- two" in got
    assert "```\ndef f(x):\n    return x_y * 2\n```" in got


def test_a_table_keeps_its_rows_and_its_caption_is_no_row() -> None:
    got = made(
        f"<p>{WORDS * 3}</p><table><caption>Results</caption><tr><th>Model<th>Score<tr><td>R1<td>64.0 %</table>"
    ).text
    assert "| Model | Score |\n|---|---|\n| R1 | 64.0 % |" in got
    assert "\nResults\n" in got


def test_a_definition_keeps_its_name() -> None:
    assert (
        "Issued: 2025-10-08"
        in made(f"<main><dl><dt>Issued<dd><time>2025-10-08</time><dt>By<dd>us</dl><p>{WORDS * 3}</p></main>").text
    )


def test_an_exponent_stays_one_and_a_footnote_mark_goes() -> None:
    got = made(
        f"<p>{WORDS * 3} It has 10<sup>9</sup> parts<sup><a href='#1'>1</a></sup> and is the 3<sup>rd</sup>.</p>"
    )
    assert "It has 10^9 parts and is the 3rd." in got.text


def test_emphasis_leaves_no_marks_in_the_text() -> None:
    assert "it was <b>20</b> January" not in (
        got := made(f"<p>{WORDS * 3} it was <b>20</b> <i>January</i> 2025</p>").text
    )
    assert "it was 20 January 2025" in got


def test_navigation_and_footers_are_left_out() -> None:
    got = made(
        f"<nav><a href=/>Home of pages</a></nav><article><p>{WORDS * 4}</p></article><footer>Imprint here</footer>"
    )
    assert got.text == (WORDS * 4).strip()


@pytest.mark.parametrize(
    "planted",
    [
        "<p hidden>PLANTED</p>",
        "<p hidden=hidden>PLANTED</p>",
        "<p style='display:none'>PLANTED</p>",
        "<p style='color:red; DISPLAY : None !important'>PLANTED</p>",
        "<p style='visibility:hidden'>PLANTED</p>",
        "<p aria-hidden=true>PLANTED</p>",
        "<div hidden><div><p>PLANTED</p></div></div>",
        "<template><p>PLANTED</p></template>",
        "<noscript><p>PLANTED</p></noscript>",
        "<!-- PLANTED -->",
        "<!--[if IE]> PLANTED <![endif]-->",
        "<?php PLANTED ?>",
        "<script>PLANTED</script>",
        "<style>PLANTED</style>",
        "<svg><text>PLANTED</text></svg>",
        "<object>PLANTED</object>",
        "<p>" + "".join(chr(0xE0000 + ord(c)) for c in "PLANTED") + "</p>",
    ],
)
def test_what_a_reader_does_not_see_is_not_in_the_text(planted: str) -> None:
    got = made(f"<article><p>{WORDS * 3}</p>{planted}<p>{WORDS * 2}</p></article>")
    assert "PLANTED" not in unicodedata.normalize("NFKC", got.text)
    assert not any(unicodedata.category(c) == "Cf" for c in got.text)
    assert got.text.count("January") == 5
    seen = remove_hidden(f"<html><body><p>seen</p>{planted}</body></html>")
    assert seen is not None
    assert clean_text(seen.text) == "seen"


def test_folded_answers_are_honest_text() -> None:
    got = made(
        f"<p>{WORDS * 3}</p><details><summary>Why?</summary><p>Because of the folded reason.</p></details>"
        "<p hidden=until-found>Found by a search in the page.</p>"
    ).text
    assert "folded reason" in got
    assert "Found by a search" in got


def test_a_body_that_scripts_would_unveil_is_read() -> None:
    page = f"<html><head><title>T</title></head><body style='display:none'><p>{WORDS * 3}</p></body></html>"
    assert "January" in html.extract(page.encode(), HERE).text


def test_what_the_page_says_of_itself() -> None:
    head = '<meta property="article:published_time" content="2025-01-20T10:00:00Z">'
    got = made(f"<h1>Story</h1><p>{WORDS * 3}</p>", head, "lang=de-AT")
    assert (got.title, got.language, got.published) == ("Story", "de-AT", "2025-01-20")


def test_a_language_that_is_none_is_told_from_the_text() -> None:
    assert made(f"<p>{WORDS * 3}</p>", "", "lang='<script>'").language == "en"


def test_a_page_without_a_date_has_none() -> None:
    assert made(f"<p>{WORDS * 3}</p>").published is None


@pytest.mark.parametrize(
    ("title", "body", "reason"),
    [
        ("Just a moment...", "<h1>a.example</h1><p>Verify you are human by completing the action below.</p>", BLOCKED),
        ("Access Denied", "<p>You don't have permission to access this. Reference #18.2d</p>", BLOCKED),
        ("Attention Required! | Cloudflare", "<p>Sorry, you have been blocked</p>", BLOCKED),
        ("a.example", "<p>Our systems have detected unusual traffic from your network.</p>", BLOCKED),
        ("安全验证", "<p>请完成以下操作以继续访问本站点的内容，谢谢您的配合与支持。</p>", BLOCKED),
        ("News", "<p>We value your privacy. We and our 842 partners use cookies. Accept all Reject all</p>", COOKIES),
        ("News", "<p>To go on, please log in to continue reading this.</p>", "login or subscription needed"),
        ("404 Not Found", "<h1>Oh no</h1><p>Nothing at this address, go to the front page.</p>", NOT_FOUND),
        ("App", "<div id=root></div><p>You need to enable JavaScript to run this app.</p>", "empty without JavaScript"),
        ("App", "<div id=root></div><noscript>Enable it</noscript><script>1</script>", "empty without JavaScript"),
        ("App", "<noscript>Enable JavaScript</noscript><script>1</script>", "empty page"),
        ("", "<div hidden><p>only hidden words stand on this page, and many of them</p></div>", "empty page"),
    ],
)  # fmt: skip
def test_a_wall_is_no_page(title: str, body: str, reason: str) -> None:
    assert refusal(body, title) == reason


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>How captchas work</h1><p>{WORDS * 40} A captcha asks: are you a robot? Access denied, it says.</p>",
        f"<div class=banner>We value your privacy <a href=#>Accept all cookies</a></div><article><p>{WORDS * 8}</p>",
        "<p>A short note: the 403 status means that a server refuses to answer.</p>",
    ],
)
def test_an_honest_page_is_no_wall(body: str) -> None:
    assert made(body).text


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("gb18030", "<meta charset=gb2312>"),
        ("shift_jis", "<meta http-equiv=content-type content='text/html; charset=Shift_JIS'>"),
        ("iso-2022-jp", "<meta charset=iso-2022-jp>"),
        ("utf-8", "<meta charset=iso-8859-1>"),
    ],
)
def test_the_encoding_is_found(encoding: str, head: str) -> None:
    words = "日本の研究者は新しい計算機を発表した。" * 6
    page = f"<!doctype html><html><head>{head}<title>T</title></head><body><p>{words}</p></body></html>"
    assert words in html.extract(page.encode(encoding), HERE).text


def test_the_headers_encoding_counts_where_the_page_says_nothing() -> None:
    page = f"<html><head><title>T</title></head><body><p>{'Привет, мир. ' * 20}</p></body></html>"
    assert "Привет" in html.extract(page.encode("koi8-r"), FormatInput(HERE.url, "koi8-r")).text


def test_deep_nesting_is_read() -> None:
    assert "January" in made("<div>" * 1_500 + f"<p>{WORDS * 3}</p>").text


def test_an_empty_tree_is_refused() -> None:
    with pytest.raises(ExtractFailed):
        html.extract(b"<!-- -->", HERE)


# ------------------------------------------------------------------------------------------------- tidying


def test_a_tidy_text_stays_as_it_is() -> None:
    text = "e\u0301 a\u00a0b \r\n\x07 x\t\n\n\n\n\u202ey\u200b \ufeff"
    assert clean_text(text) == "é a b\n x\n\ny"
    assert clean_text(clean_text(text)) == clean_text(text)


def test_a_title_is_one_line() -> None:
    assert one_line(" a\n b\t") == "a b"
    assert len(one_line("x" * 1_000)) == 300


@pytest.mark.parametrize("charset", ["hex", "zlib", "rot13", "undefined", "no-such", "idna", "mbcs", "x" * 500, "\0"])
def test_an_encoding_that_is_none_does_no_harm(charset: str) -> None:
    assert decoded("Grüße".encode("cp1252"), charset)


def test_a_character_that_was_cut_off_is_left_out() -> None:
    assert decoded("深度".encode()[:-1]) == "深"


# ------------------------------------------------------------------------------------------------- text, Markdown


def test_plain_text_is_taken_as_it_is() -> None:
    got = plain_text.extract(b"one\r\n<b>two</b>\n\n\n\nthree", FormatInput("http://a.example/notes%20x.txt"))
    assert (got.text, got.title) == ("one\n<b>two</b>\n\nthree", "notes x.txt")


def test_markdown_has_its_first_heading_as_title() -> None:
    assert markdown.extract(b"intro\n\n# The *head* #\n\ntext", HERE).title == "The *head*"
    assert markdown.extract(b"no head", HERE).title == "story.html"


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(ExtractFailed, match="empty page"):
        plain_text.extract("\ufeff \u200b".encode(), HERE)


# ------------------------------------------------------------------------------------------------- PDF


def test_a_pdf_is_read_page_by_page() -> None:
    got = pdf.extract(pdf_file(["First page here."], ["Second page (with brackets)."], title="A Report"), HERE)
    assert got.title == "A Report"
    assert got.text[got.page_starts[1] :] == "Second page (with brackets)."
    assert got.page_starts[0] == 0


def test_lines_that_the_typesetter_broke_are_joined() -> None:
    lines = [
        "A Heading",
        "The model was trained with reinforcement lear-",
        "ning and without any supervised examples at all,",
        "which took a while.",
        "Another paragraph begins here and it goes on",
        "to its end.",
    ]
    got = pdf.extract(pdf_file(lines), HERE)
    assert got.text == (
        "A Heading\n\nThe model was trained with reinforcement learning and without any supervised examples at all, "
        "which took a while.\n\nAnother paragraph begins here and it goes on to its end."
    )
    assert got.title == "A Heading"


def test_a_title_that_a_program_wrote_is_none() -> None:
    assert pdf.extract(pdf_file(["Real Title Here"], title="Microsoft Word - x.docx"), HERE).title == "Real Title Here"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"%PDF-1.7 nothing", "broken PDF"),
        (b"", "broken PDF"),
        (pdf_file([], []), "no text in the PDF (scanned pages?)"),
    ],
)
def test_a_pdf_without_text_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ExtractFailed) as refused:
        pdf.extract(body, HERE)
    assert refused.value.reason == reason


def test_the_sample_webs_pdf_is_read() -> None:
    import agent.sample

    path = next((Path(agent.sample.__file__).parent / "pages").glob("*/*.pdf"))
    got = pdf.extract(path.read_bytes(), HERE)
    assert len(got.page_starts) == 3
    assert "single tokens" in got.text
