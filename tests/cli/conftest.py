import os

import pytest


@pytest.fixture(autouse=True)
def _empty_place(tmp_path, monkeypatch):
    """Neither the developer's .env nor their settings reach a test."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("AGENT_")]:
        monkeypatch.delenv(name)
