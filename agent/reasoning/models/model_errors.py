"""What went wrong with a model call, in the words of our own errors.

Knows what the errors of openai, httpx, httpx2 and LangChain's other providers mean and what the user can do about
them; knows nothing of retries.  Errors are told apart by status code and by the names of their classes and of their
causes' classes: the same names stand in httpx and httpx2, and no provider's package has to be loaded for it.
No text holds a key: the server's own words are passed on without anything that looks like one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from agent.errors import (
    AgentError,
    ContextExceeded,
    ModelError,
    ModelOverloaded,
    ModelRefused,
    ModelUnreachable,
)

_UNREACHABLE = {"ConnectError", "ConnectTimeout", "ProxyError", "gaierror"}
_WRONG_URL = {
    "UnsupportedProtocol",
    "InvalidURL",
    "LocalProtocolError",
    "OverflowError",
}  # the last: a port over 65,535
_SILENT = {"TimeoutException", "APITimeoutError", "TimeoutError", "ModelTimeoutError"}
_BROKEN = {"RequestError", "APIConnectionError", "JSONDecodeError", "ModelConnectionError"}
_TOO_LONG = re.compile(  # the servers' own words: tests/reasoning/test_failures.py has each with its server
    r"(maximum|available|configured|exceeds?|exceeded|longer than|greater than|overflow\w*)\b[^.]{0,60}\bcontext"
    r"|context[ _](length|window|size|limit)[^.]{0,20}(exceed|overflow|too small)|context the overflows"
    r"|context_length_exceeded|exceed_context_size|ContextWindowExceeded|input tokens exceed"
    r"|(prompt|input)( length)? (is )?too (long|large)|too many input tokens"
    r"|maximum (model|input|prompt) length|tokens \+ `max_new_tokens`|maximum number of tokens allowed",
    re.IGNORECASE,
)
_NO_SUCH_MODEL = re.compile(r"model\b.{0,60}\b(not exist|not found|not a valid)|(invalid|unknown) model", re.IGNORECASE)
_BAD_KEY = re.compile(r"no_db_connection|api.?key not valid|(incorrect|invalid) api.?key", re.IGNORECASE)
_WHATEVER_IT_SAYS = frozenset({401, 402, 403, 404, 405, 408, 409, 425, 429})  # their numbers say it all
_SECRET = re.compile(r"(?i)\b(bearer\s+|sk-|key-)\S+|[A-Za-z0-9_-]{24,}")
_USER = re.compile(r"(?<=//)[^/?#]*@")
_TOLD_AT_MOST = 200  # characters of the server's own words
_SHORTEST_KEY = 5  # shorter ones ("none", "x") are placeholders, and stand in ordinary words


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and which variables of the user's say so."""

    model: str
    url: str = ""
    key_variable: str = "AGENT_API_KEY"
    url_variable: str = "AGENT_BASE_URL"
    model_variable: str = "AGENT_MODEL"

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2] or self.url or self.model

    @property
    def address(self) -> str:
        """The URL without a user's name and password."""
        return _USER.sub("", self.url)


def model_error(error: Exception, at: Endpoint) -> ModelError:
    """Our error for one that a chat model raised; the same where it, or what caused it, is ours already."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ModelError):
            return cause
        if (status := _status(cause)) is not None:
            return _by_status(status, cause, at)
    names = {name for cause in causes for name in _class_names(cause)}
    return _not_sent(names, error, at) or _not_answered(names, error, at)


def _not_sent(names: set[str], error: Exception, at: Endpoint) -> ModelError | None:
    """For an error of address, key or connection; `names` are those of its classes and of its causes' classes."""
    words = _words(error)
    if ("UnicodeEncodeError" in names and "'ascii'" in words) or "Illegal header value" in words:
        return ModelRefused(f"{at.key_variable} is no key: it has a character in it that no key has")
    if "SSLError" in names:
        why = next(str(cause) for cause in _causes(error) if "SSLError" in _class_names(cause))
        return ModelUnreachable(
            f"no secure connection to {at.host} ({plain(why)}): does {at.url_variable} begin with the right scheme, "
            "and is its certificate trusted here (SSL_CERT_FILE)?"
        )
    if names & _UNREACHABLE:
        return ModelUnreachable(f"nothing answers at {at.host}: is the server running, and is {at.url_variable} right?")
    if names & _WRONG_URL:
        return ModelRefused(f"{at.url_variable}={at.address!r} is not an address that can be asked: {_told(error)}")
    return None


