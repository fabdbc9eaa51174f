"""Text that comes from outside is letters: whatever it says, Streamlit's Markdown makes nothing else of it."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agent.ui import streamlit_text
from tests.ui.stand_in import attacks

PAPER = "https://papers.example/r1"
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"])
EVIL = "http://evil.example"
NASTY = st.text(st.sampled_from("![]()<>`\\*_~|:#&;$@/.\n w3a") | st.characters(), max_size=60)


def nowhere(number: int, place: int) -> None:
    return None


def to_paper(number: int, place: int) -> str | None:
    return PAPER if number == 1 else None


def rendered(markdown: str) -> str:
    """As a generous reader has it: bare addresses become links, HTML stays HTML."""
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    return reader.render(markdown)


def shown(text: str, link_of=nowhere) -> str:
    """The HTML of all parts of an answer; code is shown apart and formats nothing."""
    return "".join(rendered(piece) for language, piece in streamlit_text.pieces(text, link_of) if language is None)


class Targets(HTMLParser):
    """Every address that a browser would load or link to, and every tag that a page of text has no use for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "srcset", "style", "onload")]
        if tag in ("img", "svg", "script", "iframe", "object", "style", "link"):
            self.found.append(tag)


def targets(html: str) -> list[str | None]:
    reader = Targets()
    reader.feed(html)
    reader.close()
    return reader.found


@pytest.mark.parametrize("attack", attacks(EVIL).split("\n\n"))
def test_no_attack_becomes_an_image_a_link_or_html(attack):
    for html in (shown(attack), rendered(streamlit_text.label(attack)), rendered(f"## {streamlit_text.label(attack)}")):
        assert targets(html) == []


@given(NASTY | st.lists(st.sampled_from(attacks(EVIL).split("\n\n")), max_size=4).map("".join))
def test_nothing_that_can_be_written_becomes_an_image_or_a_link(text):
    assert targets(shown(text, to_paper)) == [PAPER] * len(targets(shown(text, to_paper)))
    assert targets(rendered(streamlit_text.label(text))) == []


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"]), max_size=40)
)
def test_a_label_shows_the_letters_that_were_given(text):
    html = MarkdownIt("commonmark").render(streamlit_text.label(text)).replace("\u2060", "")
    unescaped = html.removeprefix("<p>").removesuffix("</p>\n")
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        unescaped = unescaped.replace(entity, letter)
    visible = "".join(c for c in text if not 0xE0000 <= ord(c) <= 0xE0FFF)
    assert unescaped == " ".join(visible.split())


def test_a_label_is_one_line_without_what_nobody_sees():
    assert streamlit_text.label("a\nb\u202e\x1b[2Jc\ud800") == "a b\\[2Jc"


def test_marks_lead_to_their_sources_and_do_not_run_together():
    (part,) = [piece for _, piece in streamlit_text.pieces("A [1][2].", to_paper)]
    assert part == f"A [\\[1\\]]({PAPER})\\[2\\]."


def test_a_mark_is_asked_for_with_its_place_in_the_whole_answer():
    text = "One [1].\n\n```\ncode [1]\n```\n`x [1]` and [1]."
    asked = []
    list(streamlit_text.pieces(text, lambda number, place: asked.append(place)))
    assert asked == [4, text.rindex("[1]")]


def test_code_is_shown_as_it_is():
    text = "Use `a[0](x) < https://b.example` so:\n\n```python\nprint('[1] $5')\n```\n"
    assert list(streamlit_text.pieces(text, to_paper)) == [
        (None, "Use `a[0](x) < https://b.example` so:\n"),
        ("python", "print('[1] $5')\n"),
        (None, ""),
    ]


def test_what_looks_like_code_only_to_one_reader_is_prose():
    assert "`![a]" not in streamlit_text.markdown("| `a | ![a](x)` |\n|---|---|\n| b | c |", nowhere)


def test_formatting_survives():
    text = "## Head\n\n- **bold** *it*\n\n| a | b |\n|:--|:-:|\n| 1 | 2 |"
    assert "".join(piece for _, piece in streamlit_text.pieces(text, nowhere)) == text


def test_dollars_and_tildes_are_not_mathematics_and_strikes():
    assert streamlit_text.markdown("$5 to $6, ~1 or ~2", nowhere) == "\\$5 to \\$6, \\~1 or \\~2"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "//evil.example", "", "http://"]
)
def test_only_web_addresses_become_links(url):
    assert streamlit_text.link("title", url) == "title"


def test_an_address_cannot_end_its_link_early():
    hostile = "https://a.example/x) ![a](http://evil.example/'\"<>[]`|\n"
    assert targets(rendered(streamlit_text.link("t", hostile))) == [
        "https://a.example/x%29%20!%5Ba%5D%28http://evil.example/%27%22%3C%3E%5B%5D%60%7C%0A"
    ]
