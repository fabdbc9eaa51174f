"""What model servers offer: which models, how large, and how much text each takes.

Knows the questions that Ollama, llama.cpp, LM Studio and every OpenAI-compatible server answer (the sources of each
field stand beside it).  Does not know which model is wanted, where keys come from, or what a user is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from agent.probe import ask

OLLAMA: Final = "ollama"
LLAMA_CPP: Final = "llama.cpp"
LM_STUDIO: Final = "lmstudio"
_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d+)", re.MULTILINE)
_LONGEST_NAME = 300  # characters; a longer one is no model's name
_MOST_MODELS = 2_000  # of one server; OpenRouter has some 350


@dataclass(frozen=True, slots=True)
class Server:
    """A place that speaks OpenAI's protocol."""

    kind: str  # the name of its endpoint profile
    title: str  # as people call it
    url: str  # with /v1
    key: str = field(default="", repr=False)

    @property
    def root(self) -> str:
        """Where its own interface begins."""
        return self.url.removesuffix("/v1")


@dataclass(frozen=True, slots=True)
class Offer:
    """One model on one server."""

    server: Server
    model: str
    bytes: int | None = None  # on its disk
    parameters: str = ""  # "32.8B", as the server says it
    tokens: int | None = None  # that it takes, where the list of models says so


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens of prompt, thinking and answer a model takes; None where the server does not say."""

    given: int | None = None  # as it is served now
    most: int | None = None  # as it could be


class NoList(OSError):
    """Something answers, but not with a list of models; `status` is its own."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answers {status} without a list of models")
        self.status = status


def offers(server: Server, *, seconds: float) -> tuple[Offer, ...]:
    """The models in the server's own order.  Raises `OSError` where nothing answers, `NoList` where no list comes."""
    if server.kind == OLLAMA:
        return tuple(_pulled(server, seconds))
    return tuple(_listed(server, seconds))


def window(server: Server, model: str, *, seconds: float) -> Window:
    """How much text the model takes.  Raises `OSError`."""
    if server.kind == OLLAMA:
        return _ollama_window(server, model, seconds)
    if server.kind == LLAMA_CPP:
        told = ask(f"{server.root}/props", seconds=seconds, key=server.key).json
        return Window(_count(told, "default_generation_settings", "n_ctx"))
    if server.kind == LM_STUDIO:
        told = ask(f"{server.root}/api/v0/models/{quote(model)}", seconds=seconds, key=server.key).json
        return Window(_count(told, "loaded_context_length"), _count(told, "max_context_length"))
    given = (offer.tokens for offer in offers(server, seconds=seconds) if offer.model == model)
    return Window(next(given, None))


def same_model(one: str, other: str) -> bool:
    """Ollama's names mean the tag `latest` where they have none, and do not tell capitals from small letters."""
    return _tagged(one) == _tagged(other)


def _tagged(name: str) -> str:
    return name.lower() if ":" in name else f"{name.lower()}:latest"


# ------------------------------------------------------------------------------------------------- the servers


def _listed(server: Server, seconds: float) -> Iterator[Offer]:
    """`GET /v1/models`, with the length that vLLM, SGLang (`max_model_len`) and OpenRouter (`context_length`) add."""
    for row in _rows(server, f"{server.url}/models", "data", seconds):
        if name := _name(row, "id"):
            yield Offer(server, name, tokens=_count(row, "max_model_len") or _count(row, "context_length"))


def _pulled(server: Server, seconds: float) -> Iterator[Offer]:
    """Ollama's `GET /api/tags`, without the models that it only passes on to its makers' paid service."""
    for row in _rows(server, f"{server.root}/api/tags", "models", seconds):
        name = _name(row, "name")
        if name and not row.get("remote_host") and not row.get("remote_model"):
            size = _at(row, "details", "parameter_size")
            yield Offer(server, name, _count(row, "size"), size[:20] if isinstance(size, str) else "")


def _ollama_window(server: Server, model: str, seconds: float) -> Window:
    """What a loaded model was given stands in `/api/ps`; else its Modelfile may say, in `/api/show`.

    Where neither does, Ollama decides when it loads the model: 4,096 tokens below 24 GiB of graphics memory.
    """
    shown = ask(f"{server.root}/api/show", seconds=seconds, key=server.key, question={"model": model}).json
    set_to = _NUM_CTX.search(str(_at(shown, "parameters") or ""))
    about = _at(shown, "model_info")
    names = [name for name in about if str(name).endswith(".context_length")] if isinstance(about, dict) else []
    most = _count(about, names[0]) if names else None
    running = ask(f"{server.root}/api/ps", seconds=seconds, key=server.key).json
    for row in _dicts(_at(running, "models")):
        if same_model(_name(row, "name"), model) and (given := _count(row, "context_length")):
            return Window(given, most)
    return Window(int(set_to[1]) if set_to else None, most)


# ------------------------------------------------------------------------------------------------- inside a reply


def _rows(server: Server, url: str, field: str, seconds: float) -> list[Mapping[str, object]]:
    reply = ask(url, seconds=seconds, key=server.key)
    found = _at(reply.json, field)
    if reply.status != 200 or not isinstance(found, list):
        raise NoList(url, reply.status)
    return _dicts(found)[:_MOST_MODELS]


def _dicts(found: object) -> list[Mapping[str, object]]:
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _name(row: object, field: str) -> str:
    """A name that could stand in a request and on a terminal; else ""."""
    found = _at(row, field)
    usable = isinstance(found, str) and 0 < len(found) <= _LONGEST_NAME and found.isprintable()
    return found if isinstance(found, str) and usable else ""


def _count(value: object, *path: str) -> int | None:
    found = _at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
