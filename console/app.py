"""The command line. Commands import the rooms that they need when they run, so that `--help` costs nothing."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="tracejury",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A jury of judges for every step of a medical reasoning trace: blind, grounded, willing to abstain.",
)


def main() -> None:
    """Run the command line."""
    app()
