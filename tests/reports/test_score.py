"""Scores agree with the libraries', and the baseline is what it is called."""

from __future__ import annotations

from collections.abc import Callable

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score, matthews_corrcoef, roc_auc_score
from typer.testing import CliRunner

from tracejury.agents import Outcome, Panel
from tracejury.console.app import app
from tracejury.ledger import OpinionRow, StepRow
from tracejury.reports import NoLabelsError, Score, figures, score

MakeRow = Callable[..., StepRow]


def opinion(judge: str, label: str, confidence: float) -> OpinionRow:
    return OpinionRow(
        judge=judge, model="m1", label=label, confidence=confidence, grounded=True, error_type=None, rationale="",
        citations=(), failed=None,
    )  # fmt: skip


def rows(step_row: MakeRow, questions: int = 40, seed: int = 0) -> list[StepRow]:
    """Traces labelled up to their first error, as MR-Ben's; the judge is right three times of four."""
    rng = np.random.default_rng(seed)
    out = []
    for q in range(questions):
        first = int(rng.integers(0, 8))
        for i in range(5):
            wrong = i == first
            label = None if i > first else "error" if wrong else "supported"
            verdict = "unclear" if rng.random() < 0.2 else "error" if wrong == (rng.random() < 0.75) else "supported"
            outcome = {"unclear": Outcome.ABSTAINED, "error": Outcome.ERROR, "supported": Outcome.SUPPORTED}[verdict]
            out.append(
                step_row(
                    question_id=f"q{q}", trace_id=f"t{q}", step_id=f"s{q}-{i}", step_index=i, outcome=outcome,
                    label=label, opinions=(opinion("only", verdict, round(float(rng.random()), 2)),),
                )
            )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def scored_rows(step_row: MakeRow) -> tuple[list[StepRow], Score]:
    step_rows = rows(step_row)
    return step_rows, score(step_rows)


def test_measures_over_steps_agree_with_the_libraries(scored_rows: tuple[list[StepRow], Score]) -> None:
    step_rows, scored = scored_rows
    jury = next(s for s in scored.systems if s.system == "jury")
    labelled = [r for r in step_rows if r.label is not None]
    decided = [r for r in labelled if r.outcome is not Outcome.ABSTAINED]
    true, verdicts = [r.label for r in decided], [str(r.outcome) for r in decided]
    assert jury.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(true, verdicts))
    assert jury.kappa.value == pytest.approx(cohen_kappa_score(true, verdicts))
    coded = [[float(t == "error") for t in true], [float(s == "error") for s in verdicts]]
    assert jury.alpha.value == pytest.approx(krippendorff.alpha(reliability_data=coded, level_of_measurement="nominal"))
    every = [r.label for r in labelled], [str(r.outcome) for r in labelled]
    assert jury.f1_error.value == pytest.approx(f1_score(*every, labels=["error"], average="macro"))
    sign = {"error": 1, "supported": -1}
    lean = [
        sign.get(str(r.outcome), 0) + sign.get(r.opinions[0].label or "", 0) * (r.opinions[0].confidence or 0)
        for r in labelled
    ]
    assert jury.auroc.value == pytest.approx(roc_auc_score([t == "error" for t in every[0]], lean))
    assert jury.auroc.low is not None
    assert jury.auroc.high is not None
    assert jury.auroc.low < (jury.auroc.value or 0) < jury.auroc.high


def test_measures_over_traces_agree_with_a_plain_count(scored_rows: tuple[list[StepRow], Score]) -> None:
    step_rows, scored = scored_rows
    jury = next(s for s in scored.systems if s.system == "jury")
    traces: dict[str, list[StepRow]] = {}
    for row in step_rows:
        traces.setdefault(row.trace_id, []).append(row)
    wrong = [any(r.label == "error" for r in t) for t in traces.values()]
    named = [[r.step_index for r in t if r.outcome is Outcome.ERROR] for t in traces.values()]
    truth = [next((r.step_index for r in t if r.label == "error"), None) for t in traces.values()]
    assert jury.mcc.value == pytest.approx(matthews_corrcoef(wrong, [bool(n) for n in named]))
    hits = sum(bool(n) and n[0] == t for n, t in zip(named, truth, strict=True) if t is not None)
    assert jury.first_error_accuracy.value == pytest.approx(hits / sum(wrong))


