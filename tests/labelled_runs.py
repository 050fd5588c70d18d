"""A labelled run of three judges with known skill."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracejury.agents import JudgeSpec, Outcome, Panel
from tracejury.ledger import OpinionRow, StepRow

PANEL = Panel(name="p", judges=tuple(JudgeSpec(name=j, judge="data") for j in ("good", "noisy", "chance")))


def labelled_rows(step_row: Callable[..., StepRow], questions: int, seed: int = 0) -> list[StepRow]:
    """A run whose first judge is right nine times of ten, the second seven, the third at chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for q in range(questions):
        for i in range(int(rng.integers(2, 6))):
            wrong = bool(rng.random() < 0.3)
            says = {"good": 0.95, "noisy": 0.7, "chance": 0.5}
            votes = {j: (wrong if rng.random() < p else not wrong) for j, p in says.items()}
            outcome = Outcome.ERROR if sum(votes.values()) >= 2 else Outcome.SUPPORTED
            rows.append(
                step_row(
                    question_id=f"q{q}", trace_id=f"t{q}", step_id=f"s{q}-{i}", step_index=i, outcome=outcome,
                    label="error" if wrong else "supported",
                    opinions=tuple(
                        OpinionRow(
                            judge=j, model="m1", label="error" if v else "supported", confidence=None, grounded=True,
                            error_type=None, rationale="", citations=(), failed=None,
                        )
                        for j, v in votes.items()
                    ),
                )
            )  # fmt: skip
    return rows
