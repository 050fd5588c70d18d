"""What a call into another package may not do to this process: print on its output, or go on twice after a fork."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Send what the block prints to standard error, and end a forked child that comes out of it.

    Standard output holds what a command was asked for, such as JSON. Printing is diverted in the main thread only: the
    stream belongs to the whole process, and other threads would put it back in any order.
    """
    process = os.getpid()
    is_main = threading.current_thread() is threading.main_thread()
    try:
        with contextlib.redirect_stdout(sys.stderr) if is_main else contextlib.nullcontext():
            yield
    finally:
        if os.getpid() != process:
            # The child of a fork would judge beside its parent, and write into its ledger.
            os._exit(1)


def is_users_interrupt(error: BaseException) -> bool:
    """Tell whether Ctrl-C raised the error: where another handler answers SIGINT, only code can have done so."""
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler
