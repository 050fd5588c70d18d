"""Where each number of the tables in README and benchmarks/README.md comes from. `test_readme_numbers.py` checks them.

To extend: a row of the table has an entry under the row's first cell, with one item per number of the other cell, in
the order of reading. An item is `From(file, value)`: `value` gets the parsed file of `benchmarks/results/` and returns
the number in the unit of the README (times 100 for per cent). It is compared after rounding to as many decimals as the
README prints. A number that no benchmark produces (a confidence level, a setting) is `Setting("95")`. Numbers inside a
name, such as 135M or SmolLM2, are no figures.

When a figure changes, run its benchmark, let it write its result, and change the README. When a test fails with "not
mapped", its message lists the places in `benchmarks/results/` whose value rounds to the number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class From(NamedTuple):
    """A number of a result file."""

    file: str
    value: Callable[[Any], float]


class Setting(NamedTuple):
    """A number that is a setting or a unit, not a result."""

    text: str


def _recall(data: str, finder: str, part: str = "share") -> From:
    return From("retrieval-find.json", lambda r: r[data][finder]["recall@5"][part])


def _ratio(name: str) -> From:
    return From("orchestration.json", lambda r: r["levels"][0]["ratios"][name])


def _overhead(name: str) -> From:
    return From("overhead.json", lambda r: r["levels"][0]["ratios"][name])


def _altered(extreme: Callable[[list[float]], float]) -> From:
    kinds = ("direction", "disease", "drug", "negation", "number")
    return From("verifier.json", lambda r: extreme([r["accuracy"][f"{kind}: contradicted"]["value"] for kind in kinds]))


def _auroc(run: str) -> From:
    return From("judge_skill.json", lambda r: r["runs"][run]["systems"]["verifier"]["auroc"]["value"])


def _verifier(part: str) -> From:
    return From("verifier.json", lambda r: r["pubmedqa_yes_against_no_auroc"][part])


def _lift(name: str) -> tuple[From, From, From]:
    """Return a set's lift beyond foreign evidence and the ends of its interval."""

    def part(place: int) -> From:
        return From("checker-model.json", lambda r: r["sets"][name]["group"]["lift beyond foreign"][place])

    return part(0), part(1), part(2)


def _true_rate(name: str) -> From:
    return From("checker-model.json", lambda r: r["sets"][name]["group"]["true rate, supports"][0])


def _gpu(cell: int, what: str) -> From:
    """Return a figure of a cell of the second run: TRL, Unsloth, Unsloth."""
    return From("gpu-ratio.json", lambda r: r["runs"][1]["cells"][cell][what])


def _counts(sets: tuple[str, ...], what: str, place: int) -> From:
    """Return a sum over sets of the data judge's "3 of 19": place 0 is 3, place 1 is 19."""
    return From("data_judge.json", lambda r: sum(int(r["sets"][name][what].split(" of ")[place]) for name in sets))


def _majority(run: str, *, right: bool = False) -> From:
    def value(r: Any) -> float:
        votes = r["runs"][run]["systems"]["majority vote"]
        return float(votes["decided"] * (votes["accuracy"]["value"] if right else 1))

    return From("judge_skill.json", value)


def _steps(run: str) -> From:
    return From("judge_skill.json", lambda r: r["runs"][run]["steps"])


def _attacks(what: str) -> From:
    return From("attacks.json", lambda r: next(t for t in r["runs"][2]["table"] if t["family"] == "all")[what])


def _student(*path: str, times: float = 1) -> From:
    def value(r: Any) -> float:
        for part in path:
            r = r[part]
        return float(r) * times

    return From("student/student.json", value)


def _known_steps(r: Any) -> float:
    contenders = r["levels"][0]["contenders"]
    return float(contenders["tracejury, known steps"]["wall_s"] / contenders["bare LangGraph"]["wall_s"])


def _peak(r: Any) -> float:
    return float(max(row["peak_mib"] for row in r["memory"]["since mended"]["growth"]))


