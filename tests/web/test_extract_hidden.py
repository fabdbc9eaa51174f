"""What a page hides does not come through; what it only seems to hide does; and nothing hostile makes this slow."""

from __future__ import annotations

import json

import pytest

from agent.errors import ExtractFailed
from agent.extract.format_base import FormatInput
from agent.extract.formats import html
from agent.extract.hidden_text import ENOUGH, LABELS, remove_hidden
from agent.extract.stylesheets import shown_on_a_desktop

HERE = FormatInput("http://news.example/a/story.html")
SENTENCE = "The weights of the model were published in January for everybody to use and to change. "
STORY = f"<article><h1>Story</h1><p>{SENTENCE * 8}</p></article>"
assert len((SENTENCE * 8).split()) > ENOUGH


def seen(body: str, css: str = "", head: str = "") -> str:
    page = f"<!doctype html><html lang=en><head><style>{css}</style>{head}</head><body>{STORY}{body}</body></html>"
    found = remove_hidden(page)
    assert found is not None
    assert not found.suspect
    assert "everybody" in found.text
    return found.text


def is_hidden(body: str, css: str = "", head: str = "") -> bool:
    return "PLANTED" not in seen(body, css, head)


HIDING = [
    "display:none",
    "DISPLAY : NONE",
    "display:none!important",
    r"d\69splay:n\6f ne",
    "display/**/:/* x */none",
    "visibility:hidden",
    "visibility:collapse",
    "content-visibility:hidden",
    "opacity:0",
    "opacity:.01",
    "opacity:0%",
    "filter:opacity(0)",
    "font-size:0",
    "font-size:0px",
    "font-size:.1em",
    "font-size:1px",
    "font:0/0 a",
    "position:absolute;left:-9999px",
    "position:fixed;top:-100em",
    "position:relative;left:-600px",
    "position:absolute;inset:0 auto auto -5000px",
    "position:absolute;left:99999px",
    "margin-left:-9999px",
    "margin:-99999px 0 0 0",
    "text-indent:-9999px",
    "transform:translateX(-9999px)",
    "translate:-9999px",
    "transform:scale(0)",
    "position:fixed;transform:translate(-100%, 0)",
    "scale:0",
    "position:absolute;clip:rect(0,0,0,0)",
    "position:absolute;clip:rect(1px 1px 1px 1px)",
    "clip-path:inset(50%)",
    "clip-path:inset(100% 0 0 0)",
    "clip-path:circle(0)",
    "clip-path:polygon(0 0, 0 0, 0 0)",
    "width:1px;height:1px;overflow:hidden",
    "max-height:0;overflow:hidden",
    "height:0;overflow-y:hidden",
    "width:0;overflow:clip",
    "position:absolute;inset-inline-start:-9999px",
    "position:absolute;inset-inline:-9999px auto",
    "margin-block-start:-9999px",
    "margin-inline:-9999px 0",
    "transform:matrix(0, 0, 0, 0, 0, 0)",
    "transform:rotateY(90deg)",
    "transform:matrix3d(0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0)",
    "opacity:calc(0)",
    "opacity:min(0, 1)",
    "font-size:clamp(0px, 0em, 0pt)",
    "position:absolute;left:calc(-1 * (9999px + 1em))",
    "position:absolute;left:-webkit-calc(10px - 9999px)",
    "--gone:none;display:var(--gone)",
    "display:var(--never-set, none)",
    "--a:var(--b);--b:0px;font-size:calc(2 * var(--a))",
    "display:none;display:nonsense",
    "display:none;display:foo(1)",
    "visibility:hidden;visibility:nonsense",
    "opacity:0;opacity:nonsense",
    "font-size:0;font-size:",
]
SHOWING = [
    "display:block",
    "color:red",
    "opacity:0.6",
    "opacity:1",
    "font-size:12px",
    "font-size:80%",
    "font:0.9em/1.2 serif",
    "left:-9999px",  # in the flow
    "position:absolute;left:-20px",
    "position:relative;top:100px",
    "overflow:hidden",
    "height:0",  # what does not fit is shown all the same
    "max-height:400px;overflow:hidden",
    "transform:scale(0.98)",
    "transform:translateX(-50%)",
    "transform:matrix(1, 0, 0, 1, 0, 0)",
    "transform:rotatex(180deg)",
    "inset-inline:0",
    "margin-block:20px",
    "clip-path:inset(5%)",
    "clip:rect(0,0,0,0)",  # in the flow
    "visibility:visible",
    "--note:'display:none'",
    "content:'display:none'",
    "background:url(none.png);clip:auto",
    "opacity:calc(1 - 0.2)",
    "font-size:clamp(1rem, 2.5vw, 2rem)",
    "width:calc(100% - 1280px);overflow:hidden",  # of what, nobody knows here
    "margin-left:calc(50% - 50vw)",  # as wide as the window
    "position:relative;left:min(0px, 100px)",
    "opacity:calc(0 / 0)",
    "--gone:none;display:block",
    "display:var(--never-set)",
    "display:none;display:inline-flex",
    "display:none;display:-webkit-box",
    "display:none;display:block flow-root",
    "visibility:hidden;visibility:inherit",
    "font-size:0;font-size:x-large",
    "font-size:0;font-size:calc(1rem + 1vw)",
]


