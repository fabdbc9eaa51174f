"""The built wheel: one top-level package with all that it needs inside, and the same tests pass against it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
BESIDE_THE_TESTS = ("pyproject.toml", "README.md", ".env.example", "langgraph.json", "docker", ".dockerignore", "docs")


SECONDS = 2_400  # all tests run against the wheel, on a machine that may be slow


def run(*command: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that nothing is left in the tree."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("agent", "ui", "prompts", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", copy / "dist", cwd=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An interpreter with the wheel and our dependencies, and without the source tree."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=True)
    interpreter = home / "bin" / "python"
    packages = Path(run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # The dependencies of this environment, but not its editable install: that is set up by a .pth file in there.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    run(interpreter, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=home)
    return interpreter


def test_the_wheel_has_one_top_level_package_with_prompts_pages_and_app_inside(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {n.split("/")[0] for n in names if ".dist-info/" not in n} == {"agent"}
    assert {"agent/py.typed", "agent/prompts/plan.md", "agent/ui/app.py", "agent/ui/.streamlit/config.toml"} <= set(
        names
    )
    assert any(n.startswith("agent/sample/pages/") and n.endswith(".html") for n in names)
    assert wheel.stat().st_size < 2_000_000


def test_every_module_of_the_tree_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {n for n in archive.namelist() if n.endswith(".py")}
    tree = {f"agent/{p.relative_to(ROOT / 'agent')}" for p in (ROOT / "agent").rglob("*.py")}
    tree |= {f"agent/ui/{p.relative_to(ROOT / 'ui')}" for p in (ROOT / "ui").rglob("*.py")}
    assert tree <= packed


def test_the_installed_program_answers_the_sample_question(python, tmp_path):
    places = {"AGENT_DATA_DIR": str(tmp_path / "data"), "AGENT_CACHE_DIR": str(tmp_path / "cache")}
    question = run(python, "-m", "agent.sample", cwd=tmp_path).strip()
    said = run(python, "-m", "agent", "--search", "sample", "--model", "extractive", question, cwd=tmp_path, **places)
    assert "## Sources" in said
    assert (python.parent / "r1-research").exists()


@pytest.mark.timeout(SECONDS)
def test_the_tests_pass_against_the_installed_wheel(python, tmp_path):
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE_THE_TESTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path)
    where = run(python, "-c", "import agent; print(agent.__file__)", cwd=tmp_path).strip()
    assert str(ROOT) not in where
    told = run(python, "-m", "pytest", "-n", "2", "-m", "not slow and not tree", cwd=tmp_path)
    assert "passed" in told