def _trio(*path: str | int) -> From:
    def value(r: Any) -> float:
        part = r["nli4ct"]["trio"]
        for name in path:
            part = part[name]
        return float(part)

    return From("strong_judges.json", value)


def _quotes(what: str) -> tuple[From, From]:
    """Return how many quotes verify, and of how many."""
    return (
        From("retrieval-quotes.json", lambda r: round(r[what]["share"] * r[what]["n"])),
        From("retrieval-quotes.json", lambda r: r[what]["n"]),
    )


def _true_rates(extreme: Callable[[list[float]], float]) -> From:
    """Return the least or the largest true rate of the sets, evidence read as the product does."""
    return From(
        "grounding.json",
        lambda r: extreme([s["checker"]["true rate"]["value"] for s in r["lift"]["figures"].values()]),
    )


def _product_lift(name: str) -> tuple[From, From, From]:
    """Return a set's lift beyond foreign evidence and the ends of its interval, read as the product does: no signs."""

    def part(key: str) -> From:
        return From("grounding.json", lambda r: abs(r["lift"]["figures"][name]["checker"]["lift beyond foreign"][key]))

    return part("value"), part("low"), part("high")


def _attacked(what: str) -> From:
    """Return a count of the attacks on two judges, no poisoned source vouched for."""
    return From("policy_attacks.json", lambda r: r["two judges: obedient, strongest"]["attacked"]["all"][what])


def _successes(r: Any) -> float:
    """Return the attacks that made a verdict, whatever the panel, no poisoned source vouched for."""
    panels = [part for part in r.values() if isinstance(part, dict)]
    return float(sum(panel["attacked"]["all"]["supported"] for panel in panels))


HELD_OUT = ("demo, planted errors, held out",)
MR_BEN = ("mr-ben medicine, looked at", "mr-ben medicine, held out")

_INTERVALS = (
    Setting("95"),
    From("coverage.json", lambda r: min(s["covered_percent"] for s in r["scenarios"].values())),
    From("coverage.json", lambda r: max(s["covered_percent"] for s in r["scenarios"].values())),
    Setting("2,000"),
)
_FAULTS = (
    From("endurance.json", lambda r: r["faults"]["kill"]["n"]),
    From("endurance.json", lambda r: r["faults"]["kill"]["injected"]),
)

