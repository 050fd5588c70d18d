"""Does the effect persist? One paired difference for each student, benchmark and panel, each within itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np

from tracejury.ledger import Run
from tracejury.reports.columns import ArmKey, Bools, Columns
from tracejury.reports.comparable import check_judged_shares
from tracejury.reports.comparison import Direction, Robust, direction_of, robustness_of
from tracejury.reports.corrected import corrected_comparison
from tracejury.reports.differences import Settings, paired_rates, worst_cases
from tracejury.reports.estimates import Estimate
from tracejury.reports.sides import decided_in_both, pair
from tracejury.reports.views import View
from tracejury.traces import Record, TextCoverage


class MatrixCell(Record):
    """One student on one benchmark under one panel, compared with the baseline of the same run."""

    run: str
    panel: str
    benchmark: str
    """The questions' source; `unnamed` where they name none."""
    student: str
    questions: int
    """Decided in both arms."""
    coverage: tuple[float, float]
    baseline: Estimate
    other: Estimate
    difference: Estimate
    corrected: Estimate | None
    """The difference corrected for the jury's errors (docs/audit.md); None without labelled steps in the cell."""
    direction: Direction
    robust: Robust
    enough: bool
    """At least as many questions are decided as a comparison asks for."""


class Heterogeneity(Record):
    """How far the cells agree. Cells that share questions or students are not independent: read it as a description."""

    cells: int
    up: int
    """Cells in which the student errs more, by the point."""
    down: int
    shown_up: int
    """Cells whose interval lies above 0."""
    shown_down: int
    mean: Estimate | None
    """Mean over cells, random effects; None for fewer than two cells with an interval."""
    q: float | None
    q_p: float | None
    i2: float | None
    """Share of the spread of the cells that is not sampling, from 0 to 1 (Higgins and Thompson 2002)."""
    tau: float | None
    """Standard deviation of the true differences between cells, in shares."""


class Matrix(Record):
    """All cells, and how far they agree."""

    baseline: str
    cells: tuple[MatrixCell, ...]
    heterogeneity: Heterogeneity


def compare_matrix(
    columns: Columns,
    runs: Sequence[Run],
    baseline: str = "base",
    settings: Settings | None = None,
    *,
    labels: Columns | None = None,
    judged: Mapping[ArmKey, TextCoverage] | None = None,
    allow_different_runs: bool = False,
) -> Matrix:
    """Compare every arm of every run with that run's baseline, benchmark by benchmark, by the jury's majority.

    Args:
        columns: Rows of all the runs.
        runs: The runs; each is compared within itself, so that they may have other panels, students and benchmarks.
        baseline: The arm that the others are compared with, in every run.
        settings: Confidence, and what a comparison asks for.
        labels: Another run of the same panel whose labels correct the differences; None: the labels of these steps.
        judged: How much of each arm's text was judged; None: it is not asked about.
        allow_different_runs: Compare arms of which unlike shares of the text were judged.

    Raises:
        NotComparableError: Unlike shares of the text of two arms of a run were judged.
        ValueError: No run has the baseline and another arm.
    """
    settings = settings or Settings()
    view = columns.by_view(View.MAJORITY)
    source = view.traces["source"][view.steps["trace"]]
    cells = []
    for run in runs:
        arms = {key.arm: code for code, key in enumerate(view.arms) if key.run == run.name}
        if baseline not in arms:
            continue
        keys = [ArmKey(run.name, arm) for arm in (baseline, *sorted(arms.keys() - {baseline}))]
        check_judged_shares(judged or {}, keys, allow_different_runs)
        for code in np.unique(source[np.isin(view.step_arm, list(arms.values()))]):
            for student in sorted(arms.keys() - {baseline}):
                cell = _cell(view, run, arms[baseline], arms[student], int(code), source == code, settings, labels)
                if cell is not None:
                    cells.append(cell)
    if not cells:
        known_arms = ", ".join(f"{key.run}:{key.arm}" for key in columns.arms) or "none"
        raise ValueError(
            f"no run has an arm {baseline!r} and another one with verdicts on the same questions. Arms: {known_arms};"
            " name the baseline with --baseline ARM"
        )
    return Matrix(baseline=baseline, cells=tuple(cells), heterogeneity=heterogeneity(cells, settings.confidence))


def _cell(
    columns: Columns,
    run: Run,
    before: int,
    after: int,
    benchmark: int,
    mask: Bools,
    settings: Settings,
    labels: Columns | None,
) -> MatrixCell | None:
    sides = pair(columns, before, after, mask)
    paired = paired_rates(sides, settings)
    if paired is None:
        return None
    decided = int(decided_in_both(sides, settings.min_decided).sum())
    coverage = [float(side[:, :2].sum() / max(side[:, :4].sum(), 1)) for side in (sides.before, sides.after)]
    direction = direction_of(paired.difference)
    corrected = corrected_comparison(columns, before, after, settings, labels=labels, steps=mask)
    return MatrixCell(
        run=run.name,
        panel=run.panel.name,
        benchmark=columns.sources[benchmark] or "unnamed",
        student=columns.arms[after].arm,
        questions=decided,
        coverage=(coverage[0], coverage[1]),
        baseline=paired.baseline,
        other=paired.other,
        difference=paired.difference,
        corrected=corrected.difference if corrected else None,
        direction=direction,
        robust=robustness_of(direction, worst_cases(sides, settings.confidence, failures=False)),
        enough=decided >= settings.min_questions and min(coverage) >= settings.min_coverage,
    )


def heterogeneity(cells: Sequence[MatrixCell], confidence: float = 0.95) -> Heterogeneity:
    """Return how far the cells agree: signs, and a random-effects mean (DerSimonian and Laird 1986, by statsmodels)."""
    values = [c.difference.value or 0.0 for c in cells]
    usable = [c.difference for c in cells if c.difference.low is not None and c.difference.high is not None]
    mean, q, q_p, i2, tau = None, None, None, None, None
    if len(usable) > 1:
        from statsmodels.stats.meta_analysis import combine_effects

        normal = NormalDist().inv_cdf((1 + confidence) / 2)
        errors = np.array([((e.high or 0) - (e.low or 0)) / 2 / normal for e in usable])
        combined = combine_effects(
            np.array([e.value for e in usable]), errors**2, method_re="dl", use_t=False, alpha=1 - confidence
        )
        row = combined.summary_frame(alpha=1 - confidence).loc["random effect"]
        mean = Estimate(value=float(row["eff"]), low=float(row["ci_low"]), high=float(row["ci_upp"]))
        test = combined.test_homogeneity()
        q, q_p = float(test.statistic), float(test.pvalue)
        i2, tau = max(float(combined.i2), 0.0), float(np.sqrt(max(combined.tau2, 0.0)))
    return Heterogeneity(
        cells=len(cells),
        up=sum(v > 0 for v in values),
        down=sum(v < 0 for v in values),
        shown_up=sum(c.direction is Direction.UP for c in cells),
        shown_down=sum(c.direction is Direction.DOWN for c in cells),
        mean=mean,
        q=q,
        q_p=q_p,
        i2=i2,
        tau=tau,
    )
