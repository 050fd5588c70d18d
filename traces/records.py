"""The records of the ground floor: questions, traces, steps. Frozen, and named by the hash of what they say.

An id depends on content alone: a re-run, a re-ordered file or a second machine gives the same thing the same id.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, computed_field, field_validator, model_validator

StepLabel = Literal["supported", "error"]


_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def content_id(prefix: str, *parts: JsonValue) -> str:
    """Return `prefix` plus 20 hex digits of the SHA-256 of `parts` as canonical JSON."""
    text = _CANONICAL.encode(parts)
    # surrogatepass: a broken file may carry lone surrogates, and must still get a name.
    return f"{prefix}_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:20]}"


class ErrorType(StrEnum):
    """What is wrong with a step. The order is the order of severity, used to break ties, least severe last."""

    UNSAFE_MANAGEMENT = "unsafe_management"
    CONTRADICTS_VIGNETTE = "contradicts_vignette"
    FACTUAL = "factual"
    ARITHMETIC = "arithmetic"
    CONTRADICTS_STEP = "contradicts_step"
    UNSUPPORTED_INFERENCE = "unsupported_inference"


class Role(StrEnum):
    """What a step does in its trace (docs/PROTOCOL.md, 'Step roles')."""

    CORRECTION = "correction"
    FINAL_SYNTHESIS = "final_synthesis"
    OPTION_ELIMINATION = "option_elimination"
    HYPOTHESIS_GENERATION = "hypothesis_generation"
    FACTUAL_CLAIM = "factual_claim"
    OTHER = "other"


class Record(BaseModel):
    """A frozen record. Unknown fields are an error, so that a misspelt key in a file is reported, not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(Record):
    """A record whose `id` is computed from its content; an `id` found in serialised form is dropped and recomputed."""

    @model_validator(mode="before")
    @classmethod
    def _drop_id(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if k != "id"} if isinstance(data, dict) else data


class Question(Named):
    """A question of a benchmark. `gold` and `explanation` never enter a case (unless a control arm says so)."""

    stem: str
    options: dict[str, str] = Field(default_factory=dict)
    gold: str | None = None
    gold_aliases: tuple[str, ...] = ()
    """Other spellings of the gold answer, of a question without options."""
    explanation: str | None = None
    source: str = ""
    split: str | None = None
    date: str | None = None
    """When it was written: an ISO date or a year. Passages that are later are marked."""
    key: str = ""
    """The name that the source itself gives to the question."""
    meta: dict[str, JsonValue] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def id(self) -> str:
        """Hash of stem and options; of source and key where there is no stem (MEDEC notes have none)."""
        if self.stem.strip():
            return content_id("q", self.stem, dict(self.options))
        return content_id("q", self.source, self.key)


SAMPLED_ANSWERS = "sampled_answers"
"""A trace's `meta` key: `[answer, count]` of all samples of its question and arm, where it stands for them."""


class GivenStep(Record):
    """A step that a trace brings itself, with a human label where its data set has one."""

    text: str
    start: int | None = None
    end: int | None = None
    label: StepLabel | None = None
    error_type: ErrorType | None = None


class Trace(Named):
    """One model's chain of thought for a question."""

    question_id: str
    model: str
    arm: str = "base"
    sample: int = 0
    text: str
    answer: str | None = None
    """The final answer as an option letter (or free text where the question has no options); None: not parsable."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str | None = None
    context: Literal["earlier", "others"] = "earlier"
    """Which steps a judge sees beside the judged one: the earlier ones, or all others (clinical notes)."""
    steps: tuple[GivenStep, ...] | None = None
    meta: dict[str, JsonValue] = Field(default_factory=dict)
    """Teacher, `hint_used`, sampling parameters, the source's own key."""

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def id(self) -> str:
        """Hash of question, model, arm, sample, text and given steps."""
        step_texts: JsonValue = None if self.steps is None else [s.text for s in self.steps]
        return content_id("t", self.question_id, self.model, self.arm, self.sample, self.text, step_texts)


class Step(Named):
    """A span of a trace. `text` is `trace.text[start:end]`, unless the trace brought steps that it does not contain."""

    trace_id: str
    index: int
    """From 0."""
    start: int
    end: int
    text: str
    role: Role = Role.OTHER
    hedges: int = 0
    """Number of hedging expressions (14-pattern lexicon; docs/PROTOCOL.md, 'Hedging')."""
    label: StepLabel | None = None
    error_type: ErrorType | None = None

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def id(self) -> str:
        """Hash of trace, position and text: two segmenters that agree on a step agree on its name."""
        return content_id("s", self.trace_id, self.index, self.start, self.end, self.text)


class Segmentation(Record):
    """A trace cut into steps, with all that was cut, dropped or capped on the way: nothing is lost in silence."""

    segmenter: str
    steps: tuple[Step, ...]
    cut_chars: int = 0
    """Characters of step bodies beyond the segmenter's length limit."""
    cut_steps: int = 0
    """Steps that were shortened by that limit."""
    dropped: int = 0
    """Pieces left out because they are too short."""
    capped: int = 0
    """Steps beyond the segmenter's maximum number."""
    stripped_answer: bool = False
    """Whether a closing answer sentence was taken off."""
    text_chars: int = 0
    """Characters of the trace that say something, without white space and the closing answer sentence."""
    judged_chars: int = 0
    """Those of them that are in a step."""

    @property
    def judged_share(self) -> float | None:
        """Share of the trace's text that is in steps; None where it has no text."""
        return self.judged_chars / self.text_chars if self.text_chars else None


class Severity(StrEnum):
    """How much a reader's message matters."""

    PROBLEM = "problem"
    """Something could not be read."""
    WARNING = "warning"
    """Everything was read, and it looks as if it had been read wrongly."""
    NOTE = "note"
    """How the input was read."""


class Problem(Record):
    """Something a reader has to say of its input: where, what, and what to do next."""

    file: str
    line: int | None = None
    reason: str
    hint: str = ""
    severity: Severity = Severity.PROBLEM

    @field_validator("file")
    @classmethod
    def _printable_name(cls, file: str) -> str:
        # A file's name that is not UTF-8 comes with half characters in it, which could not be written down.
        return file.encode("utf-8", "backslashreplace").decode()

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}" + (f" ({self.hint})" if self.hint else "")
