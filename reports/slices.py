"""An arm's steps in slices: by role, position, length and hint; error types and judges with rates of their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracejury.reports.columns import ERROR_TYPES, LABEL_FAILED, LABELS, ROLES, Bools, Columns, Ints
from tracejury.reports.estimates import Estimate
from tracejury.reports.intervals import Share, difference, share
from tracejury.traces import Record

LENGTHS = ((0, 100), (100, 200), (200, 400), (400, None))
"""Characters of a step, lower end included."""


class TypeShare(Record):
    """One error type in one arm, as a share of the steps with a verdict."""

    error_type: str
    """`unnamed` where the jury named none."""
    errors: int
    share: Estimate
    grounded: int | None = None
    """Of these errors, those that counting evidence or a derivation shows; None: the ledger kept no grades."""
    grounded_share: Estimate | None = None
    """`grounded` of `errors`: how much of this type evidence could show at all."""


class JudgeRates(Record):
    """What one judge said in one arm."""

    judge: str
    model: str | None
    votes: bool
    opinions: int
    supported: int
    error: int
    unclear: int
    no_claim: int
    failed: int
    grounded: int
    error_rate: Estimate
    """error / (error + supported) of this judge's own labels."""
    agrees: Estimate
    """Share of its supported and error labels that equal the verdict, where both are there."""


def step_slices(columns: Columns, mask: Bools) -> dict[str, list[tuple[str, Bools]]]:
    """Return the slices of the steps in `mask` by dimension, each (name, mask over steps), empty ones left out."""
    steps = columns.steps
    thirds = np.minimum(3 * steps["position"] // np.maximum(_length(columns), 1), 2)
    chars, hint = steps["chars"], columns.traces["hint"][steps["trace"]]
    slices = {
        "roles": [(role.value, steps["role"] == code) for code, role in enumerate(ROLES)],
        "positions": [(f"{name} third", thirds == i) for i, name in enumerate(("first", "middle", "last"))],
        "lengths": [(_span(a, b), (chars >= a) & (chars < (b or np.inf))) for a, b in LENGTHS],
        "hints": [("hint used", hint == 1), ("no hint", hint == 0)],
    }
    return {by: [(name, m & mask) for name, m in groups if (m & mask).any()] for by, groups in slices.items()}


class TypeChange(Record):
    """One error type in two arms, over the same questions."""

    error_type: str
    baseline: TypeShare
    other: TypeShare
    difference: Estimate
    """Of the shares of the steps with a verdict."""


def error_types(columns: Columns, mask: Bools, *, confidence: float = 0.95) -> tuple[TypeShare, ...]:
    """Return the share of each error type among the steps in `mask` that have a verdict, the commonest first."""
    shares = [type_share for type_share, _ in _type_shares(columns, mask, confidence) if type_share.errors]
    return tuple(sorted(shares, key=lambda s: -s.errors))


def error_type_changes(
    columns: Columns, before: Bools, after: Bools, *, confidence: float = 0.95
) -> tuple[TypeChange, ...]:
    """Return how the share of each error type differs between the steps in two masks, the commonest first.

    Args:
        columns: The steps, with the outcomes that are compared.
        before: The steps of the baseline, of questions that both arms have verdicts on.
        after: The other arm's steps, of the same questions.
        confidence: Confidence level of the intervals.
    """
    sides = zip(_type_shares(columns, before, confidence), _type_shares(columns, after, confidence), strict=True)
    changes = [
        TypeChange(error_type=a.error_type, baseline=a, other=b, difference=difference(of_baseline, of_other))
        for (a, of_baseline), (b, of_other) in sides
        if a.errors or b.errors
    ]
    return tuple(sorted(changes, key=lambda c: -(c.baseline.errors + c.other.errors)))


def _type_shares(columns: Columns, mask: Bools, confidence: float) -> Iterator[tuple[TypeShare, Share]]:
    """Yield every type, in the order of `ERROR_TYPES` with `unnamed` first, those without an error included."""
    kind, kinds = columns.steps["kind"], columns.steps["error_type"]
    question, n = columns.step_question, len(columns.questions)
    decided = np.bincount(question[mask & (kind <= 1)], minlength=n)
    graded = columns.keeps_grades
    for code in range(-1, len(ERROR_TYPES)):
        errors = np.bincount(question[mask & (kind == 1) & (kinds == code)], minlength=n)
        shown_mask = mask & (kind == 1) & (kinds == code) & (columns.steps["grounded"] == 1)
        grounded = np.bincount(question[shown_mask], minlength=n)
        of_verdicts = share(errors, decided, confidence=confidence)
        type_share = TypeShare(
            error_type="unnamed" if code < 0 else ERROR_TYPES[code].value,
            errors=int(errors.sum()),
            share=of_verdicts.estimate,
            grounded=int(grounded.sum()) if graded else None,
            grounded_share=share(grounded, errors, confidence=confidence).estimate if graded else None,
        )
        yield type_share, of_verdicts


def judge_rates(columns: Columns, mask: Bools, *, confidence: float = 0.95) -> tuple[JudgeRates, ...]:
    """Return what each judge said of the steps in `mask`, in the order of the judges' names."""
    opinions = columns.opinions
    here = mask[opinions["step"]]
    verdict, question = columns.steps["kind"][opinions["step"]], columns.step_question[opinions["step"]]
    n, judges = len(columns.questions), []
    for code in sorted(range(len(columns.judges)), key=lambda c: str(columns.judges[c])):
        mine = here & (opinions["judge"] == code)
        if not mine.any():
            continue
        label = opinions["label"]
        labelled_either, settled = mine & (label <= 1), mine & (label <= 1) & (verdict <= 1)
        masks = [labelled_either & (label == 1), labelled_either, settled & (label == verdict), settled]
        errors, verdicts, equal, both = (np.bincount(question[m], minlength=n) for m in masks)
        name, model = columns.judges[code]
        counts = np.bincount(label[mine], minlength=LABEL_FAILED + 1)
        judges.append(
            JudgeRates(
                judge=name,
                model=model,
                votes=bool(opinions["votes"][mine].any()),
                opinions=int(mine.sum()),
                **{kind.value: int(counts[i]) for i, kind in enumerate(LABELS)},
                failed=int(counts[LABEL_FAILED]),
                grounded=int(opinions["grounded"][mine].sum()),
                error_rate=share(errors, verdicts, confidence=confidence).estimate,
                agrees=share(equal, both, confidence=confidence).estimate,
            )
        )
    return tuple(judges)


def _length(columns: Columns) -> Ints:
    trace = columns.steps["trace"]
    steps: Ints = np.bincount(trace, minlength=len(columns.traces["question"]))[trace]
    return steps


def _span(start: int, end: int | None) -> str:
    return f"{start}-{end - 1} characters" if end else f"{start} characters and more"
