"""Does a student learn from the jury? GRPO on the tiny student, against rewards handed out in random order.

    tracejury student distill tiny --out /tmp/tiny
    python benchmarks/grpo.py --weights /tmp/tiny/base/trained/model --out benchmarks/results/grpo.json

Three seeds; each real run has a control with the same seed whose rewards are shuffled among the chains of a step.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tracejury.agents import load_panel
from tracejury.training import JuryReward, load_recipe, read_questions, reinforce
from tracejury.training.machine import commit, hardware, versions

TINY = Path(__file__).resolve().parents[1] / "configs" / "experiments" / "tiny"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    given = parser.parse_args()
    recipe, panel = load_recipe("tiny"), load_panel(TINY / "panel.yaml")
    questions = read_questions([TINY / "teacher.jsonl"])
    runs: list[dict[str, Any]] = []
    for seed in given.seeds:
        for shuffled in (None, seed):
            with tempfile.TemporaryDirectory() as work:
                store = f"sqlite:///{work}/calls.db"
                with JuryReward(panel, {q.id: q for q in questions}, store=store, shuffled=shuffled) as reward:
                    made = reinforce(recipe, given.weights, questions, reward, Path(work), seed=seed)
            rewards = [step["reward"] for step in reward.history]
            runs.append(
                {
                    "seed": seed,
                    "rewards": "shuffled" if shuffled else "jury",
                    "first_10": sum(rewards[:10]) / 10,
                    "last_10": sum(rewards[-10:]) / 10,
                    "history": reward.history,
                    "seconds": made["seconds"],
                }
            )
            print({k: v for k, v in runs[-1].items() if k != "history"}, flush=True)
            last = {(r["seed"], r["rewards"]): r["last_10"] for r in runs}
            done = [s for s in given.seeds if (s, "shuffled") in last]
            result = {
                "command": "python benchmarks/grpo.py " + " ".join(sys.argv[1:]),
                "commit": commit(),
                "grpo": recipe.grpo.model_dump() if recipe.grpo else None,
                "panel": panel.name,
                "seeds_won": f"{sum(last[s, 'jury'] > last[s, 'shuffled'] for s in done)} of {len(done)}",
                "runs": runs,
                "versions": versions(),
                "hardware": hardware(),
            }
            given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
