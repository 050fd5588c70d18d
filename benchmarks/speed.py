"""How long the command line takes to start, and how the time for a hostile text grows with its length.

Usage: python benchmarks/speed.py [--out benchmarks/results/speed.json]

Startup: processor seconds of `tracejury --help`, the least of 8 processes. Texts: units that would stall a pattern that
backtracks, repeated to 100,000 characters for the segmenters, to 10,000 for claims and the judge without a model; the
exponent is log2 of the time over the time at half the length, 1 where time grows with the length.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tracejury.agents import Case, cut_by_rule, judges
from tracejury.traces import Trace, segment

STEM = "A 54-year-old man weighs 70 kg. His temperature is 38.5 C."
UNITS = (
    "a",
    " ",
    "\n",
    "1. ",
    "- \n",
    "A. ",
    "*",
    "The dose is 5 mg. ",
    "answer is ",
    "\t|",
    "(1 + ",
    "1+1=",
    '{"a": ',
)
SEGMENTERS = ("numbered", "reasoning", "sentences", "windows")
HELP = "import sys; sys.argv = ['tracejury', '--help']; from tracejury.console.app import main; main()"


def startup_s() -> float:
    """Return the processor time of `tracejury --help` in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", HELP], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def case_of(step: str) -> Case:

    return Case(step_id="s", trace_id="t", stem=STEM, step_index=0, step=step)


def seconds(work: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    work(text)
    return time.process_time() - started


def growth(work: Callable[[str], object], length: int) -> dict[str, object]:
    """Return the worst unit: its time at `length` characters, and the exponent between half of that and all."""
    worst: dict[str, object] = {"seconds": 0.0}
    for unit in UNITS:
        half, whole = (seconds(work, (unit * n)[:n]) for n in (length // 2, length))
        if whole >= float(str(worst["seconds"])):
            exponent = round(math.log2(whole / half), 2) if half > 0.005 else None
            worst = {"unit": unit, "characters": length, "seconds": round(whole, 3), "exponent": exponent}
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "speed.json")
    out = parser.parse_args().out
    work: dict[str, tuple[Callable[[str], object], int]] = {
        f"segment: {name}": (
            lambda text, name=name: segment(Trace(question_id="q", model="m", arm="a", text=text), name),
            100_000,
        )
        for name in SEGMENTERS
    }
    work["claims"] = (lambda text: cut_by_rule(text, STEM, ()), 10_000)
    data = judges.make("data")
    work["judge without a model"] = (lambda text: asyncio.run(data.draft(case_of(text), None)), 10_000)
    result = {
        "command": "python benchmarks/speed.py",
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        ).stdout.strip(),
        "help_cpu_s": round(min(startup_s() for _ in range(8)), 3),
        "processes": 8,
        "hostile_texts": {name: growth(function, length) for name, (function, length) in work.items()},
    }
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
