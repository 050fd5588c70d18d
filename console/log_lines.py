"""Where the log of a run goes: warnings to standard error, more with -v, everything to a file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _ScreenHandler(logging.Handler):
    """Prints through the console's own screen, so that a live display stays whole."""

    def emit(self, record: logging.LogRecord) -> None:
        from tracejury.console.screen import err

        err.print(record.getMessage(), style="yellow")


@contextmanager
def log_lines(*, quiet: bool = False, verbose: bool = False, file: Path | None = None) -> Iterator[None]:
    """Show the package's log while the block runs.

    Args:
        quiet: Show errors only.
        verbose: Show what is learnt about endpoints, too.
        file: Append every line to this file, with its time.
    """
    logger = logging.getLogger("tracejury")
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    handlers: list[logging.Handler] = [_ScreenHandler(level)]
    if file is not None:
        to_file = logging.FileHandler(file, encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(to_file)
    old_level, old_propagate = logger.level, logger.propagate
    logger.setLevel(min(level, logging.INFO) if file is not None else level)
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(old_level)
        logger.propagate = old_propagate
