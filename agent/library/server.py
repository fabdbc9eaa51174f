"""A Chroma server (`chroma run`) that is the index instead of the embedded Chroma: where it is, and whether it works.

Knows addresses, keys and the first question to it.  Does not know collections (`agent.library.homes`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from agent.probe import ask

LOOK_SECONDS = 3.0  # a server answers this in some milliseconds
_OLD = "is too old: this program needs 1.0 or newer"


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """`address` as a user gives it: it may have a path, and a user's name and password for Basic authentication."""

    address: str = field(repr=False)
    key: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Without what is secret in it, and without a slash at its end."""
        parts = urlsplit(self.address)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))

    @property
    def headers(self) -> dict[str, str]:
        """Chroma's own token is looked for under two names; what stands before a server asks for the first."""
        parts = urlsplit(self.address)
        if self.key:
            return {"Authorization": f"Bearer {self.key}", "X-Chroma-Token": self.key}
        if parts.username is None:
            return {}
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def trouble(server: ChromaServer) -> str:
    """Why it cannot be used just now, in words; "" where it can.  Blocks, for some seconds at most."""
    where = f"the Chroma server {server.url}"
    try:
        now = ask(f"{server.url}/api/v2/version", seconds=LOOK_SECONDS, headers=server.headers)
        if now.status == 404:
            before = ask(f"{server.url}/api/v1/version", seconds=LOOK_SECONDS, headers=server.headers)
            if before.status == 200 and isinstance(before.json, str):
                return f"{where} {_OLD}, and that one is {before.json[:20]}"
    except OSError as e:
        reason = getattr(e, "reason", e)  # urllib's own words around it are for programmers
        return f"{where} cannot be reached ({getattr(reason, 'strerror', None) or reason})"
    if now.status in (401, 403):
        return f"{where} refuses the key ({now.status}): see AGENT_CHROMA_API_KEY"
    if now.status != 200 or not isinstance(now.json, str):
        return f"what answers at {server.url} is no Chroma server (status {now.status})"
    return f"{where} {_OLD}, and that one is {now.json[:20]}" if now.json.startswith("0.") else ""
