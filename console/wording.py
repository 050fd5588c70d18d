"""How outcomes and reasons are called, on the terminal and in the viewer alike."""

from __future__ import annotations

from tracejury.agents import Outcome, Reason, Verdict

SYMBOL = {Outcome.SUPPORTED: "✓", Outcome.ERROR: "✗", Outcome.ABSTAINED: "-", Outcome.FAILED: "!"}

WHY = {
    Reason.GROUNDED_MAJORITY: "a strict majority of the panel, with verified evidence",
    Reason.PLAIN_MAJORITY: "a strict majority of the panel, which asks for no evidence",
    Reason.RESOLVED: "the resolver brought new verified evidence",
    Reason.NO_CLAIM: "a strict majority holds that the step claims nothing",
    Reason.NO_MAJORITY: "the judges disagree, and the resolver found nothing that settles it",
    Reason.NOT_GROUNDED: "a majority without verified evidence, and the resolver found none",
    Reason.CHALLENGED: "a grounded error stands against the majority, and the resolver could not settle it",
    Reason.EVIDENCE_SILENT: "the judges cannot tell from the evidence",
    Reason.BELOW_THRESHOLD: "the calibrated probability is below the panel's threshold",
    Reason.ALL_FAILED: "no judge gave a usable opinion; asked again on resume",
    Reason.MISSING_OPINIONS: "opinions that could have decided failed; asked again on resume",
    Reason.RESOLVER_FAILED: "the resolver gave no usable reply; asked again on resume",
    Reason.CONTEXT: "vignette and step do not fit into the case budget",
}


def one_line(verdict: Verdict) -> str:
    """Return outcome, error type and reason in one line."""
    kind = f" ({verdict.error_type.value.replace('_', ' ')})" if verdict.error_type else ""
    name = verdict.outcome.value if verdict.claim else "no claim"
    return f"{name}{kind} · {verdict.route.value} · {verdict.reason.value.replace('_', ' ')}"
