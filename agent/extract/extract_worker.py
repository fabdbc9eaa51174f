"""The worker process that parses pages: `python -m agent.extract.extract_worker`, started by `agent.worker_pool`.

Hostile pages crash it, hang it or fill its memory; then it is this process that dies.
"""

from __future__ import annotations

from dataclasses import asdict

from agent.errors import ExtractFailed
from agent.extract.format_base import FormatInput
from agent.extract.format_registry import extract_function
from agent.worker_pool import Header, serve

# A long page and a short one: each loads what trafilatura loads late on its kind (0.2 s for the short one).
_WARMING = [b"<html><title>Warm</title><body><p>" + b"Words that nobody will read. " * times for times in (20, 2)]


def answer(header: Header, body: bytes) -> tuple[Header, bytes]:
    """{url, charset, media_type} and bytes → {title, language, published, page_starts} and the text, or {refused}."""
    try:
        found = extract_function(header["media_type"])(body, FormatInput(header["url"], header.get("charset")))
    except ExtractFailed as e:
        return {"refused": e.reason}, b""
    told = asdict(found)
    return told, told.pop("text").encode("utf-8", "replace")


if __name__ == "__main__":
    for page in _WARMING:
        extract_function("text/html")(page, FormatInput("http://warm.example/"))
    serve(answer)
