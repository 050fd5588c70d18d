"""What is in a table, and how it would be read: for whoever has to say where its fields stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tracejury.traces.records import Problem
from tracejury.traces.tables.files import TableRow, table_rows
from tracejury.traces.tables.profile import TableField, TableProfile
from tracejury.traces.tables.proposal import propose


def table_fields(path: str | Path) -> list[TableField]:
    """Return the fields of a table: where they stand, how often they are filled, and an example.

    Raises:
        ValueError: The file holds no row; the message says why.
    """
    problems: list[Problem] = []

    def rows() -> Iterator[Mapping[str, Any]]:
        for row in table_rows(Path(path)):
            if isinstance(row, TableRow):
                yield row.data
            else:
                problems.append(row)

    profile = TableProfile(rows())
    if not profile.rows:
        raise ValueError("; ".join(map(str, problems[:3])) or f"{path}: the table has no rows")
    return profile.fields()


def proposed_reading(path: str | Path) -> str:
    """Return how the table reader would read a file, in a sentence; what it must be told, where it cannot."""
    proposal = propose(TableProfile(row.data for row in table_rows(Path(path)) if isinstance(row, TableRow)), {})
    return proposal.question or proposal.sentence()
