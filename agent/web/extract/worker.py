"""The worker process in which pages are parsed: `python -m agent.web.extract.worker`, started by `agent.child`.

Hostile pages crash it, hang it or fill its memory; then it is this process that dies.
"""

from __future__ import annotations

from dataclasses import asdict

from agent.child import Header, serve
from agent.errors import ExtractFailed
from agent.web.extract.formats import FORMATS
from agent.web.extract.parts import Hints

_WARMING = b"<html><title>Warm</title><body><p>" + b"Words for the first page, which loads what is loaded late. " * 9


def answer(header: Header, body: bytes) -> tuple[Header, bytes]:
    """{url, charset, media_type} and bytes → {title, language, published, page_starts} and the text, or {refused}."""
    try:
        found = FORMATS[header["media_type"]](body, Hints(header["url"], header.get("charset")))
    except ExtractFailed as e:
        return {"refused": e.reason}, b""
    told = asdict(found)
    return told, told.pop("text").encode("utf-8", "replace")


if __name__ == "__main__":
    FORMATS["text/html"](_WARMING, Hints("http://warm.example/"))
    serve(answer)