def _not_answered(names: set[str], error: Exception, at: Endpoint) -> ModelError:
    """For an error of the reply, without a status."""
    if "ContextOverflowError" in names or _TOO_LONG.search(_words(error)):
        return _too_long(at)
    if "ContentFilterFinishReasonError" in names:
        return ModelRefused(f"{at.host} withholds the answer: ask in other words, or set {at.url_variable} to another")
    if names & _SILENT:
        return ModelOverloaded(f"{at.host} fell silent: it sent nothing for too long")
    if names & _BROKEN:
        return ModelOverloaded(f"the connection to {at.host} broke off: {_told(error)}")
    if "APIError" in names:  # an error event in the middle of a stream
        return ModelOverloaded(f"{at.host} gave up in the middle of its reply: {_told(error)}")
    if isinstance(error, AgentError):
        return ModelError(str(error))
    return ModelError(f"the model {at.model!r} failed: {type(error).__name__}: {_told(error)}")


def _by_status(status: int, error: BaseException, at: Endpoint) -> ModelError:
    told = _told(error)
    if status == 413 or (status not in _WHATEVER_IT_SAYS and _TOO_LONG.search(_words(error))):
        return _too_long(at)
    if status in (408, 409, 425, 429) or status >= 500:
        if "insufficient_quota" in _words(error):
            return _no_balance(at, status)
        return ModelOverloaded(f"{at.host} is busy ({status} {_phrase(status)}): {told}", _retry_after(error))
    if status == 400 and _BAD_KEY.search(_words(error)):  # Google, xAI; LiteLLM without a database
        return _refused(401, told, at)
    if status in (400, 422) and _NO_SUCH_MODEL.search(told):
        return ModelRefused(f"{at.host} does not know {at.model!r} ({status}): {told}; check {at.model_variable}")
    return _refused(status, told, at)


def _refused(status: int, told: str, at: Endpoint) -> ModelRefused:
    match status:
        case 401:
            return ModelRefused(
                f"{at.host} does not accept the key (401): set {at.key_variable} to one of that endpoint"
            )
        case 402:
            return _no_balance(at, status)
        case 403:
            return ModelRefused(
                f"{at.host} forbids this (403): {told}; is {at.key_variable} allowed to use {at.model!r}?"
            )
        case 404 | 405:
            return ModelRefused(
                f"{at.host} has no model {at.model!r} at {at.address or 'this address'} ({status}): "
                f"check {at.model_variable} and {at.url_variable}, which mostly ends in /v1"
            )
    if 300 <= status < 400:
        return ModelRefused(f"{at.host} sends elsewhere ({status}): set {at.url_variable} to the address it names")
    return ModelRefused(f"{at.host} refuses the request ({status} {_phrase(status)}): {told}")


def _too_long(at: Endpoint) -> ContextExceeded:
    return ContextExceeded(f"the prompt is longer than {at.model!r} takes: use a smaller --depth, or a larger context")


def _no_balance(at: Endpoint, status: int) -> ModelRefused:
    return ModelRefused(
        f"the account at {at.host} has no balance left ({status}): top it up, or use another one ({at.url_variable})"
    )


def _status(error: BaseException) -> int | None:
    """The HTTP status, also of an error that came as an event in a stream that had begun with 200."""
    body = getattr(error, "body", None)
    inside = body.get("code") if isinstance(body, Mapping) else None
    for found in (getattr(error, "status_code", None), getattr(error, "code", None), inside):
        if str(found).isdigit() and 300 <= int(str(found)) < 600:
            return int(str(found))
    response = getattr(error, "response", None)
    found = getattr(response, "status_code", None)
    return found if isinstance(found, int) and found >= 300 else None


def _retry_after(error: BaseException) -> float | None:
    """Seconds, where the server names them: as a number, or in HTTP's other form, as the time when to come back."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    told = headers.get("retry-after", "")
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, and so on; at most eight deep, for chains can be rings."""
    link: BaseException | None = error
    for _ in range(8):
        if link is None:
            return
        yield link
        if isinstance(link, BaseExceptionGroup):
            yield from link.exceptions
        link = link.__cause__ or link.__context__


def _class_names(error: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(error).__mro__]


def _words(error: BaseException) -> str:
    """All that the error and its causes say, keys included: to be looked at, not to be passed on."""
    return "\n".join(f"{cause} {getattr(cause, 'body', None) or ''}" for cause in _causes(error))


def _told(error: BaseException) -> str:
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, Mapping) else body
    words = str(said or getattr(error, "message", "") or error)
    return plain(_without_sent_key(words, error)) or type(error).__name__


def _without_sent_key(words: str, error: BaseException) -> str:
    """The words without the key that was sent, whatever it looks like: some servers repeat it."""
    for owner in (error, getattr(error, "response", None)):
        with suppress(RuntimeError):  # httpx has a request property that raises where there is none
            headers = getattr(getattr(owner, "request", None), "headers", None) or {}
            key = headers.get("authorization", "").removeprefix("Bearer ")
            if len(key) >= _SHORTEST_KEY:
                words = words.replace(key, "…")
    return words


def plain(words: str) -> str:
    """A server's own words in one line, cut, with nothing that looks like a key."""
    printable = "".join(c for c in " ".join(words.split()) if c.isprintable())
    return _SECRET.sub("…", printable)[:_TOLD_AT_MOST].rstrip()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "unknown status"
