"""Fuzz one target after another, each in a process of its own, guided by the coverage of our code.

    python -m benchmarks.fuzz.run --minutes 10                      # all targets (`make fuzz MINUTES=10`)
    python -m benchmarks.fuzz.run replies --minutes 1

A crash is an exception that the target does not allow, or 25 s or 2 GB for one input; its input is kept beside the
results and printed. Results: benchmarks/results/fuzz.json (executions, crashes, edges of our code that were reached).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results" / "fuzz.json"
NAMES = ("readers", "inspect", "replies", "quotes", "sources")


def one(name: str, seconds: int) -> None:
    """Fuzz in this process; does not return."""
    import atheris

    with atheris.instrument_imports(include=["tracejury.traces", "tracejury.agents.replies", "tracejury.models.schemas",
                                             "tracejury.retrieval"]):  # fmt: skip
        from benchmarks.fuzz.targets import TARGETS

        target = TARGETS[name]
        corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
        for n, seed in enumerate(target.seeds()):
            (corpus / str(n)).write_bytes(seed)
            # Rooms load lazily: each seed once, so that what it needs is imported, and so instrumented, here.
            target.run(seed)
    limits = [f"-max_total_time={seconds}", "-timeout=25", "-rss_limit_mb=2048", "-max_len=4096"]
    fuzzer_arguments = [sys.argv[0], str(corpus), *limits, "-print_final_stats=1", f"-artifact_prefix={corpus}-"]
    atheris.Setup(fuzzer_arguments, target.run)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[*NAMES, []], help="default: all")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--here", action="store_true", help="one target, in this process")
    options = parser.parse_args()
    if options.here:
        one(options.targets[0], round(60 * options.minutes))
        return
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    crashed = False
    for name in options.targets or NAMES:
        command = [sys.executable, "-m", "benchmarks.fuzz.run", name, "--minutes", str(options.minutes), "--here"]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
        executed = re.search(r"stat::number_of_executed_units: (\d+)", process.stderr)
        reached = re.findall(r"cov: (\d+)", process.stderr)
        crash_files = re.findall(r"Test unit written to (\S+)", process.stderr)
        results[name] = {
            "command": f"python -m benchmarks.fuzz.run {name} --minutes {options.minutes:g}",
            "commit": commit,
            "executions": int(executed[1]) if executed else None,
            "edges": int(reached[-1]) if reached else None,
            "crashes": len(crash_files),
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(name, results[name], flush=True)
        if process.returncode:
            crashed = True
            print(process.stderr[-4000:], *crash_files, sep="\n", file=sys.stderr)
    sys.exit(3 if crashed else 0)


if __name__ == "__main__":
    main()
