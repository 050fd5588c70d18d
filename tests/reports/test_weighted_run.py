"""From recorded opinions to weights, and from weights to verdicts: `adjudicate`, `panels weigh`, `gate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from tracejury.agents import Combination, Label
from tracejury.console.app import app
from tracejury.traces import GivenStep, Question, Trace, write_batch

JUDGES = ("good", "twin", "triplet", "other", "third")
QUESTIONS, STEPS = 30, 4


class Study(NamedTuple):
    store: tuple[str, str]
    says: dict[tuple[str, str, int], dict[str, str]]
    """(question, arm, step) -> judge -> label."""
    weights: Path


def command(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three judges that are one, and two that err apart: the plain majority is that one's."""
    folder, rng = tmp_path_factory.mktemp("weighted"), np.random.default_rng(3)
    says: dict[tuple[str, str, int], dict[str, str]] = {}
    items: list[Question | Trace] = []
    words = np.array(["supported", "error"])
    for n in range(QUESTIONS):
        items.append(question := Question(stem="", source="s", key=f"q{n}"))
        for arm in ("base", "distilled"):
            human = rng.integers(0, 2, STEPS)
            votes = {name: np.where(rng.random(STEPS) < p, human, 1 - human)
                     for name, p in (("good", 0.7), ("other", 0.85), ("third", 0.85))}  # fmt: skip
            votes |= dict.fromkeys(("twin", "triplet"), votes["good"])
            for i in range(STEPS):
                says[f"q{n}", arm, i] = {name: str(words[votes[name][i]]) for name in JUDGES}
            steps = tuple(
                GivenStep.model_validate({"text": f"Step {i} of {n} in {arm}.", "label": str(words[human[i]])})
                for i in range(STEPS)
            )
            text = "\n".join(step.text for step in steps)
            items.append(Trace(question_id=question.id, model="m", arm=arm, text=text, steps=steps))
    write_batch(items, folder / "traces")
    rows = [{"question": q, "arm": arm, "step": i, "judge": name, "label": label}
            for (q, arm, i), labels in says.items() for name, label in labels.items()]  # fmt: skip
    (folder / "opinions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = ("--store", f"sqlite:///{folder}/ledger.db")
    panel: dict[str, Any] = {
        "judges": [{"name": name, "judge": "recorded", "params": {"path": str(folder / "opinions.jsonl"),
                                                                  "judge": name}} for name in JUDGES],
        "policy": "consensus", "checker": None, "resolver": None, "segmenter": "given",
    }  # fmt: skip
    weights = folder / "weights.json"
    for run, changes in (("plain", {}), ("weighted", {"combine": "weighted", "weights": str(weights)})):
        (folder / f"{run}.yaml").write_text(yaml.safe_dump(panel | changes))
        command("adjudicate", str(folder / "traces"), "--panel", str(folder / f"{run}.yaml"), "--run", run, *store)
        if run == "plain":
            command("panels", "weigh", "plain", "--out", str(weights), *store)
    return Study(store, says, weights)


def outcomes(study: Study, run: str) -> dict[tuple[str, str, int], tuple[str, str]]:
    rows = [json.loads(line) for line in command("export", run, *study.store).splitlines()]
    return {(r["meta"]["question_key"], r["arm"], r["step_index"]): (r["outcome"], r["label"]) for r in rows}


def test_weighted_verdicts_are_those_of_the_file_and_better_than_the_plain_ones(study: Study) -> None:
    combination = Combination.model_validate_json(study.weights.read_text())
    assert {"good", "twin", "triplet"} in [set(cluster.judges) for cluster in combination.clusters]
    plain, weighted = outcomes(study, "plain"), outcomes(study, "weighted")
    assert set(weighted) == set(study.says)
    for step, labels in study.says.items():
        winner, _ = combination.result({name: Label(label) for name, label in labels.items()})
        assert weighted[step][0] == (winner.value if winner else "abstained")
        assert plain[step][0] == labels["good"]
    right = [np.mean([outcome == label for outcome, label in run.values()]) for run in (plain, weighted)]
    assert right[1] > right[0] + 0.05


def test_a_gate_refuses_a_panel_whose_judges_err_together(study: Study) -> None:
    checks = []
    for least in ("1.5", "4"):
        words = ["gate", "plain:distilled", "--baseline", "plain:base", "--min-effective", least,
                 "--max-step-error-rise", "50", "--allow-not-robust", "--json", *study.store]  # fmt: skip
        result = CliRunner().invoke(app, words)
        (gate,) = json.loads(result.stdout)
        checks.append((result.exit_code, next(c for c in gate["checks"] if c["name"] == "effective judges")))
    (fine, passed), (refused, failed) = checks
    assert (fine, passed["passed"]) == (0, True)
    assert (refused, failed["passed"]) == (3, False)
    assert failed["finding"].startswith("5 judges are worth 2.")
