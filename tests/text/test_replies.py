"""Queries, stance and revisions out of replies as models write them."""

from __future__ import annotations

import random

import pytest

from agent.text.reply_parsers import (
    QueryReader,
    StanceReader,
    from_declaration,
    is_revision,
    parse_object,
    parse_revisions,
)
from agent.types import Query


def queries(reply: str) -> list[Query]:
    reader = QueryReader()
    return [*reader.feed(reply), *reader.finish()]


def texts(reply: str) -> list[str]:
    return [q.text for q in queries(reply)]


PLAN = '{"queries": [{"query": "R1 release date", "purpose": "when"}, {"query": "R1 licence", "purpose": "which"}]}'


def test_an_object_with_a_list_of_queries_is_read() -> None:
    assert queries(PLAN) == [Query("R1 release date", "when"), Query("R1 licence", "which")]


def test_each_query_is_given_the_moment_it_is_complete() -> None:
    reader = QueryReader()
    assert reader.feed('```json\n{"queries": [\n  {"query": "first one", "purpose": "a') == []
    assert reader.feed('"}') == [Query("first one", "a")]
    assert reader.feed(',\n  {"query": "second one"') == []
    assert reader.feed("}]}\n```") == [Query("second one")]
    assert reader.finish() == []


@pytest.mark.parametrize(
    "reply",
    [
        PLAN,
        f"Here is my plan:\n\n```json\n{PLAN}\n```\n\nThese two cover the question.",
        '{"query": "R1 release date", "purpose": "when"}\n{"query": "R1 licence", "purpose": "which"}\n',
        '[{"query": "R1 release date", "purpose": "when"}, {"query": "R1 licence", "purpose": "which"}]',
        '{"plan": {"queries": [{"query": "R1 release date"}, {"query": "R1 licence"}]}}',
        '{\n  "queries":\n  [\n    {"query": "R1 release date",},  // the date\n    {"query": "R1 licence",},\n  ],\n}',
        '{"queries": [ /* two */ {"query": "R1 release date"}, {"query": "R1 licence"} ]}',
        '{"queries": ["R1 release date", "R1 licence"]}',
        '["R1 release date", "R1 licence"]',
        "{'queries': ['R1 release date', 'R1 licence']}",
        "{'queries': [{'query': 'R1 release date'}, {'query': 'R1 licence'}]}",
        '{"search_queries": ["R1 release date", "R1 licence"]}',
        '{"queries": [{"Query": "R1 release date", "Purpose": "x"}, {"q": "R1 licence", "why": "y"}]}',
        f"I thought of [two things {{maybe three}}: \n{PLAN}",
        f'Draft: {{"queries": [{{"query": "R1 release date"}}]}}\nFinal:\n{PLAN}',
        '{"question": "What is R1?", "query": "all of it", "queries": ["R1 release date", "R1 licence"]}',
        '{"queries": [{"query": "R1 release date", "tags": ["news", "AI"]}, {"query": "R1 licence", "n": {"k": "v"}}]}',
    ],
)
def test_the_same_two_queries_are_read_from_however_they_are_written(reply: str) -> None:
    assert texts(reply) == ["R1 release date", "R1 licence"]


@pytest.mark.parametrize(
    "reply",
    [
        '{"queries": [{"query": "R1 release date"}, {"query": "R1 lic',
        '{"queries": [{"query": "R1 release date", "purpose": "whe',
        '{"queries": [{"query": "R1 release date"}, {',
        '{"queries": ["R1 release date", "R1 lic',
        '[{"query": "R1 release date", "purpose": "when"},\n',
    ],
)
def test_a_reply_that_is_cut_gives_what_is_complete(reply: str) -> None:
    assert texts(reply) == ["R1 release date"]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I would first look for the release date, then for the licence.",
        'The user says "when" and (see [1]) {perhaps} "why"; I\'d search {for} it: https://r1.example/[a].',
        "{}",
        '{"queries": []}',
        '{"queries": [{"query": ""}, {"query": "  "}, {"query": "?!"}, {"query": 7}, {"purpose": "none"}]}',
        '{"verdict": "supported"}',
    ],
)
def test_prose_and_empty_lists_give_no_query(reply: str) -> None:
    assert queries(reply) == []


