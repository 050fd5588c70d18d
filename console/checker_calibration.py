"""`tracejury quality calibrate --checker NAME PAIRS`: fitting a checker's calibration on labelled pairs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracejury.console.neutral import print_json

if TYPE_CHECKING:
    from tracejury.agents.checkers import CheckerCalibration, CheckerSpec
    from tracejury.models import Endpoint
    from tracejury.reports import LabelledPair


def calibrate_checker(
    name: str,
    pairs_path: Path,
    *,
    panel: str | None,
    settings: Sequence[str],
    out: Path | None,
    alpha: float,
    seed: int,
    store: str | None,
    as_json: bool,
) -> None:
    """Fit a calibration, write it and say what it is worth.

    Args:
        name: A registered checker.
        pairs_path: JSON lines of labelled pairs.
        panel: Whose checker, with its endpoint and params, is meant; None: the checker with `settings` alone.
        settings: `KEY=VALUE`, params of the checker.
        out: The file to write.
        alpha: Share of steps asserted wrongly that may have a counting citation.
        seed: Decides the halves.
        store: Ledger URL, whose response cache is used; None: `calls.db` beside the pairs.
        as_json: Print the calibration itself.
    """
    from tracejury.reports import read_labelled_pairs

    spec, endpoint = _spec(name, panel, settings)
    pairs = read_labelled_pairs(pairs_path)
    calibration = asyncio.run(_fitted(spec, endpoint, pairs, alpha, seed, store or _calls_beside(pairs_path)))
    if out is not None:
        out.write_text(calibration.model_dump_json(indent=2) + "\n")
    if as_json:
        print_json(calibration.model_dump_json(indent=2))
    else:
        _print(calibration, out)


def _calls_beside(path: Path) -> str:
    return f"sqlite:///{path.resolve().parent / 'calls.db'}"


def _spec(name: str, panel: str | None, settings: Sequence[str]) -> tuple[CheckerSpec, Endpoint | None]:
    from tracejury.agents import load_panel
    from tracejury.agents.checkers import CheckerSpec
    from tracejury.console.options import setting

    params = dict(map(setting, settings))
    if panel is None:
        return CheckerSpec(name=name, params=params), None
    loaded = load_panel(panel)
    if loaded.checker is None or loaded.checker.name != name:
        other = loaded.checker.name if loaded.checker else "none"
        raise ValueError(f"panel {loaded.name!r} has checker {other!r}, not {name!r}")
    spec = loaded.checker.model_copy(update={"params": loaded.checker.params | params, "calibration": None})
    return spec, loaded.endpoints[spec.endpoint] if spec.endpoint else None


async def _fitted(
    spec: CheckerSpec, endpoint: Endpoint | None, pairs: Sequence[LabelledPair], alpha: float, seed: int, store: str
) -> CheckerCalibration:
    from tracejury.agents import BoundAsk
    from tracejury.agents.checkers import load_checker
    from tracejury.console.progress import progress
    from tracejury.models import CallStore, Gateway
    from tracejury.reports import calibrate_checker as fit

    checker = load_checker(spec, endpoint)
    with progress("labelled pairs") as bar:
        if endpoint is None:
            return await fit(checker, pairs, alpha=alpha, seed=seed, progress=bar.update)
        calls = CallStore(store)
        try:
            # The secret only keys fences; no run is judged here.
            async with Gateway(calls, secret=b"calibrate") as gateway:
                ask = BoundAsk(gateway, endpoint, "calibrate:checker", "labelled pairs", max_tokens=512)
                return await fit(checker, pairs, ask=ask, alpha=alpha, seed=seed, progress=bar.update)
        finally:
            calls.close()


def _print(calibration: CheckerCalibration, path: Path | None) -> None:
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    out.print(
        f"Checker {calibration.checker} ({calibration.identity}): {calibration.n:,} labelled pairs in"
        f" {calibration.groups:,} groups; scale {calibration.scale:.2f}, offsets"
        f" {', '.join(f'{r.value} {b:+.2f}' for r, b in calibration.offsets.items())}."
    )
    table = Table("relation", "thresholds (1, 2, 3 sentences)", "holds against", "groups", "true rate")
    for relation, evidence in calibration.evidence.items():
        rate = "no such rows" if evidence.true_rate is None else f"{evidence.true_rate:.2f}"
        table.add_row(
            relation.value,
            ", ".join(f"{t:.3f}" for t in calibration.thresholds[relation]),
            ", ".join(r.value for r in evidence.against),
            str(evidence.groups),
            f"{rate} of {evidence.true_steps} steps in {evidence.true_groups} groups",
        )
    out.print(table)
    if not calibration.can_contradict:
        out.print("This checker cannot contradict: errors of a panel that uses it cannot be grounded.")
    out.print(
        f"Of steps on which a relation is asserted wrongly, at most {calibration.alpha:.0%} have a counting citation:"
        " for groups like these, and for nothing else."
    )
    if path is None:
        out.print("Nothing was written; give --out FILE.")
    else:
        out.print(f"Written to {path}. In the panel: checker: {{calibration: {path.resolve()}}}", soft_wrap=True)
