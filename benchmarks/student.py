"""A real student before and after: SmolLM2-135M on GPT-4's MedQA chains (MIRAGE), on a CPU.

    python benchmarks/student.py --data ../shared/data --work /tmp/student --out benchmarks/results/student

Takes half an hour to hours, by the machine; killed, the same command goes on. MIRAGE's chains answer MedQA *test*
questions: 40 of them are held out for the examination, the rest is trained on, and the contamination check between
the two stands in the corpus card. Nothing here compares with published MedQA figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import sys
import time
from pathlib import Path
from typing import Any

from tracejury.models import embedder, fetch
from tracejury.traces import Batch, segment
from tracejury.training import SampleSpec, build_corpus, load_recipe, read_pairs, sample_in_process, train
from tracejury.training.machine import commit, hardware, versions

HELD_OUT, TRAINED = 40, 325


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    fetch("smollm2-135m")
    recipe = load_recipe("smollm2-135m")
    every = read_pairs([given.data / "mirage" / "traces" / "medqa.cot.gpt-4-32k.jsonl"], "mirage")
    ordered = sorted(every, key=lambda p: hashlib.sha256(p.question.id.encode()).digest())
    held_out = [p.question for p in ordered[:HELD_OUT]]
    right = [p for p in ordered[HELD_OUT:] if p.trace.answer == p.question.gold]
    corpus = given.work / "corpus"
    if not (corpus / "manifest.json").is_file():
        build_corpus(
            right[:TRAINED],
            recipe,
            corpus,
            evaluation=held_out,
            on_contamination="drop",
            embedder=embedder("minilm"),
            made_from=["MIRAGE, medqa.cot.gpt-4-32k (MedQA *test* questions; correct chains only)"],
        )
    spec = SampleSpec(n=1, max_tokens=224)
    weights = str(corpus / "student")
    sampled = {"before": given.work / "before", "after": given.work / "after"}
    draw = {"model": "smollm2-135m", "spec": spec, "progress": tell}
    sample_in_process(held_out, weights, recipe.student, sampled["before"], arm="base", **draw)
    manifest = train(
        recipe,
        corpus,
        given.work / "student",
        report=lambda *seen: print(seen[0], seen[1], seen[2].get("loss"), flush=True),
    )
    sample_in_process(
        held_out,
        str(given.work / "student" / "adapter"),
        recipe.student,
        sampled["after"],
        base=weights,
        arm="distilled",
        **draw,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    figures = {name: measure(folder) for name, folder in sampled.items()}
    result = {
        "command": "python benchmarks/student.py " + " ".join(sys.argv[1:]),
        "commit": commit(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "corpus": json.loads((corpus / "manifest.json").read_text(encoding="utf-8")),
        "training": {k: v for k, v in manifest.items() if k not in {"versions", "hardware"}},
        "sampling": spec.model_dump(),
        **figures,
        "paired_difference": paired(figures["before"]["right"], figures["after"]["right"]),
        "versions": versions(),
        "hardware": hardware(),
    }
    (given.out / "student.json").write_text(json.dumps(result, indent=1, default=str) + "\n", encoding="utf-8")
    # The card's last part renders a row: a question and a chain that are not ours to publish.
    card = (corpus / "README.md").read_text(encoding="utf-8").split("## A rendered row")[0]
    (given.out / "card.md").write_text(card.rstrip() + "\n", encoding="utf-8")
    (given.out / "loss.png").write_bytes((given.work / "student" / "loss.png").read_bytes())
    for name, folder in sampled.items():
        (given.out / f"{name}.jsonl").write_bytes((folder / "traces.jsonl").read_bytes())
    print(
        json.dumps({k: {a: b for a, b in v.items() if a != "right"} for k, v in figures.items()}),
        result["paired_difference"],
    )
    return 0


def tell(done: int, of: int, seen: dict[str, float] | None = None) -> None:
    print(done, of, (seen or {}).get("loss", ""), flush=True)


def measure(folder: Path) -> dict[str, Any]:
    """Return answer metrics (Wilson 95 % intervals) and how the traces look."""
    with Batch.open(folder) as batch:
        traces = list(batch.traces())
        gold = {q.id: q.gold for q in batch.questions()}
        right = [int(t.answer is not None and t.answer == gold[t.question_id]) for t in traces]
        numbered = sum(len(segment(t, "numbered").steps) >= 2 and t.text.lstrip().startswith("1.") for t in traces)
        return {
            "n": len(traces),
            "accuracy": share(sum(right), len(right)),
            "parsed": share(sum(t.answer is not None for t in traces), len(traces)),
            "numbered": share(numbered, len(traces)),
            "cut_off": sum(t.finish_reason == "length" for t in traces),
            "mean_tokens": round(sum(t.completion_tokens or 0 for t in traces) / len(traces), 1),
            "right": right,
        }


def share(k: int, n: int) -> dict[str, Any]:
    z, p = 1.96, k / n
    middle, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n),
    )
    return {"k": k, "share": round(p, 3), "ci95": [round(middle - half, 3), round(middle + half, 3)]}


def paired(before: list[int], after: list[int]) -> dict[str, Any]:
    differences = [a - b for a, b in zip(after, before, strict=True)]
    rng = random.Random(0)
    means = sorted(sum(rng.choices(differences, k=len(differences))) / len(differences) for _ in range(5000))
    return {
        "accuracy": round(sum(differences) / len(differences), 3),
        "ci95": [round(means[125], 3), round(means[4874], 3)],
    }


if __name__ == "__main__":
    sys.exit(main())
