"""One chain of each question is judged; the answers of all samples stand beside the verdicts."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.agents import load_panel
from tracejury.console.app import app
from tracejury.graphs import adjudicate
from tracejury.traces import Question, Trace, write_batch
from tracejury.training import audited_traces

PANEL = Path(__file__).resolve().parents[2] / "configs" / "experiments" / "tiny" / "panel.yaml"
OPTIONS = {"A": "yes", "B": "no"}
QUESTIONS = [
    Question(stem=f"A man of {40 + i} has a sodium of 1{30 + i} mmol/L. Low?", options=OPTIONS, gold="A")
    for i in range(10)
]
TEXT = "1. The sodium is 130 mmol/L."


def judged(folder: Path, arm: str, answers: tuple[str | None, ...]) -> None:
    """Write samples with these answers to every question, and judge the first of each."""
    traces = [
        Trace(question_id=q.id, model="m", arm=arm, sample=i, text=f"{TEXT}\n2. Chain {i}.", answer=a)
        for q in QUESTIONS
        for i, a in enumerate(answers)
    ]
    write_batch([*QUESTIONS, *traces], folder / arm)
    audited = audited_traces(folder / arm)
    asyncio.run(adjudicate(audited, load_panel(PANEL), store=f"sqlite:///{folder}/ledger.db", name=arm))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("samples")
    # The majority of three is right in the one arm, and wrong in the other, whose judged chains are all right.
    judged(folder, "base", ("B", "A", "A"))
    judged(folder, "distilled", ("A", "B", None))
    return f"sqlite:///{folder}/ledger.db"


def invoke(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_summary_has_the_answers_of_all_samples_beside_the_audited_one(store: str) -> None:
    summary = json.loads(invoke("summary", "base", "--store", store, "--json"))
    (arm,) = summary["arms"]
    assert arm["traces"]["traces"] == 10, "one chain a question is judged"
    assert arm["answers"]["accuracy"]["value"] == 0, "those that are judged are wrong"
    sampled = arm["sampled_answers"]
    assert (sampled["traces"], sampled["questions"]) == (30, 10)
    assert sampled["accuracy"]["value"] == pytest.approx(2 / 3)
    assert sampled["self_consistency"][-1]["k"] == 3
    assert sampled["self_consistency"][-1]["accuracy"]["value"] == 1
    # The vote share is 2/3 and the majority right every time.
    assert sampled["calibration"]["brier"]["value"] == pytest.approx(1 / 9)
    assert sampled["calibration"]["ece"]["value"] == pytest.approx(1 / 3)
    printed = invoke("summary", "base", "--store", store)
    assert "majority of all samples (SC@k)" in printed
    assert "(k 3)" in printed


def test_a_comparison_has_the_difference_of_the_majorities(store: str) -> None:
    audit = json.loads(invoke("compare", "base", "distilled", "--store", store, "--json"))
    (comparison,) = audit["comparisons"]
    sampled = comparison["sampled_answers"]
    assert (sampled["questions"], sampled["k"]) == (10, 3)
    assert sampled["accuracy"]["value"] == pytest.approx(1 / 3 - 2 / 3)
    # The other arm's two votes are tied: a fair draw.
    assert sampled["self_consistency"]["value"] == pytest.approx(0.5 - 1)
    assert comparison["answers"]["difference"]["value"] == 1, "the judged chains say the opposite"
    assert "SC@3, %" in invoke("compare", "base", "distilled", "--store", store)


def test_answers_that_a_file_claims_in_another_form_are_no_answers(tmp_path: Path) -> None:
    forms = [None, 3, [["A"]], [["A", -1]], [[1, 2]], "A", {}, [["A", "2"]]]
    traces = [
        Trace(question_id=q.id, model="m", arm="a", text=TEXT, answer="A", meta={"sampled_answers": form})
        for q, form in zip(QUESTIONS, forms, strict=False)
    ]
    write_batch([*QUESTIONS[: len(traces)], *traces], tmp_path / "odd")
    store = f"sqlite:///{tmp_path}/ledger.db"
    asyncio.run(adjudicate(tmp_path / "odd", load_panel(PANEL), store=store, name="odd"))
    (arm,) = json.loads(invoke("summary", "odd", "--store", store, "--json"))["arms"]
    assert arm["sampled_answers"] is None
    assert arm["answers"]["accuracy"]["value"] == 1
