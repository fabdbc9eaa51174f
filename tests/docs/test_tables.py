"""The tables in the documents say what the code says."""

import re

from agent.cli import command_base
from agent.cli.commands.library import ACTIONS
from agent.cli.main import COMMANDS
from agent.phrases import SIGNS
from agent.reasoning.models import ENDPOINTS
from agent.result import Answer
from agent.search.provider_registry import PROVIDERS
from agent.settings import DEPTHS, Settings
from agent.wiring.model_discovery import keys_found
from tests.docs.reading import ROOT


def text(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def rows(name: str, heads: str) -> list[list[str]]:
    """The cells of the table that begins with `heads`, without backticks."""
    lines = text(name).splitlines()
    at = lines.index(heads) + 2
    table = lines[at : next((n for n in range(at, len(lines)) if not lines[n].startswith("|")), len(lines))]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in table]


def test_the_depths():
    heads = "| depth | rounds × queries | pages | evidence tokens | revisions | check | soft limit |"
    assert rows("configuration", heads) == [
        [
            name,
            f"{limits.rounds} × {limits.queries}",
            str(limits.pages),
            f"{limits.evidence_tokens:,}",
            str(limits.revisions),
            Settings(depth=name, model="m", base_url="http://h/").checking,
            f"{limits.seconds:,} s",
        ]
        for name, limits in DEPTHS.items()
    ]


def test_the_providers_whose_keys_are_looked_for_in_their_order():
    every = {endpoint.key_variable: "key" for endpoint in ENDPOINTS if endpoint.key_variable}
    found = [[endpoint.name, endpoint.key_variable, endpoint.model] for endpoint in keys_found(every)]
    assert rows("models", "| profile | key | model used if none is named |") == found


def test_every_endpoint_profile_is_named():
    assert not [e.name for e in ENDPOINTS if e.name != "unknown" and f"`{e.name}`" not in text("models")]


def test_every_search_provider_has_a_row():
    told = [row[0] for row in rows("search", "| provider | needs | `--since` | `--site`, `--not-site` |")]
    assert {re.split(r"[ ,]", name)[0] for name in told} == set(PROVIDERS)


def test_every_command_and_every_action_has_a_row():
    told = " ".join(row[0] for row in rows("usage", "| command | what it does |"))
    assert not [name for name in COMMANDS if name not in (told + text("usage"))]
    assert {row[0] for row in rows("library", "| command | what it does |")} == set(ACTIONS)


def test_the_signs():
    told = {row[0]: row[1].strip("()") for row in rows("checking", "| verdict in the JSON | sign | meaning |")}
    assert {verdict: told[verdict] for verdict in SIGNS if verdict != "supported"} == {
        verdict: sign for verdict, sign in SIGNS.items() if verdict != "supported"
    }


def test_the_exit_statuses():
    told = {int(row[0]) for row in rows("usage", "| status | meaning |")}
    assert told == {
        command_base.ANSWERED,
        command_base.FAILED,
        command_base.USAGE,
        command_base.LANDED,
        command_base.INTERRUPTED,
    }


def test_every_part_of_the_result_is_explained():
    told = " ".join(row[0] for row in rows("usage", "| field | content |"))
    own = {"schema", "run_id", "question"}  # they say what they are
    assert set(Answer.__dataclass_fields__) - own <= set(re.findall(r"\w+", told))
