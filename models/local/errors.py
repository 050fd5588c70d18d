"""The error of weights that cannot be used."""

from __future__ import annotations


class WeightsError(LookupError):
    """Weights are missing, broken or cannot be downloaded. The message says what to do next."""
