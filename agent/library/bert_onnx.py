"""The encoder of the built-in embedder as an ONNX graph."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.errors import LibraryError

# ------------------------------------------------------------------------------------------ onnx_format

# Just enough of ONNX's file format (protocol buffers, written by hand) to write a model down.
#
# Knows the wire format and the field numbers of `onnx.proto3` that are needed here.  Does not know what a model
# computes. The onnx package is not asked for: it would be a large dependency for one file that is written once.

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


# ------------------------------------------------------------------------------------------ bert

# MiniLM's network (a small BERT with mean pooling), twice: as numpy in full precision, and as an ONNX file in int8.
#
# Knows the names of its weights, its arithmetic and how weights become bytes.  Does not know words, where the weights
# come from, or who runs the file.  The numpy half is what the ONNX half is held to.
#
# The file takes one text's token ids (1, length) and gives its unit vector (1, dimension): one text at a time is as
# fast on a processor as many (nothing is padded), and what a text becomes does not depend on its neighbours.

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Weights = Mapping[str, Matrix]

HEADS = 12
EPSILON = 1e-12  # of the layer normalisations; both as the model's config.json says
INPUT = "input_ids"

_EMBEDDINGS = "embeddings."
_POSITIONS = _EMBEDDINGS + "position_embeddings.weight"
_KINDS = _EMBEDDINGS + "token_type_embeddings.weight"
_WORDS = _EMBEDDINGS + "word_embeddings.weight"
_QUERY_KEY_VALUE = ("attention.self.query", "attention.self.key", "attention.self.value")


def read_safetensors(raw: bytes) -> Weights:
    """The float32 tensors of a .safetensors file: eight bytes of length, a JSON header, the numbers."""
    import numpy as np

    try:
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8 : 8 + length])
        return {
            name: np.frombuffer(raw, "<f4", math.prod(told["shape"]), 8 + length + told["data_offsets"][0]).reshape(
                told["shape"]
            )
            for name, told in header.items()
            if name != "__metadata__" and told["dtype"] == "F32"
        }
    except (struct.error, ValueError, KeyError, TypeError, IndexError) as e:
        raise LibraryError(f"the embedder's weights are not a safetensors file: {e}") from e


def layers(weights: Weights) -> list[str]:
    """The prefixes of the layers' weights, first layer first."""
    return [f"encoder.layer.{n}." for n in range(64) if f"encoder.layer.{n}.output.dense.weight" in weights]


def _query_key_value(weights: Weights, layer: str) -> tuple[Matrix, Matrix]:
    """The three projections of attention as one matrix (dimension, 3 * dimension), and their biases."""
    import numpy as np

    matrices = [weights[f"{layer}{name}.weight"].T for name in _QUERY_KEY_VALUE]
    return np.concatenate(matrices, 1), np.concatenate([weights[f"{layer}{name}.bias"] for name in _QUERY_KEY_VALUE])


# ------------------------------------------------------------------------------------------------- in full precision


def forward(weights: Weights, ids: Sequence[int]) -> Matrix:
    """The unit vector (dimension,) of one text's token ids, in float32."""
    x = weights[_WORDS][list(ids)] + weights[_POSITIONS][: len(ids)] + weights[_KINDS][0]
    x = _normalised(x, weights, "embeddings.LayerNorm")
    for layer in layers(weights):
        x = _layer(x, weights, layer)
    mean = x.mean(0)
    unit: Matrix = mean / math.sqrt(float(mean @ mean))
    return unit


def _layer(x: Matrix, weights: Weights, layer: str) -> Matrix:
    matrix, bias = _query_key_value(weights, layer)
    attended = _attention(x @ matrix + bias)
    x = _normalised(
        x + _dense(attended, weights, f"{layer}attention.output"), weights, f"{layer}attention.output.LayerNorm"
    )
    wide = _gelu(_dense(x, weights, f"{layer}intermediate"))
    return _normalised(x + _dense(wide, weights, f"{layer}output"), weights, f"{layer}output.LayerNorm")


def _dense(x: Matrix, weights: Weights, name: str) -> Matrix:
    return x @ weights[f"{name}.dense.weight"].T + weights[f"{name}.dense.bias"]


