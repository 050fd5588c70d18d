"""The records of an experiment: one YAML file for teach -> corpus -> train -> sample -> adjudicate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from tracejury.configs.loading import ConfigKind, open_config
from tracejury.models import Endpoint
from tracejury.training.back_ends import BackEnd
from tracejury.training.corpus import OnContamination
from tracejury.training.recipe import RecipeError, RecipePart
from tracejury.training.sample_spec import SampleSpec
from tracejury.training.teach import TeachSpec

EXPERIMENTS = ConfigKind("experiments", "experiment", RecipeError, "the keys are described in docs/students.md")


class SampledFrom(RecipePart):
    """Questions or traces in a file or folder, in any format that `tracejury read` knows."""

    path: str
    """Relative to the experiment's file; `$DATA` stands for the folder in TRACEJURY_DATA."""
    reader: str = "native"
    params: dict[str, JsonValue] = Field(default_factory=dict)
    arm: str | None = None
    """Take only traces of this arm."""
    limit: int | None = Field(default=None, ge=1)
    """Take only this many questions, the first by their hash: a sample that no order of the file can change."""
    first: int | None = Field(default=None, ge=1)
    """Take only the first questions of the file, as the paper does."""

    @model_validator(mode="after")
    def _one_limit(self) -> SampledFrom:
        if self.limit is not None and self.first is not None:
            raise ValueError("give `limit` (a sample) or `first` (the beginning of the file), not both")
        return self


def _several(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else (value,)


Sources = Annotated[
    tuple[SampledFrom, ...],
    BeforeValidator(_several, json_schema_input_type=SampledFrom | tuple[SampledFrom, ...]),
]
"""One source, or a list of them that is read one after another."""


class Teacher(RecipePart):
    """The student's teacher: an endpoint to sample from, or chains that exist already."""

    endpoint: Endpoint | None = None
    questions: Sources = ()
    """One source or several, such as MedQA's and MedMCQA's training questions."""
    teach: TeachSpec = TeachSpec()
    chains: Sources = ()

    @model_validator(mode="after")
    def _one_of(self) -> Teacher:
        if bool(self.chains) == (self.endpoint is not None and bool(self.questions)):
            raise ValueError("give either `chains`, or `endpoint` and `questions`")
        return self


class Base(RecipePart):
    """A base model that the experiment pre-trains itself, instead of starting from existing weights."""

    recipe: str
    chains: SampledFrom


class Experiment(RecipePart):
    """A whole experiment."""

    name: str
    description: str = ""
    teacher: Teacher
    base: Base | None = None
    recipe: str
    evaluation: SampledFrom
    on_contamination: OnContamination = "fail"
    sample: SampleSpec = SampleSpec()
    base_endpoint: Endpoint | None = None
    """Sample the base from this endpoint; None: in this process."""
    student_endpoint: Endpoint | None = None
    served_by: BackEnd | None = None
    """What serves the endpoints; None: vLLM, except embedded models and OpenAI's service."""
    panel: str
    audited_sample: int = 0
    """The sample of each question that the jury judges (chain 0 in the paper; docs/PROTOCOL.md, 'Sampling')."""


def load_experiment(name_or_path: str | Path) -> tuple[Experiment, Path]:
    """Read an experiment by name (from the package) or by path; return it and the folder its paths are relative to.

    Raises:
        RecipeError: No such experiment, or its content is not valid.
    """
    file = open_config(EXPERIMENTS, name_or_path)
    return file.record(Experiment), file.path.resolve().parent
