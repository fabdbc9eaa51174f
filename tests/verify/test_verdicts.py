"""Claims come back in order, with quotes that are slices of the stored text, links that open there, and verdicts."""

from dataclasses import replace

import pytest

from agent.types import Citation, Claim, JudgeVerdict, Source
from agent.verify.claims import UNCITED, claims
from agent.verify.verdicts import NoChecker, RuleChecker

TABLE = "| Model | Price |\n|---|---|\n| R1 | $0.55 |\n"
TEXT = f"# R1\n\nR1 was released on January 20, 2025. It has 671B parameters.\n\n{TABLE}"


def source(number, page_starts=()):
    url = f"https://{number}.example/a"
    return Source(
        number, f"d{number}", f"s{number}", url, "T", f"{number}.example", "2026-01-01", page_starts=page_starts
    )


def sources(text=TEXT, page_starts=()):
    return {1: (source(1, page_starts), text), 2: (source(2), "Paris is a city in France.")}


async def checked(answer, checker=None, **words):
    return await (checker or RuleChecker()).check(claims(answer), sources(**words))


async def test_a_claim_gets_its_quote_its_link_and_its_verdict():
    (claim,) = await checked("R1 was released on January 20, 2025 [1].")
    (citation,) = claim.citations
    assert claim.verdict == "supported"
    assert TEXT[citation.start : citation.end] == citation.quote == "R1 was released on January 20, 2025."
    assert citation.link.startswith("https://1.example/a#:~:text=R1")


async def test_a_changed_number_is_refuted_and_says_why():
    (claim,) = await checked("R1 was released on January 20, 2026 [1].")
    assert (claim.verdict, claim.why) == ("refuted", "the source says “January 20, 2025”, not “January 20, 2026”")


async def test_the_right_fact_with_the_wrong_source_is_unchecked_and_has_no_quote():
    (claim,) = await checked("R1 was released on January 20, 2025 [2].")
    assert claim.verdict == "unchecked"
    assert claim.why == (
        "no passage of the sources cited bears this; “R1”, “January 20, 2025” stand in none of the cited pages"
    )
    assert (claim.missing, claim.found) == (("R1", "January 20, 2025"), ())
    assert claim.citations == (Citation(2, link="https://2.example/a"),)


async def test_one_source_that_bears_the_claim_is_enough():
    (claim,) = await checked("R1 was released on January 20, 2025 [2][1].")
    assert claim.verdict == "supported"
    assert [c.quote is None for c in claim.citations] == [True, False]


async def test_each_clause_may_have_its_own_source():
    (claim,) = await checked("R1 was released on January 20, 2025 [1], and Paris is a city in France [2].")
    assert claim.verdict == "supported"
    (claim,) = await checked("R1 was released on January 20, 2025 [2], and Paris is a city in France [1].")
    assert claim.verdict == "unchecked"


async def test_what_is_missing_is_said_and_what_stands_there_instead():
    (claim,) = await checked("R1 was made with 617B parameters in 2025 [1].")
    assert (claim.missing, claim.found) == (("617B",), ("R1", "2025"))
    assert claim.why.endswith("“617B” stands in none of the cited pages; they have “671B”")


async def test_a_sentence_that_points_back_counts_only_after_the_same_sentence():
    text = "The old bridge is made of stone. It was opened on 12 May 1934 by the mayor."
    (_, same) = await checked(f"The old bridge is made of stone [1]. {text.split('. ')[1][:-1]} [1].", text=text)
    (_, other) = await checked(f"The new tunnel is made of steel [1]. {text.split('. ')[1][:-1]} [1].", text=text)
    assert (same.verdict, other.verdict) == ("supported", "unchecked")


@pytest.mark.parametrize(
    "text",
    [
        "Common errors:\n\n- The bridge is made of stone.",
        "“We know it all. The bridge is made of stone. Trust us,” said the mayor.",
        "(This is a tale. The bridge is made of stone.)",
        "Is this true? The bridge is made of stone, they say.",
        "The bridge is made of stone?",
        "# The bridge is made of stone",
    ],
)
async def test_a_whole_sentence_is_none_where_something_around_it_may_take_it_back(text):
    (claim,) = await checked("The bridge is made of stone [1].", text=text)
    assert claim.verdict == "unchecked"


