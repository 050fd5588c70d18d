"""What an experiment is made of: one YAML file for teach -> corpus -> train -> sample -> adjudicate."""

from __future__ import annotations

import difflib
from pathlib import Path

import yaml
from pydantic import Field, JsonValue, ValidationError, model_validator

from tracejury.models import Endpoint
from tracejury.training.corpus import OnContamination
from tracejury.training.recipe import RecipeError, RecipePart
from tracejury.training.sampling import SampleSpec
from tracejury.training.teach import TeachSpec

EXPERIMENTS = Path(__file__).resolve().parent.parent / "configs" / "experiments"


class SampledFrom(RecipePart):
    """Questions or traces in a file or folder, in any format that `tracejury read` knows."""

    path: str
    """Relative to the experiment's file; `$DATA` stands for the folder in TRACEJURY_DATA."""
    reader: str = "native"
    params: dict[str, JsonValue] = Field(default_factory=dict)
    arm: str | None = None
    """Only traces of this arm."""
    limit: int | None = None
    """Only the first so many questions, by the hash of the question."""


class Teacher(RecipePart):
    """Whom the student learns from: an endpoint that is asked, or chains that are there already."""

    endpoint: Endpoint | None = None
    questions: SampledFrom | None = None
    teach: TeachSpec = TeachSpec()
    chains: SampledFrom | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Teacher:
        if (self.chains is None) == (self.endpoint is None or self.questions is None):
            raise ValueError("give either `chains`, or `endpoint` and `questions`")
        return self


class Base(RecipePart):
    """A base that the experiment itself pre-trains, where no weights are taken as they are."""

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
    """Sample the base from here; None: in this process."""
    student_endpoint: Endpoint | None = None
    panel: str
    audited_sample: int = 0
    """The sample of each question that the jury hears (protocol.md: chain 0)."""


def load_experiment(name_or_path: str | Path) -> tuple[Experiment, Path]:
    """Read an experiment by name (from the package) or by path; return it and the folder its paths are relative to.

    Raises:
        RecipeError: No such experiment, or its content is not valid.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = EXPERIMENTS / f"{name_or_path}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in EXPERIMENTS.glob("*.yaml"))
        near = difflib.get_close_matches(path.stem, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RecipeError(f"{path}: no such experiment{hint} Known by name: {', '.join(known)}")
    try:
        return Experiment.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))), path.resolve().parent
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: not valid YAML: {error}") from error
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise RecipeError(f"{path}: {what}. Keys are described in docs/students.md") from error
