"""One audit: comparisons, where the difference appears, and whether the controls bear it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracejury.ledger import Run
from tracejury.reports.columns import ArmKey, Columns
from tracejury.reports.comparable import check_comparable, check_judged_shares
from tracejury.reports.comparison import Comparison, compare
from tracejury.reports.conditions import Where, where
from tracejury.reports.controls import Control, ControlRow, Pairing, load_controls, missing, reanalyses, row
from tracejury.reports.differences import Settings
from tracejury.reports.views import View
from tracejury.traces import Record, TextCoverage


class Audit(Record):
    """What `tracejury compare` prints, `report` shows and `gate` decides on."""

    runs: tuple[str, ...]
    differently_judged: tuple[str, ...]
    """What differs between the runs; empty where they are comparable."""
    comparisons: tuple[Comparison, ...]
    where: tuple[Where, ...]
    """One a comparison, or none where it was not asked for."""
    controls: tuple[tuple[ControlRow, ...], ...]
    """The robustness table of each comparison, or none where it was not asked for."""


def audit(
    columns: Columns,
    runs: Sequence[Run],
    arms: Sequence[ArmKey],
    settings: Settings | None = None,
    *,
    allow_different_runs: bool = False,
    conditions: bool = False,
    controls: Mapping[str, Columns] | None = None,
    labels: Columns | None = None,
    judged: Mapping[ArmKey, TextCoverage] | None = None,
) -> Audit:
    """Compare `arms[0]` with each of the others.

    Args:
        columns: Rows of all the runs.
        runs: The runs that the arms belong to.
        arms: The baseline first.
        settings: Draws, confidence, coverage asked for.
        allow_different_runs: Compare runs that were judged differently.
        conditions: Also say where the difference appears.
        labels: Another run of the same panel whose labels correct the error rates; None: the labels of these steps.
        judged: How much of each arm's text was judged; None: it is not asked about.
        controls: Also make the robustness table; control name -> the rows of its re-judged run, where there is one.

    Raises:
        NotComparableError: The runs were judged differently.
        KeyError: An arm is not there.
    """
    settings = settings or Settings()
    differ = check_comparable(runs, allow_different_runs)
    differ += check_judged_shares(judged or {}, arms, allow_different_runs)
    baseline, *others = arms
    comparisons = compare(columns, baseline, others, settings, labels=labels)
    before, *after = columns.arm_codes(arms)
    majority = columns.by_view(View.MAJORITY)
    return Audit(
        runs=tuple(run.name for run in runs),
        differently_judged=tuple(differ),
        comparisons=tuple(comparisons),
        where=tuple(where(majority, before, code, c.settings) for code, c in zip(after, comparisons, strict=True))
        if conditions
        else (),
        controls=tuple(robustness(majority, main, controls) for main in comparisons) if controls is not None else (),
    )


def robustness(columns: Columns, main: Comparison, rejudged: Mapping[str, Columns]) -> tuple[ControlRow, ...]:
    """Return the robustness table of a comparison, the main result first."""
    quick = main.settings.model_copy(update={"draws": min(main.settings.draws, 2_000)})
    before, after = columns.arm_codes([main.baseline, main.other])
    first = Control(name="main", title="main result", reanalyse="question_weighted")
    rows = [row(Pairing(first, columns, before, after, quick))]
    for control in load_controls():
        if control.reanalyse is not None:
            rows += reanalyses(Pairing(control, columns, before, after, quick))
        else:
            rows.append(_rejudged(control, main, rejudged.get(control.name), quick))
    sign = rows[0].direction
    if sign in (None, "none"):
        return tuple(rows)
    return tuple(r.model_copy(update={"same_direction": r.direction and r.direction == sign}) for r in rows)


def _rejudged(control: Control, main: Comparison, columns: Columns | None, settings: Settings) -> ControlRow:
    command = f"tracejury quality control {control.name} {main.baseline.run}"
    if main.other.run != main.baseline.run:
        command += f"; tracejury quality control {control.name} {main.other.run}"
    if columns is None:
        return missing(control, f"not run: {command}")
    arms = [ArmKey(f"{arm.run}@{control.name}", arm.arm) for arm in (main.baseline, main.other)]
    if any(arm not in columns.arms for arm in arms):
        return missing(control, f"not finished: {command}")
    before, after = columns.arm_codes(arms)
    return row(Pairing(control, columns.by_view(View.MAJORITY), before, after, settings))


def choose_arms(columns: Columns, refs: Sequence[tuple[str, str | None]], baseline: str | None = None) -> list[ArmKey]:
    """Return the arms to compare, the baseline first.

    Args:
        columns: Rows of the runs named.
        refs: (run name, arm or None); one run alone means its arms.
        baseline: With one run: the arm to compare with; None: `base`.

    Raises:
        ValueError: It is not clear which arms are meant; the message says what there is.
    """
    there = {run: [a.arm for a in columns.arms if a.run == run] for run, _ in refs}
    if len(refs) == 1 and refs[0][1] is None:
        run, arms = refs[0][0], there[refs[0][0]]
        first = baseline or ("base" if "base" in arms else None)
        if first not in arms or len(arms) < 2:
            raise ValueError(
                f"run {run!r} has the arms {', '.join(arms) or 'none'}: "
                + ("a comparison needs two" if len(arms) < 2 else "say which one is the baseline (--baseline ARM)")
            )
        return [ArmKey(run, first), *(ArmKey(run, arm) for arm in arms if arm != first)]
    chosen = []
    for run, arm in refs:
        if arm is None and len(there[run]) != 1:
            raise ValueError(f"run {run!r} has the arms {', '.join(there[run]) or 'none'}: name one, as {run}:ARM")
        chosen.append(ArmKey(run, arm or there[run][0]))
    if twice := next((arm for arm in chosen if chosen.count(arm) > 1), None):
        raise ValueError(
            f"{twice.run}:{twice.arm} is named twice, and an arm does not differ from itself: name another run or arm"
        )
    return chosen
