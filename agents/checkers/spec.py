"""What a panel says about its checker and its claims."""

from __future__ import annotations

from pydantic import Field, JsonValue

from tracejury.traces import Record


class CheckerSpec(Record):
    """A panel's checker, re-created from (name, params)."""

    name: str = "nli"
    """A registered checker."""
    endpoint: str | None = None
    """A key of the panel's `endpoints`, for a checker that asks a model."""
    params: dict[str, JsonValue] = Field(default_factory=dict)
    calibration: str | None = None
    """A file that `tracejury quality calibrate --checker` wrote; None: the one that ships with the
    checker, if any. Without one it is uncalibrated and grounds nothing."""
    allow_same_weights: bool = False
    """Accept a checker with the weights of a voting judge or of the audited model; the run is marked."""


class ClaimsSpec(Record):
    """How steps are cut into claims."""

    endpoint: str | None = None
    """A key of the panel's `endpoints`, asked once a step; None: a rule cuts, without a model."""
