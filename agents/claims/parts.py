"""The parts of a sentence, and what they are."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from tracejury.traces import Span


class Kind(StrEnum):
    """What a part of a step is."""

    STATEMENT = "statement"
    QUESTION = "question"
    PLAN = "plan"
    HEADING = "heading"
    DEBRIS = "debris"
    """Markers, brackets, connectives: no words of content."""


class Part(NamedTuple):
    """A part of a sentence."""

    span: Span
    kind: Kind
