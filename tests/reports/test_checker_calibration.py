"""`tracejury quality calibrate --checker`: thresholds that hold against the best wrong citation."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tracejury.agents import Relation
from tracejury.agents.checkers import CheckerCalibration, LoadedChecker, Pair, Probabilities, best_citations
from tracejury.agents.checkers.validation import ValidatedChecker
from tracejury.console.app import app
from tracejury.reports import LabelledPair, NotEnoughLabelsError, calibrate_checker

RELATIONS = ("supports", "contradicts", "silent")


class Seeded:
    """Reads a relation out of a sentence (`supports 0.8`), with a habit of saying yes."""

    kind, summary, needs_endpoint, can_contradict, identity = "seeded", "made for a test", False, True, "seeded@1"

    async def probabilities(self, pairs: list[Pair], ask: object) -> list[Probabilities]:
        return [self.read(pair) for pair in pairs]

    def read(self, pair: Pair) -> Probabilities:
        logits = np.array([1.5, 0.0, 0.0])
        for sentence in pair.sentences:
            relation, strength = sentence.split()[:2]
            logits[RELATIONS.index(relation)] += float(strength)
        weights = np.exp(logits)
        return Probabilities(*map(float, weights / weights.sum()))


def row(rng: np.random.Generator, relation: str, group: int) -> LabelledPair:
    """Make one sentence that decides, and seven of its topic that lean anywhere a little."""
    gold = f"{relation} {rng.uniform(1.5, 5):.3f} gold"
    others = [f"{rng.choice(RELATIONS)} {rng.exponential(0.7):.3f} {i}" for i in range(7)]
    at = int(rng.integers(8))
    return LabelledPair(
        claim=f"claim {group}",
        evidence=(*others[:at], gold, *others[at:]),
        relation=Relation(relation),
        group=f"g{group}",
        gold=(at,),
    )


def rows(seed: int, n: int) -> list[LabelledPair]:
    rng = np.random.default_rng(seed)
    return [row(rng, RELATIONS[i % 3], i) for i in range(n)]


def loaded(calibration: CheckerCalibration | None = None) -> LoadedChecker:
    return LoadedChecker(ValidatedChecker(Seeded(), "seeded", "tests"), calibration)


def test_wrong_assertions_of_the_best_citation_stay_below_alpha_on_new_cases() -> None:
    fitted = asyncio.run(calibrate_checker(loaded(), rows(0, 480), alpha=0.1))
    checker = loaded(fitted)
    assert fitted.offsets[Relation.SUPPORTS] < -1
    # More sentences to choose from: a higher threshold.
    for relation in (Relation.SUPPORTS, Relation.CONTRADICTS):
        assert list(fitted.thresholds[relation]) == sorted(fitted.thresholds[relation])
        assert fitted.thresholds[relation][0] < fitted.thresholds[relation][2]
    reached: dict[tuple[Relation, Relation], list[bool]] = {}
    for new in rows(1, 600):
        best = asyncio.run(best_citations(new.claim, new.evidence, checker.check))
        for relation, citations in best.items():
            threshold = fitted.threshold(relation, 3)
            assert threshold is not None
            reached.setdefault((relation, new.relation), []).append(citations[-1].p >= threshold)
    for (asserted, true), each in reached.items():
        if asserted is not true:
            assert np.mean(each) <= 0.1 + 3 * (0.1 * 0.9 / len(each)) ** 0.5, (asserted, true)
    # True citations get through: a threshold that lets nothing pass would be no news.
    rate = fitted.evidence[Relation.SUPPORTS].true_rate
    assert rate is not None
    assert rate > 0.3


def test_too_few_groups_are_refused_with_the_number_needed() -> None:
    with pytest.raises(NotEnoughLabelsError, match=r"at alpha 0.05 it takes 19 there, so 38 in all"):
        asyncio.run(calibrate_checker(loaded(), rows(0, 60)))
    only = [r for r in rows(0, 300) if r.relation is Relation.SUPPORTS]
    with pytest.raises(NotEnoughLabelsError, match="on none of them `supports` would be wrong"):
        asyncio.run(calibrate_checker(loaded(), only))


def test_claims_of_one_step_are_priced_together() -> None:
    alone = rows(3, 600)
    # The same rows, three silent ones a step.
    together = [r.model_copy(update={"step": f"s{i // 9}", "group": f"g{i // 9}"}) for i, r in enumerate(alone)]
    one = asyncio.run(calibrate_checker(loaded(), alone, alpha=0.1))
    three = asyncio.run(calibrate_checker(loaded(), together, alpha=0.1))
    assert three.thresholds[Relation.SUPPORTS][-1] > one.thresholds[Relation.SUPPORTS][-1]
    assert three.evidence[Relation.SUPPORTS].steps < one.evidence[Relation.SUPPORTS].steps


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_the_shipped_checker_is_calibrated_at_the_command_line(tmp_path: Path) -> None:
    lines = []
    for i in range(84):
        drug, disease = f"drug{i}", ("gout", "asthma", "anaemia")[i % 3]
        evidence = {
            "supports": f"{drug} is effective for {disease}.",
            "contradicts": f"{drug} is not effective for {disease}.",
            "silent": f"{drug} is stored in a dry place.",
        }
        relation = RELATIONS[(i // 3) % 3]
        claim = f"{drug} is effective for {disease}."
        lines.append({"claim": claim, "evidence": [evidence[relation]], "relation": relation, "group": str(i)})
    pairs, out = write(tmp_path / "pairs.jsonl", lines), tmp_path / "nli.json"
    command = ["quality", "calibrate", "--checker", "nli", str(pairs), "--out", str(out), "--alpha", "0.2"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "84 labelled pairs in 84 groups" in result.output
    assert f"calibration: {out}" in result.output.replace("\n", "")
    fitted = CheckerCalibration.model_validate_json(out.read_text())
    assert (fitted.checker, fitted.n, fitted.alpha) == ("nli", 84, 0.2)
    again = CliRunner().invoke(app, [*command, "--json"])
    assert CheckerCalibration.model_validate_json(again.stdout) == fitted


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ({"claim": "a", "evidence": ["b"], "relation": "entails", "group": "1"}, "pairs.jsonl:2: relation:"),
        ({"claim": "a", "evidence": [], "relation": "silent", "group": "1"}, "pairs.jsonl:2: evidence:"),
        ({"claim": "a", "evidence": ["b"], "relation": "silent", "group": "1", "gold": [1]}, "there are 1 sentences"),
        ({"claim": "a", "evidence": ["b"], "relation": "silent"}, "pairs.jsonl:2: group:"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: dict[str, Any], complaint: str) -> None:
    good = {"claim": "a", "evidence": ["b"], "relation": "silent", "group": "1"}
    pairs = write(tmp_path / "pairs.jsonl", [good, line])
    result = CliRunner().invoke(app, ["quality", "calibrate", "--checker", "nli", str(pairs)])
    assert result.exit_code == 1
    assert complaint in result.output.replace("\n", " ")


def test_too_few_pairs_and_a_wrong_name_end_with_a_message(tmp_path: Path) -> None:
    pairs = write(tmp_path / "pairs.jsonl", [{"claim": "a", "evidence": ["b"], "relation": "silent", "group": "1"}])
    result = CliRunner().invoke(app, ["quality", "calibrate", "--checker", "nli", str(pairs)])
    assert result.exit_code == 1
    assert "so 38 in all" in result.output
    result = CliRunner().invoke(app, ["quality", "calibrate", "--checker", "nly", str(pairs)])
    assert "did you mean 'nli'" in result.output
    result = CliRunner().invoke(app, ["quality", "calibrate", "--checker", "llm", str(pairs)])
    assert "name its endpoint" in result.output
