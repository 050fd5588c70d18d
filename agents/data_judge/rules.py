"""Every rule by the kind of derivation that it makes, and making a derivation of what a rule reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracejury.agents.data_judge.contradictions import CONTRADICTIONS, Reading, Rule
from tracejury.agents.data_judge.measures import prose
from tracejury.agents.data_judge.points import points
from tracejury.agents.records import Derivation, Quote

RULES: Mapping[str, Rule] = {**CONTRADICTIONS, "points": points}


def read(kind: str, stem: str, step: str, step_index: int) -> Iterator[tuple[Derivation, Reading]]:
    """Yield what the rule of `kind` reads out of a vignette and a step, as derivations.

    The first input is the step's sentence, the others are the vignette's words.
    """
    for reading in RULES[kind](stem, step):
        step_quote = Quote(evidence_id=f"step:{step_index}", quote=reading.step_words)
        words = tuple(Quote(evidence_id="vignette", quote=w) for w in reading.words)
        derivation = Derivation(
            kind=kind,
            expression=reading.what,
            claimed=reading.claimed,
            computed=reading.stated,
            relation=reading.relation,
            holds=reading.holds,
            inputs=(step_quote, *words),
        )
        yield derivation, reading


def reads_again(derivation: Derivation, stem: str | None = None, step: str | None = None) -> bool:
    """Tell whether the derivation's rule reads the same again: out of its quotes, or out of the texts given.

    Args:
        derivation: Of a kind in `RULES`.
        stem: The whole vignette; None: the words quoted of it and nothing else.
        step: The whole step; None: its quoted sentence.
    """
    step_words, *words = [q.quote for q in derivation.inputs] or [""]
    stem = "\n".join(words) if stem is None else prose(stem)
    step = step_words if step is None else prose(step)
    expected = _reading_words(derivation)
    return any(_reading_words(again) == expected for again, _ in read(derivation.kind, stem, step, 0))


def _reading_words(derivation: Derivation) -> tuple[object, ...]:
    d = derivation
    return (d.expression, d.claimed, d.computed, d.relation, d.holds)
