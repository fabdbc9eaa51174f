"""Content codings: undone whatever the pieces, and no bomb costs memory or time."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import FetchFailed
from agent.web.http_client import Unpacker
from tests.web import bombs

zstd = pytest.importorskip("backports.zstd", reason="the standard library has it from 3.14 on")

WORDS = b"Words that are packed and unpacked. " * 2_000
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)
PACKED = {
    "gzip": gzip.compress(WORDS),
    "x-gzip": gzip.compress(WORDS),
    "deflate": zlib.compress(WORDS),
    "br": brotli.compress(WORDS),
    "zstd": zstd.compress(WORDS) + zstd.compress(b"more"),
}


def unpacked(encoding: str, body: bytes, size: int = 1_000_000) -> bytes:
    unpacker = Unpacker(encoding)
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(piece for part in pieces for piece in unpacker.unpack(part))


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_a_coding_is_undone_in_pieces_of_any_size(encoding: str, size: int) -> None:
    assert unpacked(encoding, PACKED[encoding], size) == WORDS + (b"more" if encoding == "zstd" else b"")


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_deflate_without_its_head_is_undone_too(size: int) -> None:
    assert unpacked("deflate", PACKED["gzip"][10:-8], size) == WORDS


def test_two_layers_are_undone_in_order() -> None:
    assert unpacked("gzip, BR", brotli.compress(PACKED["gzip"])) == WORDS


@pytest.mark.parametrize("encoding", ["", "identity", "utf-8", "none", "compress"])
def test_a_coding_that_is_not_known_is_left_as_it_is(encoding: str) -> None:
    assert unpacked(encoding, WORDS) == WORDS


def test_three_layers_are_refused() -> None:
    with pytest.raises(FetchFailed, match="packed too many times over"):
        Unpacker("gzip, gzip, br")


@pytest.mark.parametrize("encoding", PACKED)
@given(body=st.binary(min_size=20, max_size=200))
def test_garbage_is_told_or_gives_what_there_is(encoding: str, body: bytes) -> None:
    with suppress(FetchFailed):  # and nothing else
        assert isinstance(unpacked(encoding, body, 11), bytes)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", bombs.gzip),
        ("deflate", bombs.deflate),
        ("br", bombs.br),
        ("zstd", bombs.zstd),
        ("gzip, deflate", bombs.nested),
    ],
)
def test_of_a_bomb_only_what_is_taken_is_unpacked(encoding: str, bomb) -> None:
    body = bomb()
    unpacker = Unpacker(encoding)
    tracemalloc.start()
    taken = 0
    for piece in unpacker.unpack(body[:65_536]):  # as it comes from the network
        taken += len(piece)
        if taken > 2_000_000:
            break
    assert taken > 2_000_000
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_the_smallest_bomb_has_eleven_kilobytes() -> None:
    assert len(bombs.nested()) < 12_000


@pytest.mark.parametrize(
    ("encoding", "bomb", "told"),
    [
        ("gzip, gzip", bombs.silent, "unpacks to too much"),
        ("zstd", bombs.empty_frames, "garbled encoding"),
    ],
)
def test_a_bomb_of_which_nothing_comes_out_ends_too(encoding: str, bomb, told: str) -> None:
    body = bomb()
    with pytest.raises(FetchFailed, match=told):
        unpacked(encoding, body, 65_536)
