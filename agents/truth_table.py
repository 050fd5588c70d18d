"""The policy's truth table, found by running it. `python -m tracejury.agents.truth_table docs/policy.md` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path

from tracejury.agents.claim_evidence import ClaimEvidence, pool_evidence
from tracejury.agents.evidence_records import Claim, ClaimSet, Relation
from tracejury.agents.policy import Dispute, decide, settle
from tracejury.agents.records import Citation, Label, Opinion, Policy, Resolution, Verdict
from tracejury.models import FailureReason

BEGIN, END = "<!-- truth table: begin -->", "<!-- truth table: end -->"
CLAIMS = ClaimSet(
    claims=(Claim(handle="C1", text="one", start=0, end=3), Claim(handle="C2", text="two", start=4, end=7))
)
"""A step of two claims."""
STATES = ("supported+", "supported~", "supported", "error+", "error", "unclear", "no_claim", "failed")
"""What a voting judge can come to. `supported+` cites counting support for both claims, `supported~` for the first
alone, `error+` a counting contradiction of the second; without a mark nothing that it cites counts."""
RESOLUTIONS = ("supported+", "supported~", "error+", "supported", "error", "unclear", "failed", "no resolver")
"""What the resolver can come to, with the same marks for new counting evidence."""
_CITED = {"supported+": ("C1", "C2"), "supported~": ("C1",), "error+": ("C2",)}


def opinion(state: str, judge: str) -> Opinion:
    """Return a voting judge's opinion in one of `STATES`."""
    if state == "failed":
        return Opinion(judge=judge, kind="k", failed=FailureReason.UNAVAILABLE)
    return Opinion(judge=judge, kind="k", label=_label(state), citations=_citations(state))


def resolution(state: str) -> Resolution | None:
    """Return a resolution in one of `RESOLUTIONS`."""
    if state == "no resolver":
        return None
    if state == "failed":
        return Resolution(failed=FailureReason.UNAVAILABLE)
    return Resolution(label=_label(state), citations=_citations(state))


def rows(policy: Policy = Policy.GROUNDED) -> Iterator[tuple[tuple[str, ...], Verdict | Dispute]]:
    """Yield every combination of three voting judges and what the policy makes of it (order does not matter)."""
    for states in combinations_with_replacement(STATES, 3):
        yield states, decide([opinion(s, f"j{i}") for i, s in enumerate(states)], CLAIMS, policy=policy)


def table() -> str:
    """Return the truth table as markdown: opinions, then what the resolver makes of each kind of dispute."""
    lines = [
        "| three voting judges | `grounded`: outcome | route | reason | grade | `consensus`: outcome | grade |",
        "|---|---|---|---|---|---|---|",
    ]
    by_consensus = dict(rows(Policy.CONSENSUS))
    disputes: dict[tuple[Dispute, str], tuple[str, ...]] = {}
    for states, decision in rows():
        who, majority = ", ".join(states), by_consensus[states]
        other = f"{_outcome(majority)} | {_grade(majority)}"
        if isinstance(decision, Verdict):
            cells = f"{decision.outcome} | {decision.route} | {decision.reason} | {_grade(decision)}"
        else:
            cells = f"{_outcome(decision)} | | *{_name(decision)}* | "
            evidence = pool_evidence(CLAIMS, [opinion(s, f"j{i}") for i, s in enumerate(states)])
            disputes.setdefault((decision, _evidence(evidence)), states)
        lines.append(f"| {who} | {cells} | {other} |")
    lines += [
        "",
        "| dispute | evidence so far | resolver | outcome | route | reason | grade |",
        "|---|---|---|---|---|---|---|",
    ]
    for (dispute, evidence_so_far), states in sorted(
        disputes.items(), key=lambda entry: (_name(entry[0][0]), entry[0][1])
    ):
        opinions = [opinion(s, f"j{i}") for i, s in enumerate(states)]
        for state in RESOLUTIONS:
            verdict = settle(dispute, opinions, CLAIMS, resolution(state))
            end = f"{verdict.outcome} | {verdict.route} | {verdict.reason} | {_grade(verdict)}"
            lines.append(f"| {_name(dispute)} | {evidence_so_far} | {state} | {end} |")
    return "\n".join(dict.fromkeys(lines))


def with_table(text: str) -> str:
    """Return a document with the table between its markers brought up to date.

    Raises:
        ValueError: The document has no markers.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN!r} and {END!r} in the document; put them where the table belongs")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def _label(state: str) -> Label:
    return Label(state.rstrip("+~"))


def _citations(state: str) -> tuple[Citation, ...]:
    relation = Relation.CONTRADICTS if state.startswith("error") else Relation.SUPPORTS
    return tuple(
        Citation(evidence_id="vignette", quote="q", verified=True, claim=claim, relation=relation, p=1.0, counts=True)
        for claim in _CITED.get(state, ())
    )


def _name(dispute: Dispute) -> str:
    return f"{dispute.reason}{', missing' if dispute.missing else ''}"


def _outcome(decision: Verdict | Dispute) -> str:
    return str(decision.outcome) if isinstance(decision, Verdict) else "*to the resolver*"


def _grade(decision: Verdict | Dispute) -> str:
    return decision.grade or "" if isinstance(decision, Verdict) else ""


def _evidence(evidence: tuple[ClaimEvidence, ...]) -> str:
    marks = {(True, True): "both ways", (True, False): "for", (False, True): "against", (False, False): "none"}
    return ", ".join(f"{e.claim.handle} {marks[e.supported, e.contradicted]}" for e in evidence)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_table(document.read_text("utf-8")), "utf-8")
