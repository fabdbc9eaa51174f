"""What the sample web's search finds, for questions written before its results were seen."""

from __future__ import annotations

from functools import cache

import pytest

from agent.sample import QUESTION
from agent.sample.sample_server import SampleIndex, load


@cache
def _index() -> SampleIndex:
    return SampleIndex(load())


def found(question: str, limit: int = 3) -> list[str]:
    return [entry.url.removeprefix("http://") for entry in _index().find(question, limit)]


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("How was R1-Zero trained?", "blog.patchwork-weights.example/2025/02/r1-zero-learning-to-think"),
        ("What does the 5.5 million dollar figure leave out?", "www.meridian-courier.example/technology/2025/02"),
        ("Which temperature should I use with DeepSeek-R1?", "docs.inference-cookbook.example/r1/settings"),
        ("Does R1 support a system prompt?", "answers.devquarry.example/q/31107"),
        ("When was deepseek-reasoner retired from the API?", "www.meridian-courier.example/technology/2026/07"),
        ("Which models were distilled from R1?", "encyclopedia.commonpage.example/wiki/Distillation"),
        ("aider benchmark with R1 as architect and Sonnet as editor", "bench.sidebyside.example/tables/architect"),
        ("How often does R1 hallucinate in summaries?", "letters.slow-thinking.example/58"),
        ("Why does R1 answer in Chinese?", "answers.devquarry.example/q/31260"),
        ("NIST prompt injection agents R1", "advisories.safe-agents.example/2025/017"),
        ("price of hosted R1 per million tokens", "www.harbor-inference.example/compare/r1-prices"),
        ("web search prompt template and citation format", "docs.inference-cookbook.example/r1/web-search-prompt"),
        ("强化学习", "www.shenduo-biji.example/ai/"),
        ("DeepSeek-R1 的训练费用是多少", "www.shenduo-biji.example/ai/"),
        ("limitations of R1 in the Nature paper", "www.meridian-courier.example/technology/2025/09"),
        ("R1 with search on SimpleQA and BrowseComp", "bench.sidebyside.example/tables/r1-with-search"),
        ("vLLM reasoning_content field", "docs.inference-cookbook.example/r1/response-fields"),
        ("samples per question and token numbers of the thinking tags", "papers.openpreprint.example/pdf/2512.0288"),
        ("how many tokens does R1-0528 spend on AIME", "papers.openpreprint.example/abs/2509.1126"),
    ],
)
def test_the_page_that_answers_is_among_the_first_three(question: str, page: str) -> None:
    assert any(url.startswith(page) for url in found(question)), found(question)


@pytest.mark.parametrize(
    ("part", "page"),
    [
        ("What made DeepSeek-R1 notable", "encyclopedia.commonpage.example/wiki/DeepSeek-R1"),
        ("how was DeepSeek-R1 trained", "encyclopedia.commonpage.example/wiki/DeepSeek-R1"),
        ("what does the figure of 5.5 million dollars count", "www.meridian-courier.example/technology/2025/02"),
        ("what does the figure of 5.5 million dollars leave out", "www.cs.northlake-university.example"),
        ("with which settings should R1 be used", "docs.inference-cookbook.example/r1/settings"),
    ],
)
def test_each_part_of_the_sample_question_has_a_page_of_its_own(part: str, page: str) -> None:
    assert any(url.startswith(page) for url in found(part, 4)), found(part, 4)


def test_the_sample_question_meets_pages_that_contradict_each_other() -> None:
    first = found(QUESTION, 8)
    assert any("what-the-5-5-million-figure-counts" in url for url in first)
    assert any("r1-for-5-5-million" in url for url in first)


def test_a_natural_question_meets_the_page_with_planted_instructions() -> None:
    assert any("ai-tips-today" in url for url in found("prompting tips for DeepSeek-R1", 5))


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("inside the lab that built R1", "inside-the-lab-that-built-r1"),
        ("the real cost of R1 line by line", "www.gatekept-review.example"),
        ("how R1-Zero taught itself to think", "www.humancheck-times.example"),
    ],
)
def test_pages_that_cannot_be_read_are_listed_like_others(question: str, page: str) -> None:
    assert any(page in url for url in found(question))


@pytest.mark.parametrize("question", ["zebra crossing", "", "?!", '"', "* OR NEAR(", "\x00", "斑马"])
def test_what_no_page_speaks_of_finds_nothing(question: str) -> None:
    assert found(question, 5) == []


def test_redirects_are_not_listed() -> None:
    assert all("/" + url.partition("/")[2] != "/r1" for url in found("R1", 50))


def test_a_question_finds_the_same_pages_twice() -> None:
    assert found(QUESTION, 20) == [e.url.removeprefix("http://") for e in SampleIndex(load()).find(QUESTION, 20)]
