"""Every command in the documents: run on the sample web, or parsed where it needs more than a test has got."""

import json
import re
import tomllib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from agent import ResearchAgent
from agent.cli import main
from agent.cli.commands.library import ACTIONS
from agent.cli.main import COMMANDS
from agent.reasoning.models import ENDPOINTS
from agent.sample import QUESTION
from agent.settings import Settings, describe
from tests.docs import world as worlds
from tests.docs.reading import DOCUMENTS, LANGUAGES, ROOT, Command, blocks, commands, inline
from tests.docs.world import World

COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
OURS = {variable for variable, _, _ in describe()} | {"AGENT_DEBUG"}
THEIRS = {endpoint.key_variable for endpoint in ENDPOINTS if endpoint.key_variable} | {"OLLAMA_HOST"}
IMAGE = "r1-research-agent"
FOREIGN_FLAGS = {"--server.port", "--server.allowedHosts", "--env-file", "--add-host", "--build-arg", "--table"}
ANSWERED = (0, 3)  # as far as the sample web can answer


class Shell:
    """What is looked at of each program that the documents name; `status` is None where nothing was run."""

    def __init__(self, command: Command, world: World, patch: pytest.MonkeyPatch) -> None:
        self.command, self.world, self.patch = command, world, patch

    def run(self) -> int | None:
        program, *words = self.command.words
        assert program in self.PROGRAMS, f"no test knows the program {program!r}"
        return self.PROGRAMS[program](self, words)

    def export(self, _: list[str]) -> None:
        """Raises `SettingsError` where the exported variables do not go together."""
        for name, value in self.command.variables:
            self.patch.setenv(name, value)
        Settings()

    def activate(self, words: list[str]) -> None:
        assert words == [".venv/bin/activate"]
        assert re.search(r"^VENV := \.venv$", MAKEFILE, re.MULTILINE)

    def python(self, words: list[str]) -> int | None:
        assert words[0] == "-m"
        if words[1] == "agent":
            return self.agent(words[2:])
        assert find_spec(words[1]), f"there is no module {words[1]}"
        assert '__name__ == "__main__"' in Path(find_spec(words[1]).origin).read_text("utf-8")
        return None

    def agent(self, words: list[str]) -> int | None:
        return worlds.run(self.command, words, self.world, self.patch)

    def make(self, words: list[str]) -> None:
        for word in words:
            name, assigned, _ = word.partition("=")
            pattern = rf"^{name} \?=" if assigned else rf"^{name}:"
            assert re.search(pattern, MAKEFILE, re.MULTILINE), f"the Makefile has no {name!r}"

    def pip(self, words: list[str]) -> None:
        assert words[0] == "install"
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
        for word in words[1:]:
            found = re.fullmatch(r"\.(?:\[(\w+)\])?", word)
            assert found, f"{word!r} is not this package"
            assert found[1] in {None, *extras}

    def copy(self, words: list[str]) -> None:
        assert (ROOT / words[0]).is_file()

    def chroma(self, words: list[str]) -> None:
        assert words[0] == "run"
        assert entry_points(group="console_scripts", name="chroma")

    def ollama(self, words: list[str]) -> None:
        assert words[0] == "pull"

    def docker(self, words: list[str]) -> int | None:
        if words[0] == "compose":
            return self.compose(words[1:])
        if words[0] == "build":
            assert (ROOT / words[words.index("-f") + 1]).is_file()
            assert IMAGE in words
            return None
        assert words[0] == "run"
        return self.in_a_container(words[words.index(IMAGE) + 1 :])

    def compose(self, words: list[str]) -> int | None:
        given = dict(zip(words[::2], words[1::2], strict=False))
        assert (ROOT / given["-f"]).is_file()
        services = COMPOSE["services"]
        if "--profile" in given:
            assert any(given["--profile"] in service.get("profiles", ()) for service in services.values())
        rest = words[2 * (("-f" in given) + ("--profile" in given)) :]
        if rest[0] in ("up", "down"):
            return None
        assert rest[0] in ("run", "exec")
        service, *inside = [word for word in rest[1:] if word != "--rm"]
        assert service in services
        return self.in_a_container(inside) if service == "agent" else None

    def in_a_container(self, words: list[str]) -> int | None:
        """The same words, where a model is configured."""
        for name, value in worlds.AS_CONFIGURED.items():
            self.patch.setenv(name, value)
        return self.agent(words)

    PROGRAMS: ClassVar = {
        "export": export, ".": activate, "python": python, "r1-research": agent, "make": make, "pip": pip, "cp": copy,
        "chroma": chroma, "ollama": ollama, "docker": docker,
    }  # fmt: skip


