"""The verifier's recipe: parts that do not mix, alterations that change what they say, restatements that keep it."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from tracejury.training.verifier.alter import Diseases, Kind, alter, reword
from tracejury.training.verifier.labelled import Abstract, abstract
from tracejury.training.verifier.restate import restate
from tracejury.training.verifier.splits import corpus_part, overlap, read_splits, shingles, split_data_sets
from tracejury.training.verifier.tasks import statement


def test_the_written_split_is_the_one_that_the_data_gives(shared_data: Path) -> None:
    assert split_data_sets(shared_data) == read_splits()


def test_parts_do_not_share_documents_and_mr_ben_is_never_trained_on() -> None:
    splits = read_splits()
    for parts in splits.values():
        ids = [key for keys in parts.values() for key in keys]
        assert len(ids) == len(set(ids))
    assert "train" not in splits["mr_ben"]


def test_no_training_note_of_medec_is_near_a_held_out_one_or_a_question_of_mr_ben(shared_data: Path) -> None:
    with next((shared_data / "medec").glob("*.csv")).open(newline="") as handle:
        notes = {row["Text ID"]: shingles(row["Text"]) for row in csv.DictReader(handle)}
    parts = read_splits()["medec"]
    held_out = [notes[key] for part in ("calibrate", "report") for key in parts[part]]
    mr_ben = json.loads((shared_data / "mr_ben/medicine_dev_subset.json").read_text())
    asked = [shingles(solutions[0]["Question"]) for solutions in mr_ben.values()]
    for key in parts["train"]:
        assert max(overlap(notes[key], other) for other in held_out) <= 0.2
        assert max(overlap(notes[key], other) for other in asked) < 0.05


def test_a_topic_is_in_one_part_however_it_is_written() -> None:
    assert corpus_part("medquad", "Asthma") == corpus_part("medquad", " asthma ")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "The usual dose is 10 mg once daily."),
        ("negation", "The drug is recommended in pregnancy."),
        ("direction", "Furosemide increases the excretion of sodium."),
        ("drug", "Warfarin is monitored by the INR."),
        ("disease", "This rash is seen in measles."),
    ],
)
def test_an_alteration_changes_one_thing(kind: Kind, text: str) -> None:
    for seed in range(20):
        draw = random.Random(seed)
        changed = alter(kind, text, draw, ["apixaban", "heparin"], Diseases(["measles", "gout", "lupus"]))
        assert changed is not None
        assert changed.text != text
        assert text[: changed.at].lower() == changed.text[: changed.at].lower()


def test_what_has_nothing_to_change_is_left() -> None:
    assert alter("number", "The drug is safe.", random.Random(0), [], Diseases([])) is None


def test_rewording_keeps_numbers_and_negation() -> None:
    text = "The physician should not give 15 mg (half a tablet) to children."
    for seed in range(50):
        said = reword(text, random.Random(seed))
        assert "15" in said
        assert " not " in said


def test_a_restatement_keeps_the_fact_and_follows_the_seed() -> None:
    text = "Dry cough is a common side effect of lisinopril."
    forms = {restate(text, seed) for seed in range(20)}
    assert len(forms) > 2
    assert all(form and "lisinopril" in form.lower() and "cough" in form.lower() for form in forms)
    assert restate(text, 3) == restate(text, 3)
    assert restate("It rains.", 0) is None


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Does aspirin prevent stroke?", "Aspirin prevent stroke"),
        ("Is vitamin D associated with falls?", "Vitamin D is associated with falls"),
        ("Why not?", "Why not"),
    ],
)
def test_a_question_becomes_what_it_asks_about(question: str, said: str) -> None:
    assert statement(question) == said


def test_an_abstract_keeps_the_sentences_of_all_its_sections() -> None:
    text = (
        "OBJECTIVE: We wanted to know whether it helps.\n"
        "RESULTS: The drug lowered the pressure. It had no effect on weight.\n"
        "CONCLUSION: The drug lowers blood pressure."
    )
    assert abstract(text) == Abstract(
        (
            "We wanted to know whether it helps.",
            "The drug lowered the pressure.",
            "It had no effect on weight.",
            "The drug lowers blood pressure.",
        ),
        opening=frozenset({0}),
        closing=frozenset({3}),
    )
