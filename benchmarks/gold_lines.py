"""Strong judges whose quotes code chose: NLI4CT's gold evidence lines as passages, recorded labels, through the graph.

The passage of a statement is its gold lines. Each recorded judge cites for what its label asserts, either the
sentences that the checker scores highest of all groups of up to three, or the lines nearest to the statement. The run
goes through the product's graph and ledger under `grounded` and under `consensus`; the statement's group is its
question.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.grounding.checkers import cached_checker
from benchmarks.grounding.labelled_sets import nli4ct
from benchmarks.grounding.strongest import case_of, citable, jury_panel, strongest_quotes
from tracejury.agents import JudgePanel, JudgeSpec, Panel, Policy, Quote, Relation, cut_by_rule
from tracejury.agents.checkers import MOST_SENTENCES
from tracejury.graphs import RunContext
from tracejury.graphs.batch import Runner
from tracejury.ledger import Ledger, RunManifest, StepRow
from tracejury.models import CallStore
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife, share
from tracejury.reports.risk import Scored, risk_curve
from tracejury.reports.votes_table import read_votes
from tracejury.retrieval import Finding, Hit, Passage, Query
from tracejury.traces import Batch, GivenStep, Question, Trace, write_batch

Rows = Sequence[Mapping[str, Any]]
_RELATION = {"E": Relation.SUPPORTS, "C": Relation.CONTRADICTS}
_LABEL = {"E": "supported", "C": "error"}
_OUTCOME = {"supported": 0, "error": 1}


class Statement(NamedTuple):
    """A statement with its gold lines, its label and what each judge says of it."""

    group: str
    text: str
    gold: str
    judges: Mapping[str, str]
    passage: Passage


class GoldLines:
    """Finds, for a step, the gold lines of the statement that it is."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._passages = {s.text: s.passage for s in statements}

    def find(self, queries: Sequence[Query], k: int | None = None) -> list[Finding]:
        """Return the one passage of each query's step."""
        return [Finding(hits=(Hit(passage=self._passages[q.step], score=1.0, query=q.text),)) for q in queries]


def statements_of(rows: Rows, data: Path, judges: Sequence[str]) -> list[Statement]:
    """Return the unedited statements with their gold lines."""
    lines = {" ".join(claim.claim.lower().split()): claim for claim in nli4ct(data)}
    chosen = []
    for row in rows:
        claim = lines.get(" ".join(row["statement"].lower().split()))
        if row["intervention"] or claim is None:
            continue
        passage = Passage(
            source="nli4ct", title=row["section"], text=claim.evidence, citation=", ".join(row["trials"]),
            license="evaluation only", key=row["id"], end=len(claim.evidence),
        )  # fmt: skip
        says = {judge: row["judges"][judge] for judge in judges}
        chosen.append(Statement(row["group"], " ".join(claim.claim.split()), row["gold"], says, passage))
    return chosen


async def quotes_of(statement: Statement, relation: Relation, judge_panel: JudgePanel, way: str) -> tuple[Quote, ...]:
    """Return what code cites for a relation: the strongest sentences by the checker, or the nearest lines."""
    case = case_of(statement.text, statement.passage.text, statement.group).model_copy(
        update={"claims": cut_by_rule(statement.text, "", ()), "passages": (statement.passage,)}
    )
    if way == "strongest sentences":
        return await strongest_quotes(case, relation, judge_panel)
    lines = citable(case, relation, judge_panel)
    if not lines or judge_panel.relevance is None:
        return ()
    scores = judge_panel.relevance.score([(case.step, line.sentence) for line in lines])
    nearest = sorted(range(len(lines)), key=lambda i: -scores[i])[:MOST_SENTENCES]
    return tuple(lines[i].quote for i in nearest)


