"""How long the command line takes to start: `python -m tests.bench_start`, run by `make bench`."""

from __future__ import annotations

import subprocess
import sys
import time

TRIES = 5  # the best of them counts: the first one may compile


def seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "agent", "--help"], capture_output=True, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(f"--help: {min(seconds() for _ in range(TRIES)):.2f} s (at most 0.3 on a quiet machine)\n")
