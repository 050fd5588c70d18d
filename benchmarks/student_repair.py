"""Does teaching by verdicts repair what distillation broke? Seven arms on a CPU, in a world whose truth is known.

    python -m benchmarks.student_repair --work /tmp/repair --out benchmarks/results/student_repair.json

A base model writes right steps and often wrong answers. A teacher's chains answer rightly, and 22 of 48 kinds of
questions have a planted false step (`student_world`). The base is distilled on all chains (`distilled`), on those in
which the jury saw no error (`jury`), on as many random ones (`random`), on those that are right by the planted labels
(`truth`: what a jury that sees everything would leave), and on all chains, cut before the first step that the jury
holds wrong (`trimmed`) or, as a control, as many random chains cut at the same positions (`trimmed-random`). Every arm
is trained for the same number of steps. Their chains on new questions are read against the truth, and judged.

A seed plants other faults and samples other questions, orders and chains; the base is trained once. Intervals are
Student's t over the seeds. Killed, the same command goes on after the last whole arm; several processes may work on
seeds or arms of their own in one --work folder, once its base is trained.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

from benchmarks.student_world import (
    SEEN_KINDS,
    Faults,
    Item,
    chain,
    make_items,
    plant_faults,
    truth_of,
)
from tracejury.agents import Outcome, load_panel
from tracejury.graphs import adjudicate
from tracejury.ledger import Ledger
from tracejury.traces import Trace, segment, write_batch
from tracejury.training import (
    Pair,
    Recipe,
    SampleSpec,
    TraceVerdicts,
    build_corpus,
    collect,
    load_recipe,
    read_pairs,
    sample_in_process,
    train,
)
from tracejury.training.machine import commit, hardware, versions
from tracejury.training.verdicts import Mode

PANEL = Path(__file__).resolve().parents[1] / "configs" / "experiments" / "tiny" / "panel.yaml"
ARMS = ("base", "distilled", "jury", "random", "truth", "trimmed", "trimmed-random")
FIGURES = (
    "answers_right",
    "step_errors",
    "step_errors_seen_kinds",
    "step_errors_blind_kinds",
    "unreadable_steps",
    "jury_step_errors",
    "jury_abstained",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--base-steps", type=int, default=550)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--chains-per-cell", type=int, default=4)
    parser.add_argument("--questions-per-cell", type=int, default=1)
    options = parser.parse_args()
    base = train_base(options.work / "base", options.base_steps)
    for seed in options.seeds:
        for arm in options.arms:
            record = options.work / f"{seed}-{arm}.json"
            if not record.is_file():
                work = options.work / f"seed-{seed}"
                figures = run_arm(
                    seed, arm, base, work, options.steps, options.chains_per_cell, options.questions_per_cell
                )
                record.write_text(json.dumps(figures), encoding="utf-8")
                print(seed, arm, figures, flush=True)
        seeds = read_seeds(options.work, ARMS)
        if not seeds:
            continue
        result = {
            "command": "python -m benchmarks.student_repair " + " ".join(sys.argv[1:]),
            "commit": commit(),
            "n": {
                "seeds": len(seeds),
                "questions": 48 * options.questions_per_cell,
                "chains": 48 * options.chains_per_cell,
            },
            "table": table(seeds),
            "differences": differences(seeds),
            "seeds": seeds,
            "versions": versions(),
            "hardware": hardware(),
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def read_seeds(work: Path, arms: Sequence[str]) -> list[dict[str, Any]]:
    """Return the seeds whose arms have all been run, with the figures of each arm."""
    records = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(work.glob("*-*.json"))}
    seeds = sorted({int(name.split("-", 1)[0]) for name in records})
    return [
        {"seed": seed, "arms": {arm: records[f"{seed}-{arm}"] for arm in arms}}
        for seed in seeds
        if all(f"{seed}-{arm}" in records for arm in arms)
    ]


def recipe_of(name: str, steps: int, learning_rate: float, seed: int, **changes: Any) -> Recipe:
    """Return a recipe of the tiny student with other steps; `adam_beta2` .95 lets it find the vignette's figures."""
    recipe = load_recipe(name).model_dump()
    schedule = {"max_steps": steps, "learning_rate": learning_rate, "scheduler": "constant", "batch": 8, "seed": seed}
    recipe["schedule"] |= schedule | {"save_every": 10_000, "log_every": 50}
    return Recipe.model_validate(recipe | {"trainer": {"adam_beta2": 0.95}} | changes)


