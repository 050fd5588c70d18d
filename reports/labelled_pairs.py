"""Labelled pairs for a checker's calibration: a claim, all that could be cited for it, and how that stands to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from tracejury.agents import Relation
from tracejury.storage import first_fault, read_utf8
from tracejury.traces import Record


class LabelledPair(Record):
    """One line of the file."""

    claim: str = Field(min_length=1)
    evidence: tuple[str, ...] = Field(min_length=1)
    """The sentences that a judge could cite, all of the case."""
    relation: Relation
    """How the evidence stands to the claim, by a person's judgement."""
    group: str
    """Question or document; rows of one group are not independent of each other."""
    gold: tuple[int, ...] = ()
    """Positions (from 0) of the sentences that decide it, where they are known; at most three are read together."""
    step: str | None = None
    """Rows of one step are its claims; none: the row is a step of its own."""

    @model_validator(mode="after")
    def _check(self) -> LabelledPair:
        if any(not 0 <= position < len(self.evidence) for position in self.gold):
            raise ValueError(f"gold is {list(self.gold)}, and there are {len(self.evidence)} sentences, from 0")
        return self


def read_labelled_pairs(path: Path) -> list[LabelledPair]:
    """Read JSON lines.

    Raises:
        ValueError: A line is no labelled pair; the message names it.
        OSError: The file cannot be read.
    """
    pairs = []
    for number, line in enumerate(read_utf8(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            pairs.append(LabelledPair.model_validate_json(line))
        except ValidationError as error:
            raise ValueError(f"{path}:{number}: {first_fault(error, 'the line')}") from None
    return pairs


def digest_of(pairs: Sequence[LabelledPair]) -> str:
    """Return the first 16 digits of the SHA-256 of the pairs, in their order."""
    return hashlib.sha256("\n".join(pair.model_dump_json() for pair in pairs).encode()).hexdigest()[:16]
