"""URLs: one spelling, whose they are, where they stand in a question, links that open at a quote."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.urls import canonical, find_urls, host, ip_literal, is_local_host, site, text_fragment


@pytest.mark.parametrize(
    ("spelled", "one"),
    [
        ("HTTPS://Example.COM", "https://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("https://example.com./a#part", "https://example.com/a"),
        ("https://example.com/a?utm_source=x&id=3&gclid=y", "https://example.com/a?id=3"),
        ("https://example.com/a?utm_source=x", "https://example.com/a"),
        ("https://example.com/a?b=1&a=2", "https://example.com/a?b=1&a=2"),
        ("https://example.com/%7Euser/%e4%bd", "https://example.com/~user/%E4%BD"),
        ("https://example.com/a/./b/../c/", "https://example.com/a/c/"),
        ("https://example.com/a/%2e%2e/b", "https://example.com/b"),
        ("https://example.com/a/..", "https://example.com/"),
        ("https://example.com//a", "https://example.com//a"),
        ("https://web.example/web/2020/https://a.example/.b", "https://web.example/web/2020/https://a.example/.b"),
        ("https://münchen.example/ü?q=ü x", "https://xn--mnchen-3ya.example/%C3%BC?q=%C3%BC%20x"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("file:///a%20b/c.pdf#page=2", "file:///a%20b/c.pdf"),
        ("not a url", "not a url"),
        ("http://[broken", "http://[broken"),
        ("http://example.com:port/", "http://example.com:port/"),
    ],
)
def test_a_url_has_one_spelling(spelled: str, one: str) -> None:
    assert canonical(spelled) == one


@given(st.from_regex(r"https?://[a-zA-Z0-9.\-é①]{1,20}(:[0-9]{1,4})?(/[ -~ü]{0,20}){0,3}", fullmatch=True))
def test_the_one_spelling_is_its_own(url: str) -> None:
    assert canonical(canonical(url)) == canonical(url)


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    for ask in (canonical, host, site, is_local_host, find_urls):
        ask(text)
        ask(f"http://{text}")
    text_fragment("https://a.example/", text)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news", "bbc.co.uk"),
        ("https://someone.github.io/", "someone.github.io"),
        ("https://a.b.sample.example/x", "sample.example"),
        ("https://news.公司.cn/", "news.xn--55qx5d.cn"),
        ("https://www.news.公司.cn/", "news.xn--55qx5d.cn"),
        ("http://localhost:8000/", "localhost"),
        ("http://10.0.0.1/", "10.0.0.1"),
        ("http://[::1]/", "::1"),
        ("file:///home/x", ""),
        ("nothing", ""),
    ],
)
def test_a_site_is_the_registrable_domain(url: str, domain: str) -> None:
    assert site(url) == domain


def test_a_host_that_only_looks_like_another_is_shown_as_what_it_is() -> None:
    assert host("https://аpple.com/") == "xn--pple-43d.com"


@pytest.mark.parametrize(
    "name",
    ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "017700000001", "0x7F000001", "127.0.1", "0177.0.0.01"],
)
def test_every_spelling_of_an_ipv4_address_is_understood(name: str) -> None:
    assert str(ip_literal(name)) == "127.0.0.1"


@pytest.mark.parametrize("name", ["example.com", "1.2.3.4.5", "256.1.1.1", "1.2.65536", "08.1", "0xg", "", ".", "a.1"])
def test_a_name_is_not_an_address(name: str) -> None:
    assert ip_literal(name) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/v1",
        "http://127.0.0.1:8000",
        "http://192.168.1.5/v1",
        "http://10.1.2.3",
        "http://100.64.0.7:8000",
        "http://[::1]:8000",
        "http://[::ffff:127.0.0.1]",
        "http://[fd00::1]",
        "http://host.docker.internal:8000",
        "http://ollama:11434",
        "http://box.local",
        "http://①②⑦.⓪.⓪.①/",
    ],
)
def test_an_endpoint_nearby_is_known_without_dns(url: str) -> None:
    assert is_local_host(url)


@pytest.mark.parametrize(
    "url",
    ["https://api.deepseek.com/v1", "http://8.8.8.8", "http://[2606:4700::1111]", "http://localhost.example.com", ""],
)
def test_an_endpoint_far_away_is_not_local(url: str) -> None:
    assert not is_local_host(url)


@pytest.mark.parametrize(
    ("question", "urls"),
    [
        ("What does https://a.example/x say?", ["https://a.example/x"]),
        ("See (https://a.example/x), please.", ["https://a.example/x"]),
        ("See https://en.example/Mercury_(planet).", ["https://en.example/Mercury_(planet)"]),
        ("[text](https://a.example/x)!", ["https://a.example/x"]),
        ("<https://a.example/x> and 'http://b.example'", ["https://a.example/x", "http://b.example"]),
        ("**https://a.example/x**", ["https://a.example/x"]),
        ("请总结https://a.example/page的内容。", ["https://a.example/page"]),
        ("「https://a.example/x」和（https://b.example/y），对吗？", ["https://a.example/x", "https://b.example/y"]),
        ("https://zh.example/wiki/深度求索 是什么", ["https://zh.example/wiki/深度求索"]),
        ("https://de.example/wiki/München?", ["https://de.example/wiki/München"]),
        ("https://a.example's policy", ["https://a.example"]),
        ("HTTP://A.example/x https://b.example HTTP://A.example/x", ["HTTP://A.example/x", "https://b.example"]),
        ("https://a.example/x?a=1&b=[2]", ["https://a.example/x?a=1&b=[2]"]),
        ("no link: a.example, http://, ftp://a.example/, javascript:1", []),
    ],
)
def test_urls_in_a_question_are_found_without_the_sentence_around_them(question: str, urls: list[str]) -> None:
    assert find_urls(question) == urls


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text", ["https://a.example/" + ")" * 100_000, "http://" * 15_000, "https://a.example/x " * 5_000]
)
def test_a_hostile_question_costs_nothing(text: str) -> None:
    assert len(find_urls(text)) <= 1


def test_a_short_quote_is_linked_exactly() -> None:
    assert text_fragment("https://a.example/x", "R1-Zero costs 5, or 6 & more") == (
        "https://a.example/x#:~:text=R1%2DZero%20costs%205%2C%20or%206%20%26%20more"
    )


def test_a_fragment_that_is_there_stays() -> None:
    assert text_fragment("https://a.example/x#part", "two words") == "https://a.example/x#part:~:text=two%20words"


def test_a_text_fragment_that_is_there_is_replaced() -> None:
    assert text_fragment("https://a.example/x#:~:text=old", "new") == "https://a.example/x#:~:text=new"


def test_a_long_quote_is_linked_by_its_ends() -> None:
    link = text_fragment("https://a.example/", " ".join(f"w{n}" for n in range(30)))
    assert unquote(link).endswith("#:~:text=w0 w1 w2 w3 w4,w25 w26 w27 w28 w29")


def test_a_quote_over_several_blocks_is_linked_by_its_ends() -> None:
    link = text_fragment("https://a.example/", "## Head\n\n- one **bold** [link](https://b.example)\n\n| a | `b` |")
    assert unquote(link).endswith("#:~:text=Head,b")


def test_a_long_chinese_quote_is_linked_by_its_ends() -> None:
    quote = "深度求索公司在二零二五年一月发布了推理模型DeepSeek-R1，" + "它" * 40 + "并以宽松许可证开放了全部模型权重。"
    link = unquote(text_fragment("https://a.example/", quote))
    start, end = link.partition("text=")[2].split(",")
    assert (quote.startswith(start), quote.endswith(end), len(start), len(end)) == (True, True, 12, 12)


def test_a_latin_word_in_a_chinese_quote_is_not_cut() -> None:
    quote = "发布了推理模型深度求索DeepSeek，" + "它" * 60 + "许可证是MIT"
    start, end = unquote(text_fragment("https://a.example/", quote)).partition("text=")[2].split(",")
    assert start == "发布了推理模型深度求索DeepSeek"
    assert end.endswith("许可证是MIT")


def test_a_file_link_gets_no_text_fragment() -> None:
    assert text_fragment("file:///a/b.txt", "words") == "file:///a/b.txt"


def test_an_empty_quote_leaves_the_link_alone() -> None:
    assert text_fragment("https://a.example/", " \n ") == "https://a.example/"
