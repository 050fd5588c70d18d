"""A check: one thing of a step that was held against the vignette or computed again."""

from __future__ import annotations

from typing import Any, NamedTuple

from tracejury.agents.derivations import compare
from tracejury.agents.records import Case, Derivation, Quote
from tracejury.agents.units import NotComputable, compute
from tracejury.traces import ErrorType


class FigureCheck(NamedTuple):
    """The outcome of one check. Only a check that failed needs an error type."""

    holds: bool
    finding: str
    error_type: ErrorType | None = None
    derivation: Derivation | None = None
    quotes: tuple[Quote, ...] = ()


def in_step(case: Case, text: str) -> Quote:
    """Quote the judged step."""
    return Quote(evidence_id=f"step:{case.step_index}", quote=text)


def in_vignette(text: str) -> Quote:
    """Quote the vignette."""
    return Quote(evidence_id="vignette", quote=text)


def derived(
    kind: str, expression: str, claimed: str, inputs: tuple[Quote, ...], relation: str = "equal"
) -> Derivation | None:
    """Compute `expression` and compare the claim with it; None where it cannot be computed or does not compare."""
    try:
        result, value = compute(expression), compute(claimed)
        holds = compare(relation, claimed, value, result, exact=kind == "comparison")
        computed = plain_text(result.to(value.units))
    except NotComputable:
        return None
    return Derivation(
        kind=kind,
        expression=expression,
        claimed=claimed,
        computed=computed,
        relation=relation,
        holds=holds,
        inputs=inputs,
    )


def plain_text(quantity: Any) -> str:
    """Return a pint quantity as `compute` reads it, to six significant digits."""
    magnitude = f"{quantity.magnitude:.6g}"
    if "e" in magnitude:
        magnitude = f"{quantity.magnitude:.6f}".rstrip("0").rstrip(".")
    unit = f"{quantity.units:~C}" if str(quantity.units) != "dimensionless" else ""
    return f"{magnitude} {unit}".strip()
