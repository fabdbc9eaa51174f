"""Workers behind pipes: what they are asked, what ends them, and that one fault costs one job."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import WorkerError
from agent.worker_pool import WorkerPool, WorkerTimeout

WORKER = "tests.child_worker"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def crew() -> Iterator[WorkerPool]:
    crew = WorkerPool(WORKER, size=2)
    yield crew
    crew.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def gone(pid: int) -> bool:
    """Once it is; a test that waits in vain is ended by pytest-timeout."""
    while alive(pid):
        time.sleep(0.02)
    return True


async def pid_of(crew: WorkerPool) -> int:
    header, _ = await crew.ask({"do": "echo"}, seconds=5)
    return int(header["pid"])


async def test_a_worker_answers_with_what_it_was_given(crew: WorkerPool) -> None:
    body = bytes(range(256)) * 10_000
    header, echoed = await crew.ask({"do": "echo", "text": "é 深 \udce9"}, body, seconds=5)
    assert (header["text"], echoed) == ("é 深 \udce9", body)


def test_a_thread_without_an_event_loop_may_ask_too(crew: WorkerPool) -> None:
    header, body = crew.call({"do": "echo", "text": "a"}, b"b", seconds=5)
    assert (header["text"], body) == ("a", b"b")


async def test_the_worker_used_last_is_used_next(crew: WorkerPool) -> None:
    assert len({await pid_of(crew) for _ in range(30)}) == 1
    assert len(crew.pids()) == 1


async def test_rousing_starts_the_workers_that_do_not_run_yet(crew: WorkerPool) -> None:
    first = await pid_of(crew)
    await crew.rouse({"do": "echo"}, seconds=5)
    assert len(crew.pids()) == 2
    assert first in crew.pids()
    assert await pid_of(crew) in crew.pids()


async def test_as_many_jobs_run_at_once_as_there_are_workers(crew: WorkerPool, tmp_path: Path) -> None:
    meeting = {"do": "meet", "in": str(tmp_path), "how many": 2}  # each job waits for another one to begin
    replies = await asyncio.gather(*(crew.ask(meeting, seconds=20) for _ in range(4)))
    assert {header["pid"] for header, _ in replies} == set(crew.pids())
    assert len(crew.pids()) == 2


async def test_a_job_over_its_time_is_killed_and_the_next_one_is_done(crew: WorkerPool) -> None:
    with pytest.raises(WorkerTimeout, match=r"took longer than 0\.3 s"):
        await crew.ask({"do": "hang in C"}, seconds=0.3)
    assert await pid_of(crew)


async def test_a_fault_in_the_work_is_told_and_the_worker_lives(crew: WorkerPool) -> None:
    pid = await pid_of(crew)
    with pytest.raises(WorkerError, match="KeyError: 'that'"):
        await crew.ask({"do": "raise"}, seconds=5)
    assert await pid_of(crew) == pid


@pytest.mark.parametrize(("deed", "told"), [("exit", "exit 3"), ("abort", "SIGABRT")])
async def test_a_worker_that_dies_costs_its_own_job_only(crew: WorkerPool, deed: str, told: str) -> None:
    slow = asyncio.create_task(crew.ask({"do": "sleep", "seconds": 0.5}, seconds=5))
    with pytest.raises(WorkerError, match=told):
        await crew.ask({"do": deed}, seconds=5)
    assert await slow
    assert await pid_of(crew)


async def test_prints_and_warnings_do_not_break_the_frames(crew: WorkerPool) -> None:
    assert await crew.ask({"do": "print"}, seconds=5)


async def test_a_reply_that_is_not_json_is_a_fault(crew: WorkerPool) -> None:
    with pytest.raises(WorkerError, match="TypeError"):
        await crew.ask({"do": "answer nonsense"}, seconds=5)


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # four gigabytes, twice
        b"\0\0\0\x02\0\0\0\0\0\0\0\0[]",
        b"\0\0\0\x02\0\0\0\0\0\0\0\0{]",
        b"\0\x01\0\0\0\0\0\0\0\0\0\0" + b"[" * 65_536,
    ],
)
async def test_a_worker_that_was_taken_over_cannot_harm_its_parent(crew: WorkerPool, frame: bytes) -> None:
    with pytest.raises(WorkerError, match="not a reply"):
        await crew.ask({"do": "break the frame", "bytes": frame.decode("latin-1")}, seconds=5)
    assert await pid_of(crew)


async def test_a_cancelled_job_takes_its_worker_and_no_other_with_it(crew: WorkerPool) -> None:
    hanging = asyncio.create_task(crew.ask({"do": "hang in C"}, seconds=50))
    other = asyncio.create_task(crew.ask({"do": "sleep", "seconds": 1.5}, seconds=5))
    await asyncio.sleep(1)
    before = set(crew.pids())
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await other
    assert len(before & set(crew.pids())) == 1
    assert await pid_of(crew)


async def test_a_job_that_is_cancelled_before_it_begins_kills_nobody() -> None:
    crew = WorkerPool(WORKER, size=1)
    first = asyncio.create_task(crew.ask({"do": "sleep", "seconds": 0.5}, seconds=5))
    second = asyncio.create_task(crew.ask({"do": "hang in C"}, seconds=50))
    await asyncio.sleep(0.1)
    second.cancel()
    assert await first
    assert await pid_of(crew)
    crew.close()


async def test_a_killed_worker_is_started_anew(crew: WorkerPool) -> None:
    pid = await pid_of(crew)
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert await pid_of(crew) != pid


async def test_an_idle_worker_ends_and_the_next_job_starts_another() -> None:
    crew = WorkerPool(WORKER, idle_s=0.2)
    pid = await pid_of(crew)
    assert gone(pid)
    assert await pid_of(crew) != pid
    crew.close()


async def test_a_job_sent_to_a_worker_that_is_just_ending_is_done_all_the_same() -> None:
    crew = WorkerPool(WORKER, idle_s=0.05)
    for pause in (0.045, 0.05, 0.055, 0.06):
        assert await pid_of(crew)
        await asyncio.sleep(pause)
    crew.close()


async def test_closing_ends_the_workers_and_a_later_job_starts_new_ones(crew: WorkerPool) -> None:
    pid = await pid_of(crew)
    crew.close()
    assert not alive(pid)
    assert crew.pids() == []
    assert await pid_of(crew) != pid


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not enforce RLIMIT_AS")
async def test_memory_over_the_limit_is_refused_and_the_next_job_is_done() -> None:
    crew = WorkerPool(WORKER, memory=1 << 29)
    with pytest.raises(WorkerError, match="out of memory"):
        await crew.ask({"do": "fill", "bytes": 1 << 30}, seconds=5)
    assert (await crew.ask({"do": "fill", "bytes": 1 << 20}, seconds=5))[0] == {"bytes": 1 << 20}
    crew.close()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not enforce RLIMIT_AS")
async def test_a_worker_that_has_grown_large_makes_room_for_a_fresh_one() -> None:
    crew = WorkerPool(WORKER, memory=1 << 29)
    pid = await pid_of(crew)
    await crew.ask({"do": "fill", "bytes": 300 << 20}, seconds=30)
    assert await pid_of(crew) != pid
    crew.close()


def test_a_worker_of_a_large_program_is_not_taken_for_large_itself() -> None:
    done = run_script("""
        from agent.worker_pool import WorkerPool
        ballast = b"x" * (300 << 20)
        crew = WorkerPool("tests.child_worker", memory=1 << 29)
        print(len({crew.call({"do": "echo"}, seconds=5)[0]["pid"] for _ in range(3)}))
    """)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


async def test_a_worker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_BREAKS", "1")
    with pytest.raises(WorkerError, match=r"did not start \(exit 1\): ImportError: no such library"):
        await WorkerPool(WORKER).ask({"do": "echo"}, seconds=5)


async def test_a_worker_sees_no_keys(crew: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENT_API_KEY", "GITHUB_TOKEN", "PGPASSWORD", "AWS_SECRET_ACCESS_ID"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    seen, _ = await crew.ask({"do": "environment"}, seconds=5)
    assert "hush" not in seen.values()
    assert seen["TOKENIZERS_PARALLELISM"] == "false"


def test_one_crew_serves_the_loops_of_several_threads(crew: WorkerPool) -> None:
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(asyncio.run(pid_of(crew)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(pids) == 8
    assert set(pids) <= set(crew.pids())


def run_script(text: str, *, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(text)]
    importable = {**os.environ, "PYTHONPATH": str(ROOT)}  # tests.child_worker, also where `agent` is installed
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=seconds, cwd=ROOT, env=importable
    )


def test_a_script_without_a_main_guard_can_use_workers_and_leaves_none_behind() -> None:
    done = run_script("""
        import asyncio
        from agent.worker_pool import WorkerPool
        crew = WorkerPool("tests.child_worker", size=2)
        print(asyncio.run(crew.ask({"do": "echo"}, seconds=5))[0]["pid"])
    """)
    assert done.stderr == ""
    assert gone(int(done.stdout))


def test_leaving_does_not_wait_for_a_job() -> None:
    done = run_script("""
        import asyncio, threading, time
        from agent.worker_pool import WorkerPool
        crew = WorkerPool("tests.child_worker")
        pid = asyncio.run(crew.ask({"do": "echo"}, seconds=5))[0]["pid"]
        ask = lambda: asyncio.run(crew.ask({"do": "hang in C"}, seconds=50))
        threading.Thread(target=ask, daemon=True).start()
        time.sleep(0.3)
        print(pid)
    """)
    assert gone(int(done.stdout))


def test_workers_end_when_their_parent_is_killed_even_in_the_middle_of_a_job() -> None:
    done = run_script("""
        import asyncio, os, signal
        from agent.worker_pool import WorkerPool
        crew = WorkerPool("tests.child_worker")
        async def die():
            pid = (await crew.ask({"do": "echo"}, seconds=5))[0]["pid"]
            asyncio.ensure_future(crew.ask({"do": "hang in C"}, seconds=0.5))
            await asyncio.sleep(0.2)
            print(pid, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(die())
    """)
    assert done.returncode == -signal.SIGKILL
    assert gone(int(done.stdout))


def test_a_forked_copy_starts_workers_of_its_own_whatever_the_parents_are_at() -> None:
    done = run_script("""
        import asyncio, os, threading, time
        from agent.worker_pool import WorkerPool
        crew = WorkerPool("tests.child_worker")
        ask = lambda: asyncio.run(crew.ask({"do": "echo"}, seconds=5))[0]["pid"]
        first = ask()
        ask_long = lambda: asyncio.run(crew.ask({"do": "sleep", "seconds": 1}, seconds=5))
        thread = threading.Thread(target=ask_long)
        thread.start()
        time.sleep(0.3)
        child = os.fork()
        if not child:
            print(f"{first}:{ask()}", flush=True)
            crew.close()
            os._exit(0)
        os.waitpid(child, 0)
        thread.join()
        print(f"{first}:{ask()}", flush=True)
    """)
    pairs = [line.split(":") for line in done.stdout.split()]
    assert [first == mine for first, mine in pairs] == [False, True]
