"""A run's events become what the page shows, and nothing is lost on the way."""

from agent.events import Began, Ended, PageRead, Searched, Thinking, Warned, Writing
from agent.types import Query, Search
from agent.ui.page_view import View, fold
from tests.cli.recorded import BLOG, CLAIMS, PAPER, RUN, TEXT, WEB, answer, at, events


def folded(happened, view: View | None = None) -> View:
    view = view or View("How was R1-Zero trained?")
    for event in happened:
        view = fold(view, event)
    return view


def step(view: View, name: str):
    (found,) = [s for s in view.steps if s.name == name]
    return found


def test_steps_stand_in_the_order_in_which_they_were_first_heard_of():
    names = [s.name for s in folded(events()).steps]
    assert names == ["scout", "plan", "search", "read", "retrieve", "write", "verify"]


def test_each_step_has_its_reasoning_queries_pages_sources_and_claims():
    view = folded(events())
    assert step(view, "plan").thinking == "The user wants to know\nhow R1-Zero was trained."
    assert [a.query.text for a in step(view, "plan").asked] == ["R1-Zero reinforcement learning"]
    assert [a.search.outcome for a in step(view, "search").asked] == ["throttled", "found"]
    assert [p.url for p in step(view, "read").pages] == [PAPER, "https://gone.example/", BLOG]
    assert step(view, "read").notes == ("DuckDuckGo refuses for now.",)
    assert step(view, "retrieve").sources == WEB
    assert step(view, "write").notes == ("Lands early: the time limit of 90 s is used up",)
    assert step(view, "verify").claims == CLAIMS


def test_a_page_that_comes_before_its_step_begins_is_in_that_step_and_shown_at_once():
    early = folded(events()[:6])
    assert (step(early, "read").begun, len(step(early, "read").pages)) == (False, 1)
    late = folded(events())
    assert (step(late, "read").begun, step(late, "read").seconds) == (True, 1.1)


def test_what_is_announced_stands_after_what_has_begun():
    found = Searched(**at("search"), search=Search(Query("q"), 1, "found", "sample"))
    view = folded([Began(**at("scout")), found, Began(**at("plan"))])
    assert [s.name for s in view.steps] == ["scout", "plan", "search"]


def test_a_page_that_comes_after_its_step_has_ended_is_still_in_it():
    late = PageRead(**at("read"), url="https://late.example/", title="", site="s", cached=False, bytes=1, seconds=9.0)
    assert step(folded([*events(), late]), "read").pages[-1] == late


def test_a_second_round_and_a_revision_are_steps_of_their_own():
    again = [
        Began(**at("search", round=2)),
        Searched(**at("search", round=2), search=Search(Query("more"), 2, "nothing", "sample")),
        Began(**at("write")),
        Ended(**at("write"), seconds=3.0, summary="1 sentence"),
    ]
    steps = folded([*events(), *again]).steps
    assert [(s.name, s.round) for s in steps[-2:]] == [("search", 2), ("write", 1)]
    assert [s.seconds for s in steps if s.name == "write"] == [20.0, 3.0]


def test_a_new_draft_replaces_the_old_one():
    view = folded(events()[:-1])
    assert view.draft == TEXT
    assert fold(view, Writing(**at("write"), text="Anew.", draft=3)).draft == "Anew."


def test_the_run_is_over_with_its_answer_and_not_before():
    view = folded(events()[:-1])
    assert not view.over
    view = folded(events()[-1:], view)
    assert (view.over, view.answer, view.run_id) == (True, answer(), RUN)


def test_a_view_is_never_changed_in_place():
    before = folded(events()[:10])
    kept = repr(before)
    folded([Thinking(**at("plan"), text="more"), Warned(**at("plan"), text="careful")], before)
    assert repr(before) == kept
