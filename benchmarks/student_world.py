"""A small world whose truth is known: laboratory values, tablets for a dose, and a teacher with planted false beliefs.

Every step of a chain is of a kind, and its truth can be read from its words: a student's chains have true labels that
no judge made. The panel without a model can see errors of some kinds (`SEEN_KINDS`) and is blind to the others, as any
jury is. A teacher's faults are systematic, by cell (a value of a laboratory test, a number of tablets of a drug), so
that a student learns them instead of averaging them away.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from tracejury.traces import Question, Trace

LABS = {
    "sodium": ("mmol/L", 135, 145, (126, 130, 134, 138, 142, 146, 150, 154)),
    "glucose": ("mg/dL", 70, 99, (50, 58, 66, 74, 82, 90, 102, 110)),
    "bicarbonate": ("mmol/L", 22, 28, (14, 17, 20, 23, 25, 27, 31, 33)),
    "chloride": ("mmol/L", 96, 106, (88, 92, 95, 98, 100, 104, 108, 112)),
}
"""Unit, limits of the reference range, and the values that patients have."""
TABLET_MG = {"furosemide": 40, "metformin": 500, "prednisone": 10, "aspirin": 75}
COMPLAINTS = ("fatigue", "headache", "nausea", "weakness", "dizziness")
RELATIONS = {"A": ("below", "low"), "B": ("within", "normal"), "C": ("above", "high")}
SEEN_KINDS = frozenset({"reading", "comparison", "arithmetic"})
"""The kinds of steps whose errors the panel without a model can see."""
KINDS = ("reading", "range", "comparison", "conclusion", "dose", "arithmetic", "tablets")
"""Faults of each kind that a teacher has are in `plant_faults`."""

Cell = tuple[str, int]
"""A laboratory test and a value, or a drug and a number of tablets."""


class Item(NamedTuple):
    """A question and the cell that it is about."""

    question: Question
    cell: Cell


CELLS: tuple[Cell, ...] = (
    *((lab, value) for lab, (_, _, _, values) in LABS.items() for value in values),
    *((drug, tablets) for drug in TABLET_MG for tablets in range(1, 5)),
)


def make_items(rng: random.Random, per_cell: int, excluded_stems: frozenset[str] = frozenset()) -> list[Item]:
    """Return questions with different stems, `per_cell` for each cell, in random order."""
    items: list[Item] = []
    stems = set(excluded_stems)
    for cell in CELLS:
        fresh = 0
        while fresh < per_cell:
            item = _item(cell, rng)
            if item.question.stem not in stems:
                stems.add(item.question.stem)
                items.append(item)
                fresh += 1
    rng.shuffle(items)
    return items


def _item(cell: Cell, rng: random.Random) -> Item:
    name, number = cell
    patient = f"A {rng.randint(35, 49)}-year-old {rng.choice(('man', 'woman'))} with {rng.choice(COMPLAINTS)}"
    if name in LABS:
        unit, low, high, _ = LABS[name]
        stem = f"{patient} has a serum {name} of {number} {unit}. How is this value best described?"
        options, gold = {"A": "Low", "B": "Normal", "C": "High"}, _gold(number, low, high)
    else:
        strength = TABLET_MG[name]
        stem = f"{patient} is to take {number * strength} mg of {name}. A tablet holds {strength} mg. How many tablets?"
        options, gold = dict(zip("ABCD", "1234", strict=True)), "ABCD"[number - 1]
    return Item(Question(stem=stem, options=options, gold=gold, source="tracejury world"), cell)


def _gold(value: int, low: int, high: int) -> str:
    return "A" if value < low else "C" if value > high else "B"


class Faults(NamedTuple):
    """A teacher's false beliefs: which kind of step is wrong in which cells."""

    by_cell: dict[Cell, str]

    def kind(self, cell: Cell) -> str | None:
        """Return the kind of the step that is wrong in this cell's chains."""
        return self.by_cell.get(cell)


def plant_faults(rng: random.Random) -> Faults:
    """Draw a teacher's faults: 22 of 48 cells, 13 of them of kinds that the panel can see."""
    faults: dict[Cell, str] = {}
    believed_lab = rng.choice(sorted(LABS))
    faults |= dict.fromkeys([c for c in CELLS if c[0] == believed_lab][::2], "range")
    labs = [c for c in CELLS if c[0] in LABS and c not in faults]
    rng.shuffle(labs)
    faults |= dict.fromkeys(labs[:4], "reading")
    faults |= dict.fromkeys(labs[4:9], "comparison")
    faults |= dict.fromkeys(labs[9:12], "conclusion")
    doses = [c for c in CELLS if c[0] in TABLET_MG]
    rng.shuffle(doses)
    faults |= dict.fromkeys(doses[:4], "arithmetic")
    faults |= dict.fromkeys(doses[4:6], "dose")
    return Faults(faults)