async def write_opinions(path: Path, statements: Sequence[Statement], judge_panel: JudgePanel, way: str) -> None:
    """Write a file for the judge `recorded`."""
    with path.open("w", encoding="utf-8") as file:
        for statement in statements:
            cited = {word: await quotes_of(statement, r, judge_panel, way) for word, r in _RELATION.items()}
            for judge, word in statement.judges.items():
                quotes = [quote.model_dump(mode="json", exclude_none=True) for quote in cited.get(word, ())]
                row = {"question": statement.group, "step": 0, "judge": judge, "label": _LABEL.get(word, "failed")}
                file.write(json.dumps({**row, "quotes": quotes}) + "\n")


async def rows_of_run(
    statements: Sequence[Statement], judges: Sequence[str], opinions: Path, policy: Policy, judge_panel: JudgePanel
) -> list[StepRow]:
    """Run the recorded judges through the graph and return the run's rows."""
    specs = tuple(
        JudgeSpec(name=judge, judge="recorded", params={"path": str(opinions), "judge": judge, "model": judge})
        for judge in judges
    )
    panel = Panel(name=policy.value, judges=specs, policy=policy, segmenter="given")
    run_panel = replace(JudgePanel.of(panel, relevance=judge_panel.relevance), checker=judge_panel.checker)
    questions = [Question(stem="", source="nli4ct", key=s.group) for s in statements]
    traces = [
        Trace(question_id=q.id, model="trial statements", text=s.text,
              steps=(GivenStep.model_validate({"text": s.text, "label": _LABEL[s.gold]}),))
        for q, s in zip(questions, statements, strict=True)
    ]  # fmt: skip
    folder = opinions.parent / policy.value
    write_batch([*questions, *traces], folder)
    ledger = Ledger(f"sqlite:///{opinions.parent}/{policy.value}.db")
    run = ledger.open_run(panel, RunManifest(panel=policy.value, segmenter="given"), policy.value).run
    calls = CallStore(ledger.engine, run=run.id)
    try:
        context = RunContext(run_panel, finder=GoldLines(statements))  # type: ignore[arg-type]
        with Batch.open([folder]) as batch:
            await Runner(context, ledger, calls.writer, run).run(batch, batch.traces())
        return list(ledger.rows(run))
    finally:
        calls.close()
        ledger.close()


def policy_body(rows: Sequence[StepRow]) -> dict[str, Any]:
    """Return coverage, risk and balanced accuracy of a run's verdicts, and why steps have none."""
    group = _codes([row.question_id for row in rows])
    outcome = np.array([_OUTCOME.get(row.outcome or "", -1) for row in rows])
    human = np.array([_OUTCOME[row.label or ""] for row in rows])
    decided = outcome >= 0
    everything = np.bincount(group)
    kept = np.bincount(group[decided], minlength=len(everything))
    wrong = np.bincount(group[decided], weights=(outcome != human)[decided], minlength=len(everything))
    right_of = [
        np.bincount(group, weights=part, minlength=len(everything))
        for label in (0, 1)
        for part in (decided & (human == label) & (outcome == label), decided & (human == label))
    ]
    accuracy = Jackknife(np.stack(right_of, axis=1), _balanced_of_decided).bounded(0)
    return {
        "steps": len(rows),
        "groups": len(everything),
        "coverage": plain(share(kept, everything).estimate),
        "risk": plain(share(wrong, kept).estimate),
        "balanced accuracy of the decided": plain(accuracy),
        "why not": dict(Counter(row.reason for row in rows if row.outcome == "abstained")),
        "grades": dict(Counter(row.evidence for row in rows if row.outcome in _OUTCOME)),
    }


