"""Whether runs may be compared: only what was judged the same way differs by arm alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracejury.ledger import Run
from tracejury.reports.columns import ArmKey
from tracejury.traces import TextCoverage


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


def check_judged_shares(
    coverage: Mapping[ArmKey, TextCoverage], arms: Sequence[ArmKey], allowed: bool = False
) -> list[str]:
    """Return how the judged share of the arms' text differs from that of the first arm, where by more than 5 points.

    Raises:
        NotComparableError: It does, and `allowed` is false.
    """
    shares = {arm: coverage[arm].judged_share for arm in arms if arm in coverage}
    first = shares.get(arms[0])
    differences = [
        f"judged share of the text: {100 * first:.1f} % in {arms[0].arm}, {100 * share:.1f} % in {arm.arm}"
        for arm, share in shares.items()
        if first is not None and share is not None and abs(share - first) > 0.05
    ]
    if differences and not allowed:
        raise NotComparableError(
            "the steps of these arms stand for unlike shares of their text, so a difference between them need not be"
            " one between the arms:\n  "
            + "\n  ".join(differences)
            + "\nJudge both with a segmenter that covers the text"
            " (`--segmenter reasoning`), or give --allow-different-runs"
        )
    return differences


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
