"""How often the same labels were used to calibrate: every attempt is a further chance to pass a test by luck."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from tracejury.ledger import StepRow
from tracejury.storage import KeyValueStore
from tracejury.traces import content_id


def attempts_file() -> Path:
    """Return the file that counts attempts: in `TRACEJURY_CACHE`, else in the user's data folder."""
    folder = os.environ.get("TRACEJURY_CACHE") or platformdirs.user_data_path("tracejury")
    return Path(folder) / "calibrations.db"


def labels_digest(rows: Iterable[StepRow], seats: str) -> str:
    """Name the labels that a calibration rests on, and the panel that it is for."""
    labels = sorted(f"{r.step_id} {r.label}" for r in rows if r.label is not None)
    return content_id("labels", {"seats": seats, "labels": [*labels]})


def count_attempts(digest: str, settings: str, path: Path | None = None) -> int:
    """Return how many different attempts there were on these labels, this one included; a repetition is none.

    Args:
        digest: Of `labels_digest`.
        settings: What tells one attempt from another: seed and risks.
        path: The file that counts; None: `attempts_file()`.
    """
    with KeyValueStore[str](digest, path=path or attempts_file()) as store:
        store.add(digest, settings, "")
        return store.count(digest)
