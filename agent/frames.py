"""Messages between a process and its workers: framed over pipes, with a deadline.

A frame is two big-endian lengths and the seconds the job may take, a JSON header and a body of bytes.  JSON, not
pickle: a worker that a page has taken over must not be able to make its parent run anything.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

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
