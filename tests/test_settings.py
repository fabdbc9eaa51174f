"""Settings: where a value comes from, what is refused and how, and the files that are generated from them."""

import json
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings import DEPTHS, Settings, describe, environment_example, table


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for variable, _, _ in describe():
        monkeypatch.delenv(variable, raising=False)


def test_code_wins_over_the_environment_and_that_over_the_default(monkeypatch):
    monkeypatch.setenv("AGENT_DEPTH", "deep")
    monkeypatch.setenv("AGENT_LANG", "de")
    assert Settings(depth="quick").depth == "quick"
    assert Settings(depth="quick").lang == "de"
    assert Settings().depth == "deep"


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    monkeypatch.setenv("AGENT_MAX_SECONDS", "")
    assert Settings().max_seconds is None


def test_search_providers_are_a_list_with_commas(monkeypatch):
    monkeypatch.setenv("AGENT_SEARCH", "duckduckgo, wikipedia")
    assert Settings().search == ("duckduckgo", "wikipedia")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"depth": "bottomless"}, "AGENT_DEPTH='bottomless'"),
        ({"folder": "/no/such/place"}, "AGENT_FOLDER='/no/such/place': is not a directory"),
        ({"base_url": "localhost:1", "model": "m"}, "http://"),
        ({"base_url": "http://[bad/v1", "model": "m"}, "names no host"),
        ({"base_url": "http://", "model": "m"}, "names no host"),
        ({"model": "deepseek-r1"}, "AGENT_BASE_URL"),
        ({"writer_base_url": "http://h/v1"}, "AGENT_WRITER_MODEL"),
        ({"model": "extractive", "writer_model": "w"}, "takes no writer"),
        ({"search": "searxng"}, "AGENT_SEARXNG_URL"),
        ({"search": "folder"}, "AGENT_FOLDER"),
        ({"max_seconds": -1}, "AGENT_MAX_SECONDS='-1'"),
        ({"lang": "../../etc"}, "AGENT_LANG"),
        ({"chroma_api_key": "k"}, "AGENT_CHROMA_URL"),
        ({"chroma_url": "localhost:8000"}, "AGENT_CHROMA_URL"),
        ({"colour": "red"}, "'colour' is not a setting"),
    ],
)
def test_a_value_that_does_not_work_is_refused_in_one_line_that_names_it(given, told):
    with pytest.raises(SettingsError) as error:
        Settings(**given)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_key_never_stands_in_an_error_a_repr_or_the_store():
    settings = Settings(api_key="sk-planted", depth="quick")
    assert "sk-planted" not in repr(settings) + settings.to_store()
    with pytest.raises(SettingsError) as error:
        Settings(api_key=["sk-planted"])
    assert "sk-planted" not in str(error.value)


def test_stored_settings_come_back_with_the_secrets_of_now():
    stored = json.loads(Settings(depth="quick", lang="zh", api_key="old").to_store())
    back = Settings(api_key="new").restored(stored)
    assert (back.depth, back.lang, back.api_key.get_secret_value()) == ("quick", "zh", "new")


def test_stored_settings_come_back_as_they_were_whatever_the_environment_says_now(monkeypatch):
    stored = json.loads(Settings(lang="zh").to_store())
    monkeypatch.setenv("AGENT_DEPTH", "deep")
    monkeypatch.setenv("AGENT_MAX_PAGES", "3")
    monkeypatch.setenv("AGENT_MODEL", "extractive")
    back = Settings().restored(stored)
    assert (back.lang, back.depth, back.max_pages, back.model) == ("zh", "standard", None, None)


def test_the_limits_are_the_depths_with_the_users_own_in_their_place():
    assert Settings(depth="quick").limits == DEPTHS["quick"]
    assert Settings(max_pages=3, max_seconds=10, max_total_tokens=500).limits.pages == 3
    assert Settings(max_seconds=10).limits.seconds == 10


def test_the_soft_seconds_do_not_apply_to_a_local_endpoint_unless_they_are_set():
    assert Settings(model="m", base_url="http://localhost:11434/v1").limits.seconds is None
    assert Settings(model="m", base_url="http://localhost:11434/v1", max_seconds=9).limits.seconds == 9
    assert Settings(model="m", base_url="https://api.example.com/v1").limits.seconds == 300


def test_the_example_file_is_generated_from_the_settings():
    assert Path(".env.example").read_text(encoding="utf-8") == environment_example()


def test_the_table_of_the_documents_is_generated_from_the_settings():
    assert f"\n{table()}\n" in Path("docs/configuration.md").read_text(encoding="utf-8")
