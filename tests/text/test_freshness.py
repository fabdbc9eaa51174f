"""Which questions ask about now."""

from __future__ import annotations

from datetime import date

import pytest

from agent.text.source_filters import TIMELY, USUAL, asks_about_now, good_for

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    "question",
    [
        "What is the latest version of vLLM?",
        "Who is the current mayor of Hamburg?",
        "weather in Lisbon today",
        "What happened in the strike this week?",
        "Which models does DeepSeek offer in 2026?",
        "Wer ist derzeit Bundespräsident?",
        "Wie hoch ist der aktuelle Leitzins?",
        "¿Cuál es el tipo de cambio del euro?",
        "Quel est le prix actuel du lithium ?",
        "DeepSeek 最新的模型是什么？",
        "今年诺贝尔物理学奖颁给了谁？",
        "東京の明日の天気は？",
        "지금 환율은 얼마인가요?",
    ],
)
def test_a_question_about_now_needs_pages_of_this_hour(question: str) -> None:
    assert asks_about_now(question, TODAY)
    assert good_for(question, TODAY) == TIMELY


@pytest.mark.parametrize(
    "question",
    [
        "Under which licence was DeepSeek-R1 released?",
        "What was the latest Apple phone in 2019?",
        "Who knows how snow is made?",
        "Was ist ein Transformer?",
        "¿Quién escribió Rayuela?",
        "珠穆朗玛峰有多高？",
        "Which currents warm Norway?",
        "How many people lived in Rome in the year 1500?",
    ],
)
def test_a_question_about_what_stays_so_may_use_pages_of_last_week(question: str) -> None:
    assert not asks_about_now(question, TODAY)
    assert good_for(question, TODAY) == USUAL
