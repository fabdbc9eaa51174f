"""The app's server: serves `page.py` with security headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

# ------------------------------------------------------------------------------------------ guard

# The headers of every reply: the second wall around what pages and models say (the first is `safe`).
#
# A browser that follows this policy loads nothing from anywhere but the app's own server, whatever stands in the
# page.

_POLICY = (
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",  # Streamlit writes its styles into the page
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS = (
    (b"content-security-policy", "; ".join(_POLICY).encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Guard:
    """ASGI middleware: HEADERS on every HTTP response."""

    def __init__(self, app: Callable[[Message, Any, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self._app(scope, receive, guarded)


# ------------------------------------------------------------------------------------------ app

# The app's server: `streamlit run` finds `app` here, and serves `page.py` with the headers of `guard`.

app = st.App(Path(__file__).with_name("page.py"), middleware=[Middleware(Guard)])
