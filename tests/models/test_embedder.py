"""Embeddings of the real int8 model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import absent

from tracejury.models import MiniLM, VectorCache, WeightsError, embedder, is_fetched, onnx_session, weights_path

TEXTS = [
    "Aspirin irreversibly inhibits cyclooxygenase.",
    "Acetylsalicylic acid blocks COX for good.",
    "The fracture was treated with a cast.",
    "",
    "word " * 600,
    "broken \ud800 surrogate",
]


@pytest.fixture(scope="module")
def folder() -> Path:
    if not is_fetched("minilm"):
        absent("weights", "run `tracejury models fetch minilm`")
    return weights_path("minilm")


def test_vectors_are_of_length_one_and_near_where_meanings_are(folder: Path) -> None:
    vectors = MiniLM(folder).embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_vector_hangs_on_its_text_alone(folder: Path) -> None:
    model = MiniLM(folder)
    together = model.embed(TEXTS)
    assert np.array_equal(together[::-1], model.embed(TEXTS[::-1]))
    assert np.array_equal(together[2], model.embed([TEXTS[2]])[0])


def test_the_end_of_a_long_text_is_not_cut_off(folder: Path) -> None:
    model = MiniLM(folder)
    filler = "The patient was seen in clinic and nothing was remarkable. " * 50
    plain, ending = model.embed([filler, filler + TEXTS[0] * 10])
    (aspirin,) = model.embed([TEXTS[0]])
    assert ending @ aspirin > plain @ aspirin + 0.02


def test_what_was_embedded_once_is_read_from_the_cache(folder: Path, tmp_path: Path) -> None:
    first = MiniLM(folder, VectorCache(tmp_path / "v.db"))
    computed = first.embed(TEXTS)
    # There are no weights in this folder: the model is not needed any more.
    again = MiniLM(tmp_path, VectorCache(tmp_path / "v.db"))
    assert np.array_equal(again.embed([*TEXTS, TEXTS[0]]), np.vstack([computed, computed[:1]]))


def test_what_is_missing_or_broken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="no embedder named 'nope'"):
        embedder("nope")
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="tracejury models fetch minilm"):
        weights_path("minilm")
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(RuntimeError, match="cannot load it"):
        onnx_session(broken)
    with pytest.raises(FileNotFoundError, match=r"none\.onnx"):
        onnx_session(tmp_path / "none.onnx")
