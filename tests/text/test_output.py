"""Whatever a model writes, nothing in the answer loads, runs, links astray or hides."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agent.text.output_filter import OutputFilter, close, is_closed
from agent.text.safe_text import visible

GATHERED = ("https://a.example/x", "https://zh.example/维基_(x)", "https://b.example/")

CLOSED = {
    "![x](http://evil.example/?q=1) ok": "x ok",
    "[![i](http://e.example/i.png)](http://e.example)": "i",
    "![x][y] and ![z]": "x and ! [z]",
    "see [t](https://a.example/x) and [u](https://e.com/x 'T')": "see [t](<https://a.example/x>) and u",
    "<img src=x onerror=y> a<b and 1 < 2": r"\<img src=x onerror=y> a\<b and 1 < 2",
    "R1 [3](https://e.com).": "R1 [3].",
    "R1 [3](v2) is": "R1 [3] (v2) is",
    "a https://e.com/x?y=1, b www.e.com. c a@b.co": "a `e.com/x?y=1`, b `e.com`. c `a@b.co`",
    "see https://a.example/x. Not https://a.example/x?leak=1": "see <https://a.example/x>. Not `a.example/x?leak=1`",
    "<https://e.com> <https://a.example/x> <a@b.co>": "`e.com` <https://a.example/x> `a@b.co`",
    "中文https://e.com/x。好": "中文`e.com/x`。好",
    "[1]: https://e.com/x 'T'": "",
    "[foo]: bar": r"[foo]\: bar",
    "[foo\nbar]: /url": "[foo\nbar]\\: /url",
    "$\\href{x}{y} + 1 <b$": "$href{x}{y} + 1 < b$",
    "It works![3] x": "It works! [3] x",
    "```mermaid\nclick A\n```": "```text\nclick A\n```",
    "\x1b[31mred\x1b[0m \u202eabc\u200b\x07": "red abc",
}


@pytest.mark.parametrize(("written", "shown"), CLOSED.items())
def test_what_would_load_link_or_hide_is_taken_out(written, shown):
    assert close(written, GATHERED) == shown


UNCHANGED = [
    "R1 is *open* [1][2]; it has `x < y` and **671B** parameters.\n\n- one [3]\n- two\n\n> quoted\n",
    "```html\n<img src=x> https://e.com [a](b)\n```\n",
    "- ```py\n  a <b>\n  ```\n- more\n",
    "| a | b |\n|---|:--|\n| `<b>` | 5 [1] |\n",
    "$a + b < c$ and\n\n$$\nx < 1\n$$\n",
    "C & D cost 5 < 6 &amp; so on, e.g. ASP.NET and README.md\n",
    "see [t](<https://zh.example/维基_(x)>) and <https://a.example/x>",
    "# Head\n\ntext\n\n---\n\nmore\n",
]


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_is_harmless_stays(text):
    assert close(text, GATHERED) == text


def test_a_link_is_written_with_the_gathered_spelling_whatever_the_models():
    assert close("[t](https://b.example)", GATHERED) == "[t](<https://b.example/>)"
    assert close("[t](https://zh.example/%E7%BB%B4%E5%9F%BA_(x))", GATHERED) == "[t](<https://zh.example/维基_(x)>)"


def test_code_that_a_quote_does_not_go_on_with_is_no_code():
    assert close("> ```\n> <b>\nfoo <i>", GATHERED) == "> ```\n> <b>\nfoo \\<i>"


def test_a_table_that_cuts_a_code_span_open_is_caught():
    assert is_closed(close("`a|<b>`|\n---|---|---\n", GATHERED), GATHERED)


def test_an_address_spelt_with_entities_or_escapes_is_caught():
    for text in ("https&#58;//evil.example/x", r"https:\//evil.example/x", r"www\.evil.example"):
        assert is_closed(close(text, GATHERED), GATHERED)


OPEN = [
    "<div>x</div>",
    "a <b>x</b>",
    "![x](https://a.example/x)",
    "[x](https://e.com)",
    "[x]: https://a.example/x",
    "see https://e.com",
    "see www.e.com",
    "see a@b.co",
    "see https&#58;//e.com",
]


@pytest.mark.parametrize("text", OPEN)
def test_the_proof_fails_for_what_is_open(text):
    assert not is_closed(text, GATHERED)
    assert is_closed("[x](<https://a.example/x>) `<b>` 1 < 2", GATHERED)


def test_a_fence_that_is_left_where_an_image_stood_is_one():
    shown = close("![```[^1]\\[!\\[a](http://e.com)\\]", GATHERED)
    assert close(shown, GATHERED) == shown


def test_code_left_open_is_closed():
    assert close("```py\nx", GATHERED) == "```py\nx\n```"


LISTS = [
    "A [1].\n\n## Sources\n1. Title https://e.com\n[2] Other\n",
    "A [1].\n\n---\n\n**References:**\n\n- [1] Title\n- [2] Title\n",
    "A [1].\n\n参考资料：\n- 标题一\n- 标题二\n",
]


@pytest.mark.parametrize("text", LISTS)
def test_a_source_list_that_the_model_made_at_the_end_goes(text):
    assert close(text, GATHERED).strip() == "A [1]."


KEPT = [
    "## Sources\n- Oily fish [1]\n- Eggs [2]\n",
    "## Sources\n\nVitamin D comes from the sun. [1]\n",
    "## References\n\n- [1] Title\n\n## Next\n\nMore. [1]\n",
    "```\n## Sources\n- [1] x\n```\n",
]


@pytest.mark.parametrize("text", KEPT)
def test_a_section_of_that_name_with_an_answer_in_it_stays(text):
    assert close(text, GATHERED) == text


def test_a_line_is_let_out_when_it_is_complete():
    output = OutputFilter(GATHERED)
    assert output.feed("R1 is ") == ""
    assert output.feed("open.\nIt") == "R1 is open.\n"
    assert output.close() == "It"


def test_emoji_and_joined_scripts_keep_their_invisible_parts():
    text = "👩‍💻 ❤️ می‌خواهم"
    assert visible(text) == text
    assert visible("pa\u200dss\u00adword\u2028x\r\ny\U000e0041") == "password\nx\ny"


HOSTILE = r"""[ ] ( ) ! < > ` `` ``` ~~~ $ $$ \ \[ https://e.com/x https://a.example/x www.e.com a@b.co <img_src=x>
</div> <!-- --> [x]: http://e.com ![a](http://e/i) [t](https://a.example/x) [t](https://e.com) |a| |---| [1] word
&#58; &lt; --- * _ " ' <![CDATA[ ]]> <?x https: //e.com javascript:x (< \< www \. \@ mailto:"""
PIECES = st.sampled_from([" ", "\n", "\n\n", "    ", "\t", "- ", "> ", "1. ", "## Sources\n", *HOSTILE.split()])
TEXTS = st.lists(PIECES, max_size=16).map("".join)


def links_and_worse(markdown):
    """What a parser that is not ours sees: images, HTML, and links to what was not gathered."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    gathered = {parser.normalizeLink(url) for url in GATHERED}
    env = {}
    tokens = [t for block in parser.parse(markdown, env) for t in (block, *(block.children or []))]
    found = [t for t in tokens if t.type in ("image", "html_block", "html_inline")]
    found += [t for t in tokens if t.type == "link_open" and t.attrs["href"] not in gathered]
    prose = [t.content for t in tokens if t.type == "text"]
    found += [t for t in prose if re.search(r"(?i)https?://|\bwww\.\w", t) and t not in GATHERED]
    return found + list(env.get("references", {}))


@settings(max_examples=300)
@given(TEXTS)
def test_nothing_hostile_survives_and_closing_twice_is_closing_once(text):
    closed = close(text, GATHERED)
    assert links_and_worse(closed) == []
    assert close(closed, GATHERED) == closed


@settings(max_examples=150)
@given(TEXTS, st.lists(st.integers(1, 80), max_size=20))
def test_however_the_stream_is_cut_the_output_is_the_same(text, cuts):
    output = OutputFilter(GATHERED)
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    parts = [output.feed(text[a:b]) for a, b in pairwise(edges)]
    assert "".join(parts) + output.close() == close(text, GATHERED)
