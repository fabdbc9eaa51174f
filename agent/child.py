"""Worker processes behind framed pipes, with limits on time and memory, restarted when they die.

For work that must not run in the host's process: parsing hostile pages (crashes, hangs, memory) and Chroma (its calls
hold the GIL).  A worker is `python -m MODULE` whose `main` calls `serve`.  Workers belong to the process, not to a run
or an event loop: they are shared, end after an idle time, at exit, and when their pipe closes.  `multiprocessing` is
not used because spawn breaks callers' scripts without a main guard and fork deadlocks beside threads.

A frame is two big-endian lengths, a JSON header and a body of bytes.  JSON, not pickle: a worker that a page has taken
over must not be able to make its parent run anything.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agent.errors import ChildError

Header = dict[str, Any]  # one message's JSON object
Answer = Callable[[Header, bytes], tuple[Header, bytes]]

_LENGTHS = struct.Struct(">II")
_START_SECONDS = 30.0  # a cold interpreter importing chromadb without .pyc files took 4.4 s on two busy cores


class ChildTimeout(ChildError):
    """The worker took longer than it was given, and was killed."""


class Crew:
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

        Raises `ChildTimeout`, and `ChildError` where the worker died or reported a fault of its own.  A caller that is
        cancelled takes its worker with it, and no other job.
        """
        job = _Job(header, body, seconds)
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._run, job)
        try:
            return await future
        except asyncio.CancelledError:
            job.cancel()
            raise

    def _run(self, job: _Job) -> tuple[Header, bytes]:
        worker = self._free.get()
        try:
            return job.run(worker)
        finally:
            self._free.put(worker)

    def pids(self) -> list[int]:
        """The workers that are alive now."""
        return [worker.process.pid for worker in self._workers if worker.process and worker.process.poll() is None]

    def close(self) -> None:
        """End the workers; the next `ask` starts new ones."""
        for worker in self._workers:
            worker.interrupt()

    def _forget(self) -> None:
        self._workers = [_Worker(self._module, self._options) for _ in range(self._size)]
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix=self._module)
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._workers:
            self._free.put(worker)


