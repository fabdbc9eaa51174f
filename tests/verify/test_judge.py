"""A judge's verdict counts only with words that stand in the passages; a silent judge has decided nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.tokens import is_small, tokens
from agent.types import JudgeVerdict, Source
from agent.verify import judge as judging
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
        self.rejected = [case.failed for case in self.cases if case.failed]
        return [JudgeVerdict(at, self.outcome, self.words) for at in range(len(cases))] if self.outcome else []


async def judged(answer, judge, text=TEXT, seen=None):
    sources = {1: (source(), text), 2: (source(2), "Cats sleep.")}
    (claim,) = await RuleChecker().check(claims(answer), sources, judge, seen)
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


# ------------------------------------------------------------------------------------------------- deciding words


@pytest.mark.parametrize(
    ("words", "text", "there"),
    [
        ("didn't close", "They didn’t close the plant.", "didn’t close"),
        ("can’t be used", "It can't be used at night.", "can't be used"),
        ("عام ١٥١٩", "ليوناردو توفي عام ١٥١٩ في فرنسا", "عام ١٥١٩"),
        ("عام 1519", "ليوناردو توفي عام ١٥١٩ في فرنسا", "عام ١٥١٩"),
        ("كتب الرسالة", "كَتَبَ الرسالةَ في عام 1519", "كَتَبَ الرسالة"),
        ("सन् 1947", "भारत सन् १९४७ में स्वतंत्र हुआ", "सन् १९४७"),
        ("in January", "It was signed in Janu\u200bary of 1990.", "in Janu\u200bary"),
        ("won in 1815", "He won[3]\nin 1815.", "won[3]\nin 1815"),
        ("it said … the plant", "Later it said, after a long talk, that the plant stays.", None),
        ("在2019年", "公司在２０１９年成立", "在２０１９年"),
    ],
)
def test_words_are_found_in_every_spelling_that_a_page_may_have(words, text, there):
    start, end = find_words(words, text)
    assert there is None or text[start:end] == there


def test_dots_stand_for_a_clause_and_not_for_the_rest_of_the_page():
    text = f"Acme grew. {'Filler words here. ' * 30}Shops closed. {'More filler. ' * 30}A factory."
    assert not find_words("Acme … closed … factory", text)
    assert not find_words("factory … Acme", text)
    assert not find_words("closed [...] Acme", text)


@given(st.text(alphabet="ab 5厂家。,\n“'\u200b\u00ad", min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 20))
def test_what_is_copied_from_a_page_is_found_there(text, start, size):
    words = text[start : start + size]
    whole = {(token.start, token.end) for token in tokens(text)}
    copied = tokens(words)
    on_edges = all((token.start + start, token.end + start) in whole for token in copied)
    if "\u200b" in text or not on_edges or all(is_small(token.word) for token in copied):
        return
    found_start, found_end = find_words(words, text)
    there = iter(token.word for token in tokens(text[found_start:found_end]))
    assert all(token.word in there for token in copied)  # in order; some words may be between them


class Counted(list):
    """A list that counts how often one of its items is asked for."""

    looks = 0

    def __getitem__(self, at):
        self.looks += 1
        return super().__getitem__(at)


@pytest.mark.parametrize("size", [1_000, 2_000, 4_000])
def test_looking_for_words_grows_with_the_page_and_no_faster(size):
    spelt = Counted(["r1", "is"] * size)
    for first in range(0, 2 * size, 2):
        judging._last_of(["r1"] * 10 + ["open"], spelt, first, first + 22)
    assert spelt.looks <= 22 * size


@pytest.mark.parametrize("outcome", ["supported", "partial", "refuted"])
async def test_words_of_another_part_of_the_page_support_nothing(outcome):
    text = (
        "Norwell bakes bread.\n\nIts shops close at noon.\n\nCookies help us.\n\nClick below, please.\n\nThank you all."
    )
    judge = Judge(outcome, "Click below")
    claim = await judged("Norwell has 46 branches [1].", judge, text)
    if outcome == "supported":
        assert (claim.verdict, len(judge.cases)) == ("unchecked", 2)
        assert "not about the claim" in judge.rejected[0]
        assert "not about this" in claim.why
    else:
        assert (claim.verdict, judge.rejected) == (outcome, [])


async def test_words_in_another_language_support_where_they_were_shown():
    text = "Die Bäckerei verkauft seit dem Frühjahr kein Brot mehr, wie der Inhaber der Zeitung gesagt hat."
    said = "The shop no longer sells any loaves [1]."
    claim = await judged(said, Judge("supported", "kein Brot mehr"), text, {1: [(0, 60)]})
    assert claim.verdict == "supported"


async def test_the_title_and_the_date_of_a_source_are_its_words_too():
    said = "A report of March 2025 puts the share of harmless additions at about 72 per cent [1]."
    judge = Judge("supported", "71.7 per cent", "A report", "date: 2025-03-02")
    assert ((await judged(said, judge)).verdict, judge.rejected) == ("supported", [])


# ------------------------------------------------------------------------------------------------- what is shown


def test_no_more_words_are_looked_for_than_a_judge_was_asked_to_copy():
    page = " ".join(f"w{at}" for at in range(200))
    assert find_words(f"{page} and what is not there", page)


async def test_the_nearest_passage_is_shown_also_where_the_writer_did_not_see_it():
    judge = Judge("unsupported")
    text = f"Norwell bakes bread. {'It rained that day. ' * 60}Marta Kvist founded Norwell in Aldport."
    await judged("Kvist founded Norwell, of Aldport, long ago [1].", judge, text, {1: [(0, 20)]})
    (exhibit,) = judge.cases[0].exhibits
    assert exhibit.text == "Norwell bakes bread.\n[…]"
    assert "Marta Kvist founded Norwell in Aldport." in exhibit.more


@pytest.mark.parametrize("seen", [[(0, 70)], [(0, 30), (30, 70)], [(30, 70), (0, 31)]])
async def test_a_passage_that_the_writer_saw_is_not_shown_twice(seen):
    judge = Judge("unsupported")
    text = f"Marta Kvist founded Norwell in Aldport in spring. {'It rained that day. ' * 60}"
    await judged("Kvist founded Norwell, of Aldport, long ago [1].", judge, text, {1: seen})
    assert judge.cases[0].exhibits[0].more == ""
