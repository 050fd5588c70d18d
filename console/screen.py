"""The two consoles: results go to standard output, progress and warnings to standard error."""

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