@pytest.mark.parametrize("command", commands(), ids=str)
def test_a_command_works(command, world, monkeypatch, capsys):
    status = Shell(command, world, monkeypatch).run()
    said = capsys.readouterr()
    assert status in (None, *ANSWERED), said.err
    if status is not None and command.pipe:
        program, key = command.pipe
        assert program == "jq"
        assert key.removeprefix(".") in json.loads(said.out)
    if status is not None and command.target:
        whole = [said.out] if command.target.endswith(".json") else said.out.splitlines()
        assert [json.loads(part) for part in whole]
    if status is not None and "--output" in command.words:
        assert Path(command.words[command.words.index("--output") + 1]).stat().st_size


@pytest.mark.parametrize("command", commands(), ids=str)
def test_a_commands_variables_exist(command):
    of_compose = set(re.findall(r"\$\{(\w+)", (ROOT / "docker" / "compose.yaml").read_text("utf-8")))
    assert {name for name, _ in command.variables} <= OURS | THEIRS | of_compose


def test_every_block_says_what_is_in_it():
    assert not [block.where for block in blocks() if block.language not in LANGUAGES]


def test_a_wrong_flag_in_a_document_would_be_noticed(world, monkeypatch, capsys):
    for words in (["python", "-m", "agent", "--dept", "quick", "…"], ["python", "-m", "agent", "library", "lst"]):
        assert Shell(Command("here", tuple(words)), world, monkeypatch).run() == 2
    with pytest.raises(AssertionError):
        Shell(Command("here", ("make", "asks")), world, monkeypatch).run()
    with pytest.raises(AssertionError):
        Shell(Command("here", ("python", "-m", "agent", "ui", "--server.ports", "1")), world, monkeypatch).run()


# ------------------------------------------------------------------------------------------------- names in the text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_variable_that_a_document_names_is_a_setting(document):
    named = set(re.findall(r"\bAGENT_[A-Z_]*[A-Z]\b", document.read_text("utf-8")))
    assert named <= OURS


def test_every_flag_that_a_document_names_exists(capsys):
    known = set(FOREIGN_FLAGS)
    for words in [[name] for name in COMMANDS] + [["library", action] for action in ACTIONS]:
        main([*words, "--help"])
        known |= set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out))
    named = {
        (document.name, flag)
        for document in DOCUMENTS
        for token in inline(document)
        if token.type == "code_inline"
        for flag in re.findall(r"(?<!\S)--[a-z][\w.-]*", token.content)
    }
    assert not {(name, flag) for name, flag in named if flag not in known}


# ------------------------------------------------------------------------------------------------- output


def test_the_readme_shows_what_make_ask_prints(world, capsys):
    if not (world.home / "cache" / "embedder").is_dir():
        pytest.skip("without the embedder the extractive reasoner answers a little otherwise")
    assert "ask --search sample" in MAKEFILE
    [block] = blocks("console")
    assert main(["ask", "--search", "sample", QUESTION], agent=ResearchAgent) == 0
    said = capsys.readouterr()
    printed = {_timeless(line) for line in (said.err + said.out).splitlines()}
    shown = [line for line in block.text.splitlines()[1:] if line != "…"]
    assert len(shown) > 15
    assert not [line for line in shown if _timeless(line) not in printed]


def _timeless(line: str) -> str:
    return re.sub(r"\d+\.\d s\b", "… s", line)
