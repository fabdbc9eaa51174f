"""Worker processes over pipes, with limits of time and memory, and a thread that blocking calls run on."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from agent.errors import WorkerError

# ------------------------------------------------------------------------------------------ frames

# Messages between a process and its workers: framed over pipes, with a deadline.
#
# A frame is two big-endian lengths and the seconds the job may take, a JSON header and a body of bytes.  JSON, not
# pickle: a worker that a page has taken over must not be able to make its parent run anything.

Header = dict[str, Any]  # one message's JSON object

LARGEST = 1 << 28  # bytes of a reply; a worker that claims more has lost its senses
_PREFIX = struct.Struct(">IIf")
_PIECE = 1 << 20


def packed(header: Header, body: bytes, seconds: float = 0.0) -> bytes:
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return _PREFIX.pack(len(head), len(body), seconds) + head + body


def send(fd: int, frame: bytes, *, until: float) -> None:
    """To a non-blocking pipe.  Raises `TimeoutError` past `until` (monotonic), `OSError` where nobody reads."""
    view = memoryview(frame)
    while view:
        _wait(fd, select.POLLOUT, until)
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            continue


def receive(fd: int, *, until: float) -> tuple[Header, bytes]:
    """From a non-blocking pipe.  Raises `TimeoutError`, `EOFError`; for nonsense `ValueError` or `RecursionError`."""
    head_length, body_length, _ = _PREFIX.unpack(_exactly(fd, _PREFIX.size, until))
    if head_length + body_length > LARGEST:
        raise ValueError(f"a reply of {head_length + body_length} bytes")
    head = _exactly(fd, head_length, until)
    return _header(head), _exactly(fd, body_length, until)


def send_all(fd: int, frame: bytes) -> None:
    """To a blocking pipe."""
    view = memoryview(frame)
    while view:
        view = view[os.write(fd, view) :]


def receive_job(fd: int) -> tuple[Header, bytes, float]:
    """From a blocking pipe: header, body and the seconds the job may take.  Raises `EOFError`."""
    head_length, body_length, seconds = _PREFIX.unpack(_exactly(fd, _PREFIX.size))
    return _header(_exactly(fd, head_length)), _exactly(fd, body_length), seconds


def _header(raw: bytes) -> Header:
    header = json.loads(raw.decode("utf-8", "surrogatepass"))
    if not isinstance(header, dict):
        raise ValueError(f"a frame's header is an object, not {type(header).__name__}")  # noqa: TRY004 - bad bytes
    return header


def _exactly(fd: int, count: int, until: float | None = None) -> bytes:
    """`until`: None for a pipe that blocks."""
    parts = bytearray()
    while len(parts) < count:
        if until is not None:
            _wait(fd, select.POLLIN, until)
        try:
            piece = os.read(fd, min(count - len(parts), _PIECE))
        except BlockingIOError:
            continue
        if not piece:
            raise EOFError
        parts += piece
    return bytes(parts)


def _wait(fd: int, what: int, until: float) -> None:
    poll = select.poll()
    poll.register(fd, what)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


# ------------------------------------------------------------------------------------------ child

# Worker processes behind framed pipes, with limits on time and memory, restarted when they die.
#
# For work that must not run in the host's process: parsing hostile pages (crashes, hangs, memory) and Chroma (its
# calls hold the GIL).  A worker is `python -m MODULE` whose `main` calls `serve`.  Workers belong to the process, not
# to a run or an event loop: they are shared, end after an idle time, at exit, and when their pipe closes.
# `multiprocessing` is not used because spawn breaks callers' scripts without a main guard and fork deadlocks beside
# threads.

__all__ = ["Header", "WorkerPool", "WorkerTimeout", "serve"]

Answer = Callable[[Header, bytes], tuple[Header, bytes]]

_START_SECONDS = 30.0  # a cold interpreter importing chromadb without .pyc files took 4.4 s on two busy cores
_SECRET = re.compile(r"KEY|TOKEN(?!IZ)|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


class WorkerTimeout(WorkerError):
    """The worker took longer than it was given, and was killed."""


class WorkerPool:
    """`size` workers of one kind.  `ask` gives a job to a free one and may be called from any thread's loop."""

    def __init__(self, module: str, *, size: int = 1, memory: int | None = None, idle_s: float = 30.0) -> None:
        """`memory`: bytes of address space a worker may have (RLIMIT_AS); None: no limit."""
        self._module = module
        self._options = json.dumps({"memory": memory, "idle_s": idle_s})
        self._size = size
        self._forget()
        _CREWS.add(self)

    async def ask(self, header: Header, body: bytes = b"", *, seconds: float) -> tuple[Header, bytes]:
        """The worker's reply.  `seconds` count from when a worker takes the job.

        Raises `WorkerTimeout`, and `WorkerError` where the worker died or reported a fault of its own.  A caller that
        is cancelled takes its worker with it, and no other job.
        """
        job = _Job(header, body, seconds)
        self._give(job)
        try:
            return await asyncio.wrap_future(job.reply)
        except asyncio.CancelledError:
            job.cancel()
            raise

    def call(self, header: Header, body: bytes = b"", *, seconds: float) -> tuple[Header, bytes]:
        """`ask`, for a thread that has no event loop."""
        job = _Job(header, body, seconds)
        self._give(job)
        return job.reply.result()

    async def rouse(self, header: Header, body: bytes = b"", *, seconds: float) -> None:
        """Have every worker that is free do this job at once, to have them started; what comes of it is not told.

        As many calls of `ask` would not do: one that runs already answers before the others are asked.
        """
        with self._lock:
            taken = self._free.copy()
            self._free.clear()
        jobs = []
        for worker in taken:
            job = _Job(header, body, seconds)
            with contextlib.suppress(WorkerError):  # the first that asks for work will hear of it
                self._begin(worker, job)
                jobs.append(job)
        await asyncio.gather(*(asyncio.wrap_future(job.reply) for job in jobs), return_exceptions=True)

    def _give(self, job: _Job) -> None:
        with self._lock:
            if not self._free:
                self._waiting.append(job)
                return
            worker = self._free.pop()
        self._begin(worker, job)

    def _begin(self, worker: _Worker, job: _Job) -> None:
        try:  # a daemon thread: an executor's would make the interpreter's exit wait for the job
            threading.Thread(target=self._work, args=(worker, job), name=self._module, daemon=True).start()
        except RuntimeError as e:
            with self._lock:
                self._free.append(worker)
            raise WorkerError(f"no thread for {self._module} ({e})") from e

    def _work(self, worker: _Worker, job: _Job | None) -> None:
        while job:
            outcome = job.run(worker)
            following = self._next(worker)  # free before the reply is heard: who asks again gets the same worker
            outcome()
            job = following

    def _next(self, worker: _Worker) -> _Job | None:
        """What waits; else the worker is free.  The one used last is used next, so that the others can end."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._free.append(worker)
            return None

    def pids(self) -> list[int]:
        """The workers that are alive now."""
        running = [worker.process for worker in self._workers]
        return [process.pid for process in running if process and process.poll() is None]

    def close(self) -> None:
        """End the workers, and what they are at; the next `ask` starts new ones."""
        for worker in self._workers:
            worker.interrupt()
        for process in [worker.process for worker in self._workers]:
            if process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._workers = [_Worker(self._module, self._options) for _ in range(self._size)]
        self._free = list(self._workers)


class _Job:
    """One exchange with a worker; knows whether it has begun, so that a cancel hits its own worker only."""

    def __init__(self, header: Header, body: bytes, seconds: float) -> None:
        self.reply: Future[tuple[Header, bytes]] = Future()
        self._frame = packed(header, body, seconds)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._cancelled = False

    def run(self, worker: _Worker) -> Callable[[], None]:
        """Do it; what comes back tells whoever waits."""
        if not self._begins_with(worker):
            return lambda: None
        try:
            reply = worker.exchange(self._frame, self._seconds)
        except Exception as e:  # noqa: BLE001 - whoever waits for the reply must hear of it, or waits for ever
            return partial(self.reply.set_exception, e)
        finally:
            with self._lock:
                self._worker = None
        if fault := reply[0].get("fault"):
            return partial(self.reply.set_exception, WorkerError(str(fault)))
        return partial(self.reply.set_result, reply)

    def _begins_with(self, worker: _Worker) -> bool:
        with self._lock:
            if self._cancelled or not self.reply.set_running_or_notify_cancel():
                return False
            self._worker = worker
            return True

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._worker:
                self._worker.interrupt()


class _Worker:
    """One process, started when it is first needed and anew after it has ended."""

    def __init__(self, module: str, options: str) -> None:
        self._module = module
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    def exchange(self, frame: bytes, seconds: float) -> tuple[Header, bytes]:
        for attempt in (1, 2):
            process = self._started()
            try:
                deadline = time.monotonic() + seconds
                send(_fd(process.stdin), frame, until=deadline)
                return receive(_fd(process.stdout), until=deadline)
            except TimeoutError as e:
                self.kill()
                raise WorkerTimeout(f"{self._module} took longer than {seconds:g} s") from e
            except (EOFError, OSError) as e:
                code = self._ended()
                if code == 0 and attempt == 1:  # it ended of idleness just as the frame was sent
                    continue
                raise WorkerError(f"{self._module} died ({_why(code)})") from e
            except (ValueError, RecursionError) as e:
                self.kill()
                raise WorkerError(f"{self._module} sent what is not a reply ({type(e).__name__})") from e
        raise AssertionError("unreachable")

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process and self.process.poll() is None:
            return self.process
        self.kill()
        process = subprocess.Popen(
            [sys.executable, "-m", self._module, self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # until it is ready: says why it did not start
            env=_environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is the parent's to handle
            bufsize=0,
        )
        self.process = process
        for pipe in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(_fd(pipe), False)
        try:
            receive(_fd(process.stdout), until=time.monotonic() + _START_SECONDS)  # its first frame: it is ready
        except (EOFError, OSError, ValueError) as e:
            last_words = _last_line(_fd(process.stderr))
            raise WorkerError(f"{self._module} did not start ({_why(self._ended())}){last_words}") from e
        assert process.stderr
        process.stderr.close()
        return process

    def _ended(self) -> int | None:
        """Its exit code; it is dead afterwards in any case."""
        code: int | None = None
        if self.process:
            try:
                code = self.process.wait(1)
            except subprocess.TimeoutExpired:
                code = None
        self.kill()
        return code

    def interrupt(self) -> None:
        """From another thread, at once: the process dies, and the thread that waits for it sees its pipe end."""
        process = self.process
        if process:
            process.kill()

    def kill(self) -> None:
        """From the thread that uses it."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


