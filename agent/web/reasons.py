"""What the network and the HTTP libraries raise, as `FetchFailed` with a few plain words for a reader."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import FetchFailed

NOT_REACHED = frozenset({"no such host", "no connection", "no connection in time", "bad certificate"})
_BY_CLASS = {  # by the name of the error's class or a base of it: httpcore2 and httpx2 share their names
    "ConnectTimeout": "no connection in time",
    "TimeoutException": "timed out",
    "ConnectError": "no connection",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "not an http(s) address",
    "InvalidURL": "not an address",
    "IDNAError": "not an address",  # a name that only begins like one in IDNA: http://xn--a-/
}


@contextmanager
def plain_reasons(url: str) -> Iterator[None]:
    import httpcore2
    import httpx2
    import idna

    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
        httpx2.HTTPError,
        httpx2.InvalidURL,
        httpx2.StreamError,
        idna.IDNAError,
        ssl.SSLError,
    ) as e:
        raise FetchFailed(_reason(e), url) from e


def _reason(error: Exception) -> str:
    if _certificate(error):
        return "bad certificate"
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), "the connection broke off")


def _certificate(error: BaseException | None) -> bool:
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
