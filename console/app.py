"""The command line. Commands import the rooms that they need when they run, so that `--help` costs nothing."""

from __future__ import annotations

import typer

from tracejury.console import index, models, review
from tracejury.console.adjudicate import adjudicate
from tracejury.console.audit import compare, gate, report, summary
from tracejury.console.demo import demo
from tracejury.console.doctor import doctor
from tracejury.console.export import export, runs
from tracejury.console.panels import panels
from tracejury.console.read import read
from tracejury.console.show import show
from tracejury.console.students import corpus, distill, sample, serve, teach, train
from tracejury.console.verdict_quality import calibrate, judges, score
from tracejury.console.view import view

app = typer.Typer(
    name="tracejury",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A jury of judges for every step of a medical reasoning trace: blind, grounded, willing to abstain.",
)

for command in (
    demo,
    read,
    adjudicate,
    summary,
    compare,
    report,
    gate,
    show,
    view,
    export,
    runs,
    panels,
    score,
    calibrate,
    judges,
    doctor,
):
    app.command()(command)

for stage in (teach, corpus, train, sample, serve, distill):
    app.command()(stage)


app.add_typer(models.app, name="models")
app.add_typer(index.app, name="index")
app.add_typer(review.app, name="review")
app.command()(index.sources)


@app.callback()
def _group() -> None:
    """Without this, Typer makes an app of one command into that command."""


def main() -> None:
    """Run the command line."""
    app()