def chain(item: Item, sample: int, arm: str, faults: Faults | None = None, answer: str | None = None) -> Trace:
    """Return a chain with the teacher's fault of its cell; `answer` replaces the right letter."""
    question, cell = item
    letter = answer or str(question.gold)
    lines = _steps(cell, str(question.gold), faults.kind(cell) if faults else None)
    text = "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1)) + f"\n\nThe answer is ({letter})."
    return Trace(question_id=question.id, model=arm, arm=arm, sample=sample, text=text, answer=letter)


def _steps(cell: Cell, gold: str, fault: str | None) -> list[str]:
    name, number = cell
    if name in LABS:
        unit, low, high, values = LABS[name]
        relation, word = RELATIONS[gold]
        said = values[(values.index(number) + 3) % len(values)] if fault == "reading" else number
        shift = (high - low) // 2 if fault == "range" else 0
        if fault == "comparison":
            relation = {"below": "above", "above": "below", "within": "below"}[relation]
        if fault == "conclusion":
            word = {"low": "high", "high": "low", "normal": "high"}[word]
        bound = low if relation == "below" or (relation == "within") else high
        compared = "above" if relation == "within" else relation
        if fault == "comparison":
            bound, compared = (high, "above") if number < high else (low, "below")
        return [
            f"The patient has a serum {name} of {said} {unit}.",
            f"The reference range of {name} is {low + shift} to {high + shift} {unit}.",
            f"The value of {number} {unit} is {compared} {bound} {unit}.",
            f"The {name} is therefore {word}.",
        ]
    strength = TABLET_MG[name]
    dose = strength * number
    said = strength * (number % 4 + 1) if fault == "dose" else dose
    result = number % 4 + 1 if fault == "arithmetic" else number
    return [
        f"The dose is {said} mg of {name}.",
        f"{dose} / {strength} = {result} tablets.",
        f"The patient takes {number} tablets of {name}.",
    ]


_FORMS = {
    "reading": re.compile(r"The patient has a serum (\w+) of (\d+) (\S+)\."),
    "range": re.compile(r"The reference range of (\w+) is (\d+) to (\d+) (\S+)\."),
    "comparison": re.compile(r"The value of (\d+) (\S+) is (above|below) (\d+) (\S+)\."),
    "conclusion": re.compile(r"The (\w+) is therefore (low|normal|high)\."),
    "dose": re.compile(r"The dose is (\d+) mg of (\w+)\."),
    "arithmetic": re.compile(r"(\d+) / (\d+) = (\d+) tablets\."),
    "tablets": re.compile(r"The patient takes (\d+) tablets of (\w+)\."),
}


class StepTruth(NamedTuple):
    """A step's kind (None: its words are none of this world's) and whether it is right."""

    kind: str | None
    right: bool


def truth_of(step: str, cell: Cell) -> StepTruth:
    """Read a step's truth from its words: against the question's cell, the reference ranges and arithmetic."""
    words = re.sub(r"^\s*\d+\.\s+(?=\D|\d+ /)", "", step.strip())
    for kind, form in _FORMS.items():
        match = form.fullmatch(words)
        if match:
            return StepTruth(kind, _right(kind, match.groups(), cell))
    return StepTruth(None, False)


def _right(kind: str, said: Sequence[str], cell: Cell) -> bool:
    name, number = cell
    if name in LABS:
        unit, low, high, _ = LABS[name]
        word = RELATIONS[_gold(number, low, high)][1]
        if kind == "comparison":
            value, bound = int(said[0]), int(said[3])
            holds = value > bound if said[2] == "above" else value < bound
            return holds and value == number and bound in {low, high} and said[1] == said[4] == unit
        expected: dict[str, tuple[str, ...]] = {
            "reading": (name, str(number), unit),
            "range": (name, str(low), str(high), unit),
            "conclusion": (name, word),
        }
    else:
        strength = TABLET_MG[name]
        expected = {
            "dose": (str(strength * number), name),
            "arithmetic": (str(strength * number), str(strength), str(number)),
            "tablets": (str(number), name),
        }
    return expected.get(kind) == tuple(said)
