"""Report on the judges of a run: skill with labels and without, agreement, and what each judge changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Label, Seat, family
from tracejury.ledger import OpinionRow, StepRow
from tracejury.reports.agreement import rater_agreement
from tracejury.reports.dawid_skene import reliabilities
from tracejury.reports.estimates import Estimate
from tracejury.reports.intervals import Jackknife
from tracejury.reports.panel_worth import PanelWorth, worth_of
from tracejury.reports.votes_table import read_votes
from tracejury.traces import Record

_SAYS = (Label.SUPPORTED, Label.ERROR, Label.UNCLEAR, Label.NO_CLAIM)
_CODE = {label.value: i for i, label in enumerate(_SAYS)}
_MISSING = -1


class Skill(Record):
    """One judge of a run."""

    judge: str
    model: str | None
    seat: Seat
    opinions: int
    failed: int
    shares: dict[str, float]
    """Label -> share of its opinions."""
    grounded: float | None
    """Share of its verdicts (`supported`, `error`) with verified evidence."""
    balanced_accuracy: Estimate | None
    """Against human labels, over the steps that it decided; None: the run has no labels."""
    auroc: Estimate | None
    """Against human labels, over the steps that it answered, of the order supported < unclear < error; chance is .5."""
    skilled: bool | None
    """The interval of `auroc` lies above chance; None: there is no interval (no labels, or fewer than five questions
    with either), so nothing is known."""
    reliability: Estimate | None
    """Without labels: balanced accuracy by Dawid and Skene's model; None: fewer than three judges decide together."""


class Agreement(Record):
    """Agreement of two judges on the steps that both answered."""

    one: str
    other: str
    steps: int
    same: float
    kappa: Estimate
    """Cohen's kappa over the labels, with an interval by question."""
    same_weights: bool
    """Both run on the same model: their agreement is no evidence."""


class LeftOut(Record):
    """The plain majority of the panel without one judge."""

    judge: str
    steps: int
    changed: float
    """Share of steps on which the majority differs."""
    error_share: float
    """Steps with a majority for `error`, of those with a majority for either verdict, without this judge."""


class FamilyRate(Record):
    """How often judges of one family call steps of one model family wrong."""

    judge_family: str
    trace_family: str
    decided: int
    error_rate: float


class Drift(Record):
    """One judge on the steps that two runs share."""

    judge: str
    steps: int
    changed: float
    """Share of steps on which its label differs."""
    error_share: float
    error_share_before: float


class JudgesReport(Record):
    """Everything that a run shows about its judges."""

    run: str
    steps: int
    labelled: int
    judges: tuple[Skill, ...]
    agreement: tuple[Agreement, ...]
    left_out: tuple[LeftOut, ...]
    families: tuple[FamilyRate, ...]
    drift: tuple[Drift, ...] = ()
    worth: PanelWorth | None = None
    """How many independent judges they are worth; None: one judge votes."""


class _OpinionTable:
    """A run's opinions as a table: one row a step, one column a judge."""

    def __init__(self, rows: Sequence[StepRow]) -> None:
        self.rows = [r for r in rows if r.outcome is not None and r.opinions]
        if not self.rows:
            raise ValueError("the run has no opinions; adjudicate a batch first")
        self.run = self.rows[0].run
        self.first: dict[str, OpinionRow] = {}
        for row in self.rows:
            for opinion in row.opinions:
                self.first.setdefault(opinion.judge, opinion)
        self.names = sorted(self.first)
        column = {name: i for i, name in enumerate(self.names)}
        self.labels = np.full((len(self.rows), len(self.names)), _MISSING, dtype=np.int64)
        self.grounded = np.zeros(self.labels.shape, dtype=np.bool_)
        self.failed = np.zeros(self.labels.shape, dtype=np.bool_)
        for i, row in enumerate(self.rows):
            for opinion in row.opinions:
                j = column[opinion.judge]
                if opinion.label is None:
                    self.failed[i, j] = True
                else:
                    self.labels[i, j] = _CODE[opinion.label]
                    self.grounded[i, j] = opinion.grounded
        codes = {q: i for i, q in enumerate(dict.fromkeys(r.question_id for r in self.rows))}
        self.question = np.array([codes[r.question_id] for r in self.rows])
        self.human_label = np.array([-1 if r.label is None else int(r.label == "error") for r in self.rows])

    def counts(self, codes: NDArray[np.int64], mask: NDArray[np.bool_], columns: int) -> NDArray[np.float64]:
        """Count `codes` by question where `mask` holds, shape (questions, columns)."""
        flat = self.question[mask] * columns + codes[mask]
        return np.bincount(flat, minlength=(self.question.max() + 1) * columns).reshape(-1, columns).astype(float)


def report_judges(rows: Iterable[StepRow], before: Iterable[StepRow] = ()) -> JudgesReport:
    """Report on the judges of a run.

    Args:
        rows: The run's rows.
        before: Rows of an earlier run over the same traces, for the drift of each judge.

    Raises:
        ValueError: The run has no opinions.
    """
    all_rows = list(rows)
    opinions = _OpinionTable(all_rows)
    votes = read_votes(all_rows)
    reliable = reliabilities(opinions.labels, opinions.question, opinions.names)
    skills = tuple(_skill(opinions, j, reliable) for j in range(len(opinions.names)))
    pairs = [(i, j) for i in range(len(opinions.names)) for j in range(i + 1, len(opinions.names))]
    return JudgesReport(
        run=opinions.run,
        steps=len(opinions.rows),
        labelled=int((opinions.human_label >= 0).sum()),
        judges=skills,
        agreement=tuple(_agreement(opinions, i, j) for i, j in pairs),
        left_out=tuple(_left_out(opinions)),
        families=tuple(_families(opinions)),
        worth=worth_of(votes) if len(votes.judges) > 1 else None,
        drift=tuple(_drift(opinions, [r for r in before if r.outcome is not None])),
    )


