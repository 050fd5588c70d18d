"""Certified thresholds and fitting: the guarantee holds on clustered data, and too little data certifies nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_runs import PANEL, labelled_rows
from typer.testing import CliRunner

from tracejury.agents import Calibrator, Outcome, Panel, Route, Verdict, load_calibrator
from tracejury.console.app import app
from tracejury.ledger import Ledger, StepRow
from tracejury.models import is_fetched
from tracejury.reports import NotEnoughLabelsError, Verdicts, calibrate, certify, questions_needed

MakeRow = Callable[..., StepRow]


def verdicts(rng: np.random.Generator, questions: int, icc: float, slope: float = 1.0) -> Verdicts:
    """Verdicts of clustered questions: P(wrong) is the score itself, shifted by the question."""
    spread = 1 / icc - 1
    base = rng.beta(0.2 * spread, 0.8 * spread, questions)
    sizes = rng.integers(1, 9, questions)
    question = np.repeat(np.arange(questions), sizes)
    score = rng.random(len(question))
    chance = np.clip(base[question] * 2 * score**slope, 0, 1)
    return Verdicts(question, score, rng.random(len(question)) < chance)


def risk(population: Verdicts, threshold: float) -> float:
    """P(wrong) of a verdict drawn by drawing a question that has kept verdicts, then one of them."""
    accepted = population.mistaken <= threshold
    n = np.bincount(population.question[accepted])
    wrong = np.bincount(population.question[accepted], weights=population.wrong[accepted])
    return float((wrong[n > 0] / n[n > 0]).mean())


def risk_by_step(population: Verdicts, threshold: float) -> float:
    """P(wrong) of any kept verdict, all alike."""
    return float(population.wrong[population.mistaken <= threshold].mean())


@pytest.mark.parametrize(("per", "of", "least"), [("question", risk, 60), ("step", risk_by_step, 120)])
def test_the_guarantee_holds_on_clustered_data(per: Any, of: Any, least: int) -> None:
    rng = np.random.default_rng(1)
    population = verdicts(rng, 40_000, icc=0.4)
    alpha, delta, violated, certified = 0.15, 0.1, 0, 0
    for draw in range(200):
        halves = verdicts(rng, 80, icc=0.4), verdicts(rng, 80, icc=0.4)
        certificate = certify(*halves, alpha=alpha, delta=delta, seed=draw, per=per)
        if certificate.threshold is not None:
            certified += 1
            violated += of(population, certificate.threshold) > alpha
    assert certified > least
    # 200 draws at 10 %: more than 31 would have a chance of one in a thousand.
    assert violated <= 31


def test_too_few_questions_certify_nothing_and_say_how_many_it_takes() -> None:
    rng = np.random.default_rng(2)
    certified = certify(verdicts(rng, 12, 0.3), verdicts(rng, 12, 0.3), alpha=0.1, delta=0.1)
    assert certified.threshold is None
    assert certified.needed == questions_needed(0.1, 0.1) == 22
    assert certified.note == "not certified: 12 questions, at least 22 needed"


def test_verdicts_that_are_wrong_too_often_are_not_certified() -> None:
    rng = np.random.default_rng(3)
    bad = Verdicts(np.arange(300), rng.random(300), rng.random(300) < 0.4)
    certified = certify(bad, bad, alpha=0.1, delta=0.1)
    assert certified.threshold is None
    assert certified.note.startswith("not certified: of 300 questions")


def test_a_fitted_calibrator_trusts_the_good_judge_and_keeps_its_promise(step_row: MakeRow) -> None:
    calibrator = calibrate(labelled_rows(step_row, 300), PANEL, alpha_supported=0.1, alpha_error=0.2)
    weight = dict(zip(calibrator.features, calibrator.weights, strict=True))
    assert weight["good:error"] > weight["noisy:error"] > weight["chance:error"]
    assert calibrator.supported.threshold is not None
    decided = [
        r.label == "error"
        for r in labelled_rows(step_row, 2000, seed=9)
        if r.outcome is Outcome.SUPPORTED
        and calibrator.apply(
            Verdict(outcome=r.outcome, route=Route.MAJORITY, reason=r.reason or "resolved"), r.opinions
        ).outcome
        is Outcome.SUPPORTED
    ]
    assert decided
    assert np.mean(decided) < 0.1


def test_nonsense_is_refused(step_row: MakeRow) -> None:
    rows = labelled_rows(step_row, 30)
    with pytest.raises(NotEnoughLabelsError, match="at least 10 questions"):
        calibrate([r.model_copy(update={"label": None}) for r in rows], PANEL)
    with pytest.raises(NotEnoughLabelsError, match="both labels"):
        calibrate([r.model_copy(update={"label": "supported"}) for r in rows], PANEL)
    with pytest.raises(ValueError, match="calibrated already"):
        calibrate([r.model_copy(update={"confidence": 0.9}) for r in rows], PANEL)
    with pytest.raises(ValueError, match="calibrated already"):
        calibrate(rows, PANEL.model_copy(update={"calibrator": "c.json"}))
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibrate(rows, PANEL, alpha_error=5)


def test_the_command_writes_a_file_that_the_panel_can_name(
    step_row: MakeRow, fill_labelled: Callable[..., Panel], store: str, tmp_path: Path
) -> None:
    panel = fill_labelled(store, labelled_rows(step_row, 60), "labelled", PANEL)
    out = tmp_path / "c.json"
    result = CliRunner().invoke(app, ["quality", "calibrate", "labelled", "--store", store, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert isinstance(load_calibrator(out, panel), Calibrator)
    assert "Holds for questions of the same source" in result.output


def test_from_a_labelled_run_to_a_calibrated_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way, on the judge that recomputes doses: what is certified keeps its verdicts, with a confidence."""
    if not is_fetched("minilm"):
        pytest.skip("weights minilm are not fetched: tracejury models fetch minilm")
    monkeypatch.chdir(tmp_path)
    lines = []
    for n in range(60):
        weight, dose = 50 + n, 15 * (50 + n) + 200 * (n % 2)
        texts = [f"He weighs {weight} kg.", f"15 mg/kg for {weight} kg is {dose} mg."]
        steps = [{"text": t, "label": "error" if n % 2 and "mg" in t else "supported"} for t in texts]
        stem = f"A 40-year-old man weighs {weight} kg and has a cough."
        lines.append({"kind": "question", "id": f"q{n}", "stem": stem, "options": {"A": "x", "B": "y"}, "gold": "A"})
        lines.append({"kind": "trace", "question": f"q{n}", "model": "m", "text": " ".join(texts), "steps": steps})
    Path("traces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    bare = "policy: consensus\njudges: [{name: data, judge: data}]\n"
    Path("plain.yaml").write_text(bare)
    Path("calibrated.yaml").write_text(bare + "calibrator: c.json\n")
    Path("lenient.yaml").write_text(bare + "calibrator: c.json\nearly_stop: true\n")

    def tracejury(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(args))
        assert result.exit_code == code, result.output
        return result.output

    tracejury("adjudicate", "traces.jsonl", "--panel", "plain.yaml", "--run", "plain")
    tracejury("quality", "calibrate", "plain", "--out", "c.json")
    tracejury("adjudicate", "traces.jsonl", "--panel", "calibrated.yaml", "--run", "calibrated", "--limit", "12")
    ledger = Ledger("sqlite:///tracejury.db")
    decided = [r for r in ledger.rows(ledger.run("calibrated")) if r.outcome in (Outcome.SUPPORTED, Outcome.ERROR)]
    assert {r.outcome for r in decided} == {Outcome.SUPPORTED, Outcome.ERROR}
    assert all(r.confidence is not None and r.outcome == r.label for r in decided)
    assert "calibrated already" in tracejury("quality", "calibrate", "calibrated", code=1)
    message = tracejury("adjudicate", "traces.jsonl", "--panel", "lenient.yaml", "--run", "lenient", code=1)
    assert "run `tracejury quality calibrate` again" in message


def test_a_run_without_labels_is_refused_with_the_next_step(
    step_row: MakeRow, fill: Callable[..., str], store: str
) -> None:
    plain = [r.model_copy(update={"label": None}) for r in labelled_rows(step_row, 12)]
    fill(store, plain, "plain")
    for command in ("calibrate", "score"):
        result = CliRunner().invoke(app, ["quality", command, "plain", "--store", store])
        assert result.exit_code == 1
        assert "mr-ben, medec" in result.output
