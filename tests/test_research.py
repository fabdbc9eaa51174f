"""ResearchAgent, end to end on the sample web with a scripted model: what is kept, resumed and left behind."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import aclosing

import pytest
from blockbuster import blockbuster_ctx

from agent.errors import ModelRefused, ModelUnreachable, QuestionError, RunError
from agent.events import Finished, Planned
from agent.graph.sync_bridge import house_loop, run_sync
from agent.research import ResearchAgent
from agent.settings import Settings
from tests.model_server import ModelServer, Said
from tests.parts import FixedClock

QUESTION = "Under which licence was DeepSeek-R1 released, and at what temperature should it be used?"


@pytest.fixture
def settings(tmp_path):
    def made(**given):
        places = {"data_dir": tmp_path / "data", "cache_dir": tmp_path / "cache", "search": "sample"}
        return Settings(**{**places, **given})

    return made


@pytest.fixture
def model():
    with ModelServer() as server:
        yield server


def with_model(server, **given):
    return {"model": "deepseek-r1", "base_url": server.url, **given}


@pytest.mark.parametrize("dialect", ["reasoning_content", "reasoning", "think"])
def test_each_way_of_giving_reasoning_ends_in_a_cited_answer(settings, dialect):
    with ModelServer(dialect=dialect) as server:
        answer = ResearchAgent(settings(**with_model(server))).invoke(QUESTION)
    assert answer.status == "complete"
    assert any(c.citations and c.citations[0].quote for c in answer.claims)
    assert all(step.reasoning for step in answer.steps if step.name in ("plan", "write"))
    assert "<think>" not in answer.answer


def test_every_promise_about_the_result_holds(settings, model):
    agent = ResearchAgent(settings(**with_model(model)))
    answer = agent.invoke(QUESTION)
    sources = {s.number: s for s in answer.sources}
    assert answer.claims
    for claim in answer.claims:
        assert answer.answer[claim.start : claim.end] == claim.text
        for citation in claim.citations:
            source = sources[citation.source]
            text = run_sync(agent.stored_text(source.snapshot))
            assert citation.link.startswith(source.url)
            if citation.quote is not None:
                assert text[citation.start : citation.end] == citation.quote
    assert {p.status for p in answer.pages} <= {"read", "cached", "skipped"}
    assert all(p.reason for p in answer.pages if p.status == "skipped")


def test_without_a_model_the_extractive_reasoner_answers_and_says_so(settings):
    answer = ResearchAgent(settings()).invoke(QUESTION)
    assert answer.status == "complete"
    assert answer.usage.model_calls == 0
    assert "no reasoning model" in answer.answer.splitlines()[0].lower()


def test_a_question_that_the_sources_do_not_answer_is_not_answered(settings):
    answer = ResearchAgent(settings()).invoke("How many moons does the planet Saturn have?")
    assert answer.status == "abstained"


def test_two_runs_give_the_same_sources(settings):
    agent = ResearchAgent(settings())
    one, two = agent.invoke(QUESTION), agent.invoke(QUESTION)
    assert [s.url for s in one.sources] == [s.url for s in two.sources]
    assert one.answer == two.answer


def test_the_sample_webs_pages_are_in_a_library_of_their_own(settings, tmp_path):
    ResearchAgent(settings()).invoke(QUESTION)
    held = {p.relative_to(tmp_path / "data").parts[0] for p in (tmp_path / "data").rglob("library.sqlite3")}
    assert held == {"sample"}


def test_a_wrong_key_is_one_clear_error(settings):
    with ModelServer(Said(status=401, body={"error": {"message": "bad key"}})) as server:
        agent = ResearchAgent(settings(**with_model(server, api_key="sk-planted")))
        with pytest.raises(ModelRefused, match="AGENT_API_KEY") as error:
            agent.invoke(QUESTION)
    assert "sk-planted" not in str(error.value)


def test_an_endpoint_that_nobody_serves_is_one_clear_error(settings):
    agent = ResearchAgent(settings(model="r1", base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(ModelUnreachable, match=r"127\.0\.0\.1:9"):
        agent.invoke(QUESTION)


def test_a_model_that_dies_once_evidence_is_in_leaves_a_partial_answer(settings):
    def fails_late(request):
        if "webpage 1 begin" in request.prompt:
            return Said(status=402, body={"error": {"message": "Insufficient Balance"}})
        return Said('{"queries": [{"query": "R1 licence", "purpose": "licence"}]}')

    with ModelServer(fails_late) as server:
        answer = ResearchAgent(settings(**with_model(server))).invoke(QUESTION)
    assert answer.status == "partial"
    assert answer.sources
    assert any("model" in w.lower() for w in answer.warnings)


def test_a_question_that_is_none_leaves_nothing_to_resume(settings):
    agent = ResearchAgent(settings())
    with pytest.raises(QuestionError):
        agent.invoke("  ")
    with pytest.raises(RunError, match="no unfinished run"):
        list(agent.resume())


def test_the_last_event_of_a_stream_carries_the_answer(settings):
    *_, last = ResearchAgent(settings()).stream(QUESTION)
    assert isinstance(last, Finished)


def test_events_of_one_run_carry_its_id(settings):
    assert len({e.run_id for e in ResearchAgent(settings()).stream(QUESTION)}) == 1


@pytest.mark.parametrize("reasoner", ["extractive", "model"])
async def test_a_whole_run_never_blocks_the_event_loop(settings, model, reasoner):
    agent = ResearchAgent(settings(**(with_model(model) if reasoner == "model" else {})))
    with blockbuster_ctx():
        answer = await agent.ainvoke(QUESTION)
    assert answer.status == "complete"
    assert answer.warnings == ()
    assert [p for p in answer.pages if "fault" in p.reason] == []


async def test_two_questions_at_once(settings, model):
    agent = ResearchAgent(settings(**with_model(model)))
    one, two = await asyncio.gather(agent.ainvoke(QUESTION), agent.ainvoke("How was R1-Zero trained?"))
    assert (one.question, two.question) == (QUESTION, "How was R1-Zero trained?")
    assert one.run_id != two.run_id


# ------------------------------------------------------------------------------------------------- interrupted


def slow_writer(wait_s):
    """Plans at once, then thinks for `wait_s` over the answer."""
    from tests.scripted_r1 import rule_based

    def said(request):
        reply = rule_based(request)
        return Said(reply.text, reply.reasoning, wait_s=wait_s if "[webpage" in request.prompt else 0, keep_alive_s=0.2)

    return said


async def test_a_run_left_early_is_resumed_without_asking_for_the_plan_again(settings):
    with ModelServer(slow_writer(3_600)) as server:
        agent = ResearchAgent(settings(**with_model(server)))
        async with aclosing(agent.astream(QUESTION)) as events:
            async for event in events:
                if event.step == "write":
                    break
        plans = sum("[webpage" not in r.prompt for r in server.requests)
        server._script = slow_writer(0)
        resumed = [e async for e in agent.aresume()]
        asked = [r for r in server.requests if "[webpage" not in r.prompt]
    assert resumed[-1].answer.status == "complete"
    assert resumed[-1].answer.run_id == event.run_id
    assert len(asked) == plans == 1
    assert not any(isinstance(e, Planned) for e in resumed)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.02)


async def test_a_cancel_closes_the_models_connection_at_once(settings):
    with ModelServer(slow_writer(3_600)) as server:
        asking = asyncio.create_task(ResearchAgent(settings(**with_model(server))).ainvoke(QUESTION))
        await until(lambda: len(server.requests) == 2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: server.hung_up == 1)


def test_leaving_a_sync_stream_early_does_not_wait_for_the_model(settings):
    with ModelServer(slow_writer(3_600)) as server:
        events = ResearchAgent(settings(**with_model(server))).stream(QUESTION)
        for event in events:
            if event.step == "write":
                break
        events.close()


def test_a_finished_run_gives_its_answer_once_more(settings, model):
    """Whoever was stopped between the answer and its delivery was told to resume."""
    agent = ResearchAgent(settings(**with_model(model)))
    answer = agent.invoke(QUESTION)
    asked = len(model.requests)
    assert [e.answer for e in agent.resume(answer.run_id)] == [answer]
    assert len(model.requests) == asked
    with pytest.raises(RunError, match="no unfinished run"):
        list(agent.resume())


def cut_power(data, kept):
    """As if the machine had died after its `kept`th checkpoint: what steps wrote after it is there, no more."""
    with sqlite3.connect(data / "checkpoints.sqlite") as db:
        ids = [i for (i,) in db.execute("select checkpoint_id from checkpoints order by checkpoint_id")]
        for table in ("checkpoints", "writes"):
            db.execute(f"delete from {table} where checkpoint_id > ?", (ids[kept - 1],))
    with sqlite3.connect(data / "runs.sqlite") as db:
        db.execute("update runs set answer = null")
    return len(ids)


@pytest.mark.parametrize("kept", range(1, 10))
def test_a_run_goes_on_from_the_gap_between_the_end_of_a_step_and_its_checkpoint(settings, model, tmp_path, kept):
    agent = ResearchAgent(settings(**with_model(model)))
    answer = agent.invoke(QUESTION)
    asked = len(model.requests)
    assert cut_power(tmp_path / "data", kept) == 9
    *_, last = agent.resume()
    assert (last.answer.status, last.answer.run_id) == ("complete", answer.run_id)
    assert last.answer.answer == answer.answer
    assert len(model.requests) == asked
    with pytest.raises(RunError, match="no unfinished run"):
        list(agent.resume())


def test_a_run_that_is_being_worked_on_cannot_be_resumed_beside(settings):
    with ModelServer(slow_writer(3_600)) as server:
        agent = ResearchAgent(settings(**with_model(server)))
        events = agent.stream(QUESTION)
        first = next(events)
        with pytest.raises(RunError, match="another process"):
            list(ResearchAgent(settings(**with_model(server))).resume(first.run_id))
        events.close()


def test_an_unknown_run_is_said_to_be_unknown(settings):
    with pytest.raises(RunError, match="no run 'nonsense'"):
        list(ResearchAgent(settings()).resume("nonsense"))


def test_a_resumed_run_keeps_the_settings_it_was_begun_with(settings):
    with ModelServer(slow_writer(3_600)) as server:
        events = ResearchAgent(settings(**with_model(server), depth="deep")).stream(QUESTION)
        for event in events:
            if event.step == "write":
                break
        events.close()
        server._script = slow_writer(0)
        *_, last = ResearchAgent(settings()).resume()
    assert last.answer.made_with.depth == "deep"
    assert last.answer.made_with.model == "deepseek-r1"


KILLED = """
    import sys
    from agent.events import Writing
    from agent.research import ResearchAgent
    from agent.settings import Settings
    data, cache, url, question = sys.argv[1:]
    agent = ResearchAgent(Settings(data_dir=data, cache_dir=cache, search="sample", model="deepseek-r1", base_url=url))
    for event in agent.stream(question):
        print(event.step, type(event).__name__, flush=True)
