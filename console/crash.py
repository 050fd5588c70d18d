"""What stands around every command: an unforeseen error as a message, and tracing to a third party switched off."""

from __future__ import annotations

import logging
import os
import tempfile
import traceback

from tracejury.console.failing import Exit, error_text
from tracejury.console.lines import print_notice

_NO_THREAD = "can't start new thread"
"""Python's words where memory, or the number of threads, is at its limit."""


def switch_off_tracing() -> str | None:
    """Switch off LangSmith tracing that the environment asks for, and return what to tell the user.

    Prompts hold traces and questions, which must not go to a third party because some shell profile says so.
    """
    from tracejury.models import tracing_notice, unwanted_tracing

    variables = unwanted_tracing()
    for name in variables:
        os.environ[name] = "false"
    return tracing_notice(variables, "for this command") if variables else None


class _OneLine(logging.Handler):
    """Prints a record of the event loop without its traceback; the command that failed reports the reason itself."""

    def emit(self, record: logging.LogRecord) -> None:
        print_notice(" ".join(record.getMessage().split("\n", 1)[0].split()), "yellow")


def shorten_event_loop_log() -> None:
    """Print errors that the event loop logs as one line each, where nobody else has set up its log."""
    log = logging.getLogger("asyncio")
    if not log.hasHandlers():
        log.addHandler(_OneLine())


def report_crash(error: Exception) -> int:
    """Print what happened without a traceback, write that into a file, and return the exit code."""
    if isinstance(error, MemoryError) or _NO_THREAD in str(error):
        print_notice(
            "tracejury has no memory left; what was committed is kept. Give it more memory, or judge fewer traces at "
            "once (max_concurrency in the panel), and run the same command again",
            "red",
        )
        return int(Exit.USAGE)
    if isinstance(error, OSError) or type(error).__module__.startswith("tracejury."):
        # Our own errors say what to do, wherever they come from.
        print_notice(error_text(error), "red")
        return int(Exit.USAGE)
    reason = " ".join(str(error).split())[:300]
    message = f"tracejury stopped on an error that it did not foresee: {type(error).__name__}: {reason}"
    from tracejury.console.screen import err

    err.print(message, style="red", soft_wrap=True)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="tracejury-error-", suffix=".txt", delete=False) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        print_notice("Run it again with TRACEJURY_DEBUG=1 to see where.")
    else:
        print_notice(f"Where it happened is in {file.name}; TRACEJURY_DEBUG=1 shows it. Please report it.")
    return int(Exit.USAGE)
