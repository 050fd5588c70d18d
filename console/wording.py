"""The words for outcomes and reasons, on the terminal and in the viewer."""

from __future__ import annotations

from tracejury.agents import Outcome, Reason, Verdict

SYMBOL = {Outcome.SUPPORTED: "✓", Outcome.ERROR: "✗", Outcome.ABSTAINED: "?", Outcome.FAILED: "!"}
NO_CLAIM_SYMBOL = "·"

WHY = {
    Reason.GROUNDED_MAJORITY: "a strict majority of the panel, with counting evidence for it",
    Reason.PLAIN_MAJORITY: "a strict majority of the panel decides; its evidence is graded beside it",
    Reason.RESOLVED: "the resolver brought new counting evidence",
    Reason.NO_CLAIM: "a strict majority holds that the step claims nothing",
    Reason.NO_MAJORITY: "the judges disagree, and the resolver found nothing that settles it",
    Reason.NOT_GROUNDED: "a majority without counting evidence, and the resolver found none",
    Reason.CHALLENGED: "a checked contradiction stands against the majority, and the resolver could not settle it",
    Reason.PARTLY_GROUNDED: "counting evidence stands for a part of the claims only",
    Reason.CONFLICTING_EVIDENCE: "counting evidence stands for and against the same claim",
    Reason.EVIDENCE_SILENT: "the judges cannot tell from the evidence",
    Reason.BELOW_THRESHOLD: "the calibrated probability is below the panel's threshold",
    Reason.ALL_FAILED: "no judge gave a usable opinion; asked again on resume",
    Reason.MISSING_OPINIONS: "opinions that could have decided failed; asked again on resume",
    Reason.RESOLVER_FAILED: "the resolver gave no usable reply; asked again on resume",
    Reason.CHECKER_FAILED: "the checker gave no usable answer; asked again on resume",
    Reason.CONTEXT: "vignette and step do not fit into the case budget",
}


def one_line(verdict: Verdict) -> str:
    """Return outcome, error type and reason in one line."""
    kind = f" ({verdict.error_type.value.replace('_', ' ')})" if verdict.error_type else ""
    name = verdict.outcome.value if verdict.claim else "no claim"
    return f"{name}{kind} · {verdict.route.value} · {verdict.reason.value.replace('_', ' ')}"


def evidence_line(verdict: Verdict) -> str:
    """Return how far evidence carries the outcome, and what the majority alone says."""
    if verdict.majority_outcome is None:
        return "evidence: not checked"
    if verdict.grade is not None:
        evidence = verdict.grade.value
    elif verdict.evidence_gap is not None:
        evidence = verdict.evidence_gap.value.replace("_", " ")
    else:
        evidence = "not graded"
    return f"evidence: {evidence}; the majority alone: {verdict.majority_outcome.value}"


def evidence_name(evidence_id: str) -> str:
    """Return what a reader calls a piece of evidence; steps count from 1, as everywhere on a screen."""
    kind, _, index = evidence_id.partition(":")
    if kind == "step" and index.isdecimal():
        return f"step {int(index) + 1}"
    return "the vignette" if evidence_id == "vignette" else evidence_id