def train_base(folder: Path, steps: int) -> str:
    """Train the base: right steps of every cell, and an answer letter that is random in half of the chains."""
    rng = random.Random(0)
    pairs = []
    for item in make_items(rng, 12):
        question = item.question
        letter = rng.choice(sorted(question.options)) if rng.random() < 0.5 else str(question.gold)
        pairs.append(Pair(question, chain(item, 0, "base", answer=letter)))
    recipe = recipe_of("tiny-base", steps, 2e-3, 1, corpus={"heldout": 0.0, "correct_only": False})
    if not (folder / "corpus" / "manifest.json").is_file():
        build_corpus(pairs, recipe, folder / "corpus")
    train(recipe, folder / "corpus", folder / "trained")
    return str(folder / "trained" / "model")


def run_arm(
    seed: int, arm: str, base: str, work: Path, steps: int, per_cell: int, questions_per_cell: int
) -> dict[str, float]:
    """Train and measure one arm of one seed; the other arms change nothing of it."""
    rng = random.Random(seed)
    faults = plant_faults(rng)
    examined = make_items(rng, questions_per_cell)
    stems = frozenset(item.question.stem for item in examined)
    taught = [(item, chain(item, 0, "teacher", faults)) for item in make_items(rng, per_cell, stems)]
    shutil.rmtree(work / arm, ignore_errors=True)
    weights, rows = base, 0
    if arm != "base":
        verdicts = judge([(item.question, trace) for item, trace in taught], work / arm / "teacher", "teacher")
        recipe = recipe_of("tiny", steps, 4e-3, seed, corpus={"heldout": 0.0}, export={"merged": True})
        mode: Mode = "trim" if arm.startswith("trimmed") else "drop"
        corpus = build_corpus(
            [Pair(item.question, trace) for item, trace in chains_of(arm, taught, verdicts, faults, rng)],
            recipe,
            work / arm / "corpus",
            tokenizer_from=base,
            verdicts=verdicts_of(arm, verdicts, rng),
            mode=mode,
        )
        rows = corpus["rows"]["train"]
        train(recipe, work / arm / "corpus", work / arm / "student", weights=base)
        weights = str(work / arm / "student" / "merged")
    sampled = work / arm / "sampled"
    sample_in_process(
        [item.question for item in examined],
        weights,
        load_recipe("tiny").student,
        sampled,
        model=arm,
        arm=arm,
        spec=SampleSpec(n=2, temperature=0.6, max_tokens=96, seed=seed),
    )
    shutil.rmtree(work / arm / "student", ignore_errors=True)
    return {"chains_learned": rows, **measure(sampled, examined, work / arm)}


def chains_of(
    arm: str,
    taught: Sequence[tuple[Item, Trace]],
    verdicts: dict[str, TraceVerdicts],
    faults: Faults,
    rng: random.Random,
) -> list[tuple[Item, Trace]]:
    """Return the chains that an arm's corpus is made from; `build_corpus` filters where `verdicts_of` has verdicts."""
    if arm == "truth":
        return [(item, trace) for item, trace in taught if faults.kind(item.cell) is None]
    if arm == "random":
        count = sum(not verdicts[trace.id].count(Outcome.ERROR) for _, trace in taught)
        return rng.sample(list(taught), count)
    return list(taught)


def verdicts_of(arm: str, verdicts: dict[str, TraceVerdicts], rng: random.Random) -> dict[str, TraceVerdicts] | None:
    """Return the verdicts by which an arm's corpus is made; None: it has all of its chains whole.

    `trimmed-random` cuts as many chains as the jury does, at the positions of the jury's cuts, but random chains.
    """
    if arm in {"jury", "trimmed"}:
        return verdicts
    if arm != "trimmed-random":
        return None
    cuts = [place for judged in verdicts.values() if (place := _first_error(judged)) is not None]
    cut_of = dict(zip(rng.sample(sorted(verdicts), len(cuts)), cuts, strict=True))
    return {trace: _cut_at(judged, cut_of.get(trace)) for trace, judged in verdicts.items()}