async def test_an_uncited_claim_is_unsupported_without_asking():
    (claim,) = await checked("R1 has 671B parameters.")
    assert (claim.verdict, claim.why) == ("unsupported", UNCITED)


async def test_a_cell_is_looked_for_with_its_heads():
    (claim,) = await checked("| Model | Price |\n|---|---|\n| R1 | $0.55 [1] |\n")
    assert claim.citations[0].quote == "| R1 | $0.55 |"


async def test_a_quote_in_a_pdf_knows_its_page():
    (claim,) = await checked("It has 671B parameters [1].", page_starts=(0, TEXT.index("It has")))
    assert claim.citations[0].page == 2


@pytest.mark.parametrize("checker", [RuleChecker(), NoChecker()])
async def test_order_and_offsets_are_kept_and_large_sources_give_the_same(checker):
    answer = "R1 was released on January 20, 2025 [1]. It has 671B parameters [1]."
    small = await checked(answer, checker)
    large = await checked(answer, checker, text=TEXT + "\n\nFiller goes here and there.\n" * 2_000)
    assert [(c.text, c.start, c.verdict) for c in small] == [(c.text, c.start, c.verdict) for c in large]


async def test_without_checking_quotes_are_found_and_verdicts_are_not_given():
    (claim,) = await checked("R1 was released on January 20, 2026 [1].", NoChecker())
    assert (claim.verdict, claim.why) == ("unchecked", "not checked")
    assert claim.citations[0].quote == "R1 was released on January 20, 2025."


async def test_a_source_that_is_not_there_is_no_error():
    (claim,) = await RuleChecker().check([Claim("R1 is open [9].", 0, 15, (Citation(9),))], sources())
    assert (claim.verdict, claim.citations[0].quote) == ("unchecked", None)


async def test_a_page_that_hides_its_text_supports_nothing_and_refutes_nothing():
    hidden = {1: (replace(source(1), suspect=True), TEXT), 2: (source(2), "Paris is a city in France.")}
    answer = "R1 was released on January 20, 2025 [1]. R1 was released on January 21, 2025 [1]."
    for claim in await RuleChecker().check(claims(answer), hidden):
        assert claim.verdict == "unchecked"
        assert "hides" in claim.why
        assert claim.citations[0].quote


async def test_no_judge_is_asked_about_a_page_that_hides_its_text():
    asked = []

    async def examine(cases):
        asked.extend(cases)
        return []

    hidden = {1: (replace(source(1), suspect=True), TEXT)}
    await RuleChecker().check(claims("R1 was released in winter, some say [1]."), hidden, examine)
    assert asked == []


async def test_an_open_page_beside_one_that_hides_its_text_may_support():
    both = {1: (replace(source(1), suspect=True), TEXT), 2: (source(2), TEXT)}
    (claim,) = await RuleChecker().check(claims("R1 was released on January 20, 2025 [1][2]."), both)
    assert claim.verdict == "supported"


LISTED = """# What the figure counts

The sum is the price of computing time. It leaves out:

- the salaries of the people who built it
- runs that failed and had to be started again
"""


@pytest.mark.parametrize(
    ("lead_in", "verdict"),
    [
        ("It leaves out:", "supported"),
        ("The figure leaves out the following:", "unchecked"),  # a paraphrase: for a judge
        ("It includes:", "unchecked"),
        ("It does not leave out:", "unchecked"),
        ("## What it includes\n", "unchecked"),
    ],
)
async def test_an_item_says_its_words_only_together_with_what_introduces_it(lead_in, verdict):
    (claim,) = await checked(f"{lead_in}\n\n- runs that failed and had to be started again [1]\n", text=LISTED)
    assert claim.verdict == verdict


async def test_two_rows_of_a_table_say_nothing_together():
    tolls = "# Tolls\n\n| Vehicle | Toll |\n|---|---|\n| Car | 45 crowns |\n| Lorry | 120 crowns |\n"
    (claim,) = await checked("The toll is 45 crowns for a lorry [1].", text=tolls)
    assert claim.verdict == "unchecked"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("R1 was released on January 21, 2025 [1], and it has 671B parameters [1].", "refuted"),
        ("It has 671B parameters [1]; R1 was released on January 21, 2025 [1].", "refuted"),
        ("Since R1 came out on January 20, 2025 [1], much has happened [1].", "unchecked"),
    ],
)
async def test_of_a_sentence_that_cites_for_each_clause_one_that_is_refuted_is_enough(answer, verdict):
    (claim,) = await checked(answer)
    assert claim.verdict == verdict