def test_always_supported_is_at_chance_and_has_the_base_rate(scored_rows: tuple[list[StepRow], Score]) -> None:
    _, scored = scored_rows
    always = scored.systems[0]
    assert always.system == "always supported"
    assert always.balanced_accuracy.value == always.auroc.value == 0.5
    assert always.kappa.value == always.mcc.value == 0
    assert always.accuracy.value == pytest.approx(1 - scored.error_share)


def test_the_curve_ends_at_the_jurys_coverage_and_risk(scored_rows: tuple[list[StepRow], Score]) -> None:
    _, scored = scored_rows
    jury = next(s for s in scored.systems if s.system == "jury")
    last = scored.risk_coverage[-1]
    assert last.coverage == pytest.approx(jury.coverage.value)
    assert last.risk == pytest.approx(1 - (jury.accuracy.value or 0))
    assert [p.coverage for p in scored.risk_coverage] == sorted(p.coverage for p in scored.risk_coverage)
    assert next(iter(scored.curves)) == "jury"
    assert scored.curves["jury"] == scored.risk_coverage
    one, two = (figures.risk_coverage(dict.fromkeys(names, scored.risk_coverage)) for names in (("a",), ("a", "b")))
    assert one is not None
    assert two is not None
    assert len(two) > len(one), "each system has a curve of its own"


def test_figures_that_all_questions_agree_on_are_not_certain(step_row: MakeRow) -> None:
    outcome = {"error": Outcome.ERROR, "supported": Outcome.SUPPORTED}
    right = [
        r.model_copy(update={"outcome": outcome[r.label], "opinions": (opinion("only", r.label, 0.9),)})
        for r in rows(step_row)
        if r.label is not None
    ]
    flawed = len({r.question_id for r in right if r.label == "error"})
    jury = next(s for s in score(right).systems if s.system == "jury")
    # Clopper and Pearson: 1 - a lower limit of (alpha / 2) ** (1 / n).
    for measure in (jury.balanced_accuracy, jury.auroc, jury.first_error_accuracy):
        assert (measure.value, measure.high) == (1, 1)
        assert measure.low is not None
        assert 0.025 ** (1 / min(flawed, 40 - flawed)) - 1e-9 <= measure.low <= 0.025 ** (1 / flawed) + 1e-9
    assert jury.kappa.value == 1
    assert 0 < jury.kappa.low < 1
    few = {r.question_id for r in right if r.label == "error"}
    for n, is_estimated in ((4, False), (6, True)):
        remaining = [r for r in right if r.question_id not in few or r.question_id in sorted(few)[:n]]
        auroc = next(s for s in score(remaining).systems if s.system == "jury").auroc
        assert (auroc.low is not None) is is_estimated


def test_without_labels_there_is_nothing_to_score(step_row: MakeRow) -> None:
    with pytest.raises(NoLabelsError, match="mr-ben, medec"):
        score([step_row()])


def test_the_command_prints_every_system(step_row: MakeRow, fill_labelled: Callable[..., Panel], store: str) -> None:
    fill_labelled(store, rows(step_row), "labelled", None)
    result = CliRunner().invoke(app, ["quality", "score", "labelled", "--store", store])
    assert result.exit_code == 0, result.output
    assert all(name in result.output for name in ("always supported", "only", "jury", "uncalibrated"))
    as_json = CliRunner().invoke(app, ["quality", "score", "labelled", "--store", store, "--json"])
    assert Score.model_validate_json(as_json.stdout).questions == 40
