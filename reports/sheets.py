"""Expert review: a blinded, stratified sample of steps. No model, arm, outcome or gold answer is on the sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tracejury.agents import ContextStep, Deliberation, Outcome
from tracejury.ledger import Ledger, Reviews, Run, StepRow
from tracejury.reports.quoted_claims import QuotedClaim, draw_quoted_claim
from tracejury.traces import ErrorType, Record, blind

VERDICTS = ("supported", "error", "unclear", "no claim")
"""What an expert may say of a step."""
ERROR_TYPES = tuple(t.value.replace("_", " ") for t in ErrorType)
VERDICT_CHOICES = (
    ("supported", "Supported", "s"), ("error", "Error", "e"), ("unclear", "Cannot tell", "a"),
    ("no claim", "Claims nothing", "c"),
)  # fmt: skip
"""What is saved, what the expert reads, and the key for it: in the viewer and in the form that works offline."""
RELATION_CHOICES = (
    ("supports", "supports it", "y"), ("contradicts", "contradicts it", "x"),
    ("does not decide", "does not decide it", "o"),
)  # fmt: skip
"""The same for what the cited sentence does to the claim."""
_Stratum = tuple[str, Outcome]
_ORDER = (Outcome.SUPPORTED, Outcome.ERROR, Outcome.ABSTAINED)


class SheetItem(Record):
    """One step on a sheet: all that an expert sees."""

    item: str
    stem: str
    options: dict[str, str]
    context: tuple[str, ...]
    """Steps before it (all others, for clinical notes), each with its number."""
    step: str
    quoted: QuotedClaim | None = None
    """A claim of the step and a sentence that a judge cited for it, if any; asked for after the verdict."""


class Keyed(Record):
    """What an item stands for. Kept from the experts."""

    item: str
    step_id: str
    question_id: str
    arm: str
    outcome: Outcome
    weight: float
    """Steps of the stratum for one on the sheet: undoes the stratification."""
    quoted: QuotedClaim | None = None
    """What the experts are asked about beside the step."""


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


def draw_sheet(rows: Iterable[StepRow], n: int, seed: int = 0) -> list[Keyed]:
    """Draw about `n` steps, the same number from each arm and outcome, at most one of a trace while that is possible.

    Failed steps and those without a claim are not drawn: there is no verdict to check. The order is random.

    Raises:
        ValueError: There is nothing to draw from.
    """
    strata: dict[_Stratum, list[tuple[str, int, str, str]]] = {}
    for row in rows:
        if row.outcome in _ORDER and row.claim:
            step = (row.trace_id, row.step_index, row.step_id, row.question_id)
            strata.setdefault((row.arm, row.outcome), []).append(step)
    # Sorted, so that the sample does not hang on the order of the rows.
    steps = {stratum: sorted(members) for stratum, members in strata.items()}
    number = {trace: i for i, trace in enumerate(sorted({s[0] for members in steps.values() for s in members}))}
    owners = {stratum: np.array([number[s[0]] for s in members]) for stratum, members in steps.items()}
    return [
        _keyed(i, stratum, steps[stratum][at][2:], weight)
        for i, (stratum, at, weight) in enumerate(_draw(owners, n, seed))
    ]


def draw_from_counts(reviews: Reviews, run: Run, n: int, seed: int = 0) -> list[Keyed]:
    """Draw the sheet that `draw_sheet` draws from the run's rows, from the counts of each trace alone.

    It reads one narrow row a trace and the steps of the traces drawn: a million deliberations need not be parsed.

    Raises:
        ValueError: There is nothing to draw from.
    """
    counts = sorted(reviews.sampling_counts(run))
    strata: dict[_Stratum, tuple[list[int], list[int]]] = {}
    for number, trace in enumerate(counts):
        for outcome in _ORDER:
            if some := getattr(trace, outcome.value):
                numbers, sizes = strata.setdefault((trace.arm, outcome), ([], []))
                numbers.append(number)
                sizes.append(some)
    owners = {stratum: np.repeat(*columns) for stratum, columns in strata.items()}
    sampled = _draw(owners, n, seed)
    chosen = [counts[owners[stratum][at]] for stratum, at, _ in sampled]
    steps = reviews.steps_of(run, {trace.trace_id for trace in chosen})
    keyed = []
    for i, ((stratum, at, weight), trace) in enumerate(zip(sampled, chosen, strict=True)):
        # The place among the steps of this outcome in the trace.
        place = at - int(np.searchsorted(owners[stratum], owners[stratum][at]))
        step_id = steps[trace.trace_id, stratum[1]][place]
        keyed.append(_keyed(i, stratum, (step_id, trace.question_id), weight))
    return keyed


def _draw(owners: Mapping[_Stratum, NDArray[np.int64]], n: int, seed: int) -> list[tuple[_Stratum, int, float]]:
    """Draw from the strata, given as the number of the trace that each step belongs to.

    Returns:
        Stratum, place in the stratum and weight of each step drawn, in random order.
    """
    if not owners:
        raise ValueError("the run has no step with a verdict or an abstention to draw from")
    rng = np.random.default_rng(seed)
    sampled: list[tuple[_Stratum, int, float]] = []
    used = set[int]()
    for stratum, size in sorted(_allocate({key: len(of) for key, of in owners.items()}, n).items()):
        order = rng.permutation(len(owners[stratum])).tolist()
        chosen: dict[int, None] = {}
        for at in order:
            if len(chosen) == size:
                break
            if (trace := int(owners[stratum][at])) not in used:
                used.add(trace)
                chosen[at] = None
        for at in order:
            if len(chosen) == size:
                break
            chosen[at] = None
        sampled += [(stratum, at, len(order) / max(len(chosen), 1)) for at in chosen]
    return [sampled[i] for i in rng.permutation(len(sampled))]


def _keyed(place: int, stratum: _Stratum, step: tuple[str, str], weight: float) -> Keyed:
    arm, outcome = stratum
    return Keyed(
        item=f"S{place + 1:03d}", step_id=step[0], question_id=step[1], arm=arm, outcome=outcome, weight=weight
    )


def sheet_items(ledger: Ledger, run: Run, keyed_steps: Iterable[Keyed]) -> list[SheetItem]:
    """Return what the experts see of the drawn steps: the text that the judges saw, models' names removed."""
    by_step = {keyed.step_id: keyed for keyed in keyed_steps}
    traces = {row.trace_id: row.step_id for row in ledger.rows(run) if row.step_id in by_step}
    names = sorted({trace.model for trace, _, _ in ledger.traces(run)})
    items = {}
    for trace_id in traces:
        deliberations = ledger.deliberations(run, trace_id)
        for deliberation in deliberations:
            if keyed := by_step.get(deliberation.step.id):
                case = deliberation.case
                assert case is not None  # noqa: S101 - a step with a verdict has been seen by judges
                items[keyed.item] = SheetItem(
                    item=keyed.item,
                    stem=case.stem,
                    options=case.options,
                    context=tuple(
                        f"{c.index + 1}. {c.text}" for c in reviewed_context(deliberations, case.context, names)
                    ),
                    step=blind(deliberation.step.text, names, keep_lines=True),
                    quoted=draw_quoted_claim(deliberation),
                )
    return [items[keyed.item] for keyed in by_step.values()]


def reviewed_context(
    deliberations: Iterable[Deliberation], context: Iterable[ContextStep], names: Iterable[str]
) -> list[ContextStep]:
    """Return the other steps as experts read them: blinded, in the lines of the trace, which judges do not see."""
    raw, names = {d.step.index: d.step.text for d in deliberations}, list(names)
    return [ContextStep(index=c.index, text=blind(raw.get(c.index, c.text), names, keep_lines=True)) for c in context]


def with_quoted(keyed_steps: Iterable[Keyed], items: Iterable[SheetItem]) -> tuple[Keyed, ...]:
    """Put into the key which claim and sentence each item shows."""
    quoted = {item.item: item.quoted for item in items}
    return tuple(keyed.model_copy(update={"quoted": quoted.get(keyed.item)}) for keyed in keyed_steps)


def _allocate(sizes: dict[tuple[str, Outcome], int], n: int) -> dict[tuple[str, Outcome], int]:
    """Share `n` out evenly; what a small stratum cannot take goes to the others."""
    left, shares = n, {}
    for i, (key, size) in enumerate(sorted(sizes.items(), key=lambda item: (item[1], item[0]))):
        shares[key] = min(size, -(-left // (len(sizes) - i)))
        left -= shares[key]
    return shares
