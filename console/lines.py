"""Single lines through the one printer, for commands that need nothing else of it; Rich is loaded by the first one."""

from __future__ import annotations


def print_line(text: str) -> None:
    """Print a line to standard output, with nothing in it that steers the terminal."""
    from tracejury.console.screen import out

    out.print(text, soft_wrap=True)


def print_notice(text: str, style: str = "") -> None:
    """Print a line to standard error, with nothing in it that steers the terminal."""
    from tracejury.console.screen import err

    err.print(text, style=style, soft_wrap=True)