@pytest.mark.parametrize("declared", HIDING)
def test_text_that_a_declaration_hides_is_dropped_wherever_that_stands(declared: str) -> None:
    assert is_hidden(f'<p style="{declared}">PLANTED</p>')
    assert is_hidden("<p class='a b'>PLANTED</p>", f".b {{ {declared} }}")
    assert is_hidden("<p id=x>PLANTED</p>", f"#x{{{declared}}}")
    assert is_hidden("<x-note>PLANTED</x-note>", f"x-note{{{declared}")


@pytest.mark.parametrize("declared", SHOWING)
def test_text_that_a_reader_sees_stays(declared: str) -> None:
    assert not is_hidden(f'<p style="{declared}">PLANTED</p>')
    assert not is_hidden("<p class=b>PLANTED</p>", f".b{{{declared}}}")


@pytest.mark.parametrize(
    "css",
    [
        "p.b{display:none}",
        "body .b{display:none}",
        "div>p.b{display:none}",
        "h4+p{display:none}",
        "h4 ~ .b{display:none}",
        ".nobody,.b , .else{display:none}",
        "[class]{display:none}",
        "[class=b]{display:none}",
        "p[class^='b']{display:none}",
        "div > p:nth-child(2){display:none}",
        "div > p:last-child{display:none}",
        "p:not(.c):not(article p){display:none}",
        ":is(.x, .b){display:none}",
        r".\62 {display:none}",
        "*{} .b{color:red;display:none;width:3px}",
        "@media screen{.b{display:none}}",
        "@media (min-width:600px) and (max-width:1400px){.b{display:none}}",
        "@media print{.b{display:block}} .b{display:none}",
        "@supports (display:grid){@layer x{.b{display:none}}}",
        "div{ .b{display:none} }",
        "div{ &:has(x){} > .b{display:none} }",
        ".b{ @media screen{display:none} }",
        "<!-- .b{display:none} -->",
        "<!--\n.b{display:none}",
        ":root{--gone:none} .b{display:var(--gone)}",
        "[class='B' i]{display:none}",
        ".b:not(:hover):not(:focus-within){display:none}",
        ".b:lang(en){display:none}",
        ".b:dir(ltr){display:none}",
        "/* } */ .b{display:none}",
        "a::after{content:'}'} .b{display:none}",
        "@import url(x.css); @charset 'utf-8'; .b{display:none}",
        "@font-face{font-family:x;src:url(data:font/woff;base64,AA==)} .b{display:none}",
        ".b{display:none} .b:hover{display:block} .b.open{display:block}",
        ".b{display:block} .b{display:none}",
        ".b{background:url(a}b);display:none}",
        ".b{display:none!important} #x.b{display:block}",
        ".b{display:none} @keyframes b{from{display:block}}",
        "@layer a{.b{display:block}} .b{display:none}",
    ],
)
def test_a_rule_of_the_pages_own_sheet_is_followed(css: str) -> None:
    assert is_hidden("<div><h4>Head</h4><p class=b id=x>PLANTED</p></div>", css)