def _first_error(judged: TraceVerdicts) -> int | None:
    return next(
        (place for place, step in enumerate(judged.steps) if step.claim and step.outcome is Outcome.ERROR), None
    )


def _cut_at(judged: TraceVerdicts, cut: int | None) -> TraceVerdicts:
    """Return verdicts whose only error is at this place, or at the last step of a shorter chain."""
    last = len(judged.steps) - 1
    return TraceVerdicts(
        tuple(
            step._replace(claim=True, outcome=Outcome.ERROR if place == min(cut, last) else Outcome.SUPPORTED)
            if cut is not None
            else step._replace(outcome=Outcome.SUPPORTED)
            for place, step in enumerate(judged.steps)
        )
    )


def judge(pairs: Sequence[tuple[Any, Trace]], folder: Path, name: str) -> dict[str, TraceVerdicts]:
    """Let the panel judge chains; return the verdicts by trace id."""
    write_batch([*(question for question, _ in pairs), *(trace for _, trace in pairs)], folder / "batch")
    store = f"sqlite:///{folder}/ledger.db"
    run, _ = asyncio.run(adjudicate(folder / "batch", load_panel(PANEL), store=store, name=name))
    ledger = Ledger(store)
    try:
        return collect(ledger.rows(run))
    finally:
        ledger.close()


def measure(sampled: Path, examined: Sequence[Item], work: Path) -> dict[str, float]:
    """Return the figures of an arm's chains: answers and steps by the truth (both samples), steps by the jury (one)."""
    cells = {item.question.id: item.cell for item in examined}
    pairs = read_pairs([sampled])
    truths = [
        truth_of(step.text, cells[question.id])
        for question, trace in pairs
        for step in segment(trace, "numbered").steps
    ]
    readable = [t for t in truths if t.kind is not None]
    seen = [t for t in readable if t.kind in SEEN_KINDS]
    blind = [t for t in readable if t.kind not in SEEN_KINDS]
    outcomes = [
        step.outcome
        for trace in judge([(q, t) for q, t in pairs if t.sample == 0], work / "judged", "student").values()
        for step in trace.steps
        if step.claim
    ]
    judged = [o for o in outcomes if o in {Outcome.SUPPORTED, Outcome.ERROR}]
    return {
        "answers_right": share([trace.answer == question.gold for question, trace in pairs]),
        "step_errors": share([not t.right for t in readable]),
        "step_errors_seen_kinds": share([not t.right for t in seen]),
        "step_errors_blind_kinds": share([not t.right for t in blind]),
        "unreadable_steps": share([t.kind is None for t in truths]),
        "jury_step_errors": share([o is Outcome.ERROR for o in judged]),
        "jury_abstained": share([o is Outcome.ABSTAINED for o in outcomes]),
    }


def share(hits: Sequence[bool]) -> float:
    """Return the share of hits; nan of none."""
    return round(sum(hits) / len(hits), 4) if hits else float("nan")


def table(seeds: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return each arm's figures as means over the seeds with 95 % intervals."""
    return {
        arm: {name: estimate([s["arms"][arm][name] for s in seeds]) for name in ("chains_learned", *FIGURES)}
        for arm in ARMS
    }


def differences(seeds: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the differences that the question is about, seed by seed."""
    contrasts = (
        ("distilled", "base"),
        ("jury", "distilled"),
        ("jury", "random"),
        ("random", "distilled"),
        ("truth", "distilled"),
        ("jury", "truth"),
        ("trimmed", "distilled"),
        ("trimmed", "jury"),
        ("trimmed", "trimmed-random"),
    )
    return {
        f"{arm} - {other}": {
            name: estimate([s["arms"][arm][name] - s["arms"][other][name] for s in seeds]) for name in FIGURES
        }
        for arm, other in contrasts
    }


def estimate(values: Sequence[float]) -> dict[str, Any]:
    """Return mean and 95 % interval (Student's t over the seeds); none of one seed, or where all seeds agree."""
    mean = sum(values) / len(values)
    if len(values) < 2 or max(values) - min(values) < 1e-9:
        return {"mean": round(mean, 4), "ci95": None}
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(stats.sem(values))
    return {"mean": round(mean, 4), "ci95": [round(mean - half, 4), round(mean + half, 4)]}


if __name__ == "__main__":
    sys.exit(main())
