"""The command line. Commands import the rooms that they need when they run, so that `--help` costs nothing."""

from __future__ import annotations

import typer

from tracejury.console import index, ledger, models, review
from tracejury.console.adjudicate import adjudicate
from tracejury.console.audit import compare, gate, report, summary
from tracejury.console.checkers import checkers
from tracejury.console.control import control
from tracejury.console.demo import demo
from tracejury.console.doctor import doctor
from tracejury.console.export import export, runs
from tracejury.console.failing import Exit
from tracejury.console.graph import graph
from tracejury.console.new import new
from tracejury.console.panels import panels
from tracejury.console.read import read
from tracejury.console.show import show
from tracejury.console.students import corpus, distill, sample, serve, teach
from tracejury.console.training import reinforce, train
from tracejury.console.verdict_quality import calibrate, judges, score
from tracejury.console.view import view

app = typer.Typer(
    name="tracejury",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A jury of judges for every step of a medical reasoning trace: blind, grounded, willing to abstain.",
)

COMMANDS = {
    "The main job": (demo, read, adjudicate, show, view, export, runs),
    "What the verdicts add up to": (summary, compare, control, report, gate),
    "Who judges the judges": (score, calibrate, judges),
    "Students": (teach, corpus, train, reinforce, sample, serve, distill),
    "What it runs on": (panels, checkers, graph, index.sources, new, doctor),
}
for heading, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=heading)(command)
app.add_typer(review.app, name="review", rich_help_panel="Who judges the judges")
app.add_typer(models.app, name="models", rich_help_panel="What it runs on")
app.add_typer(ledger.app, name="ledger", rich_help_panel="What it runs on")
app.add_typer(index.app, name="index", rich_help_panel="What it runs on")

# A usage error ends with 1, as every error of input does; Typer's own 2 means here that some steps failed.
usage_error: type[Exception] = typer.BadParameter.__bases__[0]
usage_error.exit_code = int(Exit.USAGE)  # type: ignore[attr-defined]


def main() -> None:
    """Run the command line."""
    app()
