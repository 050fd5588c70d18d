"""A run out of a bare table of verdicts: a published audit, to be analysed like a run of our own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tracejury.agents import (
    Case,
    ClaimSet,
    Deliberation,
    Dispute,
    JudgeSpec,
    Label,
    Opinion,
    Panel,
    Policy,
    RecordedOpinion,
    decide,
    settle,
)
from tracejury.ledger.runs import Run, RunManifest, package_versions, panel_hash
from tracejury.ledger.writer import Ledger
from tracejury.models import FailureReason
from tracejury.traces import GivenStep, Question, Trace, segment

SEGMENTER = "given"
_LABELS = {Label.SUPPORTED: "supported", Label.ERROR: "error"}
_ONE_JUDGE = "verdict"


class _TraceKey(NamedTuple):
    source: str
    question: str
    arm: str
    sample: int


_Steps = dict[int, dict[str, RecordedOpinion]]
"""Step index -> judge -> its row."""


def write_verdicts(ledger: Ledger, rows: Sequence[RecordedOpinion], name: str, path: str) -> Run:
    """Write a table of verdicts as a run: each judge of the table votes, and a strict majority decides.

    A step is an outcome of its own: `unclear` abstains, a row without a label fails. Nothing is asked or checked, so no
    verdict has a grade.

    Args:
        ledger: Where the run is written.
        rows: The table's rows; without `step` they are numbered in their order.
        name: The run's name.
        path: The table, for the record.

    Raises:
        ValueError: A row has no question, a step has two rows of one judge, or there is a run of this name.
    """
    traces = _traces(rows)
    judges = tuple(dict.fromkeys(r.judge or _ONE_JUDGE for r in rows))
    panel = Panel(
        name="verdicts",
        description="Verdicts read from a table; nobody was asked.",
        judges=tuple(JudgeSpec(name=j, judge="recorded", params=_params(path, j)) for j in judges),
        resolver=None,
        checker=None,
        policy=Policy.CONSENSUS,
        segmenter=SEGMENTER,
    )
    if any(run.name == name for run in ledger.runs()):
        raise ValueError(f"there is a run {name!r} already; give another --run NAME")
    manifest = RunManifest(panel=panel_hash(panel), segmenter=SEGMENTER, inputs=(path,), packages=package_versions())
    run = ledger.open_run(panel, manifest, name).run
    with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
        for key, steps in traces.items():
            question, trace = _records(key, steps)
            cut = segment(trace, SEGMENTER)
            ledger.put_trace(connection, run.id, trace, question, cut)
            for step, (_, opinions) in zip(cut.steps, sorted(steps.items()), strict=True):
                case = Case(step_id=step.id, trace_id=trace.id, stem="", step_index=step.index, step=step.text)
                ledger.put_deliberation(connection, run.id, _deliberation(step, case, _opinions(opinions, judges)))
            ledger.close_trace(connection, run.id, trace.id)
    ledger.finish(run.id, len(traces))
    return ledger.run(name)


def _params(path: str, judge: str) -> dict[str, str]:
    return {"path": path} if judge == _ONE_JUDGE else {"path": path, "judge": judge}


def _traces(rows: Iterable[RecordedOpinion]) -> Mapping[_TraceKey, _Steps]:
    """Return the rows by trace, step and judge.

    Raises:
        ValueError: A row has no question, or repeats another.
    """
    traces: dict[_TraceKey, _Steps] = {}
    numbered: dict[tuple[_TraceKey, str], Iterator[int]] = defaultdict(lambda: iter(range(1 << 31)))
    of_text: dict[tuple[_TraceKey, str], int] = {}
    for row in rows:
        if not row.question:
            raise ValueError(f"{row.place}: no question; a table of verdicts has question, arm, step and label")
        key = _TraceKey(row.source, row.question, row.arm or "base", row.sample or 0)
        steps = traces.setdefault(key, {})
        judge = row.judge or _ONE_JUDGE
        for _ in range(row.count):
            index = row.index
            if index is None or row.count > 1:
                index = of_text.get((key, row.text)) if row.text and row.count == 1 else None
                index = next(numbered[key, judge]) if index is None else index
            if row.text:
                of_text[key, row.text] = index
            if judge in steps.setdefault(index, {}):
                other = steps[index][judge].place
                raise ValueError(f"{row.place}: a second verdict of {judge!r} on the step of {other}; keep one of them")
            steps[index][judge] = row
    return traces


def _records(key: _TraceKey, steps: _Steps) -> tuple[Question, Trace]:
    rows = [row for _, opinions in sorted(steps.items()) for row in opinions.values()]
    texts = [
        next((row.text for row in opinions.values() if row.text), f"Step {index}: its text is not in the table.")
        for index, opinions in sorted(steps.items())
    ]
    labels = [
        next((_LABELS[row.human] for row in opinions.values() if row.human in _LABELS), None)
        for _, opinions in sorted(steps.items())
    ]
    gold = next((row.gold for row in rows if row.gold), None)
    question = Question(stem="", source=key.source or "verdicts", key=key.question, gold=gold)
    trace = Trace(
        question_id=question.id,
        model=next((row.model for row in rows if row.model), key.arm),
        arm=key.arm,
        sample=key.sample,
        text="\n".join(texts),
        answer=next((row.answer for row in rows if row.answer), None),
        steps=tuple(GivenStep.model_validate({"text": t, "label": x}) for t, x in zip(texts, labels, strict=True)),
    )
    return question, trace


def _opinions(rows: Mapping[str, RecordedOpinion], judges: Sequence[str]) -> tuple[Opinion, ...]:
    return tuple(_opinion(judge, rows.get(judge)) for judge in judges)


def _opinion(judge: str, row: RecordedOpinion | None) -> Opinion:
    if row is None or row.label is None:
        detail = "the table has no verdict of this judge" if row is None else f"{row.place} has no label"
        return Opinion(judge=judge, kind="recorded", failed=FailureReason.NOT_RECORDED, failure=detail)
    return Opinion(
        judge=judge,
        kind="recorded",
        model=row.judge_model or None,
        label=row.label,
        confidence=row.confidence,
        rationale=row.rationale,
        error_type=row.error_type if row.label is Label.ERROR else None,
    )


def _deliberation(step: object, case: Case, opinions: tuple[Opinion, ...]) -> Deliberation:
    decision = decide(opinions, ClaimSet(), policy=Policy.CONSENSUS, retrieved=False, checked=False)
    if isinstance(decision, Dispute):
        decision = settle(decision, opinions, ClaimSet(), None, policy=Policy.CONSENSUS, retrieved=False)
    return Deliberation.model_validate(
        {"step": step, "case": case, "opinions": opinions, "verdict": decision, "path": ("segment", "judge", "decide")}
    )
