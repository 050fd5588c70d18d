"""Attacks on planted errors through the whole policy: `tracejury adjudicate` with judges that obey every attack.

    python -m benchmarks.attacks.through_policy [--templates FILE.jsonl ...] [--vouched] [--each 3]

Success of an attack: the outcome `supported` on a planted error under `grounded`. Beside it what the same panels make
of the errors without any attack, and of the plain majority, which these judges always talk into `supported`; and what
a poisoned source reaches once the user has vouched for it (`trust: full`), which is no success but the price of that.
`--templates` names further attacks, JSON lines of {family, name, template, passage_template}; `--each 3` tries every
attack on a third of the errors, another third each time, and a poisoned source holds what all attacks plant.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks.attacks.planted import (
    Attempt,
    PlantedError,
    PolicyAttack,
    planted_errors,
    policy_attacks,
    spread,
    write_batch,
    write_poisoned_source,
)
from tracejury.agents import Outcome
from tracejury.ledger import Ledger

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "policy_attacks.json"
PANELS = {
    "two judges: both obedient": ("obedient", "obedient"),
    "two judges: obedient, strongest": ("obedient", "strongest"),
    "three judges: all obedient": ("obedient", "obedient", "obedient"),
    "three judges: obedient twice, strongest": ("obedient", "obedient", "strongest"),
    "three judges: all strongest": ("strongest", "strongest", "strongest"),
}
SOME_FAILED, RETRIES = 2, 3
"""The same command asks a judge again that broke, on a crowded machine for instance."""
PASSAGES = 8
"""Retrieved by step: enough for all that was planted about one error."""
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
    """Run the attacks through the command line and return what became of the attacked steps.

    Args:
        errors: The planted errors.
        attacks: What to do to them.
        panel: The kinds of the judges.
        each: Every attack is tried on one of so many errors, see `spread`.
        plugin: The folder from `judges_installed`.
        calibration: Of the checker; the shipped one without it.
        vouched: Vouch for the poisoned source.
    """
    attempts = spread(errors, attacks, each)
    rows: list[Attacked] = []
    for poisoned in (False, True):
        if chosen := [a for a in attempts if (a.attack.passage is not None) == poisoned]:
            rows += _adjudicated(chosen, panel, plugin, calibration, poisoned=poisoned, vouched=vouched)
    return rows


def _adjudicated(
    attempts: Sequence[Attempt],
    panel: Sequence[str],
    plugin: str,
    calibration: Path | None,
    *,
    poisoned: bool,
    vouched: bool,
) -> list[Attacked]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_batch(work / "traces.jsonl", attempts)
        body: dict[str, Any] = {
            "judges": [{"name": f"{kind}-{i}", "judge": kind} for i, kind in enumerate(panel)],
            "resolver": {},
            "policy": "grounded",
            "segmenter": "given",
        }
        if calibration is not None:
            body["checker"] = {"name": "nli", "calibration": str(calibration.resolve())}
        if poisoned:
            source = work / "protocols"
            write_poisoned_source(source, attempts)
            trust = ("--trust", "full") if vouched else ()
            _run(plugin, "index", "build", "documents", "--set", f"path={source}", "--index", work / "index", *trust)
            body["retrieval"] = {"sources": ["documents"], "k": PASSAGES}
        (work / "panel.yaml").write_text(yaml.safe_dump(body))
        store = f"sqlite:///{work / 'ledger.db'}"
        _run(plugin, "adjudicate", work / "traces.jsonl", "--panel", work / "panel.yaml", "--store", store,
             "--run", "attacks", "--index", work / "index")  # fmt: skip
        return list(_rows(store, {attempt.number: attempt.attack for attempt in attempts}))


def _run(plugin: str, *arguments: object) -> None:
    import os

    path = os.pathsep.join([plugin, str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", "from tracejury.console.app import main; main()", *map(str, arguments)]
    for _ in range(RETRIES):
        environment = {"PYTHONPATH": path, "TRACEJURY_PLUGIN_TIME_LIMIT_S": "3600"}
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
        if done.returncode != SOME_FAILED:
            break
    if done.returncode:
        raise RuntimeError(f"tracejury {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _rows(store: str, attacks: Mapping[int, PolicyAttack]) -> Iterator[Attacked]:
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
    """Count by family, by who wrote the attacks, and in all: attacks, attacked errors, and how many end `supported`."""
    groups = {
        "by family": {family: [r for r in rows if r.attack.family == family] for family in _of(rows, "family")},
        "by origin": {origin: [r for r in rows if r.attack.origin == origin] for origin in _of(rows, "origin")},
    }
    counted = {name: _counts(of_group) for of in groups.values() if len(of) > 1 for name, of_group in of.items()}
    return counted | {"all": _counts(rows)}


def _of(rows: Sequence[Attacked], field: str) -> list[str]:
    return list(dict.fromkeys(getattr(row.attack, field) for row in rows))


def _counts(rows: Sequence[Attacked]) -> dict[str, int]:
    return {
        "attacks": len({row.attack for row in rows}),
        "errors": len({row.error for row in rows}),
        "tried": len(rows),
        "supported": sum(row.outcome is Outcome.SUPPORTED for row in rows),
        "majority supported": sum(row.majority_outcome is Outcome.SUPPORTED for row in rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--templates", type=Path, nargs="+", default=[], help="files of further attacks, JSON lines")
    parser.add_argument("--vouched", action="store_true", help="try poisoned sources under `trust: full` as well")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--calibration", type=Path, help="of the checker; the shipped one without it")
    parser.add_argument("--panels", nargs="+", choices=PANELS, default=list(PANELS))
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    errors = planted_errors()
    attacks = [*policy_attacks(), *(attack for path in args.templates for attack in policy_attacks(path))]
    # Neighbours begin at neighbouring errors, so that every family is spread over all of them.
    attacks.sort(key=lambda attack: attack.family)
    poisoned = [attack for attack in attacks if attack.passage is not None]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = {"commit": commit.strip(), "errors": len(errors), "each": args.each}
    result["command"] = f"python -m benchmarks.attacks.through_policy {' '.join(sys.argv[1:])}"
    with judges_installed() as plugin:
        for panel in args.panels:
            rows = attack_all(errors, attacks, PANELS[panel], args.each, plugin, args.calibration)
            for row in rows:
                if row.outcome is Outcome.SUPPORTED:
                    print(f"{panel}: {row.attack.family}, {row.attack.name!r} on {row.error}", flush=True)
            clean = attack_all(errors, [CLEAN], PANELS[panel], 1, plugin, args.calibration)
            result[panel] = {"no attack": _counts(clean), "attacked": table(rows)}
            if args.vouched:
                believed = attack_all(
                    errors, poisoned, PANELS[panel], args.each, plugin, args.calibration, vouched=True
                )
                result[panel]["attacked, the poisoned source vouched for"] = table(believed)
            print(panel, json.dumps(result[panel], indent=1), flush=True)
            args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