class _Job:
    """One exchange with a worker; knows whether it has begun, so that a cancel hits its own worker only."""

    def __init__(self, header: Header, body: bytes, seconds: float) -> None:
        self._frame = _frame(header, body)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._cancelled = False

    def run(self, worker: _Worker) -> tuple[Header, bytes]:
        with self._lock:
            if self._cancelled:
                raise ChildError("cancelled before it began")
            self._worker = worker
        try:
            header, body = worker.exchange(self._frame, self._seconds)
        finally:
            with self._lock:
                self._worker = None
        if "fault" in header:
            raise ChildError(str(header["fault"]))
        return header, body

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
                _write(process, frame, deadline)
                return _read(process, deadline)
            except TimeoutError as e:
                self.kill()
                raise ChildTimeout(f"{self._module} took longer than {seconds:.0f} s") from e
            except (EOFError, OSError) as e:
                code = self._ended()
                if code == 0 and attempt == 1:  # it ended of idleness just as the frame was sent
                    continue
                raise ChildError(f"{self._module} died ({_why(code)})") from e
        raise AssertionError("unreachable")

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process and self.process.poll() is None:
            return self.process
        self.kill()
        home = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(dict.fromkeys([home, *(p for p in sys.path if p)]))
        process = subprocess.Popen(
            [sys.executable, "-m", self._module, self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            start_new_session=True,  # a Ctrl-C in the terminal is the parent's to handle
            bufsize=0,
        )
        self.process = process
        for pipe in (process.stdin, process.stdout):
            assert pipe
            os.set_blocking(pipe.fileno(), False)
        try:
            _read(process, time.monotonic() + _START_SECONDS)  # its first frame says that it is ready
        except (EOFError, OSError, TimeoutError) as e:
            code = self._ended()
            raise ChildError(f"{self._module} did not start ({_why(code)})") from e
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
        """From another thread: the process dies, and the thread that waits for it sees its pipe end and cleans up."""
        process = self.process
        if process:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """From the thread that uses it."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


_CREWS: weakref.WeakSet[Crew] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for crew in list(_CREWS):
        crew.close()


def _forget_all() -> None:
    """After a fork the workers are the parent's; the copy starts its own."""
    for crew in list(_CREWS):
        crew._forget()  # noqa: SLF001 - the same module


os.register_at_fork(after_in_child=_forget_all)


def _why(code: int | None) -> str:
    if code is None:
        return "killed"
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


# ------------------------------------------------------------------------------------------------- frames


def _frame(header: Header, body: bytes) -> bytes:
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return _LENGTHS.pack(len(head), len(body)) + head + body


def _write(process: subprocess.Popen[bytes], frame: bytes, deadline: float) -> None:
    assert process.stdin
    fd, view = process.stdin.fileno(), memoryview(frame)
    while view:
        _wait(fd, select.POLLOUT, deadline)
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            continue


def _read(process: subprocess.Popen[bytes], deadline: float) -> tuple[Header, bytes]:
    assert process.stdout
    fd = process.stdout.fileno()
    head_length, body_length = _LENGTHS.unpack(_read_exactly(fd, _LENGTHS.size, deadline))
    head = _read_exactly(fd, head_length, deadline)
    return json.loads(head.decode("utf-8", "surrogatepass")), _read_exactly(fd, body_length, deadline)


def _read_exactly(fd: int, count: int, deadline: float) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        _wait(fd, select.POLLIN, deadline)
        try:
            piece = os.read(fd, min(count - len(parts), 1 << 20))
        except BlockingIOError:
            continue
        if not piece:
            raise EOFError
        parts += piece
    return bytes(parts)


def _wait(fd: int, what: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(fd, what)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


# ------------------------------------------------------------------------------------------------- the worker's side


def serve(answer: Answer, *, idle: Callable[[], None] | None = None) -> None:
    """Answer frames from the parent until it goes away or has been silent for the idle time; then call `idle`."""
    options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    pipe_in, pipe_out = os.dup(0), os.dup(1)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)  # a stray print must not break the frames
    _limit_memory(options.get("memory"))
    with open(pipe_in, "rb", buffering=0) as source, open(pipe_out, "wb", buffering=0) as target:  # noqa: PTH123 - fds
        _put(target.fileno(), _frame({"ready": True}, b""))
        while frame := _next_frame(source.fileno(), float(options.get("idle_s", 30.0))):
            _put(target.fileno(), _frame(*_answered(answer, *frame)))
        if idle:
            idle()


def _answered(answer: Answer, header: Header, body: bytes) -> tuple[Header, bytes]:
    try:
        return answer(header, body)
    except MemoryError:
        return {"fault": "out of memory"}, b""
    except Exception as e:  # noqa: BLE001 - whatever a library raises becomes a ChildError in the parent
        return {"fault": f"{type(e).__name__}: {e}"[:500]}, b""


def _next_frame(fd: int, idle_s: float) -> tuple[Header, bytes] | None:
    if not select.select([fd], [], [], idle_s)[0]:
        return None
    try:
        head_length, body_length = _LENGTHS.unpack(_take(fd, _LENGTHS.size))
        return json.loads(_take(fd, head_length).decode("utf-8", "surrogatepass")), _take(fd, body_length)
    except EOFError:
        return None


def _take(fd: int, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        piece = os.read(fd, min(count - len(parts), 1 << 20))
        if not piece:
            raise EOFError
        parts += piece
    return bytes(parts)


def _put(fd: int, frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        view = view[os.write(fd, view) :]


def _limit_memory(limit: int | None) -> None:
    if limit is None or sys.platform == "darwin":  # macOS does not enforce RLIMIT_AS
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
