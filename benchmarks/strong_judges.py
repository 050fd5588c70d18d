"""What panels of strong judges are worth, from their published opinions: NLI4CT (clinical trials) and ReaLMistake.

    python -m benchmarks.strong_judges [--data DIR] [--out FILE] [--only PART ...]

The opinions were recorded elsewhere, under one prompt, without references of ours. Everything is by the product's own
code, from `tracejury read verdicts` on; the tests compute the same figures again without it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.asking import asking_body
from benchmarks.gold_lines import gold_lines_body
from tracejury.agents import Combination, read_opinions
from tracejury.agents.recorded.files import Reading, files_of
from tracejury.graphs import write_verdicts
from tracejury.ledger import Ledger
from tracejury.reports import (
    Estimate,
    JudgeVotes,
    PanelWorth,
    balanced,
    compared,
    credit_sums,
    majority,
    out_of_fold,
    read_votes,
    weigh_votes,
    worth_of,
)
from tracejury.reports.advice import advise_votes
from tracejury.reports.certification import Unit, Verdicts, certify
from tracejury.reports.invariance import Edited, invariance
from tracejury.reports.risk import calibrated_votes, certified_coverage, risk_curve, verdicts_of, vote_shares

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"
TRIO = ("gemini-pro", "llama3.1-8b+edi-lora", "mistral-7b+lisbon-lora")
"""Named before anything was measured."""
CLONE = "gemini-pro@long"
"""The judge whose errors are nearest to those of one of the trio: the same model under a longer prompt."""
FIVE = (*TRIO, "gemini-flash", "mistral-7b+fzi-lora")
SPLITS = 200
RULES: tuple[tuple[Unit, float], ...] = (("question", 0.1), ("step", 0.1), ("step", 0.05))
"""What the certified risk is of, and delta."""
_WORDS = {"E": "supported", "C": "error", "no_error": "supported", "error": "error"}


def items(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def verdict_rows(rows: Sequence[dict[str, Any]], judges: Sequence[str], group: str) -> Iterator[dict[str, Any]]:
    """Yield rows of a table of verdicts: an item is a step, its group the question."""
    place: dict[str, int] = {}
    for row in rows:
        question = str(row.get(group) or row["id"])
        index = place[question] = place.get(question, -1) + 1
        for judge in judges:
            label = _WORDS.get(row["judges"][judge] or "", "failed")
            yield {
                "question": question, "step": index, "step_text": row["id"], "judge": judge,
                "model": "recorded", "label": label, "human": _WORDS[row["gold"]],
            }  # fmt: skip


def votes_of(rows: Sequence[dict[str, Any]], judges: Sequence[str], group: str) -> tuple[JudgeVotes, dict[str, int]]:
    """Write a table, read it as a run, and return the votes of the run, and item -> its place in them."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "verdicts.jsonl"
        with table.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in verdict_rows(rows, judges, group))
        ledger = Ledger(f"sqlite:///{folder}/ledger.db")
        run = write_verdicts(ledger, read_opinions(files_of(table, "jsonl"), Reading("jsonl")), "recorded", str(table))
        steps = list(ledger.rows(run))
        ledger.close()
    return read_votes(steps), {step.step_text: place for place, step in enumerate(steps)}


def chosen(votes: JudgeVotes, names: Sequence[str]) -> JudgeVotes:
    """Return the votes of some judges."""
    at = [votes.judges.index(name) for name in names]
    return JudgeVotes(votes.run, tuple(names), tuple(n.split("@")[0].split("/")[0] for n in names), votes.says[:, at],
                      votes.question, votes.human)  # fmt: skip


def plain(estimate: Estimate | None) -> list[float | None] | None:
    """Return value, low, high, rounded."""
    if estimate is None:
        return None
    return [None if x is None else round(x, 4) for x in (estimate.value, estimate.low, estimate.high)]


def worth_body(worth: PanelWorth) -> dict[str, Any]:
    """Return what is kept of a panel's worth."""
    return {
        "steps": worth.steps,
        "questions": worth.questions,
        "jury_balanced_accuracy": plain(worth.jury),
        "jury_coverage": round(worth.jury_coverage, 4),
        "best": worth.best,
        "jury_less_best": plain(worth.jury_less_best),
        "members": {w.judge: plain(w.accuracy) for w in worth.worth},
        "kish": plain(worth.kish.value),
        "kish_null": plain(worth.kish.null),
        "eigenvalue": plain(worth.eigenvalue.value),
        "eigenvalue_null": plain(worth.eigenvalue.null),
        "adds": {w.judge: plain(w.adds) for w in worth.worth},
        "jury_gain": {w.judge: plain(w.jury_gain) for w in worth.worth},
        "pairs": {" / ".join(p.judges): plain(p.correlation) for p in worth.pairs},
        "warnings": list(worth.warnings),
    }


