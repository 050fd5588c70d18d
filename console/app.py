"""The command line. A command imports the folders that it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from tracejury.console import index, ledger, models, panels, review
from tracejury.console.adjudicate import adjudicate
from tracejury.console.audit import compare, gate, report, summary
from tracejury.console.cases import calls_app, cases
from tracejury.console.check import check
from tracejury.console.control import control
from tracejury.console.crash import report_crash, shorten_event_loop_log, switch_off_tracing
from tracejury.console.demo import demo
from tracejury.console.distill import distill
from tracejury.console.doctor import doctor
from tracejury.console.export import export
from tracejury.console.failing import Exit
from tracejury.console.lines import print_line, print_notice
from tracejury.console.new import new
from tracejury.console.read import read
from tracejury.console.recheck import recheck
from tracejury.console.show import show
from tracejury.console.sources import sources
from tracejury.console.student_files import schema, stepwise
from tracejury.console.students import corpus, sample, serve, teach
from tracejury.console.training import reinforce, train
from tracejury.console.two_arms import audit
from tracejury.console.verdict_quality import calibrate, invariance, judges, score
from tracejury.console.view import view

JUDGE, FIGURES, TRUST, STUDENTS, SETUP = HEADINGS = (
    "Judge traces", "Read the figures", "Check the jury", "Produce students", "Set up",
)  # fmt: skip


unlisted = typer.Typer()
"""Commands that `panels --help` lists, and that work at the top, too; the list at the top has room for 22."""
unlisted.command()(cases)
unlisted.command()(check)
unlisted.add_typer(calls_app, name="calls")


class Root(TyperGroup):
    """The top level of the command line: it lists commands and groups together, by heading."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a listed command, or an unlisted one."""
        return super().get_command(ctx, cmd_name) or get_group(unlisted).commands.get(cmd_name)

    def list_commands(self, ctx: object) -> list[str]:
        """Return the commands' names in the order of `HEADINGS`."""

        def place(name: str) -> int:
            command = self.commands[name]
            return HEADINGS.index(str(command.rich_help_panel)) if isinstance(command, TyperCommand | TyperGroup) else 0

        return sorted(self.commands, key=place)


app = typer.Typer(
    name="tracejury", cls=Root, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False
)
quality = typer.Typer(
    no_args_is_help=True, help="Measure and calibrate the jury: labels, judges, thresholds, controls."
)
student = typer.Typer(no_args_is_help=True, help="Produce a student: teacher traces, corpus, training, sampling.")

COMMANDS: dict[str, tuple[Callable[..., object], ...]] = {
    JUDGE: (demo, audit, read, adjudicate, recheck, show, view, export),
    FIGURES: (summary, compare, gate, report, sources),
    SETUP: (new, doctor),
}
GROUPS: dict[typer.Typer, tuple[Callable[..., object], ...]] = {
    quality: (score, judges, calibrate, control, invariance),
    student: (teach, corpus, train, sample, serve, distill, reinforce, stepwise, schema),
}
for heading, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=heading)(command)
for group, commands in GROUPS.items():
    for command in commands:
        group.command()(command)
app.add_typer(quality, name="quality", rich_help_panel=TRUST)
app.add_typer(review.app, name="review", rich_help_panel=TRUST)
app.add_typer(student, name="student", rich_help_panel=STUDENTS)
app.add_typer(panels.app, name="panels", rich_help_panel=SETUP)
app.add_typer(index.app, name="index", rich_help_panel=SETUP)
app.add_typer(models.app, name="models", rich_help_panel=SETUP)
app.add_typer(ledger.app, name="ledger", rich_help_panel=SETUP)

# A usage error ends with 1, as every error of input does; Typer's own 2 means here that some steps failed.
usage_error: type[Exception] = typer.BadParameter.__bases__[0]
usage_error.exit_code = int(Exit.USAGE)  # type: ignore[attr-defined]


def _print_version(version_only: bool) -> None:
    if version_only:
        from importlib.metadata import version

        print_line(f"tracejury {version('tracejury')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Judge every step of a medical reasoning trace by a jury that is blind, grounded and willing to abstain."""


def main() -> None:
    """Run the command line; an error that no command foresaw becomes a message, and its traceback a file.

    A console that lacks a symbol shows another in its place.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="tracejury.plain")
    if os.environ.get("TRACEJURY_DEBUG"):
        app()
        return
    shorten_event_loop_log()
    try:
        if notice := switch_off_tracing():
            print_notice(notice, "yellow")
        app()
    except Exception as error:  # noqa: BLE001 - nobody above could show it
        raise SystemExit(report_crash(error)) from None
