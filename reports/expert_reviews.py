"""Expert reviews: returned sheets, what is missing or contradictory in them, and what the labels add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Outcome, Relation
from tracejury.ledger import StepRow
from tracejury.reports.agreement import RaterAgreement, rater_agreement
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Share, difference, share
from tracejury.reports.labelled_pairs import LabelledPair
from tracejury.reports.paired import sign_flip
from tracejury.reports.palette import ordered_arms
from tracejury.reports.quoted_claims import RELATIONS
from tracejury.reports.sheet_files import read_rows
from tracejury.reports.sheets import ERROR_TYPES, VERDICTS, Key
from tracejury.traces import ErrorType, Problem, Record, StepLabel

_RELATION_OF = dict(zip(RELATIONS, Relation, strict=True))
_JURY = {Outcome.SUPPORTED: 0, Outcome.ERROR: 1, Outcome.ABSTAINED: 2}


class Judged(Record):
    """One expert's verdict on one item."""

    expert: str
    item: str
    verdict: str
    error_type: ErrorType | None
    note: str
    relation: Relation | None = None
    """What the expert says that the cited sentence does to the claim; None: no answer."""


class Ordering(Record):
    """Error rates of two arms as the experts see them, weighted back to the run's strata."""

    baseline: str
    other: str
    difference: Estimate
    """Other minus baseline, in shares."""
    permutation_p: float
    same_direction_as_jury: bool | None
    """None: either has none."""


class ReviewSummary(Record):
    """What came back, and how far experts agree with one another and with the jury."""

    sheet: str
    run: str
    experts: dict[str, int]
    """Expert -> items judged."""
    missing: dict[str, tuple[str, ...]]
    """Expert -> items left empty."""
    problems: tuple[Problem, ...]
    """Unknown items and words, contradictions."""
    experts_agree: tuple[RaterAgreement, ...]
    """Every pair, then all together where there are more than two."""
    with_jury: tuple[RaterAgreement, ...]
    """Each expert, then their majority, against the jury's supported and error verdicts."""
    orderings: tuple[Ordering, ...]
    error_rates: dict[str, Estimate]
    """Arm -> the experts' error rate, weighted."""


class ExpertLabel(Record):
    """The label that the experts' majority gives a step: what `calibrate` learns from."""

    step_id: str
    label: StepLabel
    error_type: ErrorType | None
    experts: int


def read_returned(paths: Iterable[Path], key: Key) -> tuple[list[Judged], list[Problem]]:
    """Read the sheets that came back, one a file, any mixture of formats; two files of one expert are put together.

    Returns:
        The verdicts, contradictory ones left out, and every fault with its file and row.
    """
    sheet_items = {keyed.item for keyed in key.items}
    verdicts: dict[tuple[str, str], Judged] = {}
    broken: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    for path in paths:
        named, rows = read_rows(path)
        expert = named or path.stem
        for line, row in enumerate(rows, start=2):
            try:
                judged = _judged(expert, row, sheet_items)
            except ValueError as error:
                problems.append(Problem(file=str(path), line=line, reason=str(error)))
                continue
            if judged is None:
                continue
            at = (expert, judged.item)
            before = verdicts.get(at)
            if before and _answers(before) != _answers(judged):
                clash = f"{judged.item}: both {before.verdict!r} and {judged.verdict!r} by {expert}"
                hint = "neither counts; correct one"
                problems.append(Problem(file=str(path), line=line, reason=clash, hint=hint))
                broken.add(at)
            verdicts[at] = judged
    return [judged for at, judged in verdicts.items() if at not in broken], problems