def test_a_query_is_one_line_without_invisible_characters_and_comes_once() -> None:
    reply = '{"queries": ["R1\\n release\\u200b  date", "r1 RELEASE date", "DeepSeek\\u202e R1 \\"aha\\""]}'
    assert texts(reply) == ["R1 release date", 'DeepSeek R1 "aha"']


def test_brackets_and_slashes_inside_strings_are_text() -> None:
    assert texts('{"queries": [{"query": "a[0] {b} // c", "purpose": "}]"}, "x"]}') == ["a[0] {b} // c", "x"]


def test_a_flood_of_brackets_is_read() -> None:
    assert texts("[" * 5_000 + '{"query": "still here"}') == ["still here"]
    assert texts('{"a":' * 20_000 + '"x"' + "}" * 20_000) == []


def test_where_the_pieces_are_cut_makes_no_difference_to_the_queries() -> None:
    rng = random.Random(3)
    reply = (
        f'Sure // "quoted" [1]\n```json\n{{"queries": ["plain \\" one", /* c */ {{"query": "二 ü", }}]}}\n```\n{PLAN}'
    )
    for _ in range(500):
        reader, said, at = QueryReader(), [], 0
        while at < len(reply):
            step = rng.randrange(1, 9)
            said += reader.feed(reply[at : at + step])
            at += step
        assert [q.text for q in [*said, *reader.finish()]] == ['plain " one', "二 ü", "R1 release date", "R1 licence"]


def test_an_object_is_parsed_with_comments_and_commas_but_not_out_of_nothing() -> None:
    assert parse_object('{"a": "http://x", // why\n "b": [1, 2,],}') == {"a": "http://x", "b": [1, 2]}
    assert parse_object("{'a': None}") == {"a": None}
    assert parse_object("[1]") is None
    assert parse_object("{nonsense}") is None


# ------------------------------------------------------------------------------------------------- the stance


def read(reply: str, step: int = 10_000) -> tuple[str | None, str, bool]:
    reader = StanceReader()
    passed = "".join(reader.feed(reply[i : i + step]) for i in range(0, len(reply), step)) + reader.finish()
    return reader.kind, passed, reader.declared


@pytest.mark.parametrize(
    "reply",
    [
        "ANSWER\n\nR1 is open [citation:1].",
        "\n\nANSWER\nR1 is open [citation:1].",
        "**ANSWER**\n\nR1 is open [citation:1].",
        "# Answer\n\nR1 is open [citation:1].",
        "Answer:\nR1 is open [citation:1].",
        "ANSWER: R1 is open [citation:1].",
        "**Answer:** R1 is open [citation:1].",
        "`ANSWER`\n\nR1 is open [citation:1].",
        "ANSWER.\nR1 is open [citation:1].",
        "ANSWER — R1 is open [citation:1].",
        "ANSWER R1 is open [citation:1].",
        "```\nANSWER\n\nR1 is open [citation:1].",
        "【回答】\nR1 is open [citation:1].",
        "回答：R1 is open [citation:1].",
    ],
)
@pytest.mark.parametrize("step", [10_000, 1, 3])
def test_an_answer_is_declared_and_the_declaration_is_not_part_of_it(reply: str, step: int) -> None:
    assert read(reply, step) == ("answer", "R1 is open [citation:1].", True)


@pytest.mark.parametrize(
    "reply",
    [
        "R1 is open [citation:1].\n\nMore.",
        "Search-R1 is a method that trains R1 to search [citation:2].",
        "Search engines answer in 0.3 s [citation:2].",
        "Answers differ: one page says 5.5 million, one 6 [citation:1][citation:2].",
        "Answer.com was a site [citation:3].",
        "No, R1 was not released in 2024 [citation:1].",
        "搜索引擎给出的日期是2025年[citation:1]。",
        "Yes",
        "1. First [citation:1].",
        "[citation:1] says so.",
    ],
)
@pytest.mark.parametrize("step", [10_000, 1])
def test_a_reply_that_declares_nothing_is_an_answer_as_it_stands(reply: str, step: int) -> None:
    assert read(reply, step) == ("answer", reply, False)


@pytest.mark.parametrize("step", [10_000, 1])
@pytest.mark.parametrize(
    "reply", [f"SEARCH\n{PLAN}", f"**SEARCH**\n\n```json\n{PLAN}\n```", f"SEARCH: {PLAN}", f"SEARCH {PLAN}"]
)
def test_a_request_to_search_passes_its_queries_on(reply: str, step: int) -> None:
    kind, passed, declared = read(reply, step)
    assert (kind, declared) == ("search more", True)
    assert texts(passed) == ["R1 release date", "R1 licence"]


