"""Any classifier of the hub: a tiny BERT made here, with its outputs named and ordered in many ways."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tracejury.agents.checkers import CheckerError, Pair, Probabilities, make_checker

pytestmark = pytest.mark.train
TEXT = "gout is treated with colchicine warfarin not a the by"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TEXT.split()]
PAIRS = [
    Pair("gout is treated with colchicine", ("gout is treated with colchicine",)),
    Pair("gout is not treated with warfarin", ("the colchicine", "is by a warfarin")),
]


def save(folder: Path, labels: list[str], biases: list[float], positions: int = 32) -> Path:
    """Save a BERT whose classifier answers with `biases`, and a little of what it reads."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=positions,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={name: i for i, name in enumerate(labels)},
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.mul_(5.0)
        model.classifier.bias.copy_(torch.tensor(biases))
    model.save_pretrained(folder)
    folder.joinpath("vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def read(folder: Path, **params: object) -> list[Probabilities]:
    return asyncio.run(make_checker("hub", {"model": str(folder), **params}).probabilities(PAIRS, None))


@pytest.mark.parametrize(
    ("labels", "biases"),
    [
        (["entailment", "neutral", "contradiction"], [9.0, 3.0, 6.0]),
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], [6.0, 3.0, 9.0]),
        (["REFUTES", "NOT ENOUGH INFO", "SUPPORTS"], [6.0, 3.0, 9.0]),
        (["Not-Enough-Info", "Supported", "Refuted"], [3.0, 9.0, 6.0]),
    ],
)
def test_three_classes_come_out_in_our_order_whatever_theirs(
    tmp_path: Path, labels: list[str], biases: list[float]
) -> None:
    checker = make_checker("hub", {"model": str(save(tmp_path, labels, biases))})
    assert checker.can_contradict
    for answer in read(tmp_path):
        assert answer.supports > answer.contradicts > answer.silent > 0


@pytest.mark.parametrize(
    ("labels", "biases"),
    [
        (["entailment", "not_entailment"], [5.0, 0.0]),
        (["unsupported", "supported"], [0.0, 5.0]),
        (["hallucinated", "consistent"], [0.0, 5.0]),
        (["REFUTES", "SUPPORTS"], [0.0, 5.0]),
    ],
)
def test_two_classes_cannot_contradict(tmp_path: Path, labels: list[str], biases: list[float]) -> None:
    checker = make_checker("hub", {"model": str(save(tmp_path, labels, biases))})
    assert not checker.can_contradict
    for answer in read(tmp_path):
        assert answer.contradicts == 0
        assert answer.supports > answer.silent > 0


def test_outputs_without_names_need_labels(tmp_path: Path) -> None:
    save(tmp_path, ["LABEL_0", "LABEL_1", "LABEL_2"], [3.0, 6.0, 9.0])
    with pytest.raises(CheckerError, match=r"\['LABEL_0', 'LABEL_1', 'LABEL_2'\].* give them in this order"):
        make_checker("hub", {"model": str(tmp_path)})
    for answer in read(tmp_path, labels=["silent", "contradicts", "supports"]):
        assert answer.supports > answer.contradicts > answer.silent
    with pytest.raises(CheckerError, match="2 labels for a model with 3 outputs"):
        make_checker("hub", {"model": str(tmp_path), "labels": ["supports", "silent"]})
    with pytest.raises(CheckerError, match="each relation once"):
        make_checker("hub", {"model": str(tmp_path), "labels": ["supports", "supports", "silent"]})
    with pytest.raises(CheckerError, match="write for instance"):
        make_checker("hub", {"model": str(tmp_path), "labels": ["yes", "no", "maybe"]})


def test_one_output_is_a_logistic_score(tmp_path: Path) -> None:
    save(tmp_path, ["LABEL_0"], [4.0])
    with pytest.raises(CheckerError, match="does not say what they are"):
        make_checker("hub", {"model": str(tmp_path)})
    for answer in read(tmp_path, labels=["supports"]):
        assert answer.contradicts == 0
        assert answer.supports > 0.5 > answer.silent


def test_what_is_read_first_is_chosen_and_too_long_a_pair_is_silent(tmp_path: Path) -> None:
    save(tmp_path, ["entailment", "neutral", "contradiction"], [0.0, 0.0, 0.0])
    evidence_first, claim_first = read(tmp_path), read(tmp_path, order="claim_first")
    assert evidence_first[1] != claim_first[1]
    swapped = [Pair(pair.evidence, (pair.claim,)) for pair in PAIRS]
    other_way = make_checker("hub", {"model": str(tmp_path), "order": "claim_first", "batch": 1})
    for one, two in zip(evidence_first, asyncio.run(other_way.probabilities(swapped, None)), strict=True):
        assert one == pytest.approx(two, abs=1e-6)
    long = Pair("gout is treated", ("the colchicine " * 20,))
    answers = asyncio.run(other_way.probabilities([long, PAIRS[0]], None))
    assert answers[0] == Probabilities(0.0, 0.0, 1.0)
    assert answers[1] != answers[0]
    with pytest.raises(CheckerError, match="evidence_first or claim_first"):
        make_checker("hub", {"model": str(tmp_path), "order": "both"})


def test_the_identity_follows_the_weights(tmp_path: Path) -> None:
    one = save(tmp_path / "one", ["entailment", "neutral", "contradiction"], [0.0, 0.0, 0.0])
    two = save(tmp_path / "two", ["entailment", "neutral", "contradiction"], [1.0, 0.0, 0.0])
    identities = [make_checker("hub", {"model": str(folder)}).identity for folder in (one, two)]
    assert identities[0].startswith("one@")
    assert identities[0].partition("@")[2] != identities[1].partition("@")[2]


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckerError, match=r"model '.*absent' cannot be read"):
        make_checker("hub", {"model": str(tmp_path / "absent")})
