"""A model that goes round in circles is noticed; one that thinks at length is not."""

from __future__ import annotations

import random

import pytest

from agent.reasoning.call_stream import LoopGuard

WORDS = [f"word{n}" for n in range(400)]
PARAGRAPH = " ".join(random.Random(1).choices(WORDS, k=130)) + ". "


def characters_until_noticed(text: str, size: int = 7) -> int | None:
    guard = LoopGuard()
    for at in range(0, len(text), size):
        if guard.feed(text[at : at + size]):
            return at + size
    return None


@pytest.mark.parametrize("size", [1, 7, 4_000])
def test_a_paragraph_that_comes_again_and_again_is_noticed_by_its_sixth_time(size: int) -> None:
    at = characters_until_noticed(PARAGRAPH * 40, size)
    assert at is not None
    assert at <= 6 * len(PARAGRAPH) + size


@pytest.mark.parametrize("phrase", ["Wait, let me re-check. ", "等等，让我再检查一下。", "no ", "1. 2. 3. "])
def test_a_short_phrase_that_never_ends_is_noticed(phrase: str) -> None:
    at = characters_until_noticed(phrase * 2_000)
    assert at is not None
    assert at < 3_000


def test_a_paragraph_whose_number_counts_up_is_noticed() -> None:
    told = "".join(f"{PARAGRAPH}That was attempt {n}. " for n in range(40))
    at = characters_until_noticed(told)
    assert at is not None
    assert at < 8 * len(PARAGRAPH)


def test_thinking_that_comes_back_to_the_same_words_is_left_alone() -> None:
    chance = random.Random(2)
    check = "Wait, let me re-check webpage 3: it says that R1 was released on 20 January 2025 under the MIT licence. "
    told = "".join(" ".join(chance.choices(WORDS, k=chance.randint(60, 160))) + ". " + check for _ in range(120))
    assert characters_until_noticed(told) is None


def test_quoting_a_long_passage_three_times_is_left_alone() -> None:
    assert characters_until_noticed(f"{PARAGRAPH * 3} And so on. {PARAGRAPH[::-1]}") is None


def test_a_stream_without_a_space_takes_no_memory() -> None:
    guard = LoopGuard()
    for _ in range(2_000):
        assert not guard.feed("a" * 100)
    assert len(guard._rest) < 100
