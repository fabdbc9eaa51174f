import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith(("AGENT_", "OLLAMA_"))]:
        monkeypatch.delenv(name)