def review(
    judged: Sequence[Judged], problems: Sequence[Problem], key: Key, *, draws: int = 10_000, confidence: float = 0.95
) -> ReviewSummary:
    """Sum up the labels of the experts.

    Raises:
        ValueError: No expert judged any item.
    """
    if not judged:
        raise ValueError("no item has been judged in these files")
    experts = sorted({j.expert for j in judged})
    codes = _codes(judged, key, experts)
    questions = np.array([keyed.question_id for keyed in key.items])
    options: dict[str, Any] = {"categories": len(VERDICTS), "confidence": confidence}
    pairs = [
        rater_agreement(codes[:, [a, b]], questions, (experts[a], experts[b]), **options)
        for a, b in combinations(range(len(experts)), 2)
    ]
    if len(experts) > 2:
        pairs.append(rater_agreement(codes, questions, experts, **options))
    decided = np.array([_JURY[keyed.outcome] if _JURY[keyed.outcome] < 2 else -1 for keyed in key.items])
    majority = _majority(codes)
    sides = [(name, codes[:, i]) for i, name in enumerate(experts)]
    if len(experts) > 1:
        sides.append(("experts' majority", majority))
    binary: dict[str, Any] = {"categories": 2, "confidence": confidence}
    return ReviewSummary(
        sheet=key.sheet,
        run=key.run,
        experts={name: int((codes[:, i] >= 0).sum()) for i, name in enumerate(experts)},
        missing={
            name: tuple(k.item for k, code in zip(key.items, codes[:, i], strict=True) if code < 0)
            for i, name in enumerate(experts)
        },
        problems=tuple(problems),
        experts_agree=tuple(pairs),
        with_jury=tuple(
            rater_agreement(
                np.stack([np.where(labels <= 1, labels, -1), decided], 1), questions, (name, "jury"), **binary
            )
            for name, labels in sides
        ),
        orderings=tuple(_orderings(majority, key, draws, confidence)),
        error_rates={
            arm: _arm_share(majority, key, arm, confidence).estimate
            for arm in sorted({keyed.arm for keyed in key.items})
        },
    )


def expert_labels(judged: Sequence[Judged], key: Key) -> list[ExpertLabel]:
    """Return the labels of the experts' majority; items without a majority for `supported` or `error` have none."""
    experts = sorted({j.expert for j in judged})
    codes = _codes(judged, key, experts)
    types: dict[str, list[ErrorType]] = {}
    for j in judged:
        if j.error_type:
            types.setdefault(j.item, []).append(j.error_type)
    return [
        ExpertLabel(
            step_id=keyed.step_id,
            label="error" if code == 1 else "supported",
            error_type=max(sorted(named), key=named.count) if code == 1 and (named := types.get(keyed.item)) else None,
            experts=int((by_expert >= 0).sum()),
        )
        for keyed, code, by_expert in zip(key.items, _majority(codes), codes, strict=True)
        if code in (0, 1)
    ]


def expert_pairs(judged: Sequence[Judged], key: Key) -> list[LabelledPair]:
    """Return the claims and cited sentences whose relation more than half of the experts agree on.

    `tracejury quality calibrate --checker NAME` reads them. The evidence of a row is the one sentence that was shown: a
    threshold fitted on these holds for single citations, not for the best of a case.
    """
    answers: dict[str, list[Relation]] = {}
    for j in judged:
        if j.relation is not None:
            answers.setdefault(j.item, []).append(j.relation)
    pairs = []
    for keyed in key.items:
        item_answers = answers.get(keyed.item, [])
        relation = max(Relation, key=item_answers.count)
        if keyed.quoted is not None and 2 * item_answers.count(relation) > len(item_answers):
            pairs.append(
                LabelledPair(
                    claim=keyed.quoted.claim,
                    evidence=(keyed.quoted.sentence,),
                    relation=relation,
                    group=keyed.question_id,
                    gold=(0,),
                    step=keyed.step_id,
                )
            )
    return pairs


def with_expert_labels(rows: Iterable[StepRow], labels: Iterable[ExpertLabel]) -> Iterator[StepRow]:
    """Put the experts' labels on the rows, in place of any that the data set brought."""
    by_step = {label.step_id: label for label in labels}
    for row in rows:
        label = by_step.get(row.step_id)
        yield row.model_copy(update={"label": label.label, "label_type": label.error_type}) if label else row


