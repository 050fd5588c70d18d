"""The checker that ships, with its real weights."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tracejury.agents.checkers import CheckerError, Pair, Probabilities, make_checker
from tracejury.agents.entailment import CHECKER_WEIGHTS, Entailment

CLAIM = "Warfarin is contraindicated in pregnancy."


def test_it_reads_the_sentences_joined_and_not_what_is_longer_than_it_reads() -> None:
    checker = make_checker("nli")
    sentences = ("Warfarin crosses the placenta.", "It must not be given in pregnancy.")
    too_long = ("Warfarin must not be given in pregnancy. " * 40,)
    answers = asyncio.run(
        checker.probabilities([Pair(CLAIM, sentences), Pair(CLAIM, too_long), Pair(CLAIM, sentences[:1])], None)
    )
    (joined,) = Entailment(CHECKER_WEIGHTS).score([(CLAIM, " ".join(sentences))])
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


@pytest.mark.parametrize(
    ("evidence", "relation"),
    [
        ("Warfarin is contraindicated in pregnancy because it crosses the placenta.", "supports"),
        ("Warfarin is not contraindicated in pregnancy.", "contradicts"),
        ("Dry cough is a common adverse effect of lisinopril.", "silent"),
        ("We investigated whether warfarin is contraindicated in pregnancy.", "silent"),
    ],
)
def test_it_tells_support_contradiction_and_silence(evidence: str, relation: str) -> None:
    (answer,) = asyncio.run(make_checker("nli").probabilities([Pair(CLAIM, (evidence,))], None))
    assert max(answer._fields, key=lambda name: float(getattr(answer, name))) == relation


def test_a_pair_is_scored_alike_alone_and_in_a_batch() -> None:
    model = Entailment(CHECKER_WEIGHTS)
    pairs = [(CLAIM, "Warfarin is contraindicated in pregnancy."), (CLAIM, "Lisinopril may cause a cough. " * 5)]
    for alone, together in zip([model.score([pair])[0] for pair in pairs], model.score(pairs), strict=True):
        assert alone == pytest.approx(together, abs=0.01)
