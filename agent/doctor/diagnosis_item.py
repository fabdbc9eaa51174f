"""What the doctor says, and what it knows of the machine it stands on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.wiring.model_setup import Server

State = Literal["ok", "weak", "problem"]
"""`weak`: questions are answered, but worse than they could be.  `problem`: they are not."""


@dataclass(frozen=True, slots=True)
class DiagnosisItem:
    """`part` is what was looked at, `told` what was found, `mend` what to do about it; both are for people."""

    part: str
    state: State
    told: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """`servers`: the local model servers that are asked; None is the usual ones."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    in_container: bool = False
    servers: Sequence[Server] | None = None


def this_machine() -> Machine:
    return Machine(os.environ, is_container(os.environ, Path("/")))


def is_container(environ: Mapping[str, str], root: Path) -> bool:
    """Docker and Podman leave a file each at the root; systemd's convention is the variable; Kubernetes has its own."""
    marks = (root / ".dockerenv", root / "run" / ".containerenv")
    return any(mark.exists() for mark in marks) or bool(
        environ.get("container") or environ.get("KUBERNETES_SERVICE_HOST")
    )


def can_run(findings: Sequence[DiagnosisItem]) -> bool:
    return all(finding.state != "problem" for finding in findings)