@pytest.mark.parametrize(
    "css",
    [
        ".b{display:none} .b{display:block}",
        ".b{display:none} p.b{display:block}",
        "#x{display:block} .b{display:none}",
        ".b{display:block!important} #x{display:none}",
        ".b{display:none} @media (min-width:800px){.b{display:block}}",
        "@media (max-width:600px){.b{display:none}}",
        "@media (width < 600px){.b{display:none}}",
        "@media print{.b{display:none}}",
        "@media not screen{.b{display:none}}",
        "@keyframes b{from{opacity:0}to{opacity:1}} .c{display:none}",
        ".b:hover{display:none}",
        ".b::before{display:none}",
        "h5 + .b{display:none}",
        "div > div > .b{display:none}",
        "/* .b{display:none} */",
        "a::after{content:'.b{display:none}'}",
        "@layer a{#x{display:none}} .b{display:block}",
        ".b:unheard-of{display:none}",
        ".b:is(:hover, :focus){display:none}",
        ".b:lang(de){display:none}",
        "[class='B']{display:none}",
        ":root{--gone:none} .c{--gone:block} .b{display:var(--gone)}",  # several values: nothing is guessed
        "<!-- .c{display:none} --> .b{color:red}",
        "}}}.b{",
        "{{{{{",
    ],
)
def test_a_rule_that_does_not_apply_or_is_undone_hides_nothing(css: str) -> None:
    assert not is_hidden("<div><h4>Head</h4><p class=b id=x>PLANTED</p></div>", css)


def test_what_is_inside_hidden_text_can_be_shown_again_only_where_a_browser_would() -> None:
    nested = "<div class=a>PLANTED<div class=b>shown again<i class=c>PLANTED</i></div>PLANTED</div>"
    for outer, inner in [("visibility:hidden", "visibility:visible"), ("font-size:0", "font-size:16px")]:
        text = seen(nested, f".a{{{outer}}} .b{{{inner}}} .c{{display:none}}")
        assert "shown again" in text
        assert "PLANTED" not in text
    assert "again" not in seen(nested, ".a{display:none} .b{display:block} .c{color:red}")
    assert "again" not in seen(nested, ".a{opacity:0} .b{opacity:1}")
    assert "again" not in seen(nested, ".a{font-size:0} .b{font-size:2em}")


def test_styles_that_a_browser_does_not_obey_hide_nothing() -> None:
    for sheet in (
        "<noscript><style>.b{display:none}</style></noscript>",
        "<style media=print>.b{display:none}</style>",
        "<style type=text/template>.b{display:none}</style>",
    ):
        assert not is_hidden("<p class=b>PLANTED</p>", head=sheet)


def test_a_popover_is_not_read() -> None:
    assert is_hidden("<div popover>PLANTED</div>")
    assert not is_hidden("<div popover style='display:block'>PLANTED</div>")


def test_properties_that_stand_for_each_other_are_not_followed_for_ever() -> None:
    many = ";".join(f"--p{n}:{f'var(--p{n + 1}) ' * 12}" for n in range(50))
    seen("", f":root{{{many}}} .b{{display:var(--p0)}} .c{{--p:var(--p);display:var(--p)}}")
    seen("", f".b{{left:{'calc(' * 5_000}1px{')' * 5_000}}}")


