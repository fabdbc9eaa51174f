"""Where the commands of the documents are run: a home of its own, the sample web, the extractive reasoner.

Knows which commands need more than that (a model, another web): these are parsed, up to the point where the agent would
be made, and not run.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import ResearchAgent, Settings
from agent.cli import library_write, main
from agent.cli.command_base import Researcher
from agent.cli.commands import doctor, models, setup_embeddings
from agent.reasoning.models import profile_for
from tests.docs.reading import Command

QUESTION = "What did training DeepSeek-R1 cost?"
HOST, ADDRESS = "example.org", "https://example.org/page"  # in the documents; here those of a page that was read
FOLDER = "/home/me/notes"  # likewise; here the folder of papers
AS_CONFIGURED = {"AGENT_MODEL": "deepseek-r1:32b", "AGENT_BASE_URL": "http://localhost:11434/v1"}
OTHER_MODELS = {"--writer", "--fast"}  # flags that make sense beside a configured model only
PARSERS = {"setup-embeddings": setup_embeddings, "doctor": doctor, "models": models}
_ELSEWHERE = ("model", "base_url", "profile", "writer_model", "fast_model", "embeddings_model", "chroma_url")
_HERE = {"extractive", "sample", "folder"}


class Parsed(BaseException):
    """The command can be run, and would now need what a test has not got.  No Exception: `main` reports those."""


@dataclass(frozen=True)
class World:
    home: Path
    run_id: str
    snapshot: str
    url: str
    site: str

    def real(self, word: str) -> str:
        """A word of a document with the values that a reader fills in."""
        values = {
            "…": QUESTION,
            "SNAPSHOT": self.snapshot,
            "RUN_ID": self.run_id,
            ADDRESS: self.url,
            HOST: self.site,
            FOLDER: str(self.home / "papers"),
        }
        return values.get(word, word.replace("=RUN_ID", f"={self.run_id}"))


def environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "AGENT_MODEL": "extractive",
        "AGENT_SEARCH": "sample",
        "AGENT_DATA_DIR": str(home / "data"),
        "AGENT_CACHE_DIR": str(home / "cache"),
    }


def built(home: Path) -> World:
    """A folder of papers, and a library with what one question has read."""
    (home / "papers").mkdir()
    (home / "papers" / "note.md").write_text("# R1\n\nTraining DeepSeek-R1 cost less than the figure of V3 says.\n")
    answer = ResearchAgent(Settings()).invoke(QUESTION)
    source = next(each for each in answer.sources if each.cited)
    return World(home, answer.run_id, source.snapshot, source.url, source.site)


# ------------------------------------------------------------------------------------------------- the program


def run(command: Command, words: list[str], world: World, patch: pytest.MonkeyPatch) -> int | None:
    """The exit status; None where the command was only parsed."""
    words = [world.real(word) for word in words]
    configured = AS_CONFIGURED if OTHER_MODELS & set(words) else {}
    for name, value in (configured | dict(command.variables)).items():
        patch.setenv(name, world.real(value))
    patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(command.stdin.encode())))
    parse(words)
    if words[0] in ("ui", "setup-embeddings") or (
        words[0] in ("doctor", "models", "library") and needs_more(Settings())
    ):
        return None
    if words[0] == "library" and words[1] not in ("text", "--help"):
        words.append("--sample")  # nothing else was read here
    try:
        return main(words, agent=_start(resumes=any(word.startswith("--resume") for word in words)))
    except Parsed:
        return None


def _start(*, resumes: bool):
    def start(settings: Settings) -> Researcher:
        if settings.profile:
            profile_for("", "", settings.profile)  # raises for a name that is none
        if resumes or needs_more(settings):
            raise Parsed
        return ResearchAgent(settings)

    return start


def needs_more(settings: Settings) -> bool:
    """Does a run with these settings need a model, or a web other than the sample web?"""
    named = {getattr(settings, name) for name in _ELSEWHERE} - {None}
    return bool((named | set(settings.search)) - _HERE) or settings.option("searxng_url") is not None


def parse(words: list[str]) -> None:
    """For the commands that are not always run: raises `UsageError` for what is no flag of theirs."""
    if words[0] in PARSERS and "--help" not in words:
        PARSERS[words[0]]._parser().parse_args(words[1:])
    if words[:2] == ["library", "reindex"]:
        library_write._parser().parse_args(words[2:])
    if words[0] == "ui":
        from streamlit import config

        flags = [word.removeprefix("--") for word in words[1:] if word.startswith("--")]
        assert set(flags) <= set(config.get_config_options()) | {"help"}, f"{flags} are no flags of Streamlit's"
