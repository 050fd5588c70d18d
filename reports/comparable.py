"""Whether runs may be compared: only what was judged the same way differs by arm alone."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.ledger import Run


class NotComparableError(ValueError):
    """Runs were made differently. The message names what differs; `--allow-different-runs` compares all the same."""


def check_comparable(runs: Sequence[Run], allow_different_runs: bool = False) -> list[str]:
    """Return what differs between the first run and the others, one line each; empty: nothing does.

    Raises:
        NotComparableError: Something differs and `allow_different_runs` is false.
    """
    first = runs[0]
    differences = []
    for other in runs[1:]:
        for what, (here, there) in first.manifest.differences(other.manifest).items():
            differences.append(f"{what}: {_short(here)} in {first.name}, {_short(there)} in {other.name}")
    if differences and not allow_different_runs:
        raise NotComparableError(
            "these runs were judged differently, so a difference between them need not be one between the arms:\n  "
            + "\n  ".join(differences)
            + "\nJudge both with the same panel, prompts and segmenter, or give --allow-different-runs"
        )
    return differences


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
