"""Does a student learn from the jury? GRPO against three controls, in a world whose truth is known, on a CPU.

    python -m benchmarks.student_repair --work /tmp/repair --out /tmp/repair/out.json --seeds 1
    python -m benchmarks.grpo --base /tmp/repair/base/trained/model --work /tmp/grpo --out benchmarks/results/grpo.json

The base of `student_repair` is distilled on a teacher with planted false steps. From there it is reinforced by the
jury's reward, and by the controls: right answers alone, the steps' part dealt out in random order among the chains of a
step, whole rewards in random order. Each is examined on new questions, its steps read against the truth. Several
processes may work in one --work folder, on seeds or, once its student is distilled, on arms of their own.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.student_repair import PANEL, estimate, measure, read_seeds, recipe_of
from benchmarks.student_world import chain, make_items, plant_faults
from tracejury.agents import load_panel
from tracejury.training import (
    JuryReward,
    Pair,
    RewardControl,
    SampleSpec,
    build_corpus,
    reinforce,
    sample_in_process,
    train,
)
from tracejury.training.machine import commit, hardware, versions

ARMS = ("distilled", *(control.value for control in RewardControl))
FIGURES = ("reward_first", "reward_last", "right_last", "balance_last", "silent_last")
FIGURES += ("answers_right", "step_errors", "step_errors_seen_kinds", "step_errors_blind_kinds", "unreadable_steps")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS, help="`distilled` comes first")
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    for seed in given.seeds:
        for arm in given.arms:
            record = given.work / f"{seed}-{arm}.json"
            if not record.is_file():
                figures = run_arm(seed, arm, given.base, given.work / f"seed-{seed}", given.steps)
                record.write_text(json.dumps(figures), encoding="utf-8")
        seeds = read_seeds(given.work, ARMS)
        if not seeds:
            continue
        table = {arm: {name: summary([figure(seed, arm, name) for seed in seeds]) for name in FIGURES} for arm in ARMS}
        jury_less_control = {
            f"none - {control}": {
                name: summary([difference(seed, "none", control, name) for seed in seeds]) for name in FIGURES
            }
            for control in (*ARMS[2:], "distilled")
        }
        result = {
            "command": "python -m benchmarks.grpo " + " ".join(sys.argv[1:]),
            "commit": commit(),
            "panel": PANEL.name,
            "n": {"seeds": len(seeds), "questions": 48, "chains_of_a_question": 2},
            "grpo": grpo_recipe(given.steps, 0).grpo,
            "table": table,
            "differences": jury_less_control,
            "seeds": [
                {
                    "seed": seed["seed"],
                    "arms": {arm: {name: figure(seed, arm, name) for name in seed["arms"][arm]} for arm in ARMS},
                }
                for seed in seeds
            ],
            "versions": versions(),
            "hardware": hardware(),
        }
        text = json.dumps(result, indent=1, default=lambda record: record.model_dump(), allow_nan=False)
        given.out.write_text(text + "\n", encoding="utf-8")
    return 0


def figure(seed: dict[str, Any], arm: str, name: str) -> float | None:
    """Return a figure of an arm; None: it has none, such as the errors of chains without a readable step."""
    value = seed["arms"][arm].get(name)
    return None if value is None or math.isnan(value) else float(value)


def difference(seed: dict[str, Any], arm: str, other: str, name: str) -> float | None:
    """Return an arm's figure less another's, where both have it."""
    left, right = figure(seed, arm, name), figure(seed, other, name)
    return None if left is None or right is None else left - right


def summary(values: Sequence[float | None]) -> dict[str, Any] | None:
    """Return mean, 95 % interval and number of the seeds that have a figure; None where none has."""
    present = [value for value in values if value is not None]
    return {**estimate(present), "n": len(present)} if present else None


def grpo_recipe(steps: int, seed: int) -> Any:
    """Return the tiny recipe with shorter steps of GRPO: 4 questions of 6 chains each."""
    recipe = recipe_of("tiny", 80, 4e-3, seed, corpus={"heldout": 0.0}, export={"merged": True})
    grpo = {"steps": steps, "prompts": 4, "generations": 6, "learning_rate": 2e-3, "max_tokens": 80}
    return recipe.model_validate(recipe.model_dump() | {"grpo": grpo})


def run_arm(seed: int, arm: str, base: str, work: Path, steps: int) -> dict[str, float]:
    """Distil a student with one seed's faults, or reinforce it from there under the jury or a control; examine it."""
    rng = random.Random(seed)
    faults, recipe = plant_faults(rng), grpo_recipe(steps, seed)
    examined = make_items(rng, 1)
    taught = make_items(rng, 4, frozenset(item.question.stem for item in examined))
    start, figures = str(work / "distilled" / "merged"), {}
    if arm == "distilled":
        pairs = [Pair(item.question, chain(item, 0, "teacher", faults)) for item in taught]
        build_corpus(pairs, recipe, work / "corpus", tokenizer_from=base)
        train(recipe, work / "corpus", work / "distilled", weights=base)
    else:
        questions = {item.question.id: item.question for item in taught}
        store, control = f"sqlite:///{work}/{arm}.db", RewardControl(arm)
        began = time.process_time()
        with JuryReward(load_panel(PANEL), questions, store=store, control=control, control_seed=seed) as reward:
            reinforce(recipe, start, list(questions.values()), reward, work / arm, seed=seed)
        quarter = max(1, steps // 4)
        first, last = reward.history[:quarter], reward.history[-quarter:]
        figures = {"cpu_s": round(time.process_time() - began), "reward_first": _mean(first, "reward")}
        figures |= {f"{name}_last": _mean(last, name) for name in ("reward", "right", "balance", "silent")}
    sample_in_process(
        [item.question for item in examined],
        start if arm == "distilled" else str(work / arm / "adapter"),
        recipe.student,
        work / arm / "sampled",
        model=arm,
        arm=arm,
        spec=SampleSpec(n=2, temperature=0.6, max_tokens=96, seed=seed),
        base=None if arm == "distilled" else start,
    )
    return figures | measure(work / arm / "sampled", examined, work / arm)


def _mean(history: Sequence[dict[str, float]], name: str) -> float:
    return round(sum(step[name] for step in history) / len(history), 4)


if __name__ == "__main__":
    sys.exit(main())
