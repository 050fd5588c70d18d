"""Recomputing a derivation: the same result from the same inputs, by anybody, or it counts for nothing."""

from __future__ import annotations

import re
from typing import Any

from tracejury.agents.data_judge.rules import RULES, reads_again
from tracejury.agents.records import Case, Derivation, Label, Quote
from tracejury.agents.units import NotComputable, compute
from tracejury.retrieval import Trust, check_quote

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# `mm**3` and `1/minute` are units: their figures are no inputs.
_UNIT_POWER = re.compile(r"(?<=[A-Za-z])\*\*\d+|\b1(?=/[A-Za-z])")
_RELATIVE = 0.01


def recompute(derivation: Derivation) -> bool:
    """Tell whether the derivation's expression gives what it says, and compares with the claim as it says.

    A claim equals a result that differs by less than one unit of the claim's last written digit (people round, and
    they truncate), by less than half a unit where that digit is left of trailing zeros (1,500 may be 1,470 rounded),
    or by less than 1 %. A derivation by rule is one if the rule, applied to its quotes alone, reads the same again.
    """
    if derivation.kind in RULES:
        return reads_again(derivation)
    try:
        result = compute(derivation.expression)
        computed = compute(derivation.computed)
        claimed = compute(derivation.claimed.replace(",", ""))
        if not _equal(derivation.computed, computed, result):
            return False
        exact = derivation.kind == "comparison"
        return compare(derivation.relation, derivation.claimed, claimed, result, exact=exact) is derivation.holds
    except NotComputable:
        return False


def compare(relation: str, claimed_text: str, claimed: Any, result: Any, *, exact: bool = False) -> bool:
    """Tell whether `claimed`, written as `claimed_text`, stands in `relation` to `result`; both are pint quantities.

    With `exact` the trailing zeros of a whole number are written digits too: a pulse of 100 is not one of 140.

    Raises:
        NotComputable: Their units do not fit together.
    """
    if not claimed.is_compatible_with(result):
        raise NotComputable(f"{claimed.units} and {result.units} do not compare")
    if relation == "equal":
        return _equal(claimed_text, claimed, result, exact)
    value, bound = claimed.magnitude, result.to(claimed.units).magnitude
    verdicts = {
        "less": value < bound,
        "less_equal": value <= bound,
        "greater": value > bound,
        "greater_equal": value >= bound,
    }
    return bool(verdicts[relation])


def derivations_for(case: Case, derivations: tuple[Derivation, ...], label: Label) -> tuple[Derivation, ...]:
    """Return the derivations that ground `label`, each with the claim that it bears on.

    They recompute, and their inputs and claim stand where they say. A derivation that holds grounds `supported`, one
    that does not grounds `error`.
    """
    holds = {Label.SUPPORTED: True, Label.ERROR: False}.get(label)
    return tuple(
        d.model_copy(update={"claim": _claim_of(case, d)})
        for d in derivations
        if d.holds is holds and _anchored(case, d) and recompute(d)
    )


def _claim_of(case: Case, derivation: Derivation) -> str | None:
    """Return the handle of the claim that the derivation recomputes; the first one where none has its words."""
    words = [q.quote for q in derivation.inputs if q.evidence_id == f"step:{case.step_index}"] + [derivation.claimed]
    places = [check_quote(w, case.step) for w in words]
    starts = [p.start for p in places if p.start is not None] or [case.step.find(w) for w in words if w in case.step]
    claims = case.claims.claims
    containing = (c.handle for start in starts for c in claims if c.start <= start < c.end)
    return next(containing, claims[0].handle if claims else None)


def evidence_text(case: Case, evidence_id: str) -> str | None:
    """Return the text that an evidence id names in this case; None: the case has no such evidence.

    The judged step itself is `step:N` too: derivations take their inputs from it, and quotes of it ground nothing.
    """
    if evidence_id == "vignette":
        return case.stem
    if evidence_id == f"step:{case.step_index}":
        return case.step
    named = {f"step:{c.index}": c.text for c in case.context} | {p.id: p.text for p in case.passages}
    return named.get(evidence_id)


def _anchored(case: Case, derivation: Derivation) -> bool:
    """Tell whether every input is verbatim, every number comes from an input, and the step makes the claim.

    A passage of a source that nobody vouches for is no input: whoever wrote it chose the number.
    """
    if not derivation.inputs or not all(_verbatim(case, quote) for quote in derivation.inputs):
        return False
    listed = {p.id for p in case.passages if p.trust is Trust.LISTED}
    if any(quote.evidence_id in listed for quote in derivation.inputs):
        return False
    if derivation.kind in RULES:
        step_quote, *stated = derivation.inputs
        if step_quote.evidence_id != f"step:{case.step_index}" or {q.evidence_id for q in stated} != {"vignette"}:
            return False
        # The whole vignette may affirm what one sentence of it denies.
        return reads_again(derivation, case.stem, case.step)
    quoted_numbers = {n for quote in derivation.inputs for n in _numbers(quote.quote)}
    used = _numbers(_UNIT_POWER.sub("", derivation.expression))
    # A score's formula has constants of its own; everything else computes with what was quoted and nothing more.
    from_inputs = sum(n in quoted_numbers for n in used)
    if from_inputs < (min(2, len(used)) if derivation.kind == "score" else len(used)):
        return False
    claimed = _numbers(_UNIT_POWER.sub("", derivation.claimed))
    return bool(claimed) and set(claimed) <= set(_numbers(case.step))


def _numbers(text: str) -> list[float]:
    return [float(n) for n in _NUMBER.findall(text.replace(",", ""))]


def _verbatim(case: Case, quote: Quote) -> bool:
    text = evidence_text(case, quote.evidence_id)
    return text is not None and check_quote(quote.quote, text).verified


def _equal(claimed_text: str, claimed: Any, result: Any, exact: bool = False) -> bool:
    value, other = float(claimed.magnitude), float(result.to(claimed.units).magnitude)
    return abs(value - other) < max(_tolerance(claimed_text, exact), _RELATIVE * abs(other))


def _tolerance(claimed_text: str, exact: bool) -> float:
    number = _NUMBER.search(claimed_text.replace(",", ""))
    if number is None:
        return 0.0
    whole, _, fraction = number[0].partition(".")
    if fraction:
        return float(10 ** -len(fraction))
    zeros = len(whole) - len(whole.rstrip("0"))
    return 10.0**zeros / 2 if zeros and whole.strip("0") and not exact else 1.0
