"""Synthetic step rows and ledgers with known truth: clustered by question, some abstained on, some failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tracejury.agents import (
    Case,
    Citation,
    Deliberation,
    JudgeSpec,
    Label,
    Opinion,
    Outcome,
    Panel,
    Reason,
    Relation,
    Route,
    Verdict,
)
from tracejury.ledger import Ledger, OpinionRow, RunManifest, StepRow
from tracejury.traces import ErrorType, Question, Role, Segmentation, Step, Trace

Rows = Callable[..., Iterator[StepRow]]


@pytest.fixture(scope="session")
def step_row() -> Callable[..., StepRow]:
    return _step_row


@pytest.fixture(scope="session")
def simulated() -> Rows:
    return _simulated


@pytest.fixture(scope="session")
def fill() -> Callable[..., str]:
    """Write rows to a ledger as a run; the rows' own texts, answers and verdicts, in real deliberations."""
    return _fill


def _step_row(**changes: object) -> StepRow:
    """A supported step of question q0, changed as told."""
    row: dict[str, object] = {
        "run": "r", "question_id": "q0", "trace_id": "t0", "model": "m", "arm": "base", "sample": 0, "split": None,
        "segmenter": "numbered", "panel": "p", "step_id": "s0", "step_index": 0, "step_text": "A claim is made here.",
        "start": 0, "end": 21, "role": Role.FACTUAL_CLAIM, "hedges": 0, "hint_used": None, "claim": True,
        "outcome": Outcome.SUPPORTED, "error_type": None, "confidence": None, "route": Route.MAJORITY,
        "reason": Reason.GROUNDED_MAJORITY, "answer": "A", "gold": "A", "answer_correct": True,
        "meta": {"options": 4, "option_chars": 20, "stem_chars": 400, "trace_chars": 900, "completion_tokens": 220},
    }  # fmt: skip
    row.update(changes)
    if row["outcome"] is Outcome.ERROR and "error_type" not in changes:
        row["error_type"] = ErrorType.FACTUAL
    return StepRow.model_validate(row)


def _simulated(
    arms: dict[str, dict[str, float]],
    questions: int = 60,
    steps: int = 6,
    seed: int = 0,
    run: str = "r",
    icc: float = 0.2,
) -> Iterator[StepRow]:
    """Rows of several arms over the same questions.

    Each arm: `error` (rate among claims), `abstain` (share), `hidden` (error rate of what is abstained on, default
    `error`), `failed`, `accuracy`. The error probability varies between questions (beta, the given intraclass
    correlation), and a question's difficulty is shared by the arms.
    """
    rng = np.random.default_rng(seed)
    ease = rng.random(questions)
    for q in range(questions):
        for arm, truth in arms.items():
            p = _beta_at(ease[q], truth["error"], icc)
            correct = bool(rng.random() < truth.get("accuracy", 0.7))
            for i in range(int(rng.integers(max(steps - 2, 1), steps + 3))):
                wrong, chance = rng.random() < p, rng.random()
                outcome = Outcome.ERROR if wrong else Outcome.SUPPORTED
                abstain = truth.get("abstain", 0.0)
                if chance < abstain:
                    outcome = Outcome.ABSTAINED
                elif chance < abstain + truth.get("failed", 0.0):
                    outcome = Outcome.FAILED
                judge_error = wrong if rng.random() < 0.9 else not wrong
                yield _step_row(
                    run=run, question_id=f"q{q}", trace_id=f"{arm}-{q}", arm=arm,
                    step_id=f"{arm}-{q}-{i}", step_index=i,
                    outcome=outcome, answer="A" if correct else "B", answer_correct=correct,
                    role=list(Role)[int(rng.integers(0, len(Role)))], hedges=int(rng.random() < 0.3),
                    reason=Reason.NO_MAJORITY if outcome is Outcome.ABSTAINED else Reason.GROUNDED_MAJORITY,
                    opinions=tuple(_opinion(name, judge_error) for name in ("facts", "inference", "data")),
                    meta={"options": 4 + q % 2, "option_chars": 5 + q, "stem_chars": 100 + 37 * q % 900,
                          "trace_chars": 900, "completion_tokens": 150 + 11 * q},
                )  # fmt: skip


