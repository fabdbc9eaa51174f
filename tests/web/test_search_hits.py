from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.search.provider_http import HitRow, absolute, day, plain, ranked, shortened, within


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Deep<b>Seek</b>-R1", "DeepSeek-R1"),
        ("one<br>two<p>three</p>", "one two three"),
        ("AT&amp;T &#39;s &quot;x&quot; &#x4e2d;", 'AT&T \'s "x" 中'),
        ("twice &amp;amp; encoded &amp;#39;", "twice & encoded '"),
        ("&amp;lt;b&amp;gt;bold&amp;lt;/b&amp;gt;", "bold"),
        ("<script>alert('x')</script>after<!-- <b>note</b> -->", "after"),
        (
            "bell\x07 escape\x1b[31m zero\u200bwidth bidi\u202e tag\U000e0041 \ufeffbom",
            "bell escape[31m zerowidth bidi tag bom",
        ),
        ("  many\n\t kinds\u00a0of\u2003space ", "many kinds of space"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("why R1's &lt;think&gt; tag goes missing", "why R1's <think> tag goes missing"),
        ("if a < b and c > d", "if a < b and c > d"),
    ],
)
def test_markup_entities_and_invisible_characters_go_and_the_words_stay(raw: str, clean: str) -> None:
    assert plain(raw) == clean


@given(st.text())
def test_cleaning_never_leaves_what_a_terminal_would_obey(raw: str) -> None:
    text = plain(raw)
    assert all(c.isprintable() or c in "\u200c\u200d" for c in text)
    assert text == text.strip()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://a.example/x y", "https://a.example/x%20y"),
        (" https://a.example/ ", "https://a.example/"),
        ("HTTPS://a.example/", "HTTPS://a.example/"),
        ("https://[::1]/", "https://[::1]/"),
        ("https://[bad/", None),
        ("https:///path", None),
        ("//a.example/x", None),
        ("/x", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("https://a.example/\x00", None),
        ("https://a.example/\u202e", None),
        ("https://a.example/" + "x" * 5000, None),
    ],
)
def test_only_absolute_web_addresses_pass(given: str, wanted: str | None) -> None:
    assert absolute(given) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2025-01-20T23:30:00+08:00", "2025-01-20"),
        ("Mon, 20 Jan 2025 07:30:00 GMT", "2025-01-20"),
        ("2025-02-30", None),
        ("3 days ago", None),
        ("20.01.2025", None),
    ],
)
def test_a_date_is_a_whole_day_or_nothing(text: str, wanted: str | None) -> None:
    assert day(text) == wanted


def test_a_long_title_is_cut_between_words_and_says_so() -> None:
    [hit] = ranked([HitRow("http://a.example/", "lion " * 100)], provider="x", limit=1)
    assert len(hit.title) <= 300
    assert hit.title.endswith("lion…")


def test_a_text_without_spaces_is_cut_all_the_same() -> None:
    assert shortened("狮" * 20, 5) == "狮狮狮狮…"


def test_a_query_is_cut_without_an_ellipsis() -> None:
    assert within("lion zebra gnu", 12) == "lion zebra"
    assert within("lion", 12) == "lion"
