"""A body's content codings undone piece by piece, so that a small body cannot become a large one in memory or in time.

Two layers at most, and each may give out only so much: between two layers a bomb can be hidden that comes out of the
last one as nothing at all.  Knows gzip, deflate, br and zstd; a coding that it does not know is left as it is, which
the look at the bytes will tell.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

from agent.errors import FetchFailed

_PIECE = 1 << 18  # bytes that a layer gives out at a time
_LAYERS = 2  # one is usual, two happen by mistake
_MOST = 22_000_000  # bytes out of one layer: more than the largest page that is taken
_FRAMES = 1_000  # of zstd in one body: some servers send one for each flush, a hostile one millions of empty ones


class _Layer(Protocol):
    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """What comes out, in pieces.  Raises `ValueError`."""
        ...


class _Zlib:
    """gzip, and deflate with or without zlib's own head: servers never agreed which is meant."""

    def __init__(self, window: int) -> None:
        self._inflate: Any = zlib.decompressobj(window)
        self._start: bytes | None = b"" if window == zlib.MAX_WBITS else None  # until it is known which is meant

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        if self._start is not None:
            self._start += packed
            if len(self._start) < 2:  # zlib's head
                return
            packed, self._start = self._start, None
            if not _has_zlib_head(packed):
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            piece = self._inflate.decompress(packed, _PIECE)
            while piece:
                yield piece
                piece = self._inflate.decompress(self._inflate.unconsumed_tail, _PIECE)
        except zlib.error as e:
            raise ValueError(str(e)) from e


def _has_zlib_head(start: bytes) -> bool:
    """RFC 1950, 2.2.  No raw deflate made in earnest begins so: it would be a stored block with bits in its padding."""
    return start[0] & 0x0F == 8 and (start[0] << 8 | start[1]) % 31 == 0


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._error: type[Exception] = brotli.error
        self._process: Callable[..., bytes] = brotli.Decompressor().process

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        try:
            piece = self._process(packed, output_buffer_limit=_PIECE)
            while piece:
                yield piece
                piece = self._process(b"", output_buffer_limit=_PIECE)
        except self._error as e:
            raise ValueError(str(e)) from e


class _Zstd:
    """One frame after another."""

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd  # type: ignore[import-not-found, unused-ignore]
        else:
            from backports import zstd
        self._new: Callable[[], Any] = zstd.ZstdDecompressor
        self._error: type[Exception] = zstd.ZstdError
        self._frame = self._new()
        self._frames = 1

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        try:
            while packed:
                if self._frame.eof:
                    self._next_frame()
                yield from self._pieces(packed)
                packed = self._frame.unused_data if self._frame.eof else b""
        except self._error as e:
            raise ValueError(str(e)) from e

    def _next_frame(self) -> None:
        self._frames += 1
        if self._frames > _FRAMES:
            raise ValueError("too many frames")
        self._frame = self._new()

    def _pieces(self, packed: bytes) -> Iterator[bytes]:
        piece = self._frame.decompress(packed, _PIECE)
        while piece:
            yield piece
            if self._frame.eof or self._frame.needs_input:
                return
            piece = self._frame.decompress(b"", _PIECE)


_LAYERS_BY_NAME: dict[str, Callable[[], _Layer]] = {
    "gzip": partial(_Zlib, zlib.MAX_WBITS | 16),
    "x-gzip": partial(_Zlib, zlib.MAX_WBITS | 16),
    "deflate": partial(_Zlib, zlib.MAX_WBITS),
    "br": _Brotli,
    "zstd": _Zstd,
}
UNPACKED = ("gzip", "deflate", "br", "zstd")  # what a server is told that we take


class Unpacker:
    """Undoes the codings of one body.  `encoding`: its Content-Encoding header."""

    def __init__(self, encoding: str) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        known = [name for name in names if name in _LAYERS_BY_NAME]
        if len(known) > _LAYERS:
            raise FetchFailed("packed too many times over")
        self._layers = [_LAYERS_BY_NAME[name]() for name in reversed(known)]
        self._given = [0] * len(known)  # bytes out of each layer

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """The pieces that this piece gives, each of 1/4 MB at most.  Raises `FetchFailed`."""
        pieces: Iterable[bytes] = (packed,)
        for place in range(len(self._layers)):
            pieces = self._through(place, pieces)
        yield from pieces

    def _through(self, place: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for packed in pieces:
                for piece in self._layers[place].unpack(packed):
                    self._given[place] += len(piece)
                    if self._given[place] > _MOST:
                        raise FetchFailed("unpacks to too much")
                    yield piece
        except ValueError as e:
            raise FetchFailed("garbled encoding") from e
