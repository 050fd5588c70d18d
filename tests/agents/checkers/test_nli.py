"""The checker that ships, with its real weights."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tracejury.agents import Entailment
from tracejury.agents.checkers import CheckerError, Pair, Probabilities, make_checker

CLAIM = "Warfarin is contraindicated in pregnancy."


def test_it_reads_the_sentences_joined_and_not_what_is_longer_than_it_reads() -> None:
    checker = make_checker("nli")
    sentences = ("Warfarin crosses the placenta.", "It must not be given in pregnancy.")
    too_long = ("Warfarin must not be given in pregnancy. " * 40,)
    answers = asyncio.run(
        checker.probabilities([Pair(CLAIM, sentences), Pair(CLAIM, too_long), Pair(CLAIM, sentences[:1])], None)
    )
    (joined,) = Entailment().score([(CLAIM, " ".join(sentences))])
    assert answers[0] == pytest.approx(tuple(joined), abs=1e-6)
    assert answers[1] == Probabilities(0.0, 0.0, 1.0)
    assert answers[2] != answers[0]
    assert all(sum(answer) == pytest.approx(1) for answer in answers)


def test_its_identity_is_its_weights(tmp_path: Path) -> None:
    shipped = make_checker("nli").identity
    name, _, digest = shipped.partition("@")
    assert name.endswith(".onnx")
    assert len(digest) == 16
    other = tmp_path / "mine.onnx"
    other.write_bytes(b"not a model")
    assert make_checker("nli", {"weights": str(other)}).identity.startswith("mine.onnx@")
    with pytest.raises(CheckerError, match="there is no file"):
        make_checker("nli", {"weights": str(tmp_path / "absent.onnx")})
