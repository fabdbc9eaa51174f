"""Just enough of ONNX's file format (protocol buffers, written by hand) to write a model down.

Knows the wire format and the field numbers of `onnx.proto3` that are needed here.  Does not know what a model computes.
The onnx package is not asked for: it would be a large dependency for one file that is written once.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

_IR_VERSION = 8  # of ONNX 1.13; read by every onnxruntime since 1.14
_OPSETS = {"": 17, "com.microsoft": 1}  # 17 brought LayerNormalization; the second is onnxruntime's own, fused ones
_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}


@dataclass(slots=True)
class Graph:
    """A model as it grows: nodes and constants are added, and named by what is returned."""

    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: float | Sequence[int]) -> str:
        """The name of the new node's output; further ones are named after it: `name:1`, `name:2` …

        `op` may stand below a domain: `com.microsoft.Gelu`.
        """
        domain, _, kind = op.rpartition(".")
        name = f"{kind}{len(self.nodes)}"
        told = [_text(1, one) for one in inputs]
        told += [_text(2, f"{name}:{i}" if i else name) for i in range(outputs)]
        told += [_text(3, name), _text(4, kind), *(_bytes(5, _attribute(k, v)) for k, v in attributes.items())]
        self.nodes.append(b"".join([*told, _text(7, domain)]))
        return name

    def constant(self, value: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(_tensor(name, value))
        return name

    def model(self, input_name: str, dimensions: Sequence[str], output_name: str) -> bytes:
        """The file.  The input is of int64, the output of float32; the names of `dimensions` stand for any size."""
        told = [_bytes(1, node) for node in self.nodes]
        told += [_text(2, "embedder"), *(_bytes(5, constant) for constant in self.constants)]
        told += [_bytes(11, _value(input_name, "int64", dimensions)), _bytes(12, _value(output_name, "float32", ()))]
        opsets = [_bytes(8, _text(1, domain) + _number(2, version)) for domain, version in _OPSETS.items()]
        return b"".join([_number(1, _IR_VERSION), _bytes(7, b"".join(told)), *opsets])


def _tensor(name: str, value: Array) -> bytes:
    import numpy as np

    little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    dimensions = b"".join(_number(1, size) for size in value.shape)
    return dimensions + _number(2, _TYPES[value.dtype.name]) + _text(8, name) + _bytes(9, little.tobytes())


def _value(name: str, kind: str, dimensions: Sequence[str]) -> bytes:
    shape = b"".join(_bytes(1, _text(2, dimension)) for dimension in dimensions)
    tensor = _number(1, _TYPES[kind]) + (_bytes(2, shape) if dimensions else b"")
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _attribute(name: str, value: float | Sequence[int]) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, 7)


# ------------------------------------------------------------------------------------------------- the wire format


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written in two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field_number: int, value: int) -> bytes:
    return _varint(field_number << 3) + _varint(value)


def _bytes(field_number: int, value: bytes) -> bytes:
    return _varint(field_number << 3 | 2) + _varint(len(value)) + value


def _text(field_number: int, value: str) -> bytes:
    return _bytes(field_number, value.encode())
