"""How a question is put tells what kind of thing is wanted."""

import pytest

from agent.text.questions import keywords
from agent.text.wanted import wanted

WANTED = {
    "When was R1 released": "time",
    "Seit wann gibt es R1": "time",
    "R1什么时候发布的": "time",
    "In which year did V3 appear": "time",
    "Who discovered the wreck and when": "time",
    "How does R1 behave when prompts are long": "",
    "How many GPUs did V3 use": "number",
    "Wie viele Parameter hat R1": "number",
    "What percentage of questions does R1 answer": "number",
    "R1有多少参数": "number",
    "R1 hallucination rates": "amount",
    "Was kostet R1": "amount",
    "R1 的价格": "amount",
    "Who founded DeepSeek in Hangzhou with money from a hedge fund": "person",
    "Where can R1 be downloaded": "place",
    "Why does R1 mix languages": "reason",
    "How was R1 trained": "way",
    "Wie wurde R1 trainiert": "way",
    "how does R1 compare with V3": "",
    "How good is R1 at mathematics": "",
    "What is distillation": "definition",
    "Was ist Destillation": "definition",
    "什么是强化学习": "definition",
    "Who is Liang Wenfeng": "definition",
    "a chat model": "definition",
    "Does R1 support a system prompt": "",
}


@pytest.mark.parametrize(("text", "kind"), WANTED.items())
def test_a_question_wants_this(text, kind):
    assert wanted(text, keywords(text)) == kind


def test_a_long_question_asks_for_more_than_what_a_thing_is():
    text = "What is the effect of reinforcement learning on long chains of thought"
    assert wanted(text, keywords(text)) == ""
