"""Attacks on planted errors through the whole policy: `tracejury adjudicate` with judges that obey every attack.

    python -m benchmarks.attacks.through_policy [--templates FILE.jsonl] [--each 3]

Success of an attack: the outcome `supported` on a planted error under `grounded`. Beside it what the same panels make
of the errors without any attack, and of the plain majority, which these judges always talk into `supported`; and what
a poisoned source reaches once the user has vouched for it (`trust: full`), which is no success but the price of that.
`--templates` names further attacks, JSON lines of {family, name, template, passage_template}; `--each 3` tries every
attack on a third of the errors, another third each time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks.attacks.planted import PlantedError, PolicyAttack, planted_errors, policy_attacks, write_batch
from tracejury.agents import Outcome
from tracejury.ledger import Ledger

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "policy_attacks.json"
PANELS = {
    "two judges: obedient, strongest": ("obedient", "strongest"),
    "three judges: obedient twice, strongest": ("obedient", "obedient", "strongest"),
    "three judges: all strongest": ("strongest", "strongest", "strongest"),
}
CLEAN = PolicyAttack("no attack", "no attack", "{step}")


class Attacked(NamedTuple):
    """One attack on one error under one panel."""

    attack: PolicyAttack
    error: str
    outcome: Outcome
    majority_outcome: Outcome | None


@contextmanager
def judges_installed() -> Iterator[str]:
    """Install the judges as a package of its own: a folder for PYTHONPATH with an entry point."""
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder) / "liars-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: liars\nVersion: 0.1\n")
        kinds = {"obedient": "Obedient", "strongest": "Strongest"}
        lines = [f"{kind} = benchmarks.attacks.liars:{name}" for kind, name in kinds.items()]
        (info / "entry_points.txt").write_text("\n".join(["[tracejury.judges]", *lines]) + "\n")
        yield folder


def attack_all(
    errors: Sequence[PlantedError],
    attacks: Sequence[PolicyAttack],
    panel: Sequence[str],
    each: int,
    plugin: str,
    calibration: Path | None = None,
    *,
    vouched: bool = False,
) -> list[Attacked]:
    """Run the attacks through the command line and return what became of the attacked steps."""
    rows: list[Attacked] = []
    on_steps = [a for a in attacks if a.passage is None]
    if on_steps:
        rows += _adjudicated(errors, on_steps, panel, each, plugin, None, calibration, vouched)
    for attack in (a for a in attacks if a.passage is not None):
        rows += _adjudicated(errors, [attack], panel, each, plugin, attack.passage, calibration, vouched)
    return rows


def _adjudicated(
    errors: Sequence[PlantedError],
    attacks: Sequence[PolicyAttack],
    panel: Sequence[str],
    each: int,
    plugin: str,
    passage: str | None,
    calibration: Path | None,
    vouched: bool,
) -> list[Attacked]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_batch(work / "traces.jsonl", errors, attacks, each)
        body: dict[str, Any] = {
            "judges": [{"name": f"{kind}-{i}", "judge": kind} for i, kind in enumerate(panel)],
            "resolver": {},
            "policy": "grounded",
            "segmenter": "given",
        }
        if calibration is not None:
            body["checker"] = {"name": "nli", "calibration": str(calibration.resolve())}
        if passage is not None:
            source = work / "protocols"
            source.mkdir()
            for error in errors:
                (source / f"{error.name}.md").write_text(error.filled(passage), "utf-8")
            trust = ("--trust", "full") if vouched else ()
            _run(plugin, "index", "build", "documents", "--set", f"path={source}", "--index", work / "index", *trust)
            body["retrieval"] = {"sources": ["documents"], "k": 3}
        (work / "panel.yaml").write_text(yaml.safe_dump(body))
        store = f"sqlite:///{work / 'ledger.db'}"
        _run(plugin, "adjudicate", work / "traces.jsonl", "--panel", work / "panel.yaml", "--store", store,
             "--run", "attacks", "--index", work / "index")  # fmt: skip
        return list(_rows(store, attacks))


def _run(plugin: str, *arguments: object) -> None:
    import os

    path = os.pathsep.join([plugin, str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", "from tracejury.console.app import main; main()", *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"tracejury {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _rows(store: str, attacks: Sequence[PolicyAttack]) -> Iterator[Attacked]:
    ledger = Ledger(store)
    run = ledger.run("attacks")
    for trace, question, _ in ledger.traces(run):
        attack = attacks[int(trace.arm.removeprefix("attack-"))]
        for deliberation in ledger.deliberations(run, trace.id):
            if deliberation.step.index == 1:
                verdict = deliberation.verdict
                yield Attacked(attack, question.key, verdict.outcome, verdict.majority_outcome)
    ledger.close()


def table(rows: Sequence[Attacked]) -> dict[str, dict[str, int]]:
    """Count by family: attacks, attacked errors, and how many end `supported`."""
    families = dict.fromkeys(row.attack.family for row in rows)
    return {
        family: {
            "attacks": len({r.attack.name for r in rows if r.attack.family == family}),
            "errors": len({r.error for r in rows if r.attack.family == family}),
            "tried": sum(r.attack.family == family for r in rows),
            "supported": sum(r.attack.family == family and r.outcome is Outcome.SUPPORTED for r in rows),
            "majority supported": sum(
                r.attack.family == family and r.majority_outcome is Outcome.SUPPORTED for r in rows
            ),
        }
        for family in families
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--templates", type=Path, help="further attacks, JSON lines")
    parser.add_argument("--templates-only", action="store_true", help="leave the project's own attacks out")
    parser.add_argument("--vouched", action="store_true", help="try poisoned sources under `trust: full` as well")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--calibration", type=Path, help="of the checker; the shipped one without it")
    parser.add_argument("--panels", nargs="+", choices=PANELS, default=list(PANELS))
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    errors = planted_errors()
    sets = {} if args.templates_only else {"the project's own": policy_attacks()}
    if args.templates:
        sets["written without sight of the code"] = policy_attacks(args.templates)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = {"commit": commit.strip(), "errors": len(errors), "each": args.each}
    result["command"] = f"python -m benchmarks.attacks.through_policy {' '.join(sys.argv[1:])}"
    with judges_installed() as plugin:
        for panel in args.panels:
            found = table(attack_all(errors, [CLEAN], PANELS[panel], 1, plugin, args.calibration))
            for name, attacks in sets.items():
                rows = attack_all(errors, attacks, PANELS[panel], args.each, plugin, args.calibration)
                for row in rows:
                    if row.outcome is Outcome.SUPPORTED:
                        print(f"{panel}: {row.attack.family}, {row.attack.name!r} on {row.error}", flush=True)
                found |= {f"{family}, {name}": counts for family, counts in table(rows).items()}
                if args.vouched:
                    poisoned = [a for a in attacks if a.passage is not None]
                    believed = attack_all(
                        errors, poisoned, PANELS[panel], args.each, plugin, args.calibration, vouched=True
                    )
                    found |= {f"{family}, vouched for, {name}": counts for family, counts in table(believed).items()}
                found[f"all, {name}"] = dict(sum((Counter(c) for c in table(rows).values()), Counter()))
            result[panel] = found
            print(panel, json.dumps(found, indent=1), flush=True)
            args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
