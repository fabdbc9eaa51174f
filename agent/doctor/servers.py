"""Which kind of server a role's endpoint is, as far as its own interface tells.  Blocks for some seconds at most."""

from __future__ import annotations

from contextlib import suppress

from agent.casting import Cast
from agent.discovery import TITLES
from agent.offers import OLLAMA, Server
from agent.probe import ask
from agent.text.urls import is_local_host

SECONDS = 3.0  # for one question about models; servers answer in some milliseconds


def server_of(role: Cast) -> Server:
    """By its profile; an Ollama at another port than its own is known by what it answers."""
    kind, key = role.profile.name, role.api_key.get_secret_value() if role.api_key else ""
    server = Server(kind, TITLES.get(kind, ""), role.base_url, key)
    if kind in TITLES or not is_local_host(role.base_url):
        return server
    with suppress(OSError):
        told = ask(f"{server.root}/api/version", seconds=SECONDS).json
        if isinstance(told, dict) and "version" in told:
            return Server(OLLAMA, TITLES[OLLAMA], role.base_url, key)
    return server
