"""Writes the tiny experiment's questions and teacher chains: `python configs/experiments/tiny/make.py`.

A small world that a model of 2 layers can learn: laboratory values against their reference ranges, tablets for a dose.
Careful chains state the range, compare, conclude. Careless ones hedge, and in some of them a number is wrong: a base
that read mostly those and a student of the careful ones differ in ways that a jury can see.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

LABS = (
    ("potassium", "mmol/L", 3.5, 5.0, 1),
    ("sodium", "mmol/L", 135, 145, 0),
    ("glucose", "mmol/L", 3.9, 5.6, 1),
    ("calcium", "mmol/L", 2.1, 2.6, 1),
    ("hemoglobin", "g/dL", 12, 16, 0),
)
DRUGS = (("metformin", 500), ("amoxicillin", 250), ("furosemide", 40), ("prednisone", 10))


class TinyItem(NamedTuple):
    """A question and two teachers' steps."""

    stem: str
    options: dict[str, str]
    gold: str
    careful: list[str]
    careless: list[str]


def lab_question(rng: random.Random) -> TinyItem:
    """Return a question on a laboratory value."""
    name, unit, low, high, digits = rng.choice(LABS)
    width = high - low
    value = round(rng.uniform(low - 0.7 * width, high + 0.7 * width), digits or None)
    gold = "A" if value < low else "C" if value > high else "B"
    word = {"A": "low", "B": "normal", "C": "high"}[gold]
    lies = {"A": "below", "B": "within", "C": "above"}[gold]
    patient = f"A {rng.randint(30, 79)}-year-old patient has a serum {name} of {value} {unit}."
    careful = [
        f"The patient has a serum {name} of {value} {unit}.",
        f"The reference range of {name} is {low} to {high} {unit}.",
        f"The value of {value} {unit} is {lies} this range.",
        f"The {name} is therefore {word}.",
    ]
    wrong = rng.random() < 0.4
    careless = [
        f"The serum {name} may be {round(value + wrong, digits or None)} {unit}.",
        f"The range might be {low} to {high} {unit}.",
        f"This value is possibly {rng.choice(['low', 'high', 'normal']) if wrong else word}.",
    ]
    options = {"A": "Low", "B": "Normal", "C": "High"}
    return TinyItem(f"{patient} How is this value best described?", options, gold, careful, careless)


def dose_question(rng: random.Random) -> TinyItem:
    """Return a question on tablets for a dose."""
    drug, strength = rng.choice(DRUGS)
    tablets = rng.randint(1, 4)
    dose = strength * tablets
    stem = f"A patient is to take {dose} mg of {drug}. Tablets hold {strength} mg each. How many tablets is one dose?"
    careful = [
        f"The dose is {dose} mg of {drug}.",
        f"One tablet holds {strength} mg of it.",
        f"{dose} / {strength} = {tablets} tablets.",
    ]
    claimed = tablets + 1 if rng.random() < 0.4 else tablets
    careless = [
        f"The dose might be {dose} mg of {drug}.",
        f"A tablet may hold {strength} mg of it.",
        f"{dose} / {strength} = {claimed} tablets, probably.",
    ]
    return TinyItem(
        stem, {letter: str(n) for n, letter in enumerate("ABCD", 1)}, "ABCD"[tablets - 1], careful, careless
    )


def main() -> None:
    """Write the three files beside this one."""
    rng = random.Random(7)
    here = Path(__file__).resolve().parent
    items: dict[str, TinyItem] = {}
    while len(items) < 160:
        item = (lab_question if rng.random() < 0.7 else dose_question)(rng)
        items.setdefault(item.stem, item)
    files: dict[str, list[dict[str, object]]] = {"teacher": [], "base": [], "evaluation": []}
    for i, item in enumerate(items.values()):
        question: dict[str, object] = {"kind": "question", "id": f"tiny-{i}", "source": "tracejury tiny"}
        question |= {"stem": item.stem, "options": item.options, "gold": item.gold}
        if i >= 130:
            files["evaluation"].append(question)
            continue
        files["teacher"] += [question, trace(item, i, "careful", item.careful)]
        # A fifth of what the base reads is careful: it has seen such text, but seldom, as a real base has.
        seldom = i % 5 == 0
        files["base"] += [
            question,
            trace(item, i, *(("careful", item.careful) if seldom else ("careless", item.careless))),
        ]
    for name, lines in files.items():
        with (here / f"{name}.jsonl").open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def trace(item: TinyItem, i: int, teacher: str, steps: list[str]) -> dict[str, object]:
    """Return a chain as a native trace."""
    text = "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1)) + f"\n\nThe answer is ({item.gold})."
    return {"kind": "trace", "question": f"tiny-{i}", "model": f"{teacher}-teacher", "arm": teacher, "text": text}


if __name__ == "__main__":
    main()
