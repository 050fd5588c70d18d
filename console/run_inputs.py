"""What the commands on finished runs read: the ledger, runs by reference, their rows, and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracejury.ledger import Ledger, Run, StepRow
    from tracejury.reports import Columns


def need_reports() -> None:
    """Say which extra to install where its packages are missing.

    Raises:
        ModuleNotFoundError: One of them is.
    """
    packages = ("jinja2", "krippendorff", "matplotlib", "openpyxl", "scipy", "sklearn", "statsmodels")
    if missing := [name for name in packages if find_spec(name) is None]:
        raise ModuleNotFoundError(
            f"{', '.join(missing)} not installed. Install the extra: pip install 'tracejury[reports]'"
        )


def open_references(store: str | None, texts: list[str]) -> tuple[Ledger, list[Run], list[tuple[str, str | None]]]:
    """Open the ledger and read RUN[:ARM] references."""
    from tracejury.ledger import DEFAULT_STORE, Ledger

    ledger = Ledger(store or DEFAULT_STORE)
    runs, refs = [], []
    for text in texts:
        run, arm = _run_and_arm(ledger, text)
        runs.append(run)
        refs.append((run.name, arm))
    return ledger, list({run.id: run for run in runs}.values()), refs


def _run_and_arm(ledger: Ledger, text: str) -> tuple[Run, str | None]:
    """Read RUN[:ARM], where either name may hold colons: the longest beginning that is a run is the run."""
    from tracejury.ledger import UnknownRunError

    name, arm = text, None
    while True:
        try:
            return ledger.run(name), arm
        except UnknownRunError:
            name, colon, last = name.rpartition(":")
            if not colon:
                raise
            arm = last if arm is None else f"{last}:{arm}"


def rejudged(ledger: Ledger, runs: list[Run]) -> dict[str, Columns]:
    """Read the runs that controls made of `runs` (named RUN@CONTROL), by control."""
    from tracejury.reports import load_controls

    there = {run.name: run for run in ledger.runs()}
    columns_by_control = {}
    for control in load_controls():
        control_runs = [there[name] for run in runs if (name := f"{run.name}@{control.name}") in there]
        if control_runs:
            columns_by_control[control.name] = read_rows(ledger, control_runs)
    return columns_by_control


def open_runs(store: str | None, refs: list[str]) -> tuple[Ledger, list[Run]]:
    """Open the ledger and find the runs, each once, in the order given."""
    from tracejury.ledger import DEFAULT_STORE, Ledger

    ledger = Ledger(store or DEFAULT_STORE)
    runs = [ledger.run(ref) for ref in refs]
    return ledger, list({run.id: run for run in runs}.values())


def labels_of(ledger: Ledger, ref: str | None, runs: list[Run]) -> Columns | None:
    """Read the labelled run that corrects the error rates of `runs`.

    Raises:
        ValueError: It was judged by another panel: its verdicts err otherwise.
    """
    if ref is None:
        return None
    run = ledger.run(ref)
    if other := next((r for r in runs if r.manifest.panel != run.manifest.panel), None):
        raise ValueError(
            f"--labels-from {run.name}: another panel than that of {other.name}; its verdicts err otherwise"
        )
    return read_rows(ledger, [run])


def stream_rows(ledger: Ledger, runs: Sequence[Run], labels: Path | None = None) -> Iterator[StepRow]:
    """Stream the runs' rows, with the labels of a file where one is given, and progress on standard error."""
    from tracejury.console.progress import tracked
    from tracejury.reports import labelled_by

    rows = tracked((row for run in runs for row in ledger.rows(run)), "steps read")
    return labelled_by(rows, labels) if labels else rows


def read_rows(ledger: Ledger, runs: Sequence[Run], labels: Path | None = None) -> Columns:
    """Read the runs' rows into columns; see `stream_rows`."""
    from tracejury.reports import gather

    multilingual = [run.name for run in runs if run.manifest.languages]
    return gather(stream_rows(ledger, runs, labels), multilingual)
