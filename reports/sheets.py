"""Expert review: a blinded, stratified sample of steps. No model, arm, outcome or gold answer is on the sheet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from tracejury.agents import Outcome
from tracejury.graphs import Ledger, Run, StepRow, VerdictLine
from tracejury.traces import ErrorType, Record, blind

VERDICTS = ("supported", "error", "unclear", "no claim")
"""What an expert may say of a step."""
ERROR_TYPES = tuple(t.value.replace("_", " ") for t in ErrorType)
_ORDER = (Outcome.SUPPORTED, Outcome.ERROR, Outcome.ABSTAINED)


class Item(Record):
    """One step on a sheet: all that an expert sees."""

    item: str
    stem: str
    options: dict[str, str]
    context: tuple[str, ...]
    """Steps before it (all others, for clinical notes), each with its number."""
    step: str


class Keyed(Record):
    """What an item stands for. Kept from the experts."""

    item: str
    step_id: str
    question_id: str
    arm: str
    outcome: Outcome
    weight: float
    """Steps of the stratum for one on the sheet: undoes the stratification."""


class Key(Record):
    """The key of a sheet: written beside it, needed to import what comes back."""

    sheet: str
    """Name of the sheet, on every copy of it."""
    run: str
    seed: int
    items: tuple[Keyed, ...]

    @classmethod
    def read(cls, path: Path) -> Key:
        """Read a key.

        Raises:
            ValueError: It is not a key.
            FileNotFoundError: There is none; the message says what makes one.
        """
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such key; `tracejury review sample` writes it beside the sheet")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ValueError(f"{path}: not the key of a sheet ({error.error_count()} faults)") from error


def draw_sheet(rows: Iterable[StepRow | VerdictLine], n: int, seed: int = 0) -> list[Keyed]:
    """Draw about `n` steps, the same number from each arm and outcome, at most one of a trace while that is possible.

    Failed steps and those without a claim are not drawn: there is no verdict to check. The order is random.

    Raises:
        ValueError: There is nothing to draw from.
    """
    strata: dict[tuple[str, Outcome], list[tuple[str, str, str]]] = {}
    for row in rows:
        if row.outcome in _ORDER and row.claim:
            strata.setdefault((row.arm, row.outcome), []).append((row.step_id, row.trace_id, row.question_id))
    if not strata:
        raise ValueError("the run has no step with a verdict or an abstention to draw from")
    rng = np.random.default_rng(seed)
    shares = _allocate({key: len(steps) for key, steps in strata.items()}, n)
    drawn, used = [], set[str]()
    for (arm, outcome), wanted in sorted(shares.items()):
        # Sorted before it is shuffled, so that the sample does not hang on the order of the rows.
        steps = sorted(strata[arm, outcome])
        shuffled = [steps[i] for i in rng.permutation(len(steps))]
        fresh = [s for s in shuffled if s[1] not in used]
        picked = _one_a_trace(fresh)[:wanted]
        picked += [s for s in shuffled if s not in picked][: wanted - len(picked)]
        used |= {trace for _, trace, _ in picked}
        weight = len(steps) / max(len(picked), 1)
        drawn += [(step, question, arm, outcome, weight) for step, _, question in picked]
    order = rng.permutation(len(drawn))
    return [
        Keyed(item=f"S{i + 1:03d}", step_id=s, question_id=q, arm=arm, outcome=outcome, weight=w)
        for i, (s, q, arm, outcome, w) in enumerate(drawn[j] for j in order)
    ]


def sheet_items(ledger: Ledger, run: Run, drawn: Iterable[Keyed]) -> list[Item]:
    """Return what the experts see of the drawn steps: the text that the judges saw, models' names removed."""
    wanted = {keyed.step_id: keyed for keyed in drawn}
    traces = {row.trace_id: row.step_id for row in ledger.rows(run) if row.step_id in wanted}
    names = sorted({trace.model for trace, _, _ in ledger.traces(run)})
    found = {}
    for trace_id in traces:
        for made in ledger.deliberations(run, trace_id):
            if keyed := wanted.get(made.step.id):
                case = made.case
                assert case is not None  # noqa: S101 - a step with a verdict has been seen by judges
                found[keyed.item] = Item(
                    item=keyed.item,
                    stem=case.stem,
                    options=case.options,
                    context=tuple(f"{c.index + 1}. {blind(c.text, names)}" for c in case.context),
                    step=blind(case.step, names),
                )
    return [found[keyed.item] for keyed in wanted.values()]


def _allocate(sizes: dict[tuple[str, Outcome], int], n: int) -> dict[tuple[str, Outcome], int]:
    """Share `n` out evenly; what a small stratum cannot take goes to the others."""
    left, shares = n, {}
    for i, (key, size) in enumerate(sorted(sizes.items(), key=lambda item: (item[1], item[0]))):
        shares[key] = min(size, -(-left // (len(sizes) - i)))
        left -= shares[key]
    return shares


def _one_a_trace(steps: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    first: dict[str, tuple[str, str, str]] = {}
    for step in steps:
        first.setdefault(step[1], step)
    return list(first.values())
