"""Plot the loss of trainings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tracejury.storage import replacing_file


def plot_losses(logs: Mapping[str, Path], to: Path) -> Path:
    """Draw the training loss (lines) and the evaluation loss (dashed) of one or several trainings; return `to`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot(xlabel="optimizer step", ylabel="loss, nats a token")
    for name, log in logs.items():
        history = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        steps = [(h["step"], h["loss"]) for h in history if "loss" in h]
        evaluations = [(h["step"], h["eval_loss"]) for h in history if "eval_loss" in h]
        if steps:
            (line,) = axes.plot(*zip(*steps, strict=True), label=f"{name}, training", linewidth=1.2)
            if evaluations:
                axes.plot(
                    *zip(*evaluations, strict=True),
                    "o--",
                    color=line.get_color(),
                    label=f"{name}, held out",
                    markersize=3,
                )
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing_file(to) as partial:
        figure.savefig(partial, format="png")
    return to