def _judged(expert: str, row: dict[str, str], sheet_items: set[str]) -> Judged | None:
    item, verdict = row.get("item", "").strip(), row.get("verdict", "").strip().lower()
    kind = row.get("error_type", "").strip().lower()
    if item not in sheet_items:
        raise ValueError(f"item {item!r} is not on this sheet; is it the right key?")
    if not verdict:
        if kind:
            raise ValueError(f"{item}: an error type ({kind}) without a verdict")
        return None
    if verdict not in VERDICTS:
        raise ValueError(f"{item}: verdict {verdict!r}; choose one of {', '.join(VERDICTS)}")
    if kind and verdict != "error":
        raise ValueError(f"{item}: {verdict!r} with the error type {kind!r}: which is meant?")
    if kind and kind not in ERROR_TYPES:
        raise ValueError(f"{item}: error type {kind!r}; choose one of {', '.join(ERROR_TYPES)}")
    answer = row.get("relation", "").strip().lower()
    if answer and answer not in _RELATION_OF:
        raise ValueError(f"{item}: relation {answer!r}; choose one of {', '.join(_RELATION_OF)}")
    named = ErrorType(kind.replace(" ", "_")) if kind else None
    note, relation = row.get("note", "").strip(), _RELATION_OF.get(answer)
    return Judged(expert=expert, item=item, verdict=verdict, error_type=named, note=note, relation=relation)


def _answers(judged: Judged) -> tuple[str, ErrorType | None, Relation | None]:
    return judged.verdict, judged.error_type, judged.relation


def _codes(judged: Sequence[Judged], key: Key, experts: Sequence[str]) -> NDArray[Any]:
    at = {keyed.item: i for i, keyed in enumerate(key.items)}
    codes = np.full((len(key.items), len(experts)), -1)
    for j in judged:
        codes[at[j.item], experts.index(j.expert)] = VERDICTS.index(j.verdict)
    return codes


def _majority(codes: NDArray[Any]) -> NDArray[Any]:
    """Return the verdict that more than half of those who judged the item gave, -1 where there is none."""
    counts = np.stack([(codes == k).sum(axis=1) for k in range(len(VERDICTS))], axis=1)
    judged = (codes >= 0).sum(axis=1)
    return np.where(2 * counts.max(axis=1) > judged, counts.argmax(axis=1), -1)


def _arm_sums(majority: NDArray[Any], key: Key, arm: str) -> Floats:
    """Weighted (errors, supported or error) by question, shape (questions, 2)."""
    names = sorted({keyed.question_id for keyed in key.items})
    sums = np.zeros((len(names), 2))
    for keyed, code in zip(key.items, majority, strict=True):
        if keyed.arm == arm and code in (0, 1):
            sums[names.index(keyed.question_id)] += (keyed.weight * (code == 1), keyed.weight)
    return sums


def _arm_share(majority: NDArray[Any], key: Key, arm: str, confidence: float) -> Share:
    """Return the weighted error rate of an arm; as many units as items with a verdict."""
    sums = _arm_sums(majority, key, arm)
    items = sum(keyed.arm == arm and code in (0, 1) for keyed, code in zip(key.items, majority, strict=True))
    return share(sums[:, 0], sums[:, 1], units=items, confidence=confidence)


def _rate(total: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total[..., :1] / total[..., 1:2])


def _orderings(majority: NDArray[Any], key: Key, draws: int, confidence: float) -> Iterator[Ordering]:
    """Compare the arms by the experts' verdicts; the arm called `base`, else the first by name, is the baseline."""
    arms = ordered_arms(keyed.arm for keyed in key.items)
    for other in arms[1:]:
        before, after = (_arm_sums(majority, key, arm) for arm in (arms[0], other))

        change = difference(*(_arm_share(majority, key, arm, confidence) for arm in (arms[0], other)))
        jury = _jury_rate(key, other) - _jury_rate(key, arms[0])
        comparable = change.value is not None and np.isfinite(jury) and change.value * jury != 0
        yield Ordering(
            baseline=arms[0],
            other=other,
            difference=change,
            permutation_p=sign_flip(before, after, lambda a, b: (_rate(b) - _rate(a))[..., 0], draws=draws, seed=0),
            same_direction_as_jury=bool((change.value or 0) * jury > 0) if comparable else None,
        )


def _jury_rate(key: Key, arm: str) -> float:
    errors = sum(k.weight for k in key.items if k.arm == arm and k.outcome is Outcome.ERROR)
    decided = sum(k.weight for k in key.items if k.arm == arm and k.outcome in (Outcome.ERROR, Outcome.SUPPORTED))
    return errors / decided if decided else float("nan")
