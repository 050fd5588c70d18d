"""What evidence decides on: claims of a step, and the relations in which evidence stands to them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from tracejury.traces import Record


class Relation(StrEnum):
    """How evidence stands to a claim. A judge asserts only the first two."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    SILENT = "silent"

    @property
    def opposite(self) -> Relation:
        """What cannot hold beside it; silence is its own."""
        return {Relation.SUPPORTS: Relation.CONTRADICTS, Relation.CONTRADICTS: Relation.SUPPORTS}.get(self, self)


class Grade(StrEnum):
    """How far counting evidence carries a verdict."""

    FULL = "full"
    PART = "part"
    NONE = "none"


class EvidenceGap(StrEnum):
    """Why evidence did not decide a step."""

    NOT_RETRIEVED = "not_retrieved"
    """The case had no passage, and no citation from the vignette counted."""
    SILENT = "silent"
    """The case had passages; none was found to bear on every claim."""
    CONFLICTING = "conflicting"
    """Counting evidence stands for and against the same claim."""


class Claim(Record):
    """A checkable statement of a step."""

    handle: str
    """What prompts and findings call it: `C1`, `C2`, ..."""
    text: str
    """The statement, readable without the step."""
    start: int
    end: int
    """Its characters in the step."""
    restates: str | None = None
    """`vignette` or `step:N` where the claim only restates that; its citations make no verdict."""
    rewritten: bool = False
    """The text is not the step's own characters."""


class ClaimSet(Record):
    """The claims of one step."""

    claims: tuple[Claim, ...] = ()
    coverage: float = Field(default=1.0, ge=0, le=1)
    """Share of the step's words of content that are in some claim; 1 where the step has none."""
    uncovered: tuple[str, ...] = ()
    """Words of content that are in no claim."""
    beside: tuple[str, ...] = ()
    """Words of content in no claim, questions, plans and headings included, that neither vignette nor earlier steps
    have."""
    made_by: Literal["rule", "model"] = "rule"
    failure: str = ""
    """Why the model's claims were not usable, where the rule had to cut; else empty."""
