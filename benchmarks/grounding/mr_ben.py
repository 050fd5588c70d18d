"""MR-Ben's labelled steps as cases, built once by `adjudicate`: passages, claims, the opinion of the judge `data`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tracejury.agents import Case, JudgeSpec, Label, Opinion, Panel, RetrievalSpec, Seat
from tracejury.graphs import adjudicate
from tracejury.ledger import Ledger
from tracejury.retrieval import Index
from tracejury.traces import Batch, read, write_batch

SOURCES = ("open-medicine", "reference-ranges")
TRACES = 60
"""The traces of `cases/grounding`: 251 labelled steps."""


class LabelledCase(NamedTuple):
    """A case with its human label."""

    question: str
    case: Case
    label: Label
    data: Opinion
    """What the judge without a model says, as a challenger."""


def labelled_cases(
    data: Path, work: Path, limit: int = TRACES, retrieval: RetrievalSpec | None = None
) -> list[LabelledCase]:
    """Return the labelled steps of the first `limit` traces, with passages of the shipped references or as told."""
    folder, store = work / "mr-ben", f"sqlite:///{work / 'mr-ben.db'}"
    if not (folder / "traces.jsonl").is_file():
        write_batch(read("mr-ben", data / "mr_ben/medicine_dev_subset.json"), folder)
    index = work / "index"
    if retrieval is None:
        _build(index)
    panel = Panel(
        name="cases",
        judges=(JudgeSpec(name="data", judge="data"),),
        retrieval=retrieval or RetrievalSpec(sources=SOURCES, params={"quotas": {"reference-ranges": 1}}, k=5),
        checker=None,
    )
    batch = Batch.open([folder])
    # Claims and passages are this version's: nothing is taken over from a ledger of another one.
    (work / "mr-ben.db").unlink(missing_ok=True)
    run, _ = asyncio.run(adjudicate(batch, panel, store=store, name="cases", index=index, limit=limit))
    ledger = Ledger(store)
    cases = []
    for trace, question, _ in ledger.traces(run):
        for deliberation in ledger.deliberations(run, trace.id):
            case, label = deliberation.case, deliberation.step.label
            if case is not None and label:
                (opinion,) = deliberation.opinions
                challenger = opinion.model_copy(update={"seat": Seat.CHALLENGE})
                cases.append(LabelledCase(question.id, case, Label(label), challenger))
    ledger.close()
    return cases


def _build(index: Path, names: Sequence[str] = SOURCES) -> None:
    opened = Index.open(index)
    for name in names:
        opened.build(name)
