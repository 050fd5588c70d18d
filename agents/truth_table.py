"""The policy's truth table, found by running it. `python -m tracejury.agents.truth_table docs/policy.md` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path

from tracejury.agents.policy import Dispute, decide, settle
from tracejury.agents.records import Citation, Label, Opinion, Resolution, Verdict
from tracejury.models import FailureReason

BEGIN, END = "<!-- truth table: begin -->", "<!-- truth table: end -->"
QUOTE = Citation(evidence_id="vignette", quote="q", verified=True, start=0, end=1, relevance=1.0, grounds=True)
STATES = ("supported+", "supported", "error+", "error", "unclear", "no_claim", "failed")
"""What a voting judge can come to; `+` is grounded. Grounds under another label do not count."""
RESOLUTIONS = ("supported+", "error+", "supported", "error", "unclear", "failed", "no resolver")
"""What the resolver can come to; `+` is new verified evidence or a derivation that recomputes."""


def opinion(state: str, judge: str) -> Opinion:
    """Return a voting judge's opinion in one of `STATES`."""
    if state == "failed":
        return Opinion(judge=judge, kind="k", failed=FailureReason.UNAVAILABLE)
    citations = (QUOTE,) if state.endswith("+") else ()
    return Opinion(judge=judge, kind="k", label=Label(state.rstrip("+")), citations=citations)


def resolution(state: str) -> Resolution | None:
    """Return a resolution in one of `RESOLUTIONS`."""
    if state == "no resolver":
        return None
    if state == "failed":
        return Resolution(failed=FailureReason.UNAVAILABLE)
    return Resolution(label=Label(state.rstrip("+")), citations=(QUOTE,) if state.endswith("+") else ())


def rows() -> Iterator[tuple[tuple[str, ...], Verdict | Dispute]]:
    """Yield every combination of three voting judges and what the policy makes of it (order does not matter)."""
    for states in combinations_with_replacement(STATES, 3):
        yield states, decide([opinion(s, f"j{i}") for i, s in enumerate(states)])


def table() -> str:
    """Return the truth table as markdown: opinions, then what the resolver makes of each kind of dispute."""
    lines = ["| three voting judges | outcome | route | reason |", "|---|---|---|---|"]
    disputes: dict[tuple[str, bool], Dispute] = {}
    for states, made in rows():
        who = ", ".join(states)
        if isinstance(made, Verdict):
            lines.append(f"| {who} | {made.outcome} | {made.route} | {made.reason} |")
        else:
            name = f"{made.reason}{', missing' if made.missing else ''}"
            disputes.setdefault((made.reason, made.missing), made)
            lines.append(f"| {who} | *to the resolver* | | *{name}* |")
    lines += ["", "| dispute | resolver | outcome | route | reason |", "|---|---|---|---|---|"]
    for (reason, missing), dispute in sorted(disputes.items()):
        for state in RESOLUTIONS:
            made = settle(dispute, [], resolution(state))
            name = f"{reason}{', missing' if missing else ''}"
            lines.append(f"| {name} | {state} | {made.outcome} | {made.route} | {made.reason} |")
    return "\n".join(lines)


def written_into(text: str) -> str:
    """Return a document with the table between its markers brought up to date.

    Raises:
        ValueError: The document has no markers.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN!r} and {END!r} in the document; put them where the table belongs")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(written_into(document.read_text("utf-8")), "utf-8")
