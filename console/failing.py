"""Exit codes, and errors as messages: what went wrong, where, and what to do next, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    USAGE = 1
    SOME_FAILED = 2
    GATE = 3
    INTERRUPTED = 130


def fail(message: str, code: Exit = Exit.USAGE) -> typer.Exit:
    """Print `message` to standard error and return the exception to raise."""
    from tracejury.console.screen import err

    err.print(message, style="red", soft_wrap=True)
    return typer.Exit(code)


@contextmanager
def explained() -> Iterator[None]:
    """Turn the errors that a user can repair into a message and exit code 1."""
    try:
        yield
    except (LookupError, ValueError, OSError, ModuleNotFoundError) as error:
        raise fail(error_text(error)) from error


def error_text(error: BaseException) -> str:
    """Return the text of an error; Python quotes that of a KeyError, and this does not."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
