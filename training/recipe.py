"""The records of a recipe: one YAML file that both back ends read. Defaults are the paper's (docs/PROTOCOL.md).

This module imports only the standard library, pydantic and yaml, so that a GPU machine needs no other part of
tracejury.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from tracejury.configs.loading import ConfigError, ConfigKind, open_config


class RecipeError(ConfigError):
    """A recipe, or something that a recipe needs, is not usable. The message names the file and the next step."""


STUDENTS = ConfigKind("students", "recipe", RecipeError, "the keys are described in docs/students.md")


class RecipePart(BaseModel):
    """A frozen part of a recipe; a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Shape(RecipePart):
    """A randomly initialised Qwen3, for tests and benchmarks: nothing is downloaded."""

    vocab_size: int = 2048
    """The model's vocabulary; the tokenizer is trained on the corpus and may use less of it."""
    hidden_size: int = 128
    intermediate_size: int = 256
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    tied: bool = True
    bf16: bool = False
    """Store the weights in 16 bit."""


class Student(RecipePart):
    """Which weights are trained, and how a conversation is rendered for them."""

    model: str
    """A folder, a Hugging Face name, `fetched:NAME` (a GGUF of `tracejury models fetch`), or `random`."""
    revision: str | None = None
    think: Literal["none", "empty"] = "none"
    """`empty`: Qwen3's empty think block stands before the chain, in training and in sampling alike."""
    markers: tuple[str, ...] = ()
    """Strings that the rendered template must contain; without them the training would be for another model."""
    shape: Shape | None = None
    """For `model: random` only."""
    load_in_4bit: bool = False
    """Train the adapter on weights in 4 bit (NF4; QLoRA, Dettmers et al., arXiv 2305.14314). Needs a CUDA GPU."""


class CorpusSpec(RecipePart):
    """Which traces become training rows."""

    target: Literal["chain", "answer"] = "chain"
    """`answer`: the completion is the closing answer sentence alone (the answer-only control)."""
    layout: Literal["as_is", "numbered"] = "as_is"
    """`numbered`: chains in prose are laid out with one sentence a numbered line; no word changes."""
    models: tuple[str, ...] = ()
    """Keep traces of these models only; empty: of any."""
    arms: tuple[str, ...] = ()
    correct_only: bool = True
    """Drop traces whose answer is not the gold one, or was not parsable."""
    heldout: float = Field(default=0.02, ge=0, lt=1)
    """Share of questions held out for the evaluation loss."""


class Lora(RecipePart):
    """The adapter."""

    r: int = Field(default=16, ge=1)
    alpha: int = 32
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Schedule(RecipePart):
    """The optimisation."""

    learning_rate: float = Field(default=2e-5, gt=0)
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    epochs: float = Field(default=3, gt=0)
    max_steps: int = -1
    """Overrides `epochs` where positive."""
    batch: int = Field(default=2, ge=1)
    accumulation: int = Field(default=8, ge=1)
    max_length: int = Field(default=3072, ge=16)
    """Tokens; longer rows are dropped and counted, never cut."""
    packing: bool = False
    """Several rows in one sequence of `max_length`; attention does not cross rows."""
    gradient_checkpointing: bool = True
    precision: Literal["bf16", "fp32"] = "bf16"
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    log_every: int = 1
    save_every: int = Field(default=50, ge=1)
    """Steps between checkpoints; the evaluation loss is taken at the same steps."""
    keep: int = 2
    """Number of checkpoints that stay on disk."""
    patience: int | None = None
    """Stop after this many evaluations without a better `metric`; None: never."""
    metric: Literal["eval_loss", "eval_step_error", "eval_abstained"] = "eval_loss"
    """What the best checkpoint has least of, where `patience` is given; the jury's two need `train --jury`."""
    seed: int = 42


class Export(RecipePart):
    """The files that are written besides the adapter."""

    merged: bool = False
    """Whole weights with the adapter merged in, 16 bit (the precision of training on a CPU)."""
    gguf: str | None = None
    """A llama.cpp quantisation such as `q8_0` or `q4_k_m`; needs the unsloth back end."""


class Grpo(RecipePart):
    """Reinforcement from the jury's verdicts."""

    steps: int = Field(default=200, ge=1)
    prompts: int = Field(default=4, ge=1)
    """Questions a step."""
    generations: int = Field(default=8, ge=2)
    """Chains a question, compared with each other."""
    learning_rate: float = Field(default=1e-5, gt=0)
    temperature: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=1024, ge=8)
    beta: float = Field(default=0.0, ge=0)
    """Weight of the divergence from the student at the start."""
    answer_weight: float = 1.0
    steps_weight: float = 1.0


class Recipe(RecipePart):
    """The whole description of a student, as in its YAML file."""

    name: str
    description: str = ""
    backend: Literal["auto", "unsloth", "trl"] = "auto"
    student: Student
    corpus: CorpusSpec = CorpusSpec()
    lora: Lora | None = Lora()
    """None: every weight is trained (the tiny model's pre-training)."""
    schedule: Schedule = Schedule()
    trainer: dict[str, JsonValue] = Field(default_factory=dict)
    """Further arguments of TRL's SFTConfig (GRPOConfig for `reinforce`), such as `optim`, `report_to` or
    `model_init_kwargs: {attn_implementation: sdpa}`. They are recorded with the recipe."""
    export: Export = Export()
    grpo: Grpo | None = None

    @model_validator(mode="after")
    def _four_bit_needs_an_adapter(self) -> Recipe:
        if self.student.load_in_4bit and self.lora is None:
            raise ValueError("student.load_in_4bit trains an adapter: give `lora`, or take whole weights")
        return self


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe by name (from the package) or by path.

    Raises:
        RecipeError: No such recipe, or its content is not valid; the message says where and what.
    """
    return open_config(STUDENTS, name_or_path).record(Recipe)