def test_an_authors_display_undoes_the_hidden_attribute() -> None:
    assert is_hidden("<p hidden class=b>PLANTED</p>")
    assert not is_hidden("<p hidden class=b>PLANTED</p>", ".b{display:block}")
    assert is_hidden("<p hidden class=b>PLANTED</p>", "[hidden]{display:none}")


# ------------------------------------------------------------------------------------------------- honest pages


def extracted(body: str, css: str = "") -> tuple[str, bool]:
    page = f"<!doctype html><html><head><title>T</title><style>{css}</style></head><body>{body}</body></html>"
    got = html.extract(page.encode(), HERE)
    return got.text, got.suspect


@pytest.mark.parametrize(
    ("body", "css"),
    [
        (f"<h1>Questions</h1><p>What is it?</p><div class=fold>{SENTENCE * 8}</div>", ".fold{display:none}"),
        (f"<ul><li>One<li>Two</ul><div class=tab>{SENTENCE * 8}</div>", ".tab{display:none}.tab.on{display:block}"),
        (f"<div id=app><p>{SENTENCE * 8}</p></div>", "#app{visibility:hidden}"),
        (f"<p>{SENTENCE * 8}</p>", "body{opacity:0}"),
        (f"<p>{SENTENCE * 8}</p>", "html{display:none}"),
    ],
    ids=["folds", "tabs", "application", "body", "html"],
)
def test_a_page_that_scripts_unveil_is_read_and_marked_suspect(body: str, css: str) -> None:
    text, suspect = extracted(body, css)
    assert "published in January" in text
    assert suspect


def test_hiding_more_does_not_bring_hidden_text_back_where_enough_is_visible() -> None:
    text, suspect = extracted(
        f"{STORY}<div class=h>{'PLANTED words in great number. ' * 500}</div>", ".h{display:none}"
    )
    assert "PLANTED" not in text
    assert not suspect


def test_a_veiled_page_does_not_bring_back_what_is_hidden_under_the_veil() -> None:
    text, suspect = extracted(f"{STORY}<div class=h>{'PLANTED words. ' * 50}</div>", "body{opacity:0}.h{display:none}")
    assert "PLANTED" not in text
    assert suspect


@pytest.mark.parametrize(("visible", "kept"), [(99, True), (100, False)])
def test_hidden_text_is_kept_only_where_less_than_enough_is_visible(visible: int, kept: bool) -> None:
    for hidden, there in ((LABELS, kept), (LABELS - 1, False)):
        page = (
            f"<style>.fold{{display:none}}</style><p>{'seen ' * visible}</p><div class=fold>{'folded ' * hidden}</div>"
        )
        found = remove_hidden(page)
        assert found is not None
        assert ("folded" in found.text) is there
        assert found.suspect is there


def test_a_short_page_is_not_suspect_for_a_label_or_a_button() -> None:
    text, suspect = extracted(
        f"<a class=skip href=#m>Skip to the content of PLANTED</a><p id=m>{SENTENCE * 2}</p>",
        ".skip{position:absolute;left:-9999px}",
    )
    assert "January" in text
    assert "PLANTED" not in text
    assert not suspect


def test_a_suspect_page_still_loses_what_no_browser_shows() -> None:
    text, suspect = extracted(
        f"<div class=fold>{SENTENCE * 8}</div><template>PLANTED</template><noscript>PLANTED</noscript><!-- PLANTED -->",
        ".fold{display:none}",
    )
    assert "January" in text
    assert "PLANTED" not in text
    assert suspect