def _opinion(judge: str, error: bool) -> OpinionRow:
    return OpinionRow(
        judge=judge, model="m1", label="error" if error else "supported", confidence=None, grounded=True,
        error_type=None, rationale="", citations=(), failed=None,
    )  # fmt: skip


def _beta_at(quantile: float, mean: float, icc: float) -> float:
    from scipy.stats import beta

    spread = 1 / icc - 1
    return float(beta.ppf(quantile, mean * spread, (1 - mean) * spread)) if 0 < mean < 1 else mean


def _fill(
    store: str, rows: Iterable[StepRow], run: str, panel: str = "p", seed: int = 0, judge_panel: Panel | None = None
) -> str:
    ledger = Ledger(store)
    judge_panel = judge_panel or Panel(
        name=panel, judges=tuple(JudgeSpec(name=j, judge="data") for j in ("facts", "inference", "data"))
    )
    opened = ledger.open_run(judge_panel, RunManifest(panel=panel, segmenter="numbered", seed=seed), name=run)
    by_trace: dict[str, list[StepRow]] = {}
    for row in rows:
        by_trace.setdefault(row.trace_id, []).append(row)
    with ledger.engine.begin() as connection:
        for trace_rows in by_trace.values():
            first = trace_rows[0]
            question = Question(
                stem=f"Stem of {first.question_id}", options={"A": "yes", "B": "no"}, gold=first.gold,
                source=first.meta.get("question_source", ""),
            )  # fmt: skip
            text = "\n".join(r.step_text for r in trace_rows)
            trace = Trace(
                question_id=question.id, model=first.model, arm=first.arm, sample=first.sample, text=text,
                answer=first.answer, completion_tokens=200, meta={"key": first.trace_id},
            )  # fmt: skip
            judged = [] if first.step_index < 0 else trace_rows
            steps = [
                Step(
                    trace_id=trace.id,
                    index=r.step_index,
                    start=0,
                    end=len(r.step_text),
                    text=r.step_text,
                    role=r.role,
                    hedges=r.hedges,
                    label=r.label,
                )
                for r in judged
            ]
            ledger.put_trace(
                connection, opened.run.id, trace, question, Segmentation(segmenter="numbered", steps=tuple(steps))
            )
            for row, step in zip(judged, steps, strict=True):
                ledger.put_deliberation(connection, opened.run.id, _deliberation(row, step, question))
            ledger.close_trace(connection, opened.run.id, trace.id)
    ledger.finish(opened.run.id, len(by_trace))
    ledger.close()
    return opened.run.name


@pytest.fixture(scope="session")
def fill_labelled() -> Callable[..., Panel]:
    """Write rows with labels to a ledger as a run of a panel; see `fill`."""

    def write(store: str, rows: Iterable[StepRow], run: str, panel: Panel | None) -> Panel:
        rows = list(rows)
        names = sorted({o.judge for r in rows for o in r.opinions})
        panel = panel or Panel(name="p", judges=tuple(JudgeSpec(name=j, judge="data") for j in names))
        _fill(store, rows, run, judge_panel=panel)
        return panel

    return write


def _deliberation(row: StepRow, step: Step, question: Question) -> Deliberation:
    assert row.outcome is not None
    assert row.route is not None
    assert row.reason is not None
    case = Case(step_id=step.id, trace_id=step.trace_id, stem=question.stem, step_index=step.index, step=step.text)

    def quoted(label: str | None) -> tuple[Citation, ...]:
        relation = Relation.CONTRADICTS if label == "error" else Relation.SUPPORTS
        return (
            Citation(evidence_id="vignette", quote="Stem", verified=True, claim="C1", relation=relation, counts=True),
        )

    opinions = tuple(
        Opinion(
            judge=o.judge, kind="data", model=o.model, label=Label(o.label) if o.label else None,
            confidence=o.confidence, citations=quoted(o.label) if o.grounded else (),
        )
        for o in row.opinions
    )  # fmt: skip
    verdict = Verdict(
        outcome=row.outcome, route=row.route, reason=row.reason, claim=row.claim, error_type=row.error_type,
        confidence=row.confidence,
    )  # fmt: skip
    return Deliberation(step=step, case=case, opinions=opinions, verdict=verdict, path=("hear", "decide"))


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"
