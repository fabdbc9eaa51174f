"""A worker that does what it is told, for the tests of `agent.worker_pool`."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path

from agent.worker_pool import Header, serve

if os.environ.get("WORKER_BREAKS"):
    raise ImportError("no such library")


def answer(header: Header, body: bytes) -> tuple[Header, bytes]:
    match header["do"]:
        case "echo":
            return {"pid": os.getpid(), "text": header.get("text")}, body
        case "sleep":
            time.sleep(header["seconds"])
        case "meet":
            place = Path(header["in"])
            place.joinpath(str(os.getpid())).touch()
            while len(list(place.iterdir())) < header["how many"]:
                time.sleep(0.01)
        case "hang in C":
            ctypes.CDLL(None).sleep(60)
        case "raise":
            raise KeyError("that")
        case "exit":
            os._exit(3)
        case "abort":
            os.abort()
        case "print":
            print("noise", flush=True)
            print("noise" * 100_000, file=sys.stderr, flush=True)
        case "fill":
            return {"bytes": len(bytearray(header["bytes"]))}, b""
        case "environment":
            return dict(os.environ), b""
        case "answer nonsense":
            return {"not json": object()}, b""
        case "break the frame":
            for fd in range(3, 12):
                try:
                    os.write(fd, header["bytes"].encode("latin-1"))
                except OSError:
                    continue
            time.sleep(60)
    return {"pid": os.getpid()}, b""


if __name__ == "__main__":
    serve(answer)