def _skill(opinions: _OpinionTable, j: int, reliable: Mapping[str, Estimate]) -> Skill:
    labels, answered = opinions.labels[:, j], opinions.labels[:, j] != _MISSING
    decided = answered & (labels <= 1)
    name = opinions.names[j]
    mask = answered & (opinions.human_label >= 0)
    balanced = auroc = None
    if (opinions.human_label >= 0).any():
        table = opinions.counts(opinions.human_label * 4 + labels, mask, 8)
        measures = Jackknife(table, _skill_measures)
        by_label = table.reshape(-1, 2, 4)
        # Of either label, on how many questions it decided, and on how many it answered; the rarer one counts.
        trials = [int(part.any(axis=-1).sum(axis=0).min()) for part in (by_label[..., :2], by_label)]
        balanced, auroc = (measures.bounded(i, trials=n, units=table.sum()) for i, n in enumerate(trials))
    return Skill(
        judge=name,
        model=opinions.first[name].model,
        seat=opinions.first[name].seat,
        opinions=int(answered.sum()),
        failed=int(opinions.failed[:, j].sum()),
        shares={label.value: float((labels[answered] == i).mean()) for i, label in enumerate(_SAYS)}
        if answered.any()
        else {},
        grounded=float(opinions.grounded[decided, j].mean()) if decided.any() else None,
        balanced_accuracy=balanced,
        auroc=auroc,
        skilled=None if auroc is None or auroc.low is None else auroc.low > 0.5,
        reliability=reliable.get(name),
    )


def _skill_measures(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map counts (..., 8), human label by judge's label, to balanced accuracy over decided steps and AUROC."""
    table = counts.reshape(*counts.shape[:-1], 2, 4)
    right, wrong = table[..., 0, :], table[..., 1, :]
    # No claim ranks with unclear: neither leans to a verdict.
    ranked = [np.stack([t[..., 0], t[..., 2] + t[..., 3], t[..., 1]], axis=-1) for t in (right, wrong)]
    below = np.cumsum(ranked[0], axis=-1) - ranked[0] / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        recalls = right[..., 0] / right[..., :2].sum(axis=-1), wrong[..., 1] / wrong[..., :2].sum(axis=-1)
        area = (ranked[1] * below).sum(axis=-1) / (ranked[1].sum(axis=-1) * ranked[0].sum(axis=-1))
    return np.stack([(recalls[0] + recalls[1]) / 2, area], axis=-1)


def _agreement(opinions: _OpinionTable, i: int, j: int) -> Agreement:
    one, other = opinions.labels[:, i], opinions.labels[:, j]
    both = (one != _MISSING) & (other != _MISSING)
    names = opinions.names[i], opinions.names[j]
    models = [opinions.first[name].model for name in names]
    ratings = np.where(both[:, None], np.stack([one, other], axis=1), _MISSING)
    agreement = rater_agreement(ratings, opinions.question, names, categories=len(_SAYS))
    return Agreement(
        one=names[0],
        other=names[1],
        steps=int(both.sum()),
        same=float((one == other)[both].mean()) if both.any() else float("nan"),
        kappa=agreement.kappa,
        same_weights=models[0] is not None and models[0] == models[1],
    )


def _left_out(opinions: _OpinionTable) -> Iterable[LeftOut]:
    voting = [j for j, name in enumerate(opinions.names) if opinions.first[name].seat is Seat.VOTE]
    if len(voting) < 3:
        return
    whole = _majorities(opinions.labels[:, voting])
    for j in voting:
        rest = _majorities(opinions.labels[:, [k for k in voting if k != j]])
        decided = np.isin(rest, (0, 1))
        yield LeftOut(
            judge=opinions.names[j],
            steps=len(rest),
            changed=float((rest != whole).mean()),
            error_share=float((rest[decided] == 1).mean()) if decided.any() else float("nan"),
        )


def _majorities(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the label of a strict majority of the columns, -1 where there is none."""
    counts = np.stack([(labels == code).sum(axis=1) for code in range(len(_SAYS))], axis=1)
    return np.where(counts.max(axis=1) * 2 > labels.shape[1], counts.argmax(axis=1), _MISSING)


def _families(opinions: _OpinionTable) -> Iterable[FamilyRate]:
    votes: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in opinions.rows:
        for opinion in row.opinions:
            if opinion.label in (Label.SUPPORTED, Label.ERROR):
                key = (family(opinion.model) if opinion.model else f"no LLM: {opinion.judge}", family(row.model))
                votes[key].append(int(opinion.label == Label.ERROR))
    for (judge, trace), called_wrong in sorted(votes.items()):
        yield FamilyRate(
            judge_family=judge,
            trace_family=trace,
            decided=len(called_wrong),
            error_rate=sum(called_wrong) / len(called_wrong),
        )


def _drift(opinions: _OpinionTable, before: Sequence[StepRow]) -> Iterable[Drift]:
    earlier = {(r.step_id, o.judge): o.label for r in before for o in r.opinions if o.label is not None}
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in opinions.rows:
        for opinion in row.opinions:
            was = earlier.get((row.step_id, opinion.judge))
            if was is not None and opinion.label is not None:
                pairs[opinion.judge].append((was, opinion.label))
    for judge, both in sorted(pairs.items()):
        yield Drift(
            judge=judge,
            steps=len(both),
            changed=sum(a != b for a, b in both) / len(both),
            error_share=sum(b == Label.ERROR for _, b in both) / len(both),
            error_share_before=sum(a == Label.ERROR for a, _ in both) / len(both),
        )
