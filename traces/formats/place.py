"""What every built-in reader has: a name, one line about itself, and the place where it is reading."""

from __future__ import annotations

from pathlib import Path

from tracejury.traces.records import Problem, Severity


class Placed:
    """The file and line that are being read; `read` takes them for the problems that it finds itself."""

    name = ""
    summary = ""
    file: Path | None = None
    line: int | None = None

    def at(self, file: Path, line: int | None = None) -> None:
        """Note where reading is."""
        self.file, self.line = file, line

    def problem(self, reason: str, hint: str, severity: Severity = Severity.PROBLEM) -> Problem:
        """Return a problem at the place noted."""
        return Problem(file=str(self.file), line=self.line, reason=reason, hint=hint, severity=severity)


def files_under(path: Path, *patterns: str) -> list[Path]:
    """Return `path` itself, or the files under it that match; sorted, so that the order does not depend on the disk."""
    return sorted({f for pattern in patterns for f in path.rglob(pattern)}) if path.is_dir() else [path]