def clone_body(votes: JudgeVotes) -> dict[str, Any]:
    """Return what a near-clone does to the plain majority, and to weighted clusters (out of fold by question)."""
    trio, four = chosen(votes, TRIO), chosen(votes, (*TRIO, CLONE))
    weighted, plain_four, plain_trio = out_of_fold(four), majority(four.says), majority(trio.says)
    accuracy, difference = compared(weighted, plain_trio, trio)
    combination = weigh_votes(four)
    return {
        "clone": CLONE,
        "trio": {"balanced_accuracy": plain(accuracy.bounded(1)), "coverage": _coverage(plain_trio)},
        "weighted": {"balanced_accuracy": plain(accuracy.bounded(0)), "coverage": _coverage(weighted)},
        "weighted_less_trio": plain(difference.unbounded(0)),
        "plain_majority_of_four": {
            "coverage": _coverage(plain_four),
            "coverage_lost": round(_coverage(plain_trio) - _coverage(plain_four), 4),
            "balanced_accuracy_abstentions_half": plain(compared(plain_four, plain_trio, trio)[0].bounded(0)),
            "balanced_accuracy_of_decided": _decided_accuracy(plain_four, four),
        },
        "gain_over_plain_majority": [round(x, 4) for x in (combination.gain, *_ends(combination))],
        "clusters": [list(cluster.judges) for cluster in combination.clusters],
    }


def _ends(combination: Combination) -> tuple[float, ...]:
    return tuple(x for x in (combination.gain_low, combination.gain_high) if x is not None)


def _coverage(outcome: np.ndarray[Any, Any]) -> float:
    return round(float((outcome >= 0).mean()), 4)


def _decided_accuracy(outcome: np.ndarray[Any, Any], votes: JudgeVotes) -> float:
    decided = outcome >= 0
    recalls = [(outcome == c)[decided & (votes.human == c)].mean() for c in (0, 1)]
    return round(float(np.mean(recalls)), 4)


def certified_body(votes: JudgeVotes) -> dict[str, Any]:
    """Return coverage and violations of certified verdicts over splits by group, by score and alpha."""
    body: dict[str, Any] = {}
    for name, panel in {"trio": chosen(votes, TRIO), f"all {len(votes.judges)}": votes}.items():
        for score in ("vote share", "calibrated confidence"):
            for alpha in (0.10, 0.05):
                for per, delta in RULES:
                    certified = certified_coverage(panel, score=score, alpha=alpha, delta=delta, splits=SPLITS, per=per)
                    body[f"{name}, {score}, alpha {alpha:.2f}, per {per}, delta {delta:.2f}"] = certified.model_dump()
    return body


def independent_body(votes: JudgeVotes) -> dict[str, Any]:
    """Return what a certificate would keep that takes every step for independent, which the product does not do."""
    body: dict[str, Any] = {}
    for alpha in (0.10, 0.05):
        rng, rows = np.random.default_rng(0), []
        for split in range(SPLITS):
            place = rng.permutation(votes.questions)[votes.question] / votes.questions
            fitting, certifying, testing = place < 1 / 6, (place >= 1 / 6) & (place < 0.5), place >= 0.5
            verdicts = verdicts_of(calibrated_votes(votes, fitting), votes)
            alone = verdicts._replace(question=np.arange(len(verdicts.question)))
            halves = [Verdicts(*(column[mask] for column in alone)) for mask in (fitting, certifying)]
            threshold = certify(halves[0], halves[1], alpha=alpha, delta=0.1, seed=split).threshold
            kept = testing & (verdicts.mistaken <= (-1.0 if threshold is None else threshold))
            wrong = float(verdicts.wrong[kept].mean()) if kept.any() else 0.0
            rows.append((threshold is not None, kept.sum() / testing.sum(), wrong > alpha))
        certified, coverage, violated = np.array(rows, dtype=np.float64).T
        body[f"trio, calibrated confidence, alpha {alpha:.2f}"] = {
            "certified": float(certified.mean()),
            "coverage": float(coverage.mean()),
            "coverage_where_certified": float(coverage.sum() / certified.sum()) if certified.any() else None,
            "violations": float(violated.mean()),
        }
    return body


def risk_body(votes: JudgeVotes) -> dict[str, Any]:
    """Return AURC of the jury by vote share, of the plain trio and of the best judge."""
    trio = chosen(votes, TRIO)
    alone = [votes.says[:, j] for j in range(len(votes.judges))]
    values = balanced(credit_sums(alone, votes.human, votes.question, votes.questions).sum(axis=0))
    best = int(np.argmax(values))
    systems = {
        f"jury of all {len(votes.judges)}": vote_shares(votes),
        "trio": vote_shares(trio),
        f"best judge ({votes.judges[best]})": vote_shares(chosen(votes, (votes.judges[best],))),
    }
    return {name: risk_curve(shares, votes).model_dump() for name, shares in systems.items()}


