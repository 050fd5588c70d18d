"""What a user must know of a panel's checker before a run, and what a run's manifest keeps of it."""

from __future__ import annotations

from collections.abc import Iterable

from tracejury.agents.checkers import refuse_same_weights
from tracejury.agents.evidence_records import Relation
from tracejury.agents.judge_panel import checker_of, most_citations
from tracejury.agents.panel import Panel
from tracejury.agents.records import Policy


def checker_facts(panel: Panel) -> dict[str, str]:
    """Return the identity of the panel's checker and its thresholds, as a run's manifest keeps them."""
    checker = checker_of(panel)
    if checker is None:
        return {"identity": "none"}
    most = most_citations(panel)
    thresholds = {r: checker.threshold(r, most) for r in (Relation.SUPPORTS, Relation.CONTRADICTS)}
    return {"identity": checker.identity} | {str(r): "none" if t is None else f"{t:.4f}" for r, t in thresholds.items()}


def checker_notices(panel: Panel) -> list[str]:
    """Return what the panel's checker cannot do, a sentence each; empty: nothing that a user must know."""
    checker = checker_of(panel)
    if checker is None:
        return [f"panel {panel.name!r} has no checker: no quote counts, and verdicts are not graded by evidence"]
    notices = []
    if checker.calibration is None:
        notices.append(
            f"checker {checker.identity!r} is uncalibrated and grounds nothing; fit thresholds with "
            "`tracejury quality calibrate --checker`"
        )
    elif not checker.checker.can_contradict:
        notices.append(
            f"checker {checker.identity!r} has two classes: errors of this panel cannot be grounded by quotes"
        )
    if notices and panel.policy is Policy.GROUNDED:
        notices.append(
            "under policy `grounded` only derivations can ground a verdict then; `consensus` is the other policy"
        )
    if panel.checker and panel.checker.allow_same_weights:
        notices.append(
            "the checker may have the weights of a judge: it would confirm the mistakes that it makes itself"
        )
    return notices


def refuse_audited_weights(panel: Panel, audited_models: Iterable[str]) -> None:
    """Refuse a checker that has the weights of a model whose traces it is to check.

    Raises:
        CheckerError: It has, and the panel does not allow it.
    """
    checker = checker_of(panel)
    if checker is not None and panel.checker is not None:
        models = {f"the audited model {model}": model for model in audited_models if model}
        refuse_same_weights(checker.identity, models, allowed=panel.checker.allow_same_weights)
