"""Of all sentences those are taken that answer a part of the question, best first, and none that does not."""

from dataclasses import replace

import pytest

from agent.reasoning.candidates import candidates
from agent.reasoning.digest import SENTENCES, digest, worth_comparing
from agent.text.questions import parts
from tests.reasoning.evidence import evidence

RELEASED = "DeepSeek released R1 on January 20, 2025 under the MIT licence."


def taken(question, *pages, titles=(), alike=()):
    """For each part the sentences shown, in order."""
    sections = digest(parts(question), candidates(evidence(*pages, titles=titles)), alike)
    return [[" ".join(one.text for one in told) for told in section.taken] for section in sections]


def test_who_asks_when_gets_a_sentence_with_a_date():
    assert taken("When was R1 released?", f"R1 was released with much noise and praise. {RELEASED}") == [[RELEASED]]


def test_a_number_that_stands_in_the_question_answers_no_how_many():
    repeated = "The 5.5 million dollars paid for the GPUs of V3 and no more."
    told = "The run of V3 used 2,048 GPUs and cost 5.5 million dollars in all."
    assert taken("How many GPUs did V3 use for 5.5 million dollars?", f"{repeated} {told}") == [[told]]


def test_numbers_without_digits_and_times_without_a_year_count():
    assert taken("How many users does R1 have?", "Thousands of users have R1 at home.") != [[]]
    assert taken("When is R1 updated?", "The R1 model is updated every spring.") != [[]]


def test_what_a_thing_is_comes_before_what_it_does():
    does = "Distillation saves much money when many questions are asked."
    says = "Distillation is a way to train a small model on the output of a large one."
    assert taken("What is distillation?", f"{does} {says}")[0][0] == says


def test_a_sentence_that_only_announces_is_left_out_where_one_tells():
    announces = "The guide explains how R1 was trained by DeepSeek in Hangzhou."
    tells = "DeepSeek trained R1 with reinforcement learning on problems that a program can check."
    assert taken("How was R1 trained by DeepSeek?", f"{announces} {tells}") == [[tells]]


def test_what_is_told_in_numbers_is_told_first_by_a_sentence_with_a_number():
    vague = "The hallucination rates of R1 are higher than those of others."
    exact = "The hallucination rates of R1 reach 14.3 per cent in one test."
    assert taken("R1 hallucination rates", f"{vague} {exact}")[0][0] == exact


def test_how_a_thing_was_done_is_told_first_by_a_sentence_with_a_means():
    vague = "R1 was trained for months before anybody heard of that."
    means = "R1 was trained through rewards for right solutions."
    assert taken("How was R1 trained?", f"{vague} {means}")[0][0] == means


def test_a_sentence_about_another_part_of_the_question_does_not_come_first():
    other = "The figure of 5.5 million dollars is what V3 cost, on which R1 was trained."
    own = "R1 was trained with rewards on problems that a program can check."
    question = "How was R1 trained, and what does the figure of 5.5 million dollars count?"
    assert taken(question, f"{other} {own}") == [[own], [other]]


def test_what_two_sentences_share_with_the_question_makes_them_no_repetition():
    first = "R1 was trained through rewards for right solutions of mathematics."
    second = "R1 was trained using few examples at first."
    assert taken("How was R1 trained at first through rewards?", f"{first} {second}") == [[first, second]]


def test_who_asks_who_is_told_first_by_a_sentence_that_names_somebody_new():
    nobody = "Before long R1 was made, and R1 was much talked of in those days."
    somebody = "It is widely held that R1 was made by Liang in his first year."
    assert taken("Who made R1?", f"{nobody} {somebody}")[0][0] == somebody


def test_what_a_thing_is_known_for_is_not_its_known_weaknesses():
    assert taken("List the known weaknesses of R1", "R1 became known for a low training cost.") == [[]]


def test_one_word_of_a_heading_does_not_make_an_answer():
    fact = "R1 knows three simple facts in ten."
    assert taken("Is R1 open source?", f"Open the page.\n\n## Give it sources\n\n{fact}") == [[]]


def test_a_sentence_that_leans_on_what_is_not_there_comes_later():
    leans = "This is why R1 mixes languages when thinking."
    stands = "R1 mixes languages when thinking about hard questions."
    assert taken("Does R1 mix languages when thinking?", f"{leans} {stands}")[0][0] == stands


def test_the_beginning_of_a_page_about_the_thing_says_what_it_is():
    inside = "The teapot of every house is a thing of porcelain or clay."
    opening = "Teapots of porcelain or clay stand in every house today."
    assert taken("What is a teapot?", inside, opening, titles=["Kitchens", "Teapot"])[0][0] == opening


def test_a_better_source_comes_first_where_two_say_as_much():
    one, other = evidence("R1 mixes languages in thinking a lot.", "R1 mixes languages in its long thoughts.")
    found = candidates([replace(one, score=0.1), other])
    (section,) = digest(parts("Does R1 mix languages?"), found)
    assert section.taken[0][0].source == 2


def test_a_chinese_sentence_needs_less_than_half_of_the_pairs_of_a_question():
    text = "这个模型的训练费用约为五百五十万美元，不包括工资。"
    assert taken("模型在德国有多少用户使用？", text) == [[]]
    assert taken("训练模型的费用包括哪些工资？", text) == [[text]]


