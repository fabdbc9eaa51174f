"""The app's one page: ask, watch, read.  Streamlit runs this script anew for every tab and every click.

A run lives in `runs`, under a key that stands in the address as `?run=`; this script only shows it.
"""

from __future__ import annotations

import time

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

from agent import AgentError, ResearchAgent, Settings
from agent.ui import streamlit_text
from agent.ui.background_runs import BackgroundRun, BackgroundRuns, RunChoice
from agent.ui.page_view import View
from agent.ui.panels import Timeline, draw_answer, draw_draft

_DEPTHS = ("quick", "standard", "deep")
_LIBRARY = {"use": "while fresh", "fresh": "none", "only": "only"}
_LONGEST_QUESTION = 20_000  # characters; the agent refuses more
_LONGEST_BUTTON = 80  # characters
_TICK_S = 0.5  # how often a step's clock moves, and the longest that Stop waits to be noticed
_PAUSE_S = 0.2  # between two drawings: a long thought is sent whole each time
_HANDOVER_S = 0.2  # a closing connection asks the script to stop some ms before it counts as closed


def configured_runs() -> BackgroundRuns:
    """Runs with agents as the environment configures them."""
    return BackgroundRuns(lambda choice: ResearchAgent(Settings(depth=choice.depth, library=choice.library)))


def show_configured() -> None:
    """The page with the one `configured_runs` of this process."""
    try:
        settings = Settings()
    except AgentError as e:
        st.error(streamlit_text.label(str(e)), icon="❌")
        return
    show(st.cache_resource(show_spinner=False)(configured_runs)(), RunChoice(settings.depth, settings.library))


def show(runs: BackgroundRuns, configured: RunChoice = RunChoice()) -> None:  # noqa: B008 - frozen
    """The page.  `configured`: what is chosen until the reader chooses."""
    st.set_page_config(page_title="R1 research", page_icon="🔎", layout="centered")
    with st.bottom:  # pinned there by itself, the box would keep the page scrolled down, past the answer
        question = st.chat_input("Ask a question", key="question", submit_mode="stop", max_chars=_LONGEST_QUESTION)
    chosen = _choose(runs, configured)
    if question and question.strip():
        _remember(runs.begin(question, chosen))
    _list_asked(runs)
    found = runs.find(st.query_params.get("run"))
    if found:
        _follow(runs, found)
    elif "run" in st.query_params:
        st.info("This run is not in memory any more. Ask again below.", icon="🕰️")
    else:
        _welcome()


# ---------------------------------------------------------------------------------------------------- beside


def _choose(runs: BackgroundRuns, configured: RunChoice) -> RunChoice:
    """The reader's choice, and under it who will answer."""
    with st.sidebar:
        depth = st.segmented_control("How far to go", _DEPTHS, default=configured.depth, key="depth", width="stretch")
        library = st.segmented_control(
            "Pages read earlier",
            list(_LIBRARY),
            default=configured.library,
            key="library",
            width="stretch",
            format_func=_LIBRARY.__getitem__,
        )
        chosen = RunChoice(depth or configured.depth, library or configured.library)
        try:
            st.caption(streamlit_text.label(runs.describe(chosen)))
        except AgentError as e:
            st.error(streamlit_text.label(str(e)))
    return chosen


def _list_asked(runs: BackgroundRuns) -> None:
    """The questions of this session, newest first."""
    with st.sidebar:
        for run in filter(None, map(runs.find, reversed(st.session_state.get("asked", [])))):
            label = streamlit_text.label(run.view.question[:_LONGEST_BUTTON])
            st.button(label, key=run.key, on_click=_open, args=(run.key,), type="tertiary")


def _open(key: str) -> None:
    st.query_params["run"] = key


def _remember(run: BackgroundRun) -> None:
    st.session_state.setdefault("asked", []).append(run.key)
    _open(run.key)


def _welcome() -> None:
    st.title("R1 research")
    st.markdown("Ask a question. The answer comes from pages read for it, and each sentence is checked against them.")


# ---------------------------------------------------------------------------------------------------- a run


def _follow(runs: BackgroundRuns, run: BackgroundRun) -> None:
    st.chat_message("user").text(streamlit_text.visible(run.view.question))
    if not run.view.over:
        try:
            _watch(run)
        except StopException:
            if _reader_is_there():  # pressed Stop; a closed tab is no reason to end a run
                runs.stop(run)
            raise
        st.rerun()  # the finished page puts the answer first
    _draw_over(run.view)


def _watch(run: BackgroundRun) -> None:
    """Draw what happens until it is over.  Every call of `st` is a point where Stop is noticed."""
    timeline, draft, clock = Timeline(), st.empty(), st.empty()
    version, view, written = -1, run.view, ""
    while not view.over:
        version, view = run.wait(version, _TICK_S)
        clock.caption(f"{time.monotonic() - run.began:.0f} s" if view.steps else "Waiting for its turn")
        timeline.show(view, time.monotonic())
        if view.draft != written:
            written = view.draft
            with draft.container():
                draw_draft(written)
        time.sleep(_PAUSE_S)


def _draw_over(view: View) -> None:
    if view.answer:
        draw_answer(view.answer)
    elif view.failure:
        st.error(streamlit_text.label(view.failure), icon="❌")
    else:
        st.info("Stopped.", icon="✋")
    if view.steps:
        st.markdown("#### How this was found")
        Timeline().show(view, time.monotonic())


def _reader_is_there() -> bool:
    time.sleep(_HANDOVER_S)
    script = get_script_run_ctx()
    return script is not None and runtime.exists() and runtime.get_instance().is_active_session(script.session_id)


if __name__ == "__main__":
    show_configured()
