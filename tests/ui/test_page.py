"""The page, run by Streamlit's own test driver against a stand-in for the agent."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from agent.errors import SettingsError
from agent.ui.background_runs import BackgroundRuns, RunChoice
from tests.cli.recorded import BLOG, PAPER, SENTENCES
from tests.ui.stand_in import StandIn


def script(runs) -> None:
    from agent.ui.page import show

    show(runs)


def opened(runs: BackgroundRuns, run: str | None = None) -> AppTest:
    page = AppTest.from_function(script, kwargs={"runs": runs}, default_timeout=20)
    if run:
        page.query_params["run"] = run
    return page.run()


def asked(question: str, runs: BackgroundRuns | None = None) -> AppTest:
    page = opened(runs or BackgroundRuns(lambda choice: StandIn()))
    page.chat_input[0].set_value(question).run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    return "\n".join(str(part.value) for part in (*page.markdown, *page.caption, *page.text))


def test_the_first_page_says_what_to_do_and_who_will_answer():
    page = opened(BackgroundRuns(lambda choice: StandIn()))
    assert page.title[0].value == "R1 research"
    assert "as this is a test" in page.sidebar.caption[0].value


def test_an_answer_stands_first_with_marks_that_lead_to_their_quotes():
    first = asked("How was R1-Zero trained?").markdown[0].value
    assert first.startswith(f"R1-Zero was trained by reinforcement learning alone [\\[1\\]]({PAPER}#:~:text=words).")
    assert "It cost \\$5.5 million" in first


def test_the_sources_have_number_title_site_date_and_link():
    assert f"- **\\[1\\]** [DeepSeek\\-R1\\: a paper]({PAPER}) – papers\\.example · 2025\u201101\u201122" in texts(
        asked("q")
    )


def test_each_sentence_has_its_verdict_and_the_words_it_rests_on():
    page = asked("q")
    (fared,) = [e for e in page.expander if e.label.startswith("How each sentence fared")]
    assert fared.label.endswith("1 supported, 1 contradicted, 1 not decided")
    told = [part.value for part in fared.markdown]
    assert len(told) == len(SENTENCES)
    assert told[0].startswith("✓")
    assert "trained with reinforcement learning and nothing else" in told[0]
    assert told[2].startswith("✗")
    assert "*contradicted* · the number differs" in told[2]


def test_the_steps_stay_below_the_answer_with_their_reasoning_and_pages():
    page = asked("q")
    labels = [status.label for status in page.status]
    assert labels[0] == "Plan · 12.1 s · 1 query"
    assert len(labels) == 6
    assert page.status[0].text[0].value.startswith("The user wants to know")
    assert f"({BLOG.replace('(', '%28').replace(')', '%29')})" in page.status[2].caption[1].value
    assert all(status.state == "complete" for status in page.status)


def test_the_question_is_shown_as_it_was_typed():
    assert asked("*What* is ![R1](x)?").chat_message[0].text[0].value == "*What* is ![R1](x)?"


def test_the_address_names_the_run_and_another_page_sees_the_same():
    runs = BackgroundRuns(lambda choice: StandIn())
    page = asked("q", runs)
    (key,) = page.query_params["run"] if isinstance(page.query_params["run"], list) else [page.query_params["run"]]
    assert opened(runs, key).markdown[0].value == page.markdown[0].value


def test_a_run_that_is_not_known_is_said_to_be_gone():
    page = opened(BackgroundRuns(lambda choice: StandIn()), "gone")
    assert "not in memory" in page.info[0].value


def test_a_failed_run_says_why_and_shows_how_far_it_came():
    page = asked("fail http://127.0.0.1:9")
    assert "start the model" in page.error[0].value
    assert page.status[-1].state == "error"
    assert "not finished" in page.status[-1].label


def test_a_blank_question_begins_nothing():
    agent = StandIn()
    page = asked("  \n ", BackgroundRuns(lambda choice: agent))
    assert (agent.asked, page.title[0].value) == ([], "R1 research")


def test_settings_that_do_not_work_are_said_before_anybody_asks():
    def refuse(choice: RunChoice) -> StandIn:
        raise SettingsError("AGENT_MODEL='r1' needs an endpoint")

    page = opened(BackgroundRuns(refuse))
    assert "AGENT\\_MODEL" in page.sidebar.error[0].value


def test_the_questions_of_this_session_can_be_opened_again():
    page = asked("first question")
    page.chat_input[0].set_value("second question").run()
    assert [button.label for button in page.sidebar.button] == ["second question", "first question"]
    page.sidebar.button[1].click().run()
    assert page.chat_message[0].text[0].value == "first question"


@pytest.mark.parametrize(("mode", "words"), [("partial", "landed early"), ("abstained", "do not bear one")])
def test_an_answer_that_is_none_or_half_says_so_above_it(mode, words):
    page = asked(f"{mode} q")
    said = [*page.warning, *page.info]
    assert words in said[0].value


def test_where_sources_disagree_both_sides_are_on_the_page():
    page = asked("hostile http://evil.example")
    assert any("The sources disagree" in part.value for part in page.markdown)
    assert any("checked against" in part.value for part in page.caption)


def test_nothing_that_a_page_or_model_says_is_shown_as_it_is_except_as_plain_text():
    page = asked("hostile http://evil.example")
    shown = "\n".join(str(part.value) for part in (*page.markdown, *page.caption))
    labels = [part.label for part in (*page.status, *page.expander, *page.button)]
    for text in (shown, *labels):
        assert not re.search(r"(?<!\\)!\[", text)
        assert "](http://evil" not in text
        assert not re.search(r"(?<!\\)<\w", text)


def test_what_earlier_runs_read_can_be_left_or_asked_alone():
    choices = []
    page = opened(BackgroundRuns(lambda choice: choices.append(choice) or StandIn()))
    assert page.segmented_control(key="library").value == "use"
    page.segmented_control(key="library").set_value("only").run()
    page.chat_input[0].set_value("q").run()
    assert choices[-1] == RunChoice("standard", "only")