def test_a_variant_of_the_name_is_not_taken_for_it():
    other = "R1-Zero was trained without any supervised examples."
    own = "R1 was trained with a few supervised examples first."
    assert taken("How was R1 trained?", f"{other} {own}")[0][0] == own


def test_a_sentence_in_the_script_of_the_question_comes_first():
    own = "DeepSeek-R1 是深度求索公司开发的推理模型。"
    assert taken("DeepSeek-R1 是什么？", "DeepSeek-R1 is a reasoning model by DeepSeek.", own)[0][0] == own


def test_another_word_of_the_same_family_counts():
    assert taken("Who invented the telephone?", "The invention of the telephone is due to Bell.") != [[]]


def test_the_heading_and_the_title_say_what_a_sentence_is_about():
    text = "A million tokens of output cost 2.19 dollars."
    assert taken("What does R1 cost per million tokens?", f"## R1\n\n{text}") == [[text]]
    assert taken("What does R1 cost per million tokens?", text, titles=["All about R1"]) == [[text]]
    assert taken("What does R1 cost per million tokens?", text) == [[]]


def test_a_sentence_that_leans_is_shown_with_the_one_before():
    text = "DeepSeek-R1 is a reasoning model. It was released on January 20, 2025."
    assert taken("When was DeepSeek-R1 released?", text) == [[text]]


def test_what_two_sentences_lean_on_is_shown_once():
    text = (
        "DeepSeek-R1 is a reasoning model. It was released on January 20, 2025. "
        "It was released again with many changes on May 28, 2025."
    )
    (shown,) = taken("When was DeepSeek-R1 released?", text)
    assert " ".join(shown) == text


def test_two_parts_do_not_take_one_anothers_best_sentence():
    licence = "The weights of R1 carry a licence that asks for little."
    assert taken("When was R1 released? What is the licence of R1?", f"{RELEASED} {licence}") == [[RELEASED], [licence]]


def test_one_sentence_may_answer_two_parts():
    both = "R1 hallucinated in 14.3 per cent of its summaries and V3 in 3.9 per cent."
    assert taken("Compare R1 and V3 summaries", both) == [[both], [both]]


def test_a_name_that_stands_everywhere_still_counts_in_full():
    both = "In their older test R1 hallucinated in 14.3 per cent of summaries, its base model V3 in 3.9."
    others = " ".join(f"R1 is used for task{n}x and for thing{n}y by many people." for n in range(30))
    assert taken("Compare R1 and V3 hallucination rates", both, others)[0] == [both]


def test_a_part_has_few_sentences():
    many = " ".join(f"R1 was released in {year} for region{year}x and market{year}y." for year in range(1990, 2025))
    assert 1 <= len(taken("When was R1 released?", many)[0]) <= SENTENCES


NEAR = "The programme grew strong by being rewarded for right solutions."
FAR = "Many schools were made in the year that R1 was made."


@pytest.mark.parametrize(("cosine", "found"), [(0.9, [NEAR]), (0.1, []), (None, [])])
def test_a_sentence_that_means_the_same_is_found_without_its_words(cosine, found):
    alike = [{} if cosine is None else {NEAR: cosine}]
    assert taken("How was R1 trained?", NEAR, titles=["R1"], alike=alike) == [found]


def test_a_sentence_that_has_the_words_but_means_something_else_is_left_out():
    question = "Which schools teach R1?"
    assert taken(question, FAR) == [[FAR]]
    assert taken(question, FAR, alike=[{FAR: 0.1}]) == [[]]


def test_meaning_alone_answers_no_how_many():
    text = "DeepSeek-R1 is notable for three things that people like."
    assert taken("How many parameters does DeepSeek-R1 have?", text, alike=[{text: 0.8}]) == [[]]


def test_only_what_has_a_word_of_the_question_is_worth_comparing_and_the_best_first():
    model = "R1 is a reasoning model by a firm in Hangzhou."
    found = candidates(evidence("The capital of Mongolia has a million people.", model, RELEASED))
    asked = parts("When was R1 released?")
    assert worth_comparing(asked, found, 10) == [RELEASED, model]
    assert worth_comparing(asked, found, 1) == [RELEASED]


def test_where_it_is_asked_how_what_names_no_means_is_left_out_if_something_does():
    vague = "R1 was trained for months before anybody heard of that."
    means = "R1 was trained through rewards for right solutions."
    assert taken("How was R1 trained?", f"{vague} {means}") == [[means]]
    assert taken("How was R1 trained?", vague) == [[vague]]


def test_a_sentence_that_another_part_has_taken_does_not_put_the_rest_in_the_shade():
    both = "DeepSeek-R1 is notable since its training, by rewards for reasoning, was cheap and R1 was trained openly."
    rest = "DeepSeek trained Zero, the predecessor of R1, by reinforcement learning."
    alike = [{both: 0.9, rest: 0.0}, {both: 0.9, rest: 0.3}]
    first, second = taken(
        "What made DeepSeek-R1 notable, and how was DeepSeek-R1 trained?", f"{both} {rest}", alike=alike
    )
    assert (first, second) == ([both], [rest])
