"""One world for all commands of the documents, made when the first of them asks for it."""

import os
import shutil

import pytest

from agent.library.minilm import directory, installed
from agent.settings import Settings
from tests.docs import world as worlds
from tests.docs.reading import ROOT

# The documents stand in the source tree; the built wheel has none.
collect_ignore_glob = [] if (ROOT / "Makefile").is_file() else ["test_*.py"]


@pytest.fixture(scope="session")
def _world(tmp_path_factory):
    """The developer's embedder, where there is one, and nothing else of theirs."""
    home = tmp_path_factory.mktemp("home")
    theirs = Settings().cache_home
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, home)
        if installed(theirs):
            shutil.copytree(directory(theirs), directory(home / "cache"))
        yield worlds.built(home)


@pytest.fixture
def world(_world, monkeypatch, tmp_path):
    """Each test has a working directory of its own."""
    enter(monkeypatch, _world.home)
    monkeypatch.chdir(tmp_path)
    return _world


def enter(patch: pytest.MonkeyPatch, home) -> None:
    for name in [name for name in os.environ if name.startswith("AGENT_")]:
        patch.delenv(name)
    for name, value in worlds.environment(home).items():
        patch.setenv(name, value)
