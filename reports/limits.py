"""What an audit cannot say, from its own figures: limits that hold for this run, not a disclaimer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracejury.agents import Policy, language_notice
from tracejury.ledger import Run
from tracejury.reports.audits import Audit
from tracejury.reports.comparison import Robust
from tracejury.reports.summary import Summary


def limits(runs: Sequence[Run], summary: Summary, audit: Audit | None, labelled: bool) -> list[str]:
    """Return the limits of these runs, the weightiest first."""
    sentences = []
    if audit:
        sentences += [f"{c.other.arm}: {c.sentence}." for c in audit.comparisons if not c.enough]
        sentences += [f"{c.other.arm}: {c.left_out}." for c in audit.comparisons if c.left_out]
        sentences += [f"The runs were judged differently: {line}." for line in audit.differently_judged]
        sentences += [
            f"{c.other.arm}: abstentions could hide a difference of the other sign."
            for c in audit.comparisons
            if c.enough and c.majority.robust is Robust.NO
        ]
    if not summary.calibrated:
        sentences.append("Outcomes are uncalibrated: how often a verdict of this panel is wrong was not certified.")
    if not labelled:
        sentences.append("No human label is on these steps: error rates are the jury's, not the truth's.")
    silent = [a for a in summary.arms if (a.steps.coverage.value or 0) < 0.5]
    if silent:
        coverages = ", ".join(f"{a.name} {100 * (a.steps.coverage.value or 0):.1f} %" for a in silent)
        sentences.append(f"The jury reached no verdict on most claims (coverage {coverages}); rates are of the rest.")
    failed = [a for a in summary.arms if a.steps.failed]
    if failed:
        failures = ", ".join(f"{a.name} {a.steps.failed:,}" for a in failed)
        sentences.append(
            f"Steps without any usable opinion: {failures}. The same command that made the run asks them again."
        )
    for arm in summary.arms:
        sentences += [
            f"{arm.name}: {count.opinions:,} failed opinions ({reason}), for instance: {count.example[:200]}. "
            f"What to do: {count.remedy}."
            for reason, count in arm.failures.items()
        ]
    for run in runs:
        sentences += [
            f"{run.name}: requests to endpoint {name} differed from the panel: {'; '.join(lines)}."
            for name, lines in run.manifest.adaptations.items()
        ]
        sentences += _panel_limits(run)
        if notice := language_notice(run.panel, run.manifest.languages):
            sentences.append(f"{run.name}: {notice}.")
    sentences.append(
        "Rates are bound to panel, prompts and segmentation; only differences between arms judged alike carry over."
    )
    return sentences


def _panel_limits(run: Run) -> Iterator[str]:
    judges = [j for j in run.panel.judges if j.seat.value == "vote"]
    if len(judges) == 1:
        yield f"{run.name}: one judge votes ({judges[0].name}); its blind spots are the panel's."
    models = [run.panel.endpoints[j.endpoint].model for j in judges if j.endpoint]
    if len(models) > 1 and len(set(models)) == 1:
        yield f"{run.name}: its {len(models)} model judges are the same weights ({models[0]})."
    if run.panel.allow_same_family:
        yield f"{run.name}: judges may be of the audited model's own family (`allow_same_family`)."
    if run.panel.policy is Policy.CONSENSUS:
        yield f"{run.name}: the panel asks for no evidence; its verdicts are opinions of its judges."
    elif not run.panel.sources:
        yield f"{run.name}: no references were retrieved; verdicts rest on vignette and recomputation."