@pytest.mark.parametrize("reply", [PLAN, f"```json\n{PLAN}\n```", '["R1 release date", "R1 licence"]'])
def test_bare_json_is_a_request_to_search_though_none_was_declared(reply: str) -> None:
    kind, passed, declared = read(reply)
    assert (kind, declared) == ("search more", False)
    assert texts(passed) == ["R1 release date", "R1 licence"]


@pytest.mark.parametrize("step", [10_000, 1])
@pytest.mark.parametrize(
    "reply", ["NO ANSWER\nNothing.", "**No answer**\nNothing.", "NO_ANSWER: Nothing.", "无法回答\nNothing."]
)
def test_no_answer_is_told_from_an_answer(reply: str, step: int) -> None:
    assert read(reply, step) == ("no answer", "Nothing.", True)


def test_nothing_is_known_before_the_first_line_is() -> None:
    reader = StanceReader()
    assert (reader.feed("ANS"), reader.kind) == ("", None)
    assert (reader.feed("WER"), reader.kind) == ("", None)
    assert (reader.feed("\nSo"), reader.kind) == ("So", "answer")
    assert reader.feed(" it is.") == " it is."


def test_a_declaration_alone_leaves_an_empty_answer() -> None:
    assert read("ANSWER") == ("answer", "", True)
    assert read("") == ("answer", "", False)


def test_an_answer_inside_the_reasoning_is_found_by_its_last_declaration() -> None:
    reasoning = (
        "The answer must begin with ANSWER. Draft:\nANSWER\nold\n\nBetter:\n**ANSWER**\nR1 is open [citation:1]."
    )
    assert read(from_declaration(reasoning))[1] == "R1 is open [citation:1]."
    assert from_declaration("I think the ANSWER is 42.") == ""


# ------------------------------------------------------------------------------------------------- revisions


def test_each_numbered_line_is_a_sentence_anew_or_a_drop() -> None:
    reply = "1: R1 came out on 20 January 2025 [citation:2].\n2: drop\n\n3: Its licence is MIT [citation:1]."
    assert parse_revisions(reply) == {
        1: "R1 came out on 20 January 2025 [citation:2].",
        2: None,
        3: "Its licence is MIT [citation:1].",
    }


@pytest.mark.parametrize(
    "line", ["4: keep", "4. **keep**", "[4]: Keep.", '4: keep (webpage 2 says "7B | Qwen2.5")', "4：保留"]
)
def test_a_sentence_that_is_kept_is_answered_for_and_not_changed(line: str) -> None:
    assert parse_revisions(line) == {}
    assert is_revision(line)


def test_a_sentence_that_begins_with_keep_is_a_sentence() -> None:
    assert parse_revisions("4: Keep the temperature at 0.6 [citation:1].") == {
        4: "Keep the temperature at 0.6 [citation:1]."
    }


@pytest.mark.parametrize(
    "line",
    [
        "4: drop",
        "4: Drop.",
        "**4:** drop",
        "- 4: **drop**",
        "4. drop",
        "4) [drop]",
        "[4]: drop",
        "4：删除",
        "4: drop (no page)",
    ],
)
def test_a_drop_is_recognised_however_it_is_dressed(line: str) -> None:
    assert parse_revisions(line) == {4: None}


@pytest.mark.parametrize(
    "line", ["4: R1 is open.", "**4:** R1 is open.", "4. R1 is open.", "> 4) R1 is open.", "4：R1 is open."]
)
def test_a_sentence_is_recognised_however_its_number_is_dressed(line: str) -> None:
    assert parse_revisions(line) == {4: "R1 is open."}


def test_other_lines_are_passed_over() -> None:
    reply = "Here are the sentences:\n\n3.5 million people read it.\n1: Kept [citation:1].\nThat is all.\n2025: a year"
    assert parse_revisions(reply) == {1: "Kept [citation:1]."}


def test_a_sentence_that_begins_with_the_word_drop_is_a_sentence() -> None:
    assert parse_revisions("1: Drop rates fell by 5 % [citation:1].") == {1: "Drop rates fell by 5 % [citation:1]."}
