"""Every sentence that states a fact is a claim, exactly where it stands; nothing else is."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.graph.steps.verify import _HANGS
from agent.phrases import phrase, reason
from agent.text.citation_marks import marks
from agent.text.notices import is_remark
from agent.verify.claims import UNCITED, claims, dependent_claims, remove_claims, set_apart
from agent.verify.judge import _WHY
from agent.verify.verbatim import rule_on_sentence
from tests.verify.test_verbatim import PAIRS


def cut(answer):
    found = claims(answer)
    assert all(answer[c.start : c.end] == c.text for c in found)
    return [(c.text, [citation.source for citation in c.citations]) for c in found]


CLAIMS = {
    "R1 is open [1]. It is big. [2][3] And old [4].": [
        ("R1 is open [1].", [1]),
        ("It is big. [2][3]", [2, 3]),
        ("And old [4].", [4]),
    ],
    "It costs $5.5M [3], and took 2,048 GPUs [1], says one [3].": [
        ("It costs $5.5M [3], and took 2,048 GPUs [1], says one [3].", [3, 1])
    ],
    "- **Price**: $0.55 [2]\n- free. [1] Really so.\n1. first [3]": [
        ("**Price**: $0.55 [2]", [2]),
        ("free. [1]", [1]),
        ("first [3]", [3]),
    ],
    "模型已开源[3]。成本为550万美元。[1][2]": [("模型已开源[3]。", [3]), ("成本为550万美元。[1][2]", [1, 2])],
    "> Quoted here. [1]": [("Quoted here. [1]", [1])],
    "`x[1]` is code [2].": [("`x[1]` is code [2].", [2])],
}


@pytest.mark.parametrize(("answer", "expected"), CLAIMS.items())
def test_cited_sentences_are_claims_with_their_sources(answer, expected):
    assert cut(answer) == expected


def test_an_uncited_fact_is_a_claim_without_support():
    (claim,) = claims("R1 has 671B parameters.")
    assert (claim.citations, claim.verdict, claim.why) == ((), "unsupported", UNCITED)


NO_CLAIMS = [
    "# R1 is open",
    "Is R1 open [1]?",
    "R1是开源的吗？",
    "The main points are:",
    "**Key facts**",
    "Yes.",
    "```\nR1 is open. [1]\n```",
    "$$\nx = 1\n$$",
    "[1]",
    "---",
    "| A | B |\n|---|---|\n| a | – |",
    "The sources do not say how much it cost.",
    "来源未提及价格。",
    "I hope this helps!",
    f"*{phrase('no_model', 'en')}*",
    f"*{phrase('model_failed', 'de', because='Zeit [1] um: 3 s')}*",
    phrase("part_unanswered", "zh", part="价格"),
    "*The sources found do not answer this part: whether it was cheap, though 5 said so.*",
]


def test_a_sentence_that_cites_is_a_claim_however_it_opens():
    (claim,) = claims("The following has been found at the site: gold, human bones, iron tools [1].")
    assert [citation.source for citation in claim.citations] == [1]


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_headings_questions_code_and_remarks_are_no_claims(text):
    assert claims(text) == []


FACTS = [
    "The sources do not say it, but R1 took 2,048 GPUs.",
    "R1 does not need a system prompt.",
    "Open-source models do not report their data.",
    "Evidence shows that masks do not work.",
    "R1没有使用监督微调。",
]


@pytest.mark.parametrize("text", FACTS)
def test_a_fact_is_not_taken_for_a_remark(text):
    assert not is_remark(text)


def test_a_cell_says_what_it_is_about_and_cites_with_its_row():
    table = "| Model | Price [4] | Source |\n|---|---|---|\n| R1 | $1 | [1] |\n| o1 [3] | $15 [2] | |\n"
    found = [(c.text, c.about, [x.source for x in c.citations]) for c in claims(table)]
    assert found == [("$1", "R1 / Price", [1, 4]), ("$15 [2]", "o1 / Price", [2, 3, 4])]


def failed(answer, *texts, why="so"):
    return [replace(c, verdict="refuted", why=why) for c in claims(answer) if c.text in texts]


def test_an_answer_without_failed_claims_stays_as_it_is():
    assert set_apart("R1 is open [1].", claims("R1 is open [1]."), "en") == "R1 is open [1]."


def test_failed_claims_stand_below_the_body_with_their_reason_and_are_cut_again_as_they_were():
    answer = "R1 is open [1]. It is old [2].\n\nIt has 671B parameters."
    checked = [replace(c, verdict="refuted", why="no: “new”") if "old" in c.text else c for c in claims(answer)]
    apart = set_apart(answer, checked, "en")
    assert apart == (
        "R1 is open [1].\n\n## Not confirmed\n\n- It is old [2].\n  - *contradicted: no: “new”*\n"
        "- It has 671B parameters.\n  - *without support: no source is cited*"
    )
    assert [text for text, _ in cut(apart)] == ["R1 is open [1].", "It is old [2].", "It has 671B parameters."]


def test_the_section_speaks_the_answers_language():
    assert "## Nicht bestätigt" in set_apart("R1 hat 671B Parameter.", claims("R1 hat 671B Parameter."), "de-AT")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "widersprochen: die Quelle sagt „14. März“, nicht „15. März“"),
        ("zh-CN", "与来源矛盾: 来源说的是“14. März”，不是“15. März”"),
        ("ja", "出典と矛盾: 出典では「15. März」ではなく「14. März」"),
        ("sw", "contradicted: the source says “14. März”, not “15. März”"),
    ],
)
def test_the_reason_is_told_in_the_answers_language_where_we_speak_it(language, told):
    answer = "R1 kam am 15. März [1]."
    apart = set_apart(answer, failed(answer, answer, why="the source says “14. März”, not “15. März”"), language)
    assert told in apart
    assert len(claims(apart)) == 1


def test_every_reason_for_which_a_claim_fails_is_known_in_other_languages():
    whys = [_WHY["unsupported"], _WHY["refuted"].format(words="“x”"), UNCITED, _HANGS]
    whys += [rule_on_sentence(false, source).why for source, false in PAIRS]
    assert [why for why in whys if reason(why, "de") == why] == []


def test_a_reason_that_quotes_a_page_cannot_bring_a_link_or_a_mark_in():
    answer = "It is old [1]."
    why = "the source says “![x](http://e.example/y) [9] <b>”"
    apart = set_apart(answer, failed(answer, answer, why=why), "en")
    assert "](" not in apart
    assert "<b>" not in apart.replace("\\<b>", "")
    assert [m.number for m in marks(apart)] == [1]


def test_an_answer_of_which_nothing_stands_says_so():
    answer = "It is old [1]."
    assert set_apart(answer, failed(answer, answer), "en").startswith("*Nothing in this answer could be confirmed")


def test_what_is_left_empty_goes_too():
    table = "| A | B |\n|---|---|\n| a | 7 [1] |"
    answer = f"# R1\n\nIt is open [1].\n\n## Cost\n\n- It costs $5M [2].\n\n{table}\n\n## Rest\n\nOk so [3]."
    left = remove_claims(answer, failed(answer, "It costs $5M [2].", "7 [1]"))
    assert left == "# R1\n\nIt is open [1].\n\n## Cost\n\n| A | B |\n|---|---|\n| a | — |\n\n## Rest\n\nOk so [3]."
    assert "## Rest" not in remove_claims(answer, failed(answer, "Ok so [3]."))


@given(st.text(alphabet="aB1 .?。[]*_|#-`\n", max_size=80))
def test_offsets_are_exact_and_in_order_whatever_is_written(answer):
    found = claims(answer)
    assert all(answer[c.start : c.end] == c.text for c in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_an_item_goes_on_from_what_introduces_its_list_and_a_sentence_from_the_one_before_it():
    answer = (
        "R1 is open [1]. It has limits [2]:\n\n- slow on simple questions [3]\n- mixes languages [3]\n\n"
        "## Cost\n\nIt is cheap [4].\n\n- training [4]\n"
    )
    assert [(c.text, c.context) for c in claims(answer)] == [
        ("R1 is open [1].", None),
        ("It has limits [2]:", "R1 is open."),
        ("slow on simple questions [3]", "It has limits:"),
        ("mixes languages [3]", "It has limits:"),
        ("It is cheap [4].", None),
        ("training [4]", None),
    ]


def test_a_heading_introduces_the_list_right_below_it():
    assert [c.context for c in claims("## Limits\n\n- slow [1]\n")] == ["Limits:"]


@pytest.mark.parametrize("heading", ["R1 cost $5 million [1]", "R1 cost five million dollars."])
def test_a_heading_that_cites_or_is_a_sentence_is_a_claim(heading):
    assert [c.text for c in claims(f"## {heading}\n\nIt is open [1].")] == [heading, "It is open [1]."]


CUTS = [
    # (the answer, what leaves it, what is left)
    ("**It cost $5M [1]. It is open [1].**", "It cost", "**It is open [1].**"),
    ("**It is open [1]. It cost $5M [1].** Yes.", "It cost", "**It is open [1].** Yes."),
    ("It is open [1]. **It cost $5M [1].**", "It cost", "It is open [1]."),
    (
        "- It cost $5M [1].\n    - It is open [1].\n    - It is old [1].",
        "It cost",
        "- It is open [1].\n- It is old [1].",
    ),
    ("- It is old [1].\n- It cost $5M [1].\n  It is open [1].", "It cost", "- It is old [1].\n- It is open [1]."),
    (
        "It is old [1]. The prices are:\n\n- It cost $5M [1].\n\nIt is open [1].",
        "It cost",
        "It is old [1].\n\nIt is open [1].",
    ),
    ("The prices are:\n\n1. It cost $5M [1].", "It cost", ""),
    ("## It cost $5M [1]\n\nIt is open [1].", "It cost", "It is open [1]."),
    ("甲是旧的[1]。价格是五百万[1]。乙是新的[1]。", "价格", "甲是旧的[1]。乙是新的[1]。"),
]


@pytest.mark.parametrize(("answer", "words", "left"), CUTS)
def test_what_is_cut_out_leaves_whole_markdown_behind(answer, words, left):
    gone = [claim for claim in claims(answer) if words in claim.text]
    assert gone
    assert remove_claims(answer, gone) == left


def test_a_sentence_set_apart_has_no_half_of_an_emphasis():
    answer = "**It cost $5M [1]. It is open [1].**"
    assert "- It cost $5M [1].\n" in set_apart(answer, failed(answer, "**It cost $5M [1]."), "en")


@pytest.mark.parametrize(
    ("answer", "hangs"),
    [
        ("It cost $5M [1]. This was paid by a fund [1]. It is open [1].", ["This was paid by a fund [1]."]),
        ("It cost $5M [1]. This is much [1]. That was new [1].", ["This is much [1].", "That was new [1]."]),
        ("It cost $5M [1]. This glass is old [1].", []),
        ("It cost $5M [1]. It is open [1].", []),
        ("It cost $5M [1].\n\nIt is open [1]. This was new [1].", []),
        ("Er kostete 5 Mio. Euro [1]. Das war viel [1].", ["Das war viel [1]."]),
        ("Costó 5 millones [1]. Esto fue mucho [1].", ["Esto fue mucho [1]."]),
        ("它花费了500万美元[1]。这是一大笔钱[1]。", ["这是一大笔钱[1]。"]),
    ],
)
def test_a_sentence_that_points_back_to_one_that_failed_hangs(answer, hangs):
    found = claims(answer)
    assert [claim.text for claim in dependent_claims(answer, found, found[:1])] == hangs