def _attention(projected: Matrix) -> Matrix:
    """(length, 3 * dimension) -> (length, dimension)."""
    import numpy as np

    length, size = projected.shape[0], projected.shape[1] // 3 // HEADS
    query, key, value = projected.reshape(length, 3, HEADS, size).transpose(1, 2, 0, 3)
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(size)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    attended: Matrix = (shares / shares.sum(-1, keepdims=True)) @ value
    return attended.transpose(1, 0, 2).reshape(length, HEADS * size)


def _normalised(x: Matrix, weights: Weights, name: str) -> Matrix:
    import numpy as np

    centred: Matrix = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(EPSILON))
    return np.asarray(centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"], np.float32)


def _gelu(x: Matrix) -> Matrix:
    """x Φ(x); the error function after Abramowitz and Stegun 7.1.26, off by at most 1.5e-7."""
    import numpy as np

    z = np.abs(x) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(x * 0.5 * (1 + np.sign(x) * (1 - series * np.exp(-z * z))), np.float32)


# ------------------------------------------------------------------------------------------------- in int8


def to_onnx(weights: Weights, bits: int = 8) -> bytes:
    """The network as an ONNX file with weights of one byte.

    `bits`: 7 for processors without VNNI instructions, whose sums of two products overflow 16 bits with 8.
    """
    graph = Graph()
    x = _onnx_embeddings(graph, weights)
    for layer in layers(weights):
        x = _onnx_layer(graph, weights, layer, x, bits)
    mean = graph.add("ReduceMean", x, axes=(1,), keepdims=0)
    vector = graph.add("LpNormalization", mean, axis=-1, p=2)
    return graph.model(INPUT, ("texts", "length"), vector)


def _onnx_embeddings(graph: Graph, weights: Weights) -> str:
    import numpy as np

    numbers, scales = _quantised(weights[_WORDS].T, 8)
    rows = graph.add("Cast", graph.add("Gather", graph.constant(numbers.T), INPUT), to=1)
    words = graph.add("Mul", rows, graph.add("Gather", graph.constant(scales[:, None]), INPUT))
    first, length = graph.constant(np.array([0])), graph.add("Shape", INPUT, start=1, end=2)
    table = graph.constant(weights[_POSITIONS] + weights[_KINDS][0])
    x = graph.add("Add", words, graph.add("Slice", table, first, length, first))
    return _onnx_normalised(graph, weights, x, "embeddings.LayerNorm")


def _onnx_layer(graph: Graph, weights: Weights, layer: str, x: str, bits: int) -> str:
    import numpy as np

    def dense(x: str, name: str) -> str:
        matrix, bias = weights[f"{layer}{name}.dense.weight"].T, weights[f"{layer}{name}.dense.bias"]
        return _onnx_product(graph, x, matrix, bias, bits)

    projected = _onnx_product(graph, x, *_query_key_value(weights, layer), bits)
    thirds = graph.constant(np.full(3, weights[_WORDS].shape[1]))
    query = graph.add("Split", projected, thirds, outputs=3, axis=-1)
    attended = graph.add("com.microsoft.MultiHeadAttention", query, f"{query}:1", f"{query}:2", num_heads=HEADS)
    x = graph.add("Add", x, dense(attended, "attention.output"))
    x = _onnx_normalised(graph, weights, x, f"{layer}attention.output.LayerNorm")
    wide = graph.add("com.microsoft.Gelu", dense(x, "intermediate"))
    return _onnx_normalised(graph, weights, graph.add("Add", x, dense(wide, "output")), f"{layer}output.LayerNorm")


def _onnx_product(graph: Graph, x: str, matrix: Matrix, bias: Matrix, bits: int) -> str:
    import numpy as np

    numbers, scales = _quantised(matrix, bits)
    zeros = np.zeros(scales.shape, np.int8)  # weights are rounded symmetrically about zero
    told = [graph.constant(numbers), graph.constant(scales), graph.constant(zeros), graph.constant(bias)]
    return graph.add("com.microsoft.DynamicQuantizeMatMul", x, *told)


def _onnx_normalised(graph: Graph, weights: Weights, x: str, name: str) -> str:
    told = [graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias")]
    return graph.add("LayerNormalization", x, *told, axis=-1, epsilon=EPSILON)


def _quantised(matrix: Matrix, bits: int) -> tuple[NDArray[np.int8], Matrix]:
    """Whole numbers, and for each column the scale that gives the weights back."""
    import numpy as np

    top = 2 ** (bits - 1) - 1
    scales = np.maximum(np.abs(matrix).max(0), 1e-12) / top
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)