async def test_an_item_of_one_list_is_none_of_the_list_above_it():
    text = "The index includes:\n\n- the rent of the flat\n\nIt leaves out:\n\n- the interest on debts\n"
    own, other = await checked(
        "The index includes:\n\n- the rent of the flat [1]\n- the interest on debts [1]\n", text=text
    )
    assert (own.verdict, other.verdict) == ("supported", "unchecked")


async def test_an_item_that_is_a_sentence_stands_by_itself():
    (claim,) = await checked("What is known:\n\n- R1 was released on January 20, 2025 [1].\n")
    assert claim.verdict == "supported"


async def test_a_judge_sees_what_introduces_an_item_in_the_answer():
    seen = []

    async def examine(cases):
        seen.extend(cases)
        return []

    answer = "It includes:\n\n- runs that failed and had to be started again [1]\n"
    await RuleChecker().check(claims(answer), sources(text=LISTED), examine)
    (case,) = seen
    assert case.context == "It includes:"


async def test_a_judge_sees_the_sentence_before_a_claim_and_the_name_of_the_site():
    seen = []

    async def examine(cases):
        seen.extend(cases)
        return []

    answer = "R1 was released on January 20, 2025 [1]. That model is said to hold 671 billion weights [1]."
    await RuleChecker().check(claims(answer), sources(), examine)
    assert [(case.context, case.exhibits[0].site) for case in seen] == [
        ("R1 was released on January 20, 2025.", "1.example")
    ]


async def shown_to_a_judge(answer, text, seen=None):
    cases = []

    async def examine(asked):
        cases.extend(asked)
        return []

    await RuleChecker().check(claims(answer), sources(text=text), examine, seen)
    return ["\n".join(exhibit.text for exhibit in case.exhibits) for case in cases]


async def test_a_judge_sees_where_each_figure_of_a_claim_stands():
    text = "\n\n".join(
        [
            "On the older test set the summaries of R1 were wrong in 14.3 per cent and those of V3 in 3.9 per cent.",
            *["Nobody expected that the summaries would differ much between the two test sets and models."] * 4,
            "On the new test set the summaries of R1 were wrong in 11.3 per cent and those of V3 in 6.1 per cent.",
        ]
    )
    answer = "Of its summaries R1 got 14.3 per cent wrong (V3: 3.9), and 11.3 per cent (V3: 6.1) on the new set [1]."
    (shown,) = await shown_to_a_judge(answer, text)
    assert "14.3" in shown
    assert "11.3" in shown


async def test_of_a_source_in_another_language_a_judge_sees_what_the_writer_saw():
    first = "Its abilities to reason were brought out by reinforcement learning alone, without any examples."
    text = f"# R1-Zero\n\nAn introduction that says nothing of how it was made.\n\n{first}\n\nSomething else follows."
    start = text.index(first)
    answer = "R1-Zero 的推理能力完全是通过强化学习得到的[1]。"
    assert first not in (await shown_to_a_judge(answer, text))[0]
    assert await shown_to_a_judge(answer, text, {1: [(start, start + len(first))]}) == [f"[…]\n{first}\n[…]"]


async def test_a_judge_sees_a_source_as_its_writer_saw_it_whatever_the_claim():
    text = (
        "# Fruit\n\nAn introduction to fruit.\n\nApples give off ethylene, which makes others ripen.\n\nMore follows."
    )
    start = text.index("Apples")
    saw = {1: [(start, start + 51)]}
    assert await shown_to_a_judge("GPUs became dear [1].", text) == []
    for claim in ("GPUs became dear [1].", "Fruit became dear [1]."):
        assert await shown_to_a_judge(claim, text, saw) == [f"[…]\n{text[start : start + 51]}\n[…]"]


async def test_of_a_chinese_page_no_character_is_lost_between_two_slices():
    text = "青川的造纸厂建于一九八八年。工厂有八百名工人。后来厂房搬走了。"
    middle = text.index("工厂有")
    saw = {1: [(0, middle), (middle, len(text))]}
    assert await shown_to_a_judge("工厂在山上 [1]。", text, saw) == [text]


