"""Progress of long work: a bar on a terminal, and a line every nine seconds where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tracejury.console.screen import err

LINE_EVERY_S = 9.0

T = TypeVar("T")


class Progress:
    """How far a piece of work has come.

    Args:
        what: What is done, such as `traces`.
        total: How many there are, if that is known.
    """

    def __init__(self, what: str, total: int | None = None) -> None:
        self.what = what
        self.total = total
        self.completed = 0
        self.note = ""
        self._began_at = time.monotonic()
        self._first: int | None = None

    def update(self, completed: int, total: int | None = None, note: str = "") -> None:
        """Set how many are done, of how many, and a note."""
        if self._first is None:
            # A resumed stage begins with what earlier starts have done, which says nothing about its pace.
            self._first = completed if completed > 1 else 0
        self.completed, self.total, self.note = completed, total if total is not None else self.total, note

    def advance(self) -> None:
        """Count one more."""
        self.update(self.completed + 1, note=self.note)

    def seconds_left(self) -> float | None:
        """Return the expected seconds to the end, at the pace so far; None where it is not known."""
        fresh = self.completed - (self._first or 0)
        if self.total is None or fresh <= 0:
            return None
        return (time.monotonic() - self._began_at) / fresh * (self.total - self.completed)

    def __str__(self) -> str:
        """Return the state as one line."""
        of = f" of {self.total:,}" if self.total is not None else ""
        left = self.seconds_left()
        parts = [f"{self.what}: {self.completed:,}{of}", f"ETA {clock(left)}" if left is not None else "", self.note]
        return ", ".join(part for part in parts if part)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Progress]:
    """Show the progress of the block on standard error."""
    state = Progress(what, total)
    with live_line(lambda: str(state)):
        yield state


def tracked(items: Iterable[T], what: str) -> Iterator[T]:
    """Yield `items` while their progress is shown."""
    with progress(what) as state:
        for item in items:
            yield item
            state.advance()


@contextmanager
def live_line(describe: Callable[[], str], every_s: float = LINE_EVERY_S) -> Iterator[None]:
    """Show a line that `describe` gives: renewed on a terminal, else printed every `every_s` seconds."""
    if err.is_terminal:
        from rich.live import Live
        from rich.text import Text

        with Live(get_renderable=lambda: Text(describe()), console=err, refresh_per_second=4, transient=True):
            yield
        return
    ended = threading.Event()

    def print_lines() -> None:
        while not ended.wait(every_s):
            err.print(describe())

    thread = threading.Thread(target=print_lines, name="tracejury-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
