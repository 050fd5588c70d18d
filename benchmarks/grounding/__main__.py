"""What the demand for evidence is worth: `python -m benchmarks.grounding --data ../shared/data`.

    --only lift       lift of the checker per gold class, on parts that nothing was trained or tuned on
    --only liars      verdicts of juries that are always wrong and of juries that are always right, on MR-Ben
    --only worse      the jury's risk less the plain majority's at the same coverage, with judges of known skill
    --only quotes     quotes that must be refused, and true ones
    --only citations  citation precision and recall of the truthful jury (Gao et al. 2023, arXiv 2305.14627)
    --only cost       model calls a step with the checker `llm`; pairs a second that `nli` reads on one core
    --only model      the lift of the checker `llm` on a model file (`--gguf`): one text a claim, thresholds of one half
                      of the groups for the other, since calibrating it on whole abstracts takes days on a CPU

Answers of checkers are kept under `--work`: what was read once is not read again. Results are merged into `--out`, each
with commit and command. Intervals: 95 %, questions or documents resampled.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.checker_speed import pairs_a_second
from benchmarks.grounding.checkers import cached_checker, calibration_summary
from benchmarks.grounding.citations import measure_citations
from benchmarks.grounding.cost import measure_cost
from benchmarks.grounding.juries import Sides
from benchmarks.grounding.labelled_sets import LabelledClaim, labelled_sets, sample
from benchmarks.grounding.liars import measure_liars
from benchmarks.grounding.lift import ClaimCounts, measure_lift
from benchmarks.grounding.model_lift import measure_model_lift
from benchmarks.grounding.mr_ben import TRACES, LabelledCase, labelled_cases
from benchmarks.grounding.never_worse import measure_never_worse
from benchmarks.grounding.quotes import measure_quotes
from benchmarks.grounding.strongest import jury_panel
from benchmarks.grounding.tables import markdown
from tracejury.agents import JudgePanel

PARTS = ("quotes", "cost", "lift", "model", "liars", "worse", "citations")
SETS = ("SciFact", "CliniFact", "PubMedQA", "MedHallu", "NLI4CT gold lines")
QUICK_CLAIMS, QUICK_TRACES = 20, 4


class SharedMeasurements:
    """What the parts share: data, checker, and what was computed once."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @cached_property
    def panel(self) -> JudgePanel:
        return jury_panel(cached_checker("nli", self.args.work, calibration=self.args.calibration))

    @cached_property
    def sets(self) -> dict[str, list[LabelledClaim]]:
        most = QUICK_CLAIMS if self.args.quick else self.args.claims
        sets = labelled_sets(self.args.data)
        return {name: sample(sets[name], most) for name in self.args.sets or sets}

    @cached_property
    def cases(self) -> list[LabelledCase]:
        traces = QUICK_TRACES if self.args.quick else self.args.traces
        return labelled_cases(self.args.data, self.args.work, traces) if traces else []

    @cached_property
    def lift(self) -> tuple[dict[str, Any], dict[str, list[ClaimCounts]]]:
        return measure_lift(self.sets, self.panel)

    @cached_property
    def liars(self) -> tuple[dict[str, Any], list[Sides]]:
        return measure_liars(self.cases, self.panel)

    def part(self, name: str) -> dict[str, Any]:
        """Measure one part."""
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "lift": lambda: self.lift[0],
            "liars": lambda: self.liars[0],
            "worse": lambda: measure_never_worse(
                self.lift[1], self.cases, self.liars[1] if self.cases else [], self.panel
            ),
            "quotes": lambda: measure_quotes(self.args.data, self.args.quotes),
            "citations": lambda: measure_citations(self.cases, self.liars[1]),
            "cost": lambda: measure_cost() | {"nli, pairs a second of one core": round(pairs_a_second(), 1)},
            "model": lambda: measure_model_lift(
                labelled_sets(self.args.data), self.args.gguf, self.args.work, quick=self.args.quick
            ),
        }
        return measures[name]()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/grounding"))
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--calibration", type=Path, help="of the checker `nli`; the shipped one without it")
    parser.add_argument("--gguf", type=Path, help="the model file of the part `model`, left out without it")
    parser.add_argument("--quotes", type=Path, nargs="*", default=[], help="further quotes, JSON lines: only counts")
    parser.add_argument("--sets", nargs="+", choices=SETS, help="of `lift` and `worse`; the others' figures stay")
    parser.add_argument("--claims", type=int, default=240, help="claims of a set, at most")
    parser.add_argument("--traces", type=int, default=TRACES, help="traces of MR-Ben; 0 leaves it out of `worse`")
    parser.add_argument("--quick", action="store_true", help="a few claims and traces: does it run?")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/grounding.json"))
    args = parser.parse_args()
    args.work = args.work.absolute()
    args.work.mkdir(parents=True, exist_ok=True)
    about = {"command": f"python -m benchmarks.grounding {' '.join(sys.argv[1:])}", "commit": _commit()}
    results: dict[str, Any] = json.loads(args.out.read_text("utf-8")) if args.out.is_file() else {}
    shared = SharedMeasurements(args)
    for name in args.only:
        if name == "model" and args.gguf is None:
            continue
        began = time.perf_counter()
        measured = shared.part(name)
        checker = shared.panel.checker if name in ("lift", "liars", "worse", "citations") else None
        entry = about | {"seconds": round(time.perf_counter() - began)}
        if checker is not None:
            entry["checker"] = {"identity": checker.identity, "calibration": calibration_summary(checker.calibration)}
        keep(results, {name: measured}, entry, args)


def keep(results: dict[str, Any], parts: dict[str, Any], about: dict[str, Any], args: argparse.Namespace) -> None:
    """Merge parts into the results, write them, and print their tables."""
    for name, measured in parts.items():
        if args.sets and name in results:
            measured = results[name]["figures"] | measured
        results[name] = about | {"figures": measured}
        print(markdown(name, measured), flush=True)
    if not args.quick:
        args.out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
