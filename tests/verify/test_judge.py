"""A judge's verdict counts only with words that stand in the passages; a silent judge has decided nothing."""

import pytest

from agent.types import Judgement, Source
from agent.verify.claims import claims
from agent.verify.judge import find_words
from agent.verify.verdicts import RuleChecker

TEXT = (
    "Vectara measured it. They call it overhelping.\n\nLooking closer they found that 71.7 per cent of the additions "
    "were benign.\n\nThe firm sold 120 ships in 1999, as its owner told the papers.\n\n"
    "| Model | Price |\n|---|---|\n| R1 | $0.55 |"
)
CLAIM = "According to Vectara, 71.7 per cent of what R1 added did no harm [1]."


def source(number=1):
    url = f"https://{number}.example/a"
    return Source(number, "d", "s", url, "A report", f"{number}.example", "2026-01-01", published="2025-03-02")


class Judge:
    """Says the same of every case, and keeps what it was shown."""

    def __init__(self, outcome=None, *words):
        self.outcome, self.words, self.cases = outcome, words, []

    async def __call__(self, cases):
        self.cases += cases
        return [Judgement(at, self.outcome, self.words) for at in range(len(cases))] if self.outcome else []


async def judged(answer, judge, text=TEXT):
    (claim,) = await RuleChecker().check(claims(answer), {1: (source(), text), 2: (source(2), "Cats sleep.")}, judge)
    return claim


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        ("supported", "supported"),
        ("partial", "partial"),
        ("refuted", "refuted"),
    ],
)
async def test_a_verdict_with_words_of_the_passage_counts_and_says_them(outcome, verdict):
    claim = await judged(CLAIM, Judge(outcome, "71.7 per cent", "were\nbenign"))
    assert claim.verdict == verdict
    assert "“71.7 per cent”, “were benign”" in claim.why


@pytest.mark.parametrize("outcome", ["supported", "partial", "refuted"])
async def test_words_that_are_not_in_the_passages_make_it_unchecked(outcome):
    assert (await judged(CLAIM, Judge(outcome, "71.7 per cent", "were harmless"))).verdict == "unchecked"
    assert (await judged(CLAIM, Judge(outcome))).verdict == "unchecked"
    assert (await judged(CLAIM, Judge(outcome, "of the"))).verdict == "unchecked"


async def test_unsupported_needs_no_words_and_silence_decides_nothing():
    assert (await judged(CLAIM, Judge("unsupported"))).verdict == "unsupported"
    assert (await judged(CLAIM, Judge("cannot tell"))).verdict == "unchecked"
    assert (await judged(CLAIM, Judge())).verdict == "unchecked"


async def test_what_rules_support_is_not_put_before_the_judge():
    judge = Judge("refuted", "71.7 per cent")
    claim = await judged("Looking closer they found that 71.7 per cent of the additions were benign [1].", judge)
    assert (claim.verdict, judge.cases) == ("supported", [])


async def test_what_rules_refute_stays_refuted_unless_the_judge_reads_support():
    false = "The firm sold 210 ships in 1999, as its owner told the papers [1]."
    assert (await judged(false, Judge("refuted", "120 ships"))).verdict == "refuted"
    assert (await judged(false, Judge("cannot tell"))).verdict == "refuted"
    assert (await judged(false, Judge())).verdict == "refuted"
    assert (await judged(false, Judge("supported", "no such words"))).verdict == "refuted"
    against = await judged(false, Judge("supported", "sold 120 ships"))
    assert against.verdict == "unchecked"
    assert "disagree" in against.why


async def test_a_number_that_no_passage_has_is_not_supported_whatever_a_judge_says():
    said = "In the report Vectara puts the share of harmless additions at 73 per cent [1]."
    assert (await judged(said, Judge("supported", "71.7 per cent"))).verdict == "unchecked"


async def test_the_day_of_the_source_may_stand_in_a_claim():
    said = "As of March 2025, Vectara puts the share of harmless additions at about 72 per cent [1]."
    assert (await judged(said, Judge("supported", "71.7 per cent"))).verdict == "supported"


async def test_a_case_has_the_sentences_around_the_passage_and_the_source_but_no_marks():
    judge = Judge()
    await judged(CLAIM, judge)
    (case,) = judge.cases
    assert case.claim == CLAIM.replace(" [1]", "")
    assert "71.7 per cent" in " ".join(e.text for e in case.exhibits)
    assert {(e.source, e.title, e.published) for e in case.exhibits} == {(1, "A report", "2025-03-02")}


async def test_a_claim_that_no_passage_bears_is_judged_by_the_nearest():
    judge = Judge("unsupported")
    claim = await judged("Dogs bark at night in Oslo, and 71 ships left [2].", judge)
    assert claim.citations[0].quote is None
    assert claim.verdict in ("unsupported", "unchecked")


async def test_a_cell_is_judged_with_its_heads_and_the_head_of_its_row():
    judge = Judge("supported", "R1 $0.55")
    claim = await judged("| Modell | Eingabe |\n|---|---|\n| R1 | 56 Cent [1] |\n", judge)
    assert (judge.cases[0].about, judge.cases[0].claim) == ("R1 / Eingabe", "56 Cent")
    assert "| Model | Price |\n|---|---|\n| R1 | $0.55 |" in judge.cases[0].exhibits[0].text
    assert claim.verdict == "unchecked"  # "56" stands nowhere


async def test_the_quote_moves_to_the_deciding_words():
    text = "Vectara says that R1 mostly adds harmless things.\n\nSeven tenths hurt nobody at all."
    claim = await judged(
        "According to Vectara, R1 mostly adds harmless things to texts [1].",
        Judge("supported", "tenths hurt nobody"),
        text,
    )
    quote = claim.citations[0]
    assert quote.quote == "Seven tenths hurt nobody at all."
    assert text[quote.start : quote.end] == quote.quote


def test_words_are_found_whatever_the_spelling_and_with_small_gaps():
    text = (
        "The “weights” of R1 — all 671B of them — are open, since Janu\u00adary. "
        + "Filler word. " * 40
        + "Licence: MIT."
    )
    assert find_words('the "weights" of R1', text) == (0, 19)
    assert find_words("weights … are open", text)
    assert find_words("weights are open", text)
    assert find_words("since January", text)
    assert not find_words("open are weights", text)
    assert not find_words("weights MIT", text)
    assert not find_words("…", text)
    assert not find_words("of the", text)


async def test_a_figure_in_other_words_may_be_supported_and_another_in_digits_not():
    told = "Dr Sole reported in 2018 that 62 percent of the patients improved."
    judge = Judge("supported", "62 percent of the patients improved")
    loose = "By Sole's 2018 account, roughly six in ten who took it felt better [1]."
    assert (await judged(loose, judge, told)).verdict == "supported"
    assert (await judged(loose.replace("six in ten", "54 percent"), judge, told)).verdict != "supported"
    assert (await judged(loose.replace("2018", "2016"), judge, told)).verdict != "supported"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("The tunnel is six kilometres long and open to all [1].", "unchecked"),
        ("The tunnel is about four kilometres long and open to all [1].", "supported"),
        ("The tunnel, open to all, took three decades [1].", "supported"),
    ],
)
async def test_a_measure_in_words_that_no_passage_is_near_is_not_supported_whatever_a_judge_says(said, verdict):
    text = "Everybody may use the new tunnel, which is 4.2 kilometres long. It was begun in 1990 and ended in 2020."
    assert (await judged(said, Judge("supported", "Everybody may use the new tunnel"), text)).verdict == verdict
