"""Votes by measured skill: a judge whose interval includes chance is listed, and its opinions count in nothing."""

from __future__ import annotations

from tracejury.agents import Panel, Seat
from tracejury.reports.estimates import MIN_CLUSTERS
from tracejury.reports.judges import JudgesReport


def without_unskilled(panel: Panel, report: JudgesReport) -> Panel:
    """Return `panel` with the seats of unskilled judges set to `listed`, and named so that the change shows.

    Args:
        panel: The panel of the run.
        report: Of that run, with labels.

    Raises:
        ValueError: The run's labels tell no judge's skill, or no voting judge is above chance: such a panel should not
            be used.
    """
    if not report.labelled:
        raise ValueError(f"{report.run} has no human labels: skill is not known, and no seat can be changed")
    if all(j.skilled is None for j in report.judges if j.seat is Seat.VOTE):
        raise ValueError(
            f"{report.run} has {report.labelled} labelled steps, and no interval of a judge's skill comes of them: it"
            f" takes {MIN_CLUSTERS} questions with either label among what it answered; no seat can be changed"
        )
    weak = {j.judge for j in report.judges if j.skilled is False}
    if all(j.name in weak for j in panel.judges if j.seat is Seat.VOTE):
        raise ValueError(
            f"no voting judge of {panel.name!r} is above chance on {report.run}: there is nobody left to vote."
            " Seat a stronger model (see docs/judges.md)"
        )
    judges = tuple(j.model_copy(update={"seat": Seat.LISTED}) if j.name in weak else j for j in panel.judges)
    if judges == panel.judges:
        return panel
    # A calibrator was fitted on the old seats; it would be refused.
    return panel.model_copy(update={"judges": judges, "name": f"{panel.name}-seated", "calibrator": None})
