"""What the container files say, held against the settings and the package's own list of files."""

import tomllib
from pathlib import Path

import pytest
import yaml

from agent.settings import describe

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"

pytestmark = pytest.mark.skipif(not DOCKER.is_dir(), reason="the tests run away from the repository")


def compose() -> dict:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def test_every_setting_reaches_the_container():
    fixed = compose()["services"]["agent"]["environment"]
    passed_on = lines(DOCKER / "from-shell.env")
    assert sorted({*passed_on, *fixed}) == sorted(variable for variable, _, _ in describe())


def test_a_place_of_the_host_is_not_one_of_the_container():
    passed_on = lines(DOCKER / "from-shell.env")
    assert not {"AGENT_DATA_DIR", "AGENT_CACHE_DIR", "AGENT_SEARXNG_URL"} & set(passed_on)


def test_names_are_passed_on_and_no_value_stands_in_the_repository():
    assert not [line for line in lines(DOCKER / "from-shell.env") if "=" in line]


def test_every_port_is_published_on_loopback_only():
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_searxng_answers_in_json_and_its_secret_is_not_in_the_repository():
    settings = yaml.safe_load((DOCKER / "searxng" / "settings.yml").read_text("utf-8"))
    assert "json" in settings["search"]["formats"]
    assert settings["server"] == {"limiter": False}
    assert compose()["services"]["searxng"]["environment"]["SEARXNG_SECRET"] is None


def test_the_image_is_built_from_the_packages_files_and_no_others():
    rules = lines(ROOT / ".dockerignore")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    folders = project["tool"]["setuptools"]["package-dir"].values()
    files = ["pyproject.toml", "requirements.lock", project["project"]["readme"], *project["project"]["license-files"]]
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted([*folders, *files])
