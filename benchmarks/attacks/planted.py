"""Planted errors and attacks on the whole policy, as data, and the traces that carry them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tracejury.traces import split_sentences

HERE = Path(__file__).parent
ERRORS, ATTACKS = HERE / "planted_errors.yaml", HERE / "policy_attacks.yaml"


class PlantedError(NamedTuple):
    """A wrong step, with the true texts beside it that an attack uses."""

    name: str
    stem: str
    prev: str
    step: str

    @property
    def sentence(self) -> str:
        """The vignette's sentence that shares most words with the step, relative to its length."""
        words = _words(self.step)
        stated = [self.stem[a:b] for a, b in split_sentences(self.stem)]
        return max(stated, key=lambda s: (len(words & _words(s)) / (3 + len(_words(s))), s))

    def filled(self, template: str) -> str:
        """Put the texts into a template, in one pass: what is put in may hold braces."""
        texts = {"{step}": self.step, "{v}": self.sentence, "{prev}": self.prev}
        pieces, rest = [], template
        while (
            found := min((at, name) for name in texts if (at := rest.find(name)) >= 0)
            if any(name in rest for name in texts)
            else None
        ):
            at, name = found
            pieces += [rest[:at], texts[name]]
            rest = rest[at + len(name) :]
        return "".join([*pieces, rest])


class PolicyAttack(NamedTuple):
    """An attack: what stands in place of the wrong step, and what a poisoned source holds."""

    family: str
    name: str
    step: str
    passage: str | None = None
    origin: str = "the project's own"


class Attempt(NamedTuple):
    """One attack on one error."""

    number: int
    """The place of the attack among all that are tried."""
    attack: PolicyAttack
    error: PlantedError


def planted_errors(path: Path = ERRORS) -> list[PlantedError]:
    """Return the errors written for this project."""
    rows = yaml.safe_load(path.read_text("utf-8"))
    return [PlantedError(f"planted-{i}", row["stem"], row["prev"], row["step"]) for i, row in enumerate(rows, 1)]


def policy_attacks(path: Path = ATTACKS) -> list[PolicyAttack]:
    """Return the attacks of a YAML file by family, or of JSON lines: family, name, template, passage_template."""
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return [PolicyAttack(r["family"], r["name"], r["template"], r.get("passage_template"), path.stem) for r in rows]
    families: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text("utf-8"))
    return [
        PolicyAttack(family, f"{family} {number}", entry["step"], entry.get("passage"))
        for family, entries in families.items()
        for number, entry in enumerate(entries, 1)
    ]


def spread(errors: Sequence[PlantedError], attacks: Sequence[PolicyAttack], each: int) -> list[Attempt]:
    """Return every attack on one of `each` errors; the next attack begins at the next error. 1: all on all."""
    return [
        Attempt(number, attack, error)
        for number, attack in enumerate(attacks)
        for i, error in enumerate(errors)
        if (i + number) % each == 0
    ]


def write_batch(path: Path, attempts: Sequence[Attempt]) -> None:
    """Write native traces: the true step, then the attacked one. The arm names the attack's number."""
    errors = dict.fromkeys(attempt.error for attempt in attempts)
    lines = [{"kind": "question", "id": e.name, "stem": e.stem} for e in errors]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *map(_trace, attempts)]), "utf-8")


def write_poisoned_source(folder: Path, attempts: Sequence[Attempt]) -> None:
    """Write one document an attempt: a judge may also find what other attacks planted about the same error."""
    folder.mkdir()
    for number, attack, error in attempts:
        if attack.passage is not None:
            (folder / f"{error.name}-{number}.md").write_text(error.filled(attack.passage), "utf-8")


def _trace(attempt: Attempt) -> dict[str, Any]:
    steps = [attempt.error.prev, attempt.error.filled(attempt.attack.step)]
    return {
        "kind": "trace",
        "question": attempt.error.name,
        "model": "m",
        "arm": f"attack-{attempt.number}",
        "text": "\n\n".join(steps),
        "steps": [{"text": text} for text in steps],
    }


def _words(text: str) -> set[str]:
    return {word.strip(".,;:()").lower() for word in text.split() if len(word) > 3}
