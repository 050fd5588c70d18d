"""Writes the tiny experiment's questions and teacher chains: `python configs/experiments/tiny/make.py`.

A small world that a model of 2 layers can learn: laboratory values against their reference ranges, and tablets for a
dose. Chains state the range, compare, conclude. `careless` chains are another teacher's: shorter, hedged, and in a part
of them the range is wrong or the arithmetic is, so that a base trained on them and a student trained on the careful ones
differ in ways that a jury can see.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

LABS = (
    ("potassium", "mmol/L", 3.5, 5.0, 1),
    ("sodium", "mmol/L", 135, 145, 0),
    ("glucose", "mmol/L", 3.9, 5.6, 1),
    ("calcium", "mmol/L", 2.1, 2.6, 1),
    ("hemoglobin", "g/dL", 12, 16, 0),
)
DRUGS = (("metformin", 500), ("amoxicillin", 250), ("furosemide", 40), ("prednisone", 10))


def lab_question(rng: random.Random) -> dict[str, object]:
    name, unit, low, high, digits = rng.choice(LABS)
    width = high - low
    value = round(rng.uniform(low - 0.7 * width, high + 0.7 * width), digits)
    value = int(value) if not digits else value
    gold = "A" if value < low else "C" if value > high else "B"
    word = {"A": "low", "B": "normal", "C": "high"}[gold]
    stem = f"A {rng.randint(30, 79)}-year-old patient has a serum {name} of {value} {unit}. How is this value best described?"
    careful = [
        f"The patient has a serum {name} of {value} {unit}.",
        f"The reference range of {name} is {low} to {high} {unit}.",
        f"The value of {value} {unit} is {'below' if gold == 'A' else 'above' if gold == 'C' else 'within'} this range.",
        f"The {name} is therefore {word}.",
    ]
    wrong = rng.random() < 0.4
    careless = [
        f"The serum {name} may be {round(value + wrong, digits)} {unit}.",
        f"This is possibly {rng.choice(['low', 'high', 'normal']) if wrong else word}.",
    ]
    return {
        "stem": stem,
        "options": {"A": "Low", "B": "Normal", "C": "High"},
        "gold": gold,
        "careful": careful,
        "careless": careless,
    }


def dose_question(rng: random.Random) -> dict[str, object]:
    drug, strength = rng.choice(DRUGS)
    tablets = rng.randint(1, 4)
    dose = strength * tablets
    stem = (
        f"A patient is to take {dose} mg of {drug}. Tablets of {strength} mg are at hand. How many tablets is one dose?"
    )
    options = {letter: f"{n}" for letter, n in zip("ABCD", range(1, 5), strict=True)}
    careful = [
        f"The dose is {dose} mg of {drug}.",
        f"One tablet holds {strength} mg.",
        f"{dose} / {strength} = {tablets} tablets.",
    ]
    said = tablets + 1 if rng.random() < 0.4 else tablets
    careless = [f"The dose might be {dose} mg.", f"{dose} / {strength} = {said} tablets, probably."]
    return {"stem": stem, "options": options, "gold": "ABCD"[tablets - 1], "careful": careful, "careless": careless}


def main() -> None:
    """Write the three files beside this one."""
    rng = random.Random(7)
    here = Path(__file__).resolve().parent
    made: dict[str, dict[str, object]] = {}
    while len(made) < 150:
        item = (lab_question if rng.random() < 0.7 else dose_question)(rng)
        made.setdefault(str(item["stem"]), item)
    files: dict[str, list[dict[str, object]]] = {"teacher": [], "careless": [], "evaluation": []}
    for i, item in enumerate(made.values()):
        question = {"kind": "question", "id": f"tiny-{i}", **{k: item[k] for k in ("stem", "options", "gold")}}
        question["source"] = "tracejury tiny"
        if i >= 130:
            files["evaluation"].append(question)
            continue
        for name, arm in (("careful", "teacher"), ("careless", "careless")):
            steps = item[name]
            assert isinstance(steps, list)
            text = "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1)) + f"\n\nThe answer is ({item['gold']})."
            trace = {"kind": "trace", "question": f"tiny-{i}", "model": f"{name}-teacher", "arm": arm, "text": text}
            files["teacher" if arm == "teacher" else "careless"] += [question, trace]
    for name, lines in files.items():
        with (here / f"{name}.jsonl").open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


if __name__ == "__main__":
    main()
