"""Small bodies that unfold to two gigabytes, each made in a moment."""

from __future__ import annotations

import struct
import zlib

import brotli

GIGABYTES = 2
_MEGABYTES = GIGABYTES << 10
_MEGABYTE = (b"<p>" + b"Boom, says the bomb. " * 1_000).ljust(1 << 20)  # words are slow to extract


def deflate(window: int = 15) -> bytes:
    """zlib's form; window 31: gzip's.  Each megabyte is packed on its own, so that all are the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    first = packer.compress(_MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(_MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (_MEGABYTES - 1)


def gzip() -> bytes:
    return deflate(31)


def br() -> bytes:
    packer = brotli.Compressor(quality=5)
    first = packer.process(_MEGABYTE) + packer.flush()
    again = packer.process(_MEGABYTE) + packer.flush()
    return first + again * (_MEGABYTES - 1)


def zstd() -> bytes:
    """By hand: one frame of blocks that each say "128 kB of this byte"."""
    blocks = _MEGABYTES * 8
    block = struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3]
    last = struct.pack("<I", (1 << 17) << 3 | 1 << 1 | 1)[:3]
    return b"\x28\xb5\x2f\xfd\x00\x58" + block + b"x" + (block + b" ") * (blocks - 2) + last + b" "


def nested() -> bytes:
    """11 kB: gzip within deflate."""
    return zlib.compress(gzip(), 9)


def silent() -> bytes:
    """gzip within gzip, and what is within is millions of empty blocks: nothing ever comes out."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
    empty = b"\x00\x00\x00\xff\xff" * 200_000
    return b"".join([packer.compress(head), *(packer.compress(empty) for _ in range(100)), packer.flush()])


def empty_frames() -> bytes:
    """zstd: half a million skippable frames."""
    return b"\x50\x2a\x4d\x18\0\0\0\0" * 500_000
