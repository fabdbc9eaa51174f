"""Which pages are copies of one text, and which of them a writer is shown."""

from __future__ import annotations

import random
from dataclasses import replace

from agent.text.ranking import KnownText, copy_of, origins, resemblance, sketch
from agent.types import Source

CHANCE = random.Random(20261124)
WORDS = [f"word{n}" for n in range(3_000)]


def text(words: int = 400) -> str:
    return " ".join(CHANCE.choice(WORDS) for _ in range(words))


def page(url: str, body: str, declares: str = "") -> KnownText:
    return KnownText(url, declares, sketch(body))


def source(name: str, **more: object) -> Source:
    url = f"https://{name}.example/"
    return replace(Source(0, f"d-{name}", "s", url, name, f"{name}.example", "2026-01-01"), **more)


def test_a_syndicated_report_is_a_copy_whatever_stands_around_it() -> None:
    report = text(600)
    one = page("https://a.example/", f"By Our Own Staff\n\n{report}\n\n{text(30)}")
    other = page("https://b.example/", f"{text(40)} {report.upper()}")
    assert copy_of(other, {one.url: one}) == one.url


def test_two_reports_of_one_event_are_no_copies() -> None:
    quoted = text(120)
    one, other = page("https://a.example/", text(300) + quoted), page("https://b.example/", quoted + text(300))
    assert copy_of(other, {one.url: one}) == ""


def test_a_teaser_is_no_copy_of_the_whole() -> None:
    whole = text(600)
    assert copy_of(page("u", " ".join(whole.split()[:120])), {"v": page("v", whole)}) == ""


def test_short_texts_are_never_copies() -> None:
    assert copy_of(page("u", "Nothing here yet."), {"v": page("v", "Nothing here yet.")}) == ""


def test_chinese_texts_are_compared_by_their_characters() -> None:
    report = "".join(chr(0x4E00 + CHANCE.randrange(2_000)) for _ in range(300))
    assert copy_of(page("u", report + "完"), {"v": page("v", report)}) == "v"


def test_a_declared_address_groups_only_what_is_alike_anyway() -> None:
    report = text(400)
    known = {"v": page("v", report, "https://a.example/story")}
    edited = " ".join(report.split()[:220]) + text(100)
    assert copy_of(page("u", edited), known) == ""
    assert copy_of(page("u", edited, "https://a.example/story"), known) == "v"
    assert copy_of(page("u", text(400), "https://a.example/story"), known) == ""


def test_resemblance_is_about_the_share_of_common_runs() -> None:
    common, mine, yours = text(2_000), text(500), text(500)
    assert abs(resemblance(sketch(common + mine), sketch(common + yours)) - 2 / 3) < 0.08


def test_of_copies_the_first_is_shown_and_names_the_others() -> None:
    first, second, third = source("a"), source("b", copy_of="https://a.example/"), source("c")
    shown = origins({s.document_id: s for s in (first, second, third)})
    assert list(shown) == ["d-a", "d-c"]
    assert shown["d-a"].copies == ("https://b.example/",)
    assert shown["d-c"].copies == ()


def test_a_copy_that_came_before_its_origin_in_the_ranking_stands_for_it() -> None:
    ranked = [source("b", copy_of="https://a.example/"), source("a")]
    assert list(origins({s.document_id: s for s in ranked})) == ["d-b"]


def test_an_early_date_makes_no_origin() -> None:
    ranked = [source("a", published="2025-02-01"), source("b", copy_of="https://a.example/", published="1999-01-01")]
    assert list(origins({s.document_id: s for s in ranked})) == ["d-a"]


def test_a_page_that_hides_its_text_stands_for_no_open_one() -> None:
    ranked = [source("a", suspect=True), source("b", copy_of="https://a.example/")]
    shown = origins({s.document_id: s for s in ranked})
    assert list(shown) == ["d-b"]
    assert shown["d-b"].copies == ("https://a.example/",)
