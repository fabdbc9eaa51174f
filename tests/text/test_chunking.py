"""What cutting a text into passages promises."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.extract.format_base import FormatInput
from agent.extract.formats import html
from agent.sample.sample_server import SamplePage, load
from agent.text.chunking import CJK_SIZE, SIZE, passage_id, slices, split
from agent.types import Document

SENTENCE = "The model was trained on many problems with answers that a program can check. "

pieces = st.sampled_from(
    [
        "# Heading\n",
        "### Deeper\r\n",
        "- an item of a list\n",
        "12. another item\r\n",
        "| a | b |\n",
        "```\n",
        "    code()\n",
        "\n",
        "\r\n\r\n",
        "\r",
        "\u2028",
        "\x00",
        "\ufeff",
        SENTENCE,
        SENTENCE * 9,
        "她说：“这是真的。”然后离开了！",
        "深度求索公布了模型的权重。" * 40,
        "これは日本語の文章です。",
        "한국어 문장입니다. ",
        "👩‍👩‍👧‍👦👍🏽🇩🇪",
        "e\u0301" * 30,
        "x" * 3000,
        "\ud800",
        " ",
        "\u00a0\u3000",
    ]
)
texts = st.one_of(st.text(max_size=400), st.lists(pieces, max_size=40).map("".join))


def document(text: str) -> Document:
    return Document(
        id="d", snapshot="s", url="https://a.example/", title="", site="a.example", text=text,
        media_type="text/html", fetched_at="2026-01-01T00:00:00Z",
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(texts)
def test_offsets_are_exact_and_nothing_but_white_space_is_left_out(text):
    end_of_last = 0
    for passage in split(document(text)):
        assert text[passage.start : passage.end] == passage.text
        assert passage.text.strip() == passage.text != ""
        assert passage.start >= end_of_last
        assert text[end_of_last : passage.start].strip() == ""
        end_of_last = passage.end
    assert text[end_of_last:].strip() == ""


@settings(max_examples=300, deadline=None)
@given(texts)
def test_no_passage_is_much_longer_than_the_size(text):
    assert all(piece.end - piece.start <= 1.5 * SIZE for piece in slices(text))


@settings(max_examples=100, deadline=None)
@given(texts)
def test_cutting_twice_gives_the_same_passages(text):
    assert split(document(text)) == split(document(text))


def cut(text: str) -> list[str]:
    return [text[piece.start : piece.end] for piece in slices(text)]


def test_a_text_without_words_has_no_passages():
    assert slices("") == slices(" \r\n\t\u3000") == []


def test_a_short_text_is_one_passage():
    assert cut("# Title\n\nOne paragraph.\n\nAnother.\n") == ["# Title\n\nOne paragraph.\n\nAnother."]


def test_a_long_paragraph_is_cut_after_sentences():
    passages = cut(SENTENCE * 40)
    assert len(passages) > 2
    assert all(passage.endswith("check.") for passage in passages)


def test_an_abbreviation_before_a_small_letter_ends_no_sentence():
    sentence = "It needs much memory, e.g. a terabyte, to be trained at all. "
    assert all(passage.startswith("It needs") for passage in cut(sentence * 40))


def test_an_initial_ends_no_sentence():
    sentence = "The prize went to J. Doe and to A. N. Other for it. "
    assert all(passage.startswith("The prize") for passage in cut(sentence * 40))


def test_sentences_without_capitals_are_cut_at_their_ends_all_the_same():
    sentence = "the model was trained on many problems, and then on more of them. "
    assert all(passage.endswith("them.") for passage in cut(sentence * 60))


def test_a_sentence_that_is_too_long_is_cut_after_a_clause():
    passages = cut("and then a further clause follows without an end, " * 60)
    assert all(passage.endswith(",") for passage in passages)


def test_chinese_is_cut_after_its_own_full_stops_and_shorter():
    passages = cut("深度求索公布了模型的权重。" * 100)
    assert all(passage.endswith("。") for passage in passages)
    assert all(len(passage) <= CJK_SIZE for passage in passages)
    assert len(passages[0]) > CJK_SIZE / 2


def test_a_closing_quote_stays_with_its_sentence():
    assert all(passage.endswith("”") for passage in cut("他说：“模型已经公布。”" * 60))


def test_a_heading_goes_with_the_text_below_it():
    text = "\n\n".join(f"## Part {n}\n\n{SENTENCE * 9}" for n in range(6))
    assert [passage.splitlines()[0] for passage in cut(text)] == [f"## Part {n}" for n in range(6)]


def test_small_sections_share_a_passage():
    text = "\n\n".join(f"## Part {n}\n\nShort." for n in range(3))
    assert len(cut(text)) == 1


def test_a_passage_knows_the_headings_above_it():
    text = f"# Model\n\n{SENTENCE * 9}\n\n## Training\n\n{SENTENCE * 9}\n\n{SENTENCE * 9}\n\n# Use\n\n{SENTENCE * 9}"
    assert [piece.heading for piece in slices(text)] == ["", "Model", "Model > Training", ""]
    assert slices(f"{text}\n\n{SENTENCE * 9}")[-1].heading == "Use"


def test_a_mark_in_a_code_block_is_no_heading():
    text = f"# Real\n\n```\n# a comment\n~~~\n# another\n```\n\n{SENTENCE * 12}\n\n{SENTENCE * 12}"
    assert {piece.heading for piece in slices(text)} == {"", "Real"}


def test_code_is_cut_between_lines():
    text = "```python\n" + "\n\n".join(f"value_{n} = compute({n})" for n in range(100)) + "\n```"
    passages = cut(text)
    assert len(passages) > 2
    assert all(passage.startswith("value_") for passage in passages[1:])


def test_a_table_is_cut_between_rows_and_what_goes_on_knows_its_head():
    text = "| model | score |\n|---|---|\n" + "\n".join(f"| model number {n} | {n}.5 |" for n in range(100))
    found = slices(text)
    assert len(found) > 2
    assert all(text[piece.start] == "|" and text[piece.end - 1] == "|" for piece in found)
    assert [piece.heading for piece in found] == ["", *["| model | score |"] * (len(found) - 1)]


def test_list_items_are_not_torn():
    text = "\n".join(f"- item {n}: {SENTENCE}" for n in range(60))
    assert all(passage.startswith("- item") for passage in cut(text))


def test_a_family_emoji_is_not_torn():
    family = "👨‍👩‍👧‍👦"
    assert all(len(passage) % len(family) == 0 for passage in cut(family * 500))


def test_a_line_without_any_space_is_cut_all_the_same():
    assert "".join(cut("x" * 10_000)) == "x" * 10_000


def test_a_passage_is_named_by_its_document_and_place():
    assert passage_id("d", 0, 9) == passage_id("d", 0, 9)
    assert len({passage_id("d", 0, 9), passage_id("e", 0, 9), passage_id("d", 0, 8), passage_id("d", 1, 9)}) == 4
    assert split(document("One."))[0].id == passage_id("d", 0, 4)


def _text_of(page: SamplePage) -> str:
    return html.extract(page.body, FormatInput(url=page.entry.url)).text


PAGES = [
    _text_of(page)
    for page in load()
    if page.entry.status == 200 and not page.entry.blocked and page.entry.type.startswith("text/html")
]
edits = st.tuples(st.floats(0, 1), st.integers(0, 300), st.one_of(pieces, st.text(max_size=20)))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PAGES), st.lists(edits, max_size=8))
def test_on_real_pages_and_on_pages_gone_wrong_offsets_are_exact(text: str, changes: list[tuple[float, int, str]]):
    for where, length, new in changes:
        at = int(where * len(text))
        text = text[:at] + new + text[at + length :]
    end_of_last = 0
    for passage in split(document(text)):
        assert text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        assert text[end_of_last : passage.start].strip() == ""
        assert passage.end - passage.start <= 1.5 * SIZE
        end_of_last = passage.end
    assert text[end_of_last:].strip() == ""
