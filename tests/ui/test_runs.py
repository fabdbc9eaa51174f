"""Runs live in the process: whoever has the key sees the same run, and leaving a page ends nothing."""

import time

from agent.errors import SettingsError
from agent.ui.background_runs import BackgroundRun, BackgroundRuns, RunChoice
from tests.cli.recorded import answer
from tests.ui.stand_in import StandIn


def over(run: BackgroundRun):
    """The view once the run is over."""
    version, view = 0, run.view
    while not view.over:
        version, view = run.wait(version, 0.5)
    return view


def until(condition) -> None:
    while not condition():
        time.sleep(0.01)


def test_a_run_ends_with_the_answer_and_is_found_by_its_key():
    runs = BackgroundRuns(lambda choice: StandIn())
    run = runs.begin("plainly", RunChoice("quick"))
    assert over(run).answer == answer(question="plainly")
    assert runs.find(run.key) is run


def test_what_was_chosen_reaches_the_agent():
    choices = []
    runs = BackgroundRuns(lambda choice: choices.append(choice) or StandIn())
    over(runs.begin("q", RunChoice("deep", "only")))
    assert choices == [RunChoice("deep", "only")]


def test_an_unknown_key_finds_nothing():
    runs = BackgroundRuns(lambda choice: StandIn())
    assert runs.find("no such key") is None
    assert runs.find(None) is None


def test_waiting_returns_as_soon_as_something_happens_and_at_the_latest_after_its_time():
    run = BackgroundRun("q")
    assert run.wait(0, 0.05) == (0, run.view)
    assert run.wait(-1, 3_600) == (0, run.view)


def test_two_runs_at_once_see_their_own_question_only():
    runs = BackgroundRuns(lambda choice: StandIn())
    one, other = runs.begin("slow one", RunChoice("quick")), runs.begin("slow other", RunChoice("quick"))
    assert over(one).answer.question == "slow one"
    assert over(other).answer.question == "slow other"


def test_no_more_than_four_runs_work_at_once_and_the_next_takes_a_free_place():
    agent = StandIn()
    runs = BackgroundRuns(lambda choice: agent)
    at_work = [runs.begin("hang q", RunChoice("quick")) for _ in range(4)]
    waiting = runs.begin("plainly", RunChoice("quick"))
    until(lambda: len(agent.asked) == 4)
    time.sleep(0.2)
    assert not waiting.view.over
    runs.stop(at_work[0])
    assert over(waiting).answer


def test_stopping_ends_the_run_and_leaves_the_agent_clean():
    agent = StandIn()
    runs = BackgroundRuns(lambda choice: agent)
    run = runs.begin("hang q", RunChoice("quick"))
    until(lambda: run.view.steps)
    runs.stop(run)
    view = over(run)
    assert (view.stopped, view.answer) == (True, None)
    assert agent.ended == ["hang q"]


def test_stopping_a_run_that_is_over_changes_nothing():
    runs = BackgroundRuns(lambda choice: StandIn())
    run = runs.begin("q", RunChoice("quick"))
    over(run)
    runs.stop(run)
    time.sleep(0.05)
    assert run.view.answer
    assert not run.view.stopped


def test_a_failure_is_one_line_on_the_view():
    runs = BackgroundRuns(lambda choice: StandIn())
    view = over(runs.begin("fail http://127.0.0.1:9", RunChoice("quick")))
    assert view.failure == "nothing answers at http://127.0.0.1:9: start the model"


def test_a_setting_that_does_not_work_is_a_failure_of_the_run_and_not_of_the_app():
    def refuse(choice: RunChoice) -> StandIn:
        raise SettingsError("AGENT_MODEL='r1' needs an endpoint")

    assert over(BackgroundRuns(refuse).begin("q", RunChoice("quick"))).failure == "AGENT_MODEL='r1' needs an endpoint"


def test_a_bug_names_itself_and_goes_to_the_log(caplog):
    runs = BackgroundRuns(lambda choice: StandIn(error=KeyError("x"), said=()))
    view = over(runs.begin("bug q", RunChoice("quick")))
    assert view.failure.startswith("KeyError")
    until(lambda: "Traceback" in caplog.text)


def test_a_run_without_an_answer_is_a_failure():
    assert (
        "without an answer"
        in over(BackgroundRuns(lambda choice: StandIn()).begin("mute q", RunChoice("quick"))).failure
    )


def test_old_finished_runs_make_room_and_running_ones_stay():
    runs = BackgroundRuns(lambda choice: StandIn())
    hanging = runs.begin("hang q", RunChoice("quick"))
    first = runs.begin("mute first", RunChoice("quick"))
    over(first)
    for _ in range(120):
        over(runs.begin("mute q", RunChoice("quick")))
    assert runs.find(first.key) is None
    assert runs.find(hanging.key) is hanging
    runs.stop(hanging)