def invariance_body(rows: Sequence[dict[str, Any]], votes: JudgeVotes, place: dict[str, int]) -> dict[str, Any]:
    """Return the share of verdicts that edits which keep the label leave as they are, by edit and system."""
    original = {row["group"]: place[row["id"]] for row in rows if not row["intervention"]}
    gold = {row["group"]: row["gold"] for row in rows if not row["intervention"]}
    edits = [
        Edited(row["intervention"], original[row["group"]], place[row["id"]])
        for row in rows
        if row["intervention"] and row["effect"] == "Preserving" and row["gold"] == gold.get(row["group"])
    ]
    trio = chosen(votes, TRIO)
    systems = {"jury (trio)": majority(trio.says)} | {name: trio.says[:, j] for j, name in enumerate(TRIO)}
    return {
        name: {edit: plain(share) for edit, share in invariance(outcome, edits, votes.question).items()}
        for name, outcome in systems.items()
    }


class Recordings:
    """The recorded opinions, read once, and what is measured on them."""

    def __init__(self, data: Path, work: Path) -> None:
        self.data, self.work = data, work
        self.rows = items(data / "nli4ct" / "judgements_dev.jsonl.gz")
        self.votes, self.place = votes_of(self.rows, list(self.rows[0]["judges"]), "group")
        self.trio = chosen(self.votes, TRIO)

    def parts(self) -> dict[str, Callable[[], Any]]:
        """Return each part by name, to be measured when it is called."""
        return {
            "trio": lambda: worth_body(worth_of(self.trio)),
            "all": lambda: worth_body(worth_of(chosen(self.votes, self.votes.judges))),
            "clone": lambda: clone_body(self.votes),
            "certified": lambda: certified_body(self.votes),
            "certified, steps taken for independent": lambda: independent_body(self.trio),
            "risk": lambda: risk_body(self.votes),
            "advice": lambda: {
                "trio": advise_votes(self.trio, loss=0.01).model_dump(),
                "five": advise_votes(chosen(self.votes, FIVE), loss=0.01).model_dump(),
            },
            "asking": lambda: asking_body(self.votes),
            "invariance": lambda: invariance_body(self.rows, self.votes, self.place),
            "gold lines": lambda: gold_lines_body(self.rows, self.data, TRIO, self.work),
        }


def realmistake_body(data: Path) -> dict[str, Any]:
    """Return what five frontier judges, and four prompts of one model, are worth on ReaLMistake."""
    mistakes = items(data / "realmistake" / "judgements.jsonl.gz")
    other, _ = votes_of(mistakes, list(mistakes[0]["judges"]), "id")
    frontier = [f"{m}/p1" for m in ("gpt-4-0125-preview", "gpt-4-0613", "claude-3-opus-20240229",
                                    "gemini-1.0-pro-001", "Qwen1.5-72B-Chat")]  # fmt: skip
    return {
        "five_p1": worth_body(worth_of(chosen(other, frontier))),
        "gpt-4_four_prompts": worth_body(worth_of(chosen(other, [f"gpt-4-0613/p{i}" for i in (1, 2, 3, 4)]))),
    }


def main() -> None:
    """Measure and write; parts that are not measured anew stay as they are in the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "strong_judges.json")
    parser.add_argument("--only", nargs="+", help="measure these parts of NLI4CT, or realmistake, and keep the rest")
    work = Path(tempfile.gettempdir()) / "tracejury-strong-judges"
    parser.add_argument("--work", type=Path, default=work, help="where the checker's answers are kept")
    options = parser.parse_args()
    before = json.loads(options.out.read_text("utf-8")) if options.only and options.out.exists() else {}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    body: dict[str, Any] = {
        "commit": commit.stdout.strip(),
        "command": "python -m benchmarks.strong_judges",
        "limits": "opinions recorded elsewhere under one prompt each, no references of ours; NLI4CT dev, ReaLMistake",
        "nli4ct": before.get("nli4ct", {}),
        "realmistake": before.get("realmistake", {}),
    }
    for name, measure in Recordings(options.data, options.work).parts().items():
        if not options.only or name in options.only:
            body["nli4ct"][name] = measure()
            print(name, json.dumps(body["nli4ct"][name])[:2000], flush=True)
    if not options.only or "realmistake" in options.only:
        body["realmistake"] = realmistake_body(options.data)
    options.out.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
