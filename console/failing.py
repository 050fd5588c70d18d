"""Exit codes, and errors as messages: what went wrong, where, and what to do next, without a traceback."""

from __future__ import annotations

import errno
import sys
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
        if isinstance(error, BrokenPipeError) and reader_has_left():
            raise
        raise fail(error_text(error)) from error


_REMEDIES = {
    errno.ENOSPC: "free some space and run the command again",
    errno.EDQUOT: "free some space and run the command again",
    errno.EFBIG: "a limit on the size of files is reached (ulimit -f)",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EROFS: "name a place that can be written",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "a part of the path is a file",
    errno.ENOENT: "check the path",
    errno.ELOOP: "the link leads to itself",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EMFILE: "allow the process more open files (ulimit -n)",
    errno.EADDRINUSE: "give another --port",
    errno.EADDRNOTAVAIL: "give an address of this machine",
}


def error_text(error: BaseException) -> str:
    """Return the text of an error for a user.

    Python quotes that of a KeyError, and this does not. An error of the operating system is named with its file and
    what to do.
    """
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])
    if isinstance(error, OSError) and error.strerror and str(error).startswith("[Errno"):
        # Of a copy, the second file is the one that is written.
        file = error.filename2 or error.filename
        parts = [str(file)] if file is not None else []
        text = ": ".join([*parts, error.strerror])
        remedy = _REMEDIES.get(error.errno or 0)
        return f"{text}; {remedy}" if remedy else text
    return str(error)


def reader_has_left() -> bool:
    """Tell whether the program that reads the standard output has ended, as `head` does."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    return False