async def test_words_that_stand_nowhere_are_asked_for_once_more_and_then_the_claim_is_undecided():
    asked = []

    async def examine(cases):
        asked.append([case.failed for case in cases])
        return [JudgeVerdict(at, "supported", ("no such words",)) for at in range(len(cases))]

    (claim,) = await RuleChecker().check(claims("R1 came out in winter, some say [1]."), sources(), examine)
    assert (claim.verdict, claim.why) == ("unchecked", "the model that checks named words that are not in the source")
    assert asked == [[""], ["the words “no such words” stand nowhere on its webpages; copy them letter for letter"]]


async def test_deciding_words_may_stand_anywhere_on_the_page():
    async def examine(cases):
        return [JudgeVerdict(0, "supported", ("It has 671B parameters",))]

    saw = {1: [(0, 45)]}
    (claim,) = await RuleChecker().check(claims("R1 has many parameters [1]."), sources(), examine, saw)
    assert claim.verdict == "supported"
    assert "It has 671B parameters." in claim.citations[0].quote


async def test_what_is_not_said_of_a_claim_is_told():
    async def examine(cases):
        return [JudgeVerdict(0, "partial", ("R1 was released",), "in winter")]

    (claim,) = await RuleChecker().check(claims("R1 came out in winter, some say [1]."), sources(), examine)
    assert claim.why == "the source says a part of it only: “R1 was released”; not said: in winter"


@pytest.mark.parametrize(("lead_in", "verdict"), [("It leaves out:", "supported"), ("It counts:", "unchecked")])
async def test_a_fragment_with_a_full_stop_is_no_sentence(lead_in, verdict):
    text = "# The figure\n\nIt leaves out:\n\n- The people, their salaries, and the cleaning of the data.\n"
    headed = text.replace("It leaves out:", "## What it leaves out")
    answer = f"{lead_in}\n\n- The people, their salaries, and the cleaning of the data [1].\n"
    (claim,) = await checked(answer, text=text)
    assert claim.verdict == verdict
    (claim,) = await checked(answer, text=headed)
    assert claim.verdict == "unchecked"


FRAMED = [
    (
        "## It leaves out\n\n- The people.\n- The cards.\n- All that made it think: this came later.",
        "It leaves out:\n\n- All that made it think: this came later. [1]",
        "supported",
    ),
    ("## Myths about bees\n- Honey cures hay fever\n- Bees sleep a lot", "Honey cures hay fever [1].", "unchecked"),
    ("Myths about bees\n- Honey cures hay fever.\n- Bees sleep.", "Honey cures hay fever [1].", "unchecked"),
    ("Myths about bees\n- Honey cures hay fever.", "## Myths about bees\n\n- Honey cures hay fever [1].", "supported"),
    (
        "The law before May 2020\nLandlords kept the deposit for a year. It is gone.",
        "Landlords kept the deposit for a year [1].",
        "unchecked",
    ),
    (
        "By Ann Lee\n\nLandlords kept the deposit for a year. It is gone.",
        "Landlords kept the deposit for a year [1].",
        "supported",
    ),
    (
        "- Salt\n- Oil\nLandlords kept the deposit for a year.",
        "Landlords kept the deposit for a year [1].",
        "supported",
    ),
    (
        "What did they do then?\n\nLandlords kept the deposit for a year.",
        "Landlords kept the deposit for a year [1].",
        "supported",
    ),
    (
        "The plot plays in Leeds. The mayor dies in a blast. It has 90 pages.",
        "The mayor dies in a blast [1].",
        "unchecked",
    ),
    ("The mayor dies in a blast. It is said to be a legend.", "The mayor dies in a blast [1].", "supported"),
    (
        "1962年の観光案内より：\n島には映画館が三軒あり、毎晩満員である。",
        "島には映画館が三軒あり、毎晩満員である[1]。",
        "unchecked",
    ),
]


@pytest.mark.parametrize(("text", "answer", "verdict"), FRAMED)
async def test_what_stands_above_a_sentence_may_take_it_back(text, answer, verdict):
    (claim,) = await checked(answer, text=text)
    assert claim.verdict == verdict
