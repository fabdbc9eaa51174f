"""A cell is decided by its own cell in the source's table; heads, in any language, are never held against it."""

import pytest

from agent.types import Source
from agent.verify.claims import claims
from agent.verify.verdicts import RuleChecker

SOURCE = """# Distilled models

| Model | Base model | Parameters |
|---|---|---|
| R1-Distill-Qwen-1.5B | Qwen2.5 | 1.5 billion |
| R1-Distill-Qwen-7B | Qwen2.5-Math | 7 billion |
| R1-Distill-Llama-8B | Llama-3.1-8B | 8 billion |

| Year | R1 | V3 |
|---|---|---|
| 2024 | $0.55 | $0.14 |
| 2025 | $0.70 | $0.27 |

| Benchmark | R1 (in %) | Cost (in million $) |
|---|---|---|
| Exam of 2025 | 8.5 | 5.5 |

In Go, version 1.21 was released in August 2023.
"""


async def cell(head: str, row: str, said: str):
    answer = f"| x | {head} |\n|---|---|\n| {row} | {said} [1] |\n"
    source = Source(1, "d", "s", "https://1.example/a", "T", "1.example", "2026-01-01")
    (claim,) = await RuleChecker().check(claims(answer), {1: (source, SOURCE)})
    return claim


TRUE = [
    ("Grundlage", "R1-Distill-Qwen-1.5B", "Qwen2.5"),
    ("基础模型", "R1-Distill-Llama-8B", "Llama-3.1-8B"),
    ("Parameter", "R1-Distill-Qwen-1.5B", "1,5 Milliarden"),
    ("Parameters (2025)", "R1-Distill-Qwen-7B", "7B"),
    ("Größe", "R1-Distill-Qwen-7B", "7B"),
    ("2024", "R1", "$0.55"),
    ("2025", "R1", "0.70 US dollars"),
    ("R1", "2025", "$0.70"),
    ("R1", "Exam of 2025", "8.5 %"),
    ("Cost", "Exam of 2025", "$5.5 million"),
    ("Veröffentlicht", "Go 1.21", "August 2023"),
    ("Version am 1. Mai 2024", "Go", "1.21"),
    ("发布日期", "Go 1.21", "2023年8月"),
]


@pytest.mark.parametrize(("head", "row", "said"), TRUE)
async def test_a_true_cell_is_never_refuted(head, row, said):
    assert (await cell(head, row, said)).verdict in ("supported", "unchecked")


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("Base model", "R1-Distill-Qwen-1.5B", "Qwen2.5"),
        ("Parameters", "R1-Distill-Qwen-7B", "7B"),
        ("parameters", "R1-Distill-Qwen-1.5B", "1.5B"),
        ("2024", "R1", "$0.55"),
        ("R1", "2025", "$0.70"),
    ],
)
async def test_a_cell_that_the_source_has_under_the_same_heads_is_supported(head, row, said):
    assert (await cell(head, row, said)).verdict == "supported"


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("Parameters", "R1-Distill-Qwen-7B", "8 billion"),
        ("2025", "R1", "$0.55"),
        ("V3", "2024", "$0.55"),
    ],
)
async def test_a_cell_with_another_value_is_refuted(head, row, said):
    claim = await cell(head, row, said)
    assert claim.verdict == "refuted"
    assert claim.why.startswith("the source's table has “")


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("Parameter", "R1-Distill-Qwen-7B", "7B"),  # another head: for a judge
        ("Released", "Go", "August 2023"),
        ("Base model", "R1-Distill-Qwen-7B", "Qwen2.5"),  # less than the source's: a part of the name
        ("Input price", "2024", "$0.14"),
        ("V3", "2023", "$0.14"),
        ("Released", "Go 1.21", "May 2023"),
    ],
)
async def test_a_value_that_stands_elsewhere_is_no_support(head, row, said):
    assert (await cell(head, row, said)).verdict != "supported"


async def test_the_quote_comes_from_the_row_that_the_head_names():
    assert (
        (await cell("Parameters", "R1-Distill-Qwen-7B", "8 billion"))
        .citations[0]
        .quote.startswith("| R1-Distill-Qwen-7B")
    )