_CREWS: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for crew in list(_CREWS):
        crew.close()


def _forget_all() -> None:
    """After a fork the workers are the parent's; the copy starts its own."""
    for crew in list(_CREWS):
        crew._forget()  # noqa: SLF001 - the same module


os.register_at_fork(after_in_child=_forget_all)


def _environment() -> dict[str, str]:
    """What a worker gets to see: how to import what its parent can, and no keys (it reads hostile pages)."""
    home = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(dict.fromkeys(p for p in (*sys.path, home) if p))
    kept = {name: value for name, value in os.environ.items() if not _SECRET.search(name)}
    return {**kept, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _fd(pipe: IO[bytes] | None) -> int:
    assert pipe
    return pipe.fileno()


def _why(code: int | None) -> str:
    if code is None:
        return "killed"
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _last_line(fd: int) -> str:
    try:
        lines = os.read(fd, 1 << 16).decode(errors="replace").split("\n")
    except OSError:
        return ""
    spoken = [line.strip() for line in lines if line.strip()]
    return f": {spoken[-1][:300]}" if spoken else ""


# ------------------------------------------------------------------------------------------------- the worker's side

_GRACE = 2.0  # seconds past the parent's own deadline; reached only when the parent is gone and cannot kill


def serve(answer: Answer, *, idle: Callable[[], None] | None = None) -> None:
    """Answer frames from the parent until it goes away or has been silent for the idle time; then call `idle`.

    Whatever takes long to import should be imported before: the parent waits for the first frame without a job's clock.
    """
    options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    memory: int | None = options.get("memory")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process even inside C code
    pipe_in, pipe_out = os.dup(0), os.dup(1)
    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # a stray print must not break the frames, nor a flood of warnings fill a pipe
        os.dup2(quiet, standard)
    _limit_memory(memory)
    with open(pipe_in, "rb", buffering=0) as source, open(pipe_out, "wb", buffering=0) as target:  # noqa: PTH123 - fds
        send_all(target.fileno(), packed({"ready": True}, b""))
        while job := _next_job(source.fileno(), float(options.get("idle_s", 30.0))):
            reply = _answered(answer, *job)
            send_all(target.fileno(), reply)
            if memory and _peak_memory() > memory // 2:  # a heap torn by one large page would fail the next ones
                break
        if idle:
            idle()


def _answered(answer: Answer, header: Header, body: bytes, seconds: float) -> bytes:
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
    try:
        return packed(*answer(header, body))
    except MemoryError:
        return packed({"fault": "out of memory"}, b"")
    except Exception as e:  # noqa: BLE001 - whatever a library raises becomes a WorkerError in the parent
        return packed({"fault": f"{type(e).__name__}: {e}"[:500]}, b"")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _next_job(fd: int, idle_s: float) -> tuple[Header, bytes, float] | None:
    if not select.select([fd], [], [], idle_s)[0]:
        return None
    try:
        return receive_job(fd)
    except EOFError:
        return None


def _limit_memory(limit: int | None) -> None:
    if limit is None or sys.platform == "darwin":  # macOS does not enforce RLIMIT_AS
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _peak_memory() -> int:
    """Bytes that were resident at most.

    Linux's `ru_maxrss` is no measure of that: it begins with what the parent had when it started this process.
    """
    try:
        told = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii", "replace"))
    except OSError:  # no Linux
        told = None
    if told:
        return int(told[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# ------------------------------------------------------------------------------------------ threads

# Threads for calls that block, so that no event loop waits for a disk or a processor.
#
# Knows executors and forks.  Does not know what is called.

P = ParamSpec("P")
T = TypeVar("T")


class BlockingExecutor:
    """A few threads for one kind of call, shared by all event loops; made at first use, and anew after a fork."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._made: tuple[int, ThreadPoolExecutor] | None = None  # in which process

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `call` returns or raises.  A caller that is cancelled leaves at once; the call itself goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._executor(), lambda: call(*args, **kwargs))

    def _executor(self) -> ThreadPoolExecutor:
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), ThreadPoolExecutor(self._threads, thread_name_prefix=self._name))
        return self._made[1]