"""


def test_a_killed_run_is_resumed_and_a_finished_reply_is_not_paid_again(settings, tmp_path):
    with ModelServer(slow_writer(30)) as server:
        child = subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(KILLED),
                tmp_path / "data",
                tmp_path / "cache",
                server.url,
                QUESTION,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(60, child.kill)
        watchdog.start()
        for line in child.stdout:
            if line.startswith("write"):
                break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        watchdog.cancel()
        server._script = slow_writer(0)
        *_, last = ResearchAgent(settings(**with_model(server))).resume()
        plans = sum("[webpage" not in r.prompt for r in server.requests)
    assert last.answer.status == "complete"
    assert plans == 1


async def test_the_journal_alone_keeps_replies_from_being_paid_twice(settings, tmp_path):
    """As if the machine had died before any step was recorded: the same run from its beginning."""
    with ModelServer() as server:
        agent = ResearchAgent(settings(**with_model(server)), clock=FixedClock())
        async with aclosing(agent.astream(QUESTION)) as events:
            async for event in events:
                if event.step == "verify":
                    break
        assert len(server.requests) == 2
        for file in (tmp_path / "data").glob("checkpoints.sqlite*"):
            file.unlink()
        again = ResearchAgent(settings(**with_model(server)), clock=FixedClock())
        resumed = [e async for e in again.aresume(event.run_id)]
    assert resumed[-1].answer.status == "complete"
    assert any(s.name == "plan" for s in resumed[-1].answer.steps)
    assert len(server.requests) == 2


def test_nothing_of_a_run_is_left_on_the_house_loop(settings, model):
    ResearchAgent(settings(**with_model(model))).invoke(QUESTION)

    async def tasks():
        for _ in range(100):
            left = [t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            if not left:
                break
            await asyncio.sleep(0.02)
        return left

    assert asyncio.run_coroutine_threadsafe(tasks(), house_loop()).result() == []


def test_an_app_that_makes_an_agent_for_each_question_keeps_no_files_and_threads(settings):
    def kept():
        return len(os.listdir("/dev/fd")), threading.active_count()

    ResearchAgent(settings()).invoke(QUESTION)
    files, threads = kept()
    for _ in range(3):
        ResearchAgent(settings()).invoke(QUESTION)
    assert kept()[0] <= files + 2
    assert kept()[1] <= threads + 2
