"""How the package is laid out: one name for one thing, and files that can be read in one go."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.tree

ROOT = Path(__file__).parents[1]
PLUG_INS = {"steps", "providers", "formats", "commands"}  # whose files are called after what they add
LONGEST = 500  # lines of a file
AVOIDED = re.compile(r"(?:^|_)(?:told|laid|held|anew|aside|beside|whoever|brought)(?:_|$)")


def modules() -> list[Path]:
    found = [path for room in ("agent", "ui") for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if not path.name.startswith("__")]


def twice(names: Iterator[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def public_names(path: Path) -> list[str]:
    defined = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [n.name for n in ast.parse(path.read_text()).body if isinstance(n, defined) and n.name[0] != "_"]


def test_no_two_modules_share_a_name() -> None:
    assert twice(path.stem for path in modules() if path.parent.name not in PLUG_INS) == []


def test_no_two_classes_share_a_name() -> None:
    assert twice(name for path in modules() for name in public_names(path) if name[0].isupper()) == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


def test_public_names_are_the_fields_words() -> None:
    found = [f"{path.stem}.{name}" for path in modules() for name in public_names(path) if AVOIDED.search(name)]
    assert found == []


def test_architecture_names_only_what_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = {path.name for path in (ROOT / "agent").rglob("*") if path.is_dir()}
    known = {path.stem for path in modules()} | rooms | {"agent", "prompts"}
    assert [path for path in re.findall(r"\]\(([^)]+)\)", text) if not (ROOT / path).exists()] == []
    assert [name for name in re.findall(r"`agent\.([a-z_.]+)`", text) if name.split(".")[-1] not in known] == []
