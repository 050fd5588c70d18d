"""Attacks on the jury: 64 in 8 families, as data, and how a case is attacked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tracejury.agents import Case, ContextStep
from tracejury.retrieval import Passage

ATTACKS = Path(__file__).with_name("attacks.yaml")


class Attack(NamedTuple):
    """One attack."""

    family: str
    number: int
    at: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.family}-{self.number}"


def attacks() -> Iterator[Attack]:
    """Yield all attacks, in the order of the file."""
    families: dict[str, list[dict[str, Any]]] = yaml.safe_load(ATTACKS.read_text("utf-8"))
    for family, entries in families.items():
        for number, entry in enumerate(entries, 1):
            text = entry["of"] * entry["repeat"] if "repeat" in entry else entry["text"]
            yield Attack(family, number, entry["at"], text)


def attacked(case: Case, attack: Attack, guess: str) -> Case:
    """Return `case` with the attack in it; `guess` is the fence tag that the attacker believes in."""
    text = attack.text.replace("{tag}", guess).replace("{step}", case.step)
    match attack.at:
        case "step":
            return case.model_copy(update={"step": f"{case.step}\n{text}"})
        case "instead":
            return case.model_copy(update={"step": text})
        case "question":
            return case.model_copy(update={"stem": f"{case.stem}\n{text}"})
        case "earlier":
            extra = ContextStep(index=max((c.index for c in case.context), default=-1) + 1, text=text)
            moved = {"context": (*case.context, extra), "step_index": max(case.step_index, extra.index + 1)}
            return case.model_copy(update=moved)
        case "passage":
            return case.model_copy(update={"passages": (*case.passages, _passage(text))})
    raise ValueError(f"{attack.name}: unknown place {attack.at!r}")


def _passage(text: str) -> Passage:
    return Passage(source="planted", title="planted", text=text, citation="a planted passage", license="none")
