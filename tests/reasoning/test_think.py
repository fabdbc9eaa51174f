"""The tag splitter: whatever the server loses, and wherever the pieces are cut."""

from __future__ import annotations

import itertools
import random

import pytest

from agent.reasoning.models.think_tags import Mode, Split, ThinkSplitter, split, unopened_close


def in_pieces(text: str, mode: Mode, cuts: list[int]) -> tuple[Split, Mode]:
    splitter = ThinkSplitter(mode)
    edges = [0, *sorted(cuts), len(text)]
    parts = [splitter.feed(text[a:b]) for a, b in itertools.pairwise(edges)]
    parts.append(splitter.close())
    return Split("".join(p.reasoning for p in parts), "".join(p.text for p in parts)), splitter.learned


def expected(text: str, mode: Mode) -> Split:
    """The same by looking at the whole text at once."""
    if mode == "off":
        return Split("", text)
    text = text.lstrip()
    if text.startswith("</think>"):
        return Split("", text[8:].lstrip())
    if text.startswith("<think>") or mode == "prefilled":
        thought, _, answer = text.removeprefix("<think>").partition("</think>")
        return Split(thought.strip(), answer.lstrip())
    if mode == "auto" and (at := unopened_close(text)) is not None:
        return Split(text[:at].rstrip(), text[at + 8 :].lstrip())
    return Split("", text)


MODES: list[Mode] = ["auto", "tags", "prefilled", "off"]
SHREDS = ["<think>", "</think>", "<", "/", "think", ">", "<th", "ink>", "`", "\n", "\n\n", " ", "so", "é", "```", '"']
REPLIES = [
    "<think>\nFirst this, then that.\n</think>\n\nThe answer.",
    "\n<think>\n\n</think>\n\nNo thinking.",
    "<think>cut in mid-thought because the limit",
    "<think>a < b and </thin is not the end</think>x < y </think> stays",
    "Plain answer, with <b>tags</b> and 3 < 4.",
    "The tag <think> opens and </think> closes it, as in <think>this</think>.",
    "</think>\n\nThe template had opened it.",
    "<thinking is hard> said nobody",
    "",
    "  \n ",
    "<",
    "<think>",
    "<think> </think> ",
    "嗯，用户问的是……\n</think>\n\n答案是四十二。",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", REPLIES)
def test_a_whole_reply_is_split_as_its_mode_says(text: str, mode: Mode) -> None:
    assert split(text, mode) == expected(text, mode)


def mismatches(number: int, seed: int) -> list[tuple[str, Mode, list[int]]]:
    """Of that many random replies, in a random mode and cut at random, those that are split unlike a whole one."""
    rng = random.Random(seed)
    found = []
    for i in range(number):
        shreds = rng.choice(("", "", "<think>", "so\n</think>")) + "".join(rng.choices(SHREDS, k=rng.randrange(14)))
        text = shreds if i % 4 else rng.choice(REPLIES)
        mode = rng.choice(MODES)
        cuts = [rng.randrange(len(text) + 1) for _ in range(rng.choice((1, 3, 8, 2 * len(text))))]
        if in_pieces(text, mode, cuts)[0] != expected(text, mode):
            found.append((text, mode, cuts))
    return found


def test_where_the_pieces_are_cut_makes_no_difference() -> None:
    assert mismatches(20_000, seed=1) == []


@pytest.mark.slow
def test_where_the_pieces_are_cut_makes_no_difference_in_very_many_replies() -> None:
    assert mismatches(300_000, seed=2) == []


def test_what_is_learned_does_not_depend_on_the_pieces() -> None:
    rng = random.Random(3)
    for text, mode in itertools.product(REPLIES, MODES):
        cuts = [rng.randrange(len(text) + 1) for _ in range(2 * len(text))]
        assert in_pieces(text, mode, cuts)[1] == in_pieces(text, mode, [])[1]


def test_no_piece_of_a_leading_tag_is_ever_let_through() -> None:
    text = "<think>hm</think>yes"
    for cut in range(len(text)):
        splitter = ThinkSplitter("tags")
        first = splitter.feed(text[:cut])
        assert "<" not in first.reasoning + first.text


def test_reasoning_comes_out_while_it_is_thought() -> None:
    splitter = ThinkSplitter("tags")
    splitter.feed("<think>Okay, ")
    assert splitter.feed("so we").reasoning == " so we"


def test_thinking_without_its_opening_tag_is_recognised_on_the_first_reply() -> None:
    said = "Okay, the user asks for a number.\nIt is 42.\n</think>\n\nForty-two."
    assert split(said) == Split("Okay, the user asks for a number.\nIt is 42.", "Forty-two.")


def test_an_unknown_server_is_learned_from_its_first_reply() -> None:
    learned = {text: in_pieces(text, "auto", [])[1] for text in REPLIES}
    assert learned["嗯，用户问的是……\n</think>\n\n答案是四十二。"] == "prefilled"
    assert learned["</think>\n\nThe template had opened it."] == "prefilled"
    assert learned["<think>\nFirst this, then that.\n</think>\n\nThe answer."] == "tags"
    assert learned["Plain answer, with <b>tags</b> and 3 < 4."] == "tags"
    assert learned[""] == "auto"


def test_nothing_is_shown_of_an_unknown_reply_that_may_yet_turn_out_to_be_thinking() -> None:
    splitter = ThinkSplitter("auto")
    assert splitter.feed("Okay, let me think about it. ") == Split()
    assert splitter.feed("Done.\n</think>\n") == Split("Okay, let me think about it. Done.", "")
    assert splitter.feed("Yes.") == Split("", "Yes.")


@pytest.mark.parametrize(
    "answer",
    [
        "R1 ends its reasoning with `</think>`, and then answers.",
        "R1 writes its reasoning between <think> and </think>\nand then answers.",
        'The closing tag is "</think>"\nand stands alone.',
        "The template:\n```\n</think>\n```\nis what you send.",
        "It ends with </think>, always.",
    ],
)
def test_an_answer_that_talks_about_the_tags_survives(answer: str) -> None:
    assert split(answer) == Split("", answer)


def test_a_model_that_loops_over_the_tags_is_split() -> None:
    splitter = ThinkSplitter("auto")
    for _ in range(4_000):
        splitter.feed("as `</think>` says")
    assert splitter.close().text.count("</think>") == 4_000


def test_a_long_thought_without_its_opening_tag_comes_out_whole() -> None:
    splitter = ThinkSplitter("auto")
    piece = "a thought that goes on and on, and on, and on, so. "
    for _ in range(1_000):
        assert splitter.feed(piece) == Split()
    last = splitter.feed("</thi"), splitter.feed("nk>"), splitter.feed("\nForty"), splitter.feed("-two.")
    assert "".join(s.text for s in last) == "Forty-two."
    assert len("".join(s.reasoning for s in last)) == 1_000 * len(piece) - 1


def test_a_prefilled_server_may_still_send_the_tag_itself() -> None:
    assert split("<think>hm</think>yes", "prefilled") == Split("hm", "yes")
