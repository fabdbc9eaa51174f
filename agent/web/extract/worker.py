"""The worker process in which pages are parsed: `python -m agent.web.extract.worker`, started by `agent.child`.

Hostile pages crash it, hang it or fill its memory; then it is this process that dies.
"""

from __future__ import annotations

from dataclasses import asdict

from agent.child import Header, serve
from agent.errors import ExtractFailed
from agent.web.extract.formats import FORMATS
from agent.web.extract.parts import Hints

# A long page and a short one: each loads what trafilatura loads late on its kind (0.2 s for the short one).
_WARMING = [b"<html><title>Warm</title><body><p>" + b"Words that nobody will read. " * times for times in (20, 2)]


def answer(header: Header, body: bytes) -> tuple[Header, bytes]:
    """{url, charset, media_type} and bytes → {title, language, published, page_starts} and the text, or {refused}."""
    try:
        found = FORMATS[header["media_type"]](body, Hints(header["url"], header.get("charset")))
    except ExtractFailed as e:
        return {"refused": e.reason}, b""
    told = asdict(found)
    return told, told.pop("text").encode("utf-8", "replace")


if __name__ == "__main__":
    for page in _WARMING:
        FORMATS["text/html"](page, Hints("http://warm.example/"))
    serve(answer)