def checker_body(rows: Sequence[StepRow]) -> dict[str, Any]:
    """Return what the checker says of right and of wrong verdicts of the jury's majority, whatever the policy asks.

    `auroc` compares P(asserted relation) of the best citation of right verdicts with that of wrong ones.
    """
    rows = [row for row in rows if row.majority_outcome in _OUTCOME]
    group = _codes([row.question_id for row in rows])
    verdict = np.array([_OUTCOME[row.majority_outcome or ""] for row in rows])
    right = verdict == np.array([_OUTCOME[row.label or ""] for row in rows])
    asserted = ("supports", "contradicts")
    of_winners = [[c for o in row.opinions if o.label == row.majority_outcome for c in o.citations] for row in rows]
    p = np.array([
        max((c.p or 0.0 for c in citations if c.relation == asserted[v]), default=0.0)
        for citations, v in zip(of_winners, verdict, strict=True)
    ])  # fmt: skip
    cited = np.array([any(c.verified for c in citations) for citations in of_winners])
    counts = np.array([row.evidence == "full" for row in rows])
    votes = read_votes(rows)
    votes_for = (votes.says == verdict[:, None]).mean(axis=1)
    scored = {"vote share": votes_for, "vote share, then the checker": votes_for + p / (2 * votes.says.shape[1])}
    scored["the checker alone"] = p
    return {
        "verdicts": len(rows),
        "right": int(right.sum()),
        "with a verbatim quote": round(float(cited.mean()), 4),
        "P(asserted relation) of the best citation, median": {
            "right": round(float(np.median(p[right])), 4), "wrong": round(float(np.median(p[~right])), 4)
        },
        "grade full": {
            name: plain(share(np.bincount(group[m & counts], minlength=group.max() + 1),
                              np.bincount(group[m], minlength=group.max() + 1)).estimate)
            for name, m in (("right", right), ("wrong", ~right))
        },
        "auroc": plain(_auroc(p, right, group)),
        "aurc": {name: risk_curve(Scored(verdict, score), votes).aurc for name, score in scored.items()},
    }  # fmt: skip


def _balanced_of_decided(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((sums[..., 0:1] / sums[..., 1:2] + sums[..., 2:3] / sums[..., 3:4]) / 2)


def _auroc(p: Floats, right: np.ndarray[Any, Any], group: np.ndarray[Any, Any]) -> Estimate:
    """Return the chance that a right verdict has the higher p, with a bootstrap by group."""

    def value(chosen: np.ndarray[Any, Any]) -> float:
        good, bad = p[chosen][right[chosen]], p[chosen][~right[chosen]]
        return float(((good[:, None] > bad).mean() + (good[:, None] >= bad).mean()) / 2)

    rng = np.random.default_rng(0)
    places = [np.flatnonzero(group == g) for g in range(group.max() + 1)]
    draws = [value(np.concatenate([places[g] for g in rng.integers(0, len(places), len(places))])) for _ in range(999)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return Estimate(value=value(np.arange(len(p))), low=float(low), high=float(high))


def _codes(names: Sequence[str]) -> np.ndarray[Any, Any]:
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([place[name] for name in names])


def plain(estimate: Estimate) -> list[float | None]:
    """Return value, low, high, rounded."""
    return [None if x is None else round(x, 4) for x in (estimate.value, estimate.low, estimate.high)]


def gold_lines_body(rows: Rows, data: Path, judges: Sequence[str], work: Path) -> dict[str, Any]:
    """Measure both policies with both ways of choosing quotes; answers of the checker are kept under `work`."""
    statements = statements_of(rows, data, judges)
    judge_panel = jury_panel(cached_checker("nli", work))
    body: dict[str, Any] = {"judges": list(judges), "checker": "nli"}
    for way in ("strongest sentences", "nearest lines"):
        with tempfile.TemporaryDirectory() as folder:
            opinions = Path(folder) / "opinions.jsonl"
            asyncio.run(write_opinions(opinions, statements, judge_panel, way))
            runs = {
                policy: asyncio.run(rows_of_run(statements, judges, opinions, policy, judge_panel)) for policy in Policy
            }
        body[way] = {policy.value: policy_body(run) for policy, run in runs.items()}
        body[way]["the checker on the majority's verdicts"] = checker_body(runs[Policy.CONSENSUS])
    return body
