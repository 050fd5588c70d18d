"""How well the answers found in MIRAGE's published replies agree with MIRAGE's published accuracies.

    python benchmarks/answers.py [--data DIR]

The replies are those of Xiong et al. (arXiv 2402.13178); the accuracies are of their table of results on MedQA-US.
Their script counts a reply that names no option ("None of the above", a filtered reply) as "A", and takes the first
of several letters. Here such replies are wrong and counted as unparsable; `as theirs` applies their two rules to the
answers found here, and is what must come near their figure.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tracejury.traces import Question, Trace, answer_correct, read

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = {
    ("gpt-35-turbo-16k", "cot"): 65.0,
    ("gpt-35-turbo-16k", "rag_32"): 66.6,
    ("gpt-4-32k", "cot"): 84.0,
    ("gpt-4-32k", "rag_32"): 82.8,
}


def measure(data: Path) -> list[dict[str, object]]:
    """Return one row for each model and mode: replies, found answers, accuracy in percent, and the published one."""
    rows = []
    for (model, mode), published in PUBLISHED.items():
        gold: dict[str, str | None] = {}
        counts: Counter[str] = Counter()
        for found in read("mirage", data / "mirage" / "traces" / f"medqa.{mode}.{model}.jsonl"):
            if isinstance(found, Question):
                gold[found.id] = found.gold
            elif isinstance(found, Trace):
                counts["replies"] += 1
                counts[f"reply_{found.meta['reply']}"] += 1
                counts["unparsable"] += found.answer is None
                counts["correct"] += answer_correct(found.answer, gold[found.question_id]) is True
                counts["correct_theirs"] += (found.answer or "A")[0] == gold[found.question_id]
        # MIRAGE divides by all questions, so a question without a reply counts as wrong.
        accuracy, theirs = (100 * counts[name] / len(gold) for name in ("correct", "correct_theirs"))
        rows.append(
            {"model": model, "mode": mode, "n": len(gold), **counts}
            | {"accuracy": round(accuracy, 2), "as_theirs": round(theirs, 2), "published": published}
            | {"difference": round(theirs - published, 2)}
        )
    return rows


def marks(data: Path) -> dict[str, int]:
    """Return how often right and wrong, told from the answers found, agree with the marks of vlievin's table."""
    gold: dict[str, str | None] = {}
    counts: Counter[str] = Counter()
    for found in read("vlievin", data / "vlievin_medical_reasoning" / "usmle-valid.html"):
        if isinstance(found, Question):
            gold[found.id] = found.gold
        elif isinstance(found, Trace) and gold[found.question_id] is not None:
            counts["n"] += 1
            counts["agree"] += answer_correct(found.answer, gold[found.question_id]) is found.meta["marked_correct"]
    return dict(counts)


def main() -> int:
    """Print the table, write it to benchmarks/results/answers.json; 1 if any accuracy is more than a point off."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=os.environ.get("TRACEJURY_DATA", ROOT.parent / "shared" / "data"))
    data = Path(options.parse_args().data)
    rows, table = measure(data), marks(data)
    for row in rows:
        print(
            f"{row['model']:18} {row['mode']:7} n {row['n']}  unparsable {row['unparsable']:3}  "
            f"accuracy {row['accuracy']:.2f}  as theirs {row['as_theirs']:.2f}  published {row['published']:.1f}  "
            f"difference {row['difference']:+.2f}"
        )
    print(f"vlievin's marks: {table['agree']} of {table['n']} agree ({table['agree'] / table['n']:.2%})")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    result = {"command": "python benchmarks/answers.py", "commit": commit.strip(), "rows": rows, "vlievin": table}
    (ROOT / "benchmarks" / "results" / "answers.json").write_text(json.dumps(result, indent=2) + "\n")
    return int(any(abs(float(str(row["difference"]))) > 1 for row in rows))


if __name__ == "__main__":
    sys.exit(main())
