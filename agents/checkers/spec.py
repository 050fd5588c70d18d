"""What a panel says about its checker and its claims."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, JsonValue

from tracejury.traces import Record


class PolicyName(StrEnum):
    """How a panel's opinions become a verdict: docs/policy.md."""

    GROUNDED = "grounded"
    """A strict majority decides where checked evidence stands behind it."""
    CONSENSUS = "consensus"
    """A strict majority decides; what evidence stands behind it is recorded."""


class CheckerSpec(Record):
    """A panel's checker, re-created from (name, params)."""

    name: str = "nli"
    """A registered checker."""
    endpoint: str | None = None
    """A key of the panel's `endpoints`, for a checker that asks a model."""
    params: dict[str, JsonValue] = Field(default_factory=dict)
    calibration: str | None = None
    """A file that `tracejury calibrate --checker` wrote; None: the checker is uncalibrated and grounds nothing."""
    allow_same_weights: bool = False
    """Accept a checker with the weights of a voting judge or of the audited model; the run is marked."""


class ClaimsSpec(Record):
    """How steps are cut into claims."""

    endpoint: str | None = None
    """A key of the panel's `endpoints`, asked once a step; None: a rule cuts, without a model."""
