"""`tracejury student distill`: a whole experiment, or what it would take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracejury.console.air_gap import close_network_to_all_but
from tracejury.console.failing import Exit, explained, fail
from tracejury.console.lines import print_notice
from tracejury.console.neutral import print_json
from tracejury.console.options import AirGapped, IndexPath, Json, Store
from tracejury.console.outputs import output_folder
from tracejury.console.stages import Backend, interrupted_at_once, resumable

if TYPE_CHECKING:
    from tracejury.training import StageEstimate

_SHOWN = ("rows", "steps", "loss", "traces", "unparsable_answers", "correct", "run")


def distill(
    experiment: Annotated[
        str, typer.Argument(help="Run this experiment: a name (configs/experiments) or a YAML file.")
    ],
    out: Annotated[
        Path | None, typer.Option(callback=output_folder, help="Write everything to this folder. Default: runs/NAME.")
    ] = None,
    backend: Backend = None,
    embeddings: Annotated[
        bool, typer.Option(help="Look for contamination by meaning too, where minilm is fetched.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option(help="Show calls, tokens, memory, hours and cost of each stage, and start nothing.")
    ] = False,
    air_gapped: AirGapped = False,
    store: Store = None,
    index: IndexPath = None,
    as_json: Json = False,
) -> None:
    """Run a whole experiment: teach, corpus, train, sample base and student, adjudicate both.

    Finished stages are skipped, so that the same command continues where it stopped. Where an input has changed, such
    as an edited teacher file, the stages that depend on it are set aside and made anew. At the end the command prints
    the `tracejury compare` command for the two runs.

    Example: tracejury student distill tiny
    """
    with explained():
        import asyncio

        from tracejury.console.progress import live_line
        from tracejury.training import (
            StageIncompleteError,
            StageProgress,
            endpoints_of,
            estimate_experiment,
            load_experiment,
        )
        from tracejury.training import distill as run

        spec, beside = load_experiment(experiment)
        if dry_run:
            _show_estimates(estimate_experiment(spec, beside), as_json=as_json)
            return
        if air_gapped:
            close_network_to_all_but(endpoints_of(spec, beside))
        folder = out or Path("runs") / spec.name
        folder.mkdir(parents=True, exist_ok=True)

        def report_stage(stage: str, number: int, of: int, manifest: dict[str, Any]) -> None:
            facts = ", ".join(f"{key} {manifest[key]}" for key in _SHOWN if key in manifest)
            print_notice(f"({number} of {of}) {stage}: {facts}")

        stage_progress = StageProgress()
        try:
            with resumable(folder), interrupted_at_once(), live_line(lambda: str(stage_progress)):
                manifest = asyncio.run(
                    run(
                        spec,
                        beside,
                        folder,
                        store=store,
                        index=index,
                        backend=backend,
                        embedder=_embedder() if embeddings else None,
                        air_gapped=air_gapped,
                        report_stage=report_stage,
                        report_line=print_notice,
                        progress=stage_progress,
                    )
                )
        except StageIncompleteError as error:
            raise fail(str(error), Exit.SOME_FAILED) from error
    print_json(json.dumps(manifest) if as_json else manifest["compare"])


def _embedder() -> Any:
    """Return MiniLM where its weights are on this machine; else say that contamination is looked for by words alone."""
    from tracejury.models import embedder, is_fetched

    if is_fetched("minilm"):
        return embedder("minilm")
    print_notice(
        "contamination is looked for by n-grams alone: `tracejury models fetch minilm` adds the check by meaning"
    )
    return None


def _show_estimates(estimates: list[StageEstimate], *, as_json: bool) -> None:
    if as_json:
        print_json(json.dumps([stage._asdict() for stage in estimates]))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table
    from tracejury.training import SAMPLING_FLOPS, TRAINING_FLOPS

    figures = ("calls", "tokens", "GiB", "hours", "USD")
    table = Table("stage", figures=figures, title="Nothing was called, loaded or written")
    table.add_column("note")
    for stage in estimates:
        table.add_row(
            stage.stage,
            f"{stage.calls:,}" if stage.calls else "-",
            f"{stage.tokens:,}",
            "-" if stage.memory_gib is None else f"{stage.memory_gib:.1f}",
            "-" if stage.hours is None else f"{stage.hours:.2f}",
            f"{stage.usd:.2f}",
            stage.note,
        )
    out.print(table)
    out.print(
        f"Calls, tokens and cost are upper bounds. Hours assume {TRAINING_FLOPS:.1g} operations a second in training "
        f"and {SAMPLING_FLOPS:.1g} in sampling (an H100); the jury's are those of its endpoints' limits."
    )