FIGURES: dict[str, tuple[From | Setting, ...]] = {
    "Are several judges better than one?": (
        _trio("steps"),
        *(_trio("jury_balanced_accuracy", place) for place in range(3)),
        _trio("members", "gemini-pro", 0),
        _trio("kish", 0),
    ),
    "Are citations checked well?": (
        *_quotes("recall"),
        *_quotes("altered_accepted"),
        _true_rates(min),
        _true_rates(max),
        Setting("5"),
    ),
    "Can a text talk the jury into a verdict?": (
        _attacked("attacks"),
        _attacked("errors"),
        _attacked("tried"),
        From("policy_attacks.json", _successes),
    ),
    "Do the intervals hold?": _INTERVALS,
    "Is a long run safe?": _FAULTS,
    "quote check": (*_quotes("recall"), *_quotes("altered_accepted")),
    "checker `nli`, lift beyond another document's evidence": (
        *_lift("scifact"),
        *_lift("clinifact"),
        *_lift("pubmedqa"),
        *_lift("medhallu"),
    ),
    "the same, read as the product reads evidence": (
        *_product_lift("SciFact"),
        *_product_lift("CliniFact"),
        *_product_lift("PubMedQA"),
        *_product_lift("MedHallu"),
        _true_rates(min),
        _true_rates(max),
    ),
    "the same, share of true support that counts": (
        *(_true_rate(name) for name in ("scifact", "clinifact", "pubmedqa", "medhallu")),
        Setting("5"),
    ),
    "retrieval, recall@5": (
        _recall("pubmedqa", "fused"),
        _recall("pubmedqa", "fused", "low"),
        _recall("pubmedqa", "fused", "high"),
        _recall("pubmedqa", "dense"),
        _recall("pubmedqa", "bm25"),
        _recall("medquad", "fused"),
        _recall("medquad", "dense"),
        _recall("medquad", "bm25"),
    ),
    "judge without a model": (
        _counts(HELD_OUT, "errors caught", 0),
        _counts(HELD_OUT, "errors caught", 1),
        _counts(HELD_OUT, "false alarms", 0),
        _counts(HELD_OUT, "false alarms", 1),
        _counts(MR_BEN, "errors caught", 0),
        _counts(MR_BEN, "errors caught", 1),
    ),
    "verifier": (
        _altered(min),
        _altered(max),
        _verifier("value"),
        _verifier("low"),
        _verifier("high"),
        _auroc("model-free on mr-ben"),
        _auroc("model-free on medec"),
    ),
    "answers on MIRAGE": (
        From("answers.json", lambda r: max(abs(row["difference"]) for row in r["rows"])),
        From("answers.json", lambda r: len(r["rows"])),
        From("answers.json", lambda r: r["rows"][0]["n"]),
    ),
    "small judges (135M)": (
        _majority("embedded on mr-ben", right=True),
        _majority("embedded on mr-ben"),
        _majority("embedded on medec", right=True),
        _majority("embedded on medec"),
        _steps("embedded on mr-ben"),
        _steps("embedded on medec"),
    ),
    "attacks on the 135M judge": (_attacks("n"), _attacks("fooled_without_defences"), _attacks("fooled_with_fences")),
    "kill -9, full disk, locks, outages": _FAULTS,
    "student on a CPU": (
        _student("corpus", "rows", "train"),
        _student("before", "numbered", "share", times=100),
        _student("after", "numbered", "share", times=100),
        _student("before", "n"),
        _student("before", "accuracy", "share", times=100),
        _student("after", "accuracy", "share", times=100),
    ),
    "intervals": _INTERVALS,
    "overhead, 500 steps x 3 judges, claims by rule, no checker": (
        From("overhead.json", _known_steps),
        _overhead("CPU, ours on known steps / bare"),
        _overhead("wall, ours / bare"),
        _overhead("CPU, ours / bare"),
    ),
    "the same before steps were cut into claims": (
        _ratio("wall, inspect_ai / ours"),
        _ratio("wall, verdict / ours"),
        _ratio("wall, deepeval / ours"),
        _ratio("wall, openevals / ours"),
    ),
    "memory of one run": (
        From("endurance.json", _peak),
        Setting("1,000"),
        Setting("10,000"),
        From("endurance.json", lambda r: r["memory"]["since mended"]["growth"][-1]["steps"]),
        From("endurance.json", lambda r: r["memory"]["growth"][-1]["peak_mib"]),
        From("endurance.json", lambda r: r["memory"]["growth"][-1]["steps"]),
        Setting("1"),
    ),
    "certified thresholds": (
        From("guarantee.json", lambda r: 100 * max(w["one verdict a question"]["violations"] for w in r)),
        Setting("1,000"),
        From("guarantee.json", lambda r: 100 * max(w["delta"] for w in r)),
    ),
    "viewer": (
        From("viewer.json", lambda r: math.ceil(r["worst_cpu_ms"])),
        From("viewer.json", lambda r: r["traces"]),
        From("viewer.json", lambda r: math.ceil(r["worst_p95_ms"])),
        From("viewer.json", lambda r: r["load"]["lowest"]),
        From("viewer.json", lambda r: r["load"]["highest"]),
        From("viewer.json", lambda r: r["server_mb"]["now"]["after"]),
    ),
    "training, 8B-shaped model on an H100": (
        _gpu(1, "tokens_per_s"),
        _gpu(2, "tokens_per_s"),
        _gpu(1, "peak_gib"),
        _gpu(0, "tokens_per_s"),
        _gpu(0, "peak_gib"),
        _gpu(1, "gpu_busy"),
        _gpu(2, "gpu_busy"),
    ),
}
