"""HTTP answers with status 200 that are no chat reply: an error, a login page, some other service's JSON.

Knows the bodies that servers send instead of a completion or of a stream; knows nothing of replies, or of what an error
means.  Errors that a server tells are raised as openai's, as the client itself does with an error event in a stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agent.errors import ModelOverloaded, ModelRefused

if TYPE_CHECKING:
    import httpx2

Json = Mapping[str, Any]  # one JSON object of the wire format

_NO_CHAT = "is this the address of an OpenAI-compatible endpoint? It mostly ends in /v1"
_SHOWN = 60  # characters of what came instead


def completion(response: Any, asked: Callable[[], httpx2.Request]) -> Json:
    """The body of a whole reply to the request that `asked` gives.

    Raises `openai.APIError` for an error that came with status 200, `ModelRefused` for something that is no chat reply,
    `ModelOverloaded` for a reply in which nothing was said.
    """
    body = response.model_dump(warnings=False) if hasattr(response, "model_dump") else response
    if not isinstance(body, Mapping):
        raise ModelRefused(f"no chat reply came, but {_shown(body)}: {_NO_CHAT}")
    raise_told(body, asked)
    if body.get("choices") is None:
        names = sorted(name for name, value in body.items() if value is not None)
        raise ModelRefused(f"no chat reply came, but an object with {_shown(names)}: {_NO_CHAT}")
    if not body["choices"]:
        raise ModelOverloaded("the model's server replied without a choice")
    return body


def raise_told(body: Json, asked: Callable[[], httpx2.Request]) -> None:
    """Raises `openai.APIError` where the body, or the event of a stream, is an error.

    Its usual place is `error`; vLLM before 0.10 and SGLang send the error itself, with `"object": "error"`.  The error
    carries its request, so that a server's repetition of the key can be told from its words.
    """
    error = body if body.get("object") == "error" else body.get("error")
    if not error:
        return
    from openai import APIError

    said = error.get("message") if isinstance(error, Mapping) else error
    raise APIError(str(said or error), request=asked(), body=error)


def check(response: httpx2.Response) -> None:
    """A hook of the HTTP client: what comes instead of a stream is not read as one.  Raises as `completion` does."""
    if _is_stream(response):
        return
    if "html" in _media_type(response):
        raise ModelRefused(f"a web page came instead of a chat reply: {_NO_CHAT}")
    if _asked_for_stream(response):
        _raise_instead(response)


async def check_async(response: httpx2.Response) -> None:
    """The same for an asynchronous client."""
    if not _is_stream(response) and "html" not in _media_type(response) and _asked_for_stream(response):
        await response.aread()
    check(response)


def _is_stream(response: httpx2.Response) -> bool:
    """Also true of refusals: their status says what they are."""
    return response.status_code != 200 or "event-stream" in _media_type(response)


def _media_type(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").lower()


def _asked_for_stream(response: httpx2.Response) -> bool:
    return "json" in _media_type(response) and json.loads(response.request.content or b"{}").get("stream") is True


def _raise_instead(response: httpx2.Response) -> None:
    try:
        told = json.loads(response.read())
    except ValueError:
        return  # a stream under the wrong name, or nothing: the stream's reader finds out
    completion(told, lambda: response.request)
    raise ModelRefused("the server sends whole replies only, and a stream was asked for")


def _shown(value: object) -> str:
    from agent.reasoning.models.failures import plain

    words = plain(json.dumps(value, default=str, ensure_ascii=False))
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
