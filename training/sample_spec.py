"""How chains are sampled: the part of an experiment that `sample`, `distill` and `JuryEval` share."""

from __future__ import annotations

from pydantic import Field

from tracejury.training.recipe import RecipePart


class SampleSpec(RecipePart):
    """How chains are sampled. The defaults are the paper's figures (docs/PROTOCOL.md, 'Sampling')."""

    n: int = Field(default=64, ge=1)
    temperature: float = Field(default=0.6, ge=0)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=2048, ge=1)
    seed: int = 42
    cache_tokens: int = Field(default=65_536, ge=1)
    """Tokens of a batch, prompts and replies at their limit, for sampling in process: 9 GiB of cache on an 8B model.
    It is halved where memory runs out."""
