"""How a step is cut into claims without a model: against claims marked by hand, and what it makes of MR-Ben's steps.

    python benchmarks/claims.py --gold claims.jsonl --data ../shared/data

A line of the gold file: `step`, `stem`, `context` (texts of earlier steps), `claims` [{`text`, `must_keep` (substrings
that the claim must have), `restatement`}], `not_claims`. A marked claim is matched where an own one, taken once, has a
token F1 of .6 or more. The first half of the file may be looked at when the rule is changed, the second may not.
Intervals resample vignettes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tracejury.agents import Claim, ClaimSet, ContextStep, cut_by_rule
from tracejury.reports import bootstrap
from tracejury.traces import Question, Trace, read, segment

HERE = Path(__file__).parent
MATCH = 0.6
_TOKEN = re.compile(r"\w+(?:[.,]\d+)*")


class Marked(NamedTuple):
    """Counts of one step."""

    vignette: str
    marked: int
    matched: int
    cut: int
    same_restatement: int
    must_keep: int
    kept_whole: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "claims.json")
    args = parser.parse_args()
    rows = [against_marks(json.loads(line)) for line in args.gold.read_text("utf-8").splitlines()]
    half = len(rows) // 2
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True).stdout
    result = {
        "command": "python benchmarks/claims.py --gold claims.jsonl",
        "commit": commit.strip(),
        "first half": summary(rows[:half]),
        "second half": summary(rows[half:]),
        "MR-Ben": on_mr_ben(args.data / "mr_ben" / "medicine_dev_subset.json"),
    }
    args.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def against_marks(row: dict[str, Any]) -> Marked:
    earlier = [c if isinstance(c, str) else c["text"] for c in row["context"]]
    context = [ContextStep(index=i, text=text) for i, text in enumerate(earlier)]
    own = cut_by_rule(row["step"], row["stem"], context).claims
    pairs = list(matches(row["claims"], own))
    return Marked(
        vignette=row["stem"],
        marked=len(row["claims"]),
        matched=len(pairs),
        cut=len(own),
        same_restatement=sum(bool(claim.restates) is mark["restatement"] for mark, claim in pairs),
        must_keep=sum(len(mark["must_keep"]) for mark, _ in pairs),
        kept_whole=sum(words.lower() in claim.text.lower() for mark, claim in pairs for words in mark["must_keep"]),
    )


def matches(marks: Sequence[dict[str, Any]], own: Sequence[Claim]) -> Iterator[tuple[dict[str, Any], Claim]]:
    """Yield pairs, the most alike first, each mark and each claim once."""
    scored = [(f1(mark["text"], claim.text), i, j) for i, mark in enumerate(marks) for j, claim in enumerate(own)]
    marks_used: set[int] = set()
    own_used: set[int] = set()
    for score, i, j in sorted(scored, reverse=True):
        if score >= MATCH and i not in marks_used and j not in own_used:
            marks_used.add(i)
            own_used.add(j)
            yield marks[i], own[j]


def f1(first: str, second: str) -> float:
    a, b = (Counter(_TOKEN.findall(text.lower())) for text in (first, second))
    return 2 * (a & b).total() / (a.total() + b.total())


def summary(rows: Sequence[Marked]) -> dict[str, Any]:
    """Pool the counts; intervals by vignette."""
    vignettes = sorted({row.vignette for row in rows})
    sums = np.array([np.sum([r[1:] for r in rows if r.vignette == v], axis=0) for v in vignettes], dtype=float)
    shares = {"marked claims matched": (1, 0), "own claims matched": (1, 2), "restatement agrees": (3, 1)}
    shares |= {"must-keep words are in the claim": (5, 4)}
    counts = {"steps": len(rows), "vignettes": len(vignettes), "marked": int(sums[:, 0].sum())}
    boot = bootstrap(sums, lambda c: np.stack([c[..., a] / c[..., b] for a, b in shares.values()], axis=-1))
    return counts | {name: boot.estimate(i).model_dump() for i, name in enumerate(shares)}


def on_mr_ben(path: Path) -> dict[str, Any]:
    records = list(read("mr-ben", path))
    stems = {r.id: r.stem for r in records if isinstance(r, Question)}
    sets: list[ClaimSet] = []
    began = time.perf_counter()
    for trace in (r for r in records if isinstance(r, Trace)):
        steps = segment(trace, "given").steps
        for step in steps:
            context = [ContextStep(index=s.index, text=s.text) for s in steps if s.index < step.index]
            sets.append(cut_by_rule(step.text, stems[trace.question_id], context))
    seconds = time.perf_counter() - began
    claims = [claim for claim_set in sets for claim in claim_set.claims]
    return {
        "steps": len(sets),
        "claims": len(claims),
        "claims a step": dict(sorted(Counter(len(s.claims) for s in sets).items())),
        "share of steps without a claim": round(sum(not s.claims for s in sets) / len(sets), 4),
        "steps with a coverage below .9": sum(s.coverage < 0.9 for s in sets),
        "restatements": sum(claim.restates is not None for claim in claims),
        "rewritten": sum(claim.rewritten for claim in claims),
        "ms a step, segmentation included": round(1000 * seconds / len(sets), 1),
    }


if __name__ == "__main__":
    main()