@pytest.mark.parametrize(
    "visible", [f"<ul>{'<li><a href=/x>A link of some words</a></li>' * 40}</ul>", f"<p>{SENTENCE}</p>"]
)
def test_an_article_that_only_machines_are_told_does_not_come_through(visible: str) -> None:
    words = "PLANTED words in great number. " * 50
    told = json.dumps({"@type": "Article", "articleBody": words})
    posts = json.dumps({"topic_1": json.dumps({"post_stream": {"posts": [{"cooked": words}]}})})
    for unseen in (
        f'<script type="application/ld+json">{told}</script>',
        f"<div id=data-preloaded data-preloaded='{posts}'></div>",
    ):
        page = f"<html><head><title>T</title>{unseen}</head><body>{visible}{unseen}</body></html>"
        got = html.extract(page.encode(), HERE)
        assert "words" in got.text or "weights" in got.text
        assert "PLANTED" not in got.text
        assert not got.suspect


def test_what_a_page_says_of_itself_in_json_is_none_of_its_words() -> None:
    told = f'<script type="application/ld+json">{{"articleBody":"{"PLANTED " * ENOUGH}"}}</script>'
    found = remove_hidden(f"<style>.fold{{display:none}}</style><p>Seen{told} here</p><p class=fold>{SENTENCE * 8}</p>")
    assert found is not None
    assert found.suspect, "its JSON does not count as visible"
    assert "PLANTED" not in found.text
    assert "Seen here" in found.text
    assert found.tree.findtext(".//script")


# ------------------------------------------------------------------------------------------------- hostile pages


@pytest.mark.parametrize(
    ("css", "body"),
    [
        ("{" * 300_000, ""),
        ("a" * 500_000, ""),
        ("a{" * 100_000 + "display:none", ""),
        ("&,&,&{" * 3_000 + "display:none", ""),
        ("/*" * 200_000, ""),
        ("'" * 300_000, ""),
        ("(" * 300_000, ""),
        ("p" + ":is(" * 50_000 + "){display:none}", ""),
        (".a" * 100_000 + "{display:none}", "<p class=a>"),
        ("a " * 100_000 + "{display:none}", "<a>" * 500),
        (".a{" + "x:(((" * 50_000 + "}.a{display:none}", "<p class=a>"),
        ("\\" * 200_000 + "{display:none}", ""),
        (".a,#b,[c],d{display:none}" * 20_000, "<p class=x>" * 200),
        ("@media " + "(" * 100_000 + "{.a{display:none}}", ""),
    ],
)
def test_past_a_hostile_sheet_the_page_is_read(css: str, body: str) -> None:
    seen(body, css)


@pytest.mark.parametrize(
    ("css", "body"),
    [
        ("".join(f"p:nth-child({n}n) {{display:none}}" for n in range(1, 3_000)), "<p>x</p>" * 3_000),
        ("".join(f".a :not(.b{n}) div + *{{opacity:0}}" for n in range(3_000)), "<div class=a>" * 200 + "<p>x" * 2_000),
        ("b ~ p ~ p ~ p ~ p ~ q{display:none}", "<p>x</p>" * 200 + "<q>x</q>" * 200),
        ("div:dir(rtl){display:none}", "<div>" * 3_000),
    ],
)
def test_styles_that_cost_too_much_to_follow_are_refused(css: str, body: str) -> None:
    with pytest.raises(ExtractFailed, match="styles too tangled"):
        seen(body, css)


def test_ten_thousand_hidden_elements_in_each_other_are_not_read() -> None:
    assert is_hidden("<div class=a>" * 5_000 + "<b style='visibility:hidden'>" * 2_000 + "PLANTED", ".a{display:none}")
    assert is_hidden("<b style='visibility:hidden'>PLANTED" * 3_000)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("", True), ("screen", True), ("all", True), ("only screen and (min-width: 48em)", True), ("print", False),
        ("print, screen", True), ("(max-width:767.98px)", False), ("not all", False),
        ("not print", True), ("(orientation: portrait)", False), ("(prefers-color-scheme: dark)", False),
        ("(height > 900px)", False), ("(min-device-width: 300px)", True), ("(unheard-of: x)", True),
    ],
)  # fmt: skip
def test_media_queries_hold_for_a_desktop(condition: str, holds: bool) -> None:
    assert shown_on_a_desktop(condition) is holds
