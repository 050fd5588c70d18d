"""Tables of `score`, `calibrate` and `judges`, for people."""

from __future__ import annotations

from pathlib import Path

from tracejury.agents import Calibrator, Seat
from tracejury.console.screen import out
from tracejury.console.table import Table
from tracejury.reports import Estimate, JudgesReport, PanelWorth, Score

_STEPS = (
    ("balanced_accuracy", "balanced acc."),
    ("auroc", "AUROC"),
    ("f1_error", "F1 error"),
    ("f1_supported", "F1 supported"),
    ("kappa", "kappa"),
    ("alpha", "alpha"),
)
_TRACES = (
    ("detection_balanced_accuracy", "detection, bal. acc."),
    ("detection_f1", "detection F1"),
    ("mcc", "MCC"),
    ("first_error_accuracy", "first error"),
    ("localisation_accuracy", "error step named"),
)


def print_score(report: Score) -> None:
    """Print the systems by step, by trace, and the jury's risk by coverage."""
    headed = "calibrated" if report.calibrated else "uncalibrated"
    out.print(
        f"{report.run}: {report.steps:,} labelled steps of {report.questions:,} questions,"
        f" {report.error_share:.1%} wrong; verdicts {headed}. Intervals: 95 %, by question.\n"
    )
    table = Table("system", figures=("decided", "abstained", "failed", *(title for _, title in _STEPS)))
    for system in report.systems:
        figures = [_text(getattr(system, name)) for name, _ in _STEPS]
        table.add_row(system.system, *map(str, (system.decided, system.abstained, system.failed)), *figures)
    out.print(table)
    out.print(f"\nWhole traces ({report.traces:,}):")
    table = Table("system", figures=(title for _, title in _TRACES))
    for system in report.systems:
        table.add_row(system.system, *(_text(getattr(system, name)) for name, _ in _TRACES))
    out.print(table)
    if not report.risk_coverage:
        out.print("\nThe jury decided no labelled step: there is no risk-coverage curve.")
        return
    out.print(f"\nThe jury's most confident verdicts (area under the curve {report.aurc:.3f}):")
    table = Table("steps", figures=("coverage", "wrong"))
    for point in report.risk_coverage:
        table.add_row(f"{point.steps:,}", f"{point.coverage:.1%}", f"{point.risk:.1%}")
    out.print(table)
    areas = ", ".join(f"{name} {area:.3f}" for name, area in report.aurcs.items() if area is not None)
    out.print(f"Area under the curve of each system, up to its own coverage: {areas}", soft_wrap=True)


def print_calibrator(calibrator: Calibrator, path: Path | None) -> None:
    """Print what was certified, and how a panel names the file."""
    on = calibrator.fitted_on
    out.print(
        f"Panel {calibrator.panel}, fitted on {on['questions_fitting']} questions of {on['run']}, certified on"
        f" {on['questions_certifying']} others."
    )
    if int(on.get("attempts", 1)) > 1:
        out.print(f"Attempt {on['attempts']} on these labels: each class is tested at delta {calibrator.delta:.3g}.")
    table = Table("verdict", figures=("alpha", "threshold", "questions", "result"))
    for name, rule in (("supported", calibrator.supported), ("error", calibrator.error)):
        threshold = "none: all abstain" if rule.threshold is None else f"P(wrong) <= {rule.threshold:.3f}"
        table.add_row(name, f"{rule.alpha:g}", threshold, str(rule.questions), rule.note)
    out.print(table)
    out.print("Holds for questions of the same source under the same panel; not for another data set.")
    if path is None:
        out.print("Nothing written; give --out FILE.")
    else:
        out.print(f"Written to {path}. In the panel: calibrator: {path.resolve()}", soft_wrap=True)


def print_judges(report: JudgesReport, seats: Path | None) -> None:
    """Print skill, agreement, and what each judge changes."""
    out.print(f"{report.run}: {report.steps:,} steps, {report.labelled:,} with a human label.\n")
    table = Table(
        "judge",
        figures=(
            "model", "seat", "opinions", "failed", "supported", "error", "unclear", "grounded", "AUROC", "skill",
            "reliability",
        ),
    )  # fmt: skip
    for j in report.judges:
        shares = [_share(j.shares.get(label)) for label in ("supported", "error", "unclear")]
        skill = {None: "not known", True: "above chance", False: "includes chance"}[j.skilled]
        table.add_row(
            j.judge, j.model or "none", j.seat.value, str(j.opinions), str(j.failed), *shares, _share(j.grounded),
            _text(j.auroc), skill, _text(j.reliability),
        )  # fmt: skip
    out.print(table)
    if report.worth is not None:
        _print_worth(report.worth)
    if report.agreement:
        table = Table("judges", figures=("steps", "same label", "kappa", ""))
        for pair in report.agreement:
            note = "same weights" if pair.same_weights else ""
            table.add_row(f"{pair.one} / {pair.other}", str(pair.steps), _share(pair.same), _text(pair.kappa), note)
        out.print("\nAgreement:", table, sep="\n")
    if report.left_out:
        table = Table("without", figures=("majority differs", "error share"))
        for left in report.left_out:
            table.add_row(left.judge, _share(left.changed), _share(left.error_share))
        out.print("\nThe plain majority without one judge:", table, sep="\n")
    if report.families:
        table = Table("judge family", figures=("trace family", "verdicts", "called wrong"))
        for rate in report.families:
            table.add_row(rate.judge_family, rate.trace_family, str(rate.decided), _share(rate.error_rate))
        out.print("\nVerdicts by family:", table, sep="\n")
    if report.drift:
        table = Table("judge", figures=("steps", "label differs", "error share before", "now"))
        for drift in report.drift:
            now, before = _share(drift.error_share), _share(drift.error_share_before)
            table.add_row(drift.judge, str(drift.steps), _share(drift.changed), before, now)
        out.print("\nAgainst the earlier run:", table, sep="\n")
    if seats is not None:
        listed = [j.judge for j in report.judges if j.skilled is False and j.seat is not Seat.LISTED]
        out.print(f"\nWritten to {seats}; without a vote now: {', '.join(listed) or 'nobody'}.")


def _print_worth(worth: PanelWorth) -> None:
    # Reliability without labels takes judges that are wrong together for right ones: it never stands alone.
    basis = "errors" if worth.basis == "errors" else "agreement beyond chance, a lower bound"
    out.print(
        f"\nworth {_text(worth.kish.value)} independent judges (Kish, by {basis}); judges of the same skill "
        f"that err independently: {_text(worth.kish.null)}. See `tracejury panels worth`.",
        soft_wrap=True,
    )
    for warning in worth.warnings:
        out.print(f"  {warning}", style="yellow", soft_wrap=True)


def _text(estimate: Estimate | None) -> str:
    return estimate.text() if estimate else "-"


def _share(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.0%}"
