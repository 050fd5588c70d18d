"""Results as markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def markdown(part: str, figures: Mapping[str, Any]) -> str:
    """Return the tables of one part: one line a row of figures, estimates with their intervals."""
    lines = [f"\n## {part}\n"]
    rows = list(_rows(figures, ()))
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    lines.append("| | " + " | ".join(columns) + " |")
    lines.append("|---" * (len(columns) + 1) + "|")
    for title, row in rows:
        lines.append(f"| {', '.join(title)} | " + " | ".join(_shown(row.get(name)) for name in columns) + " |")
    return "\n".join(lines)


def _rows(figures: Any, title: tuple[str, ...]) -> Any:
    if isinstance(figures, list):
        for row in figures:
            yield title, row
    elif isinstance(figures, Mapping):
        values = {k: v for k, v in figures.items() if not isinstance(v, (Mapping, list)) or _is_leaf(v)}
        if values:
            yield title, values
        for name, value in figures.items():
            if name not in values:
                yield from _rows(value, (*title, str(name)))


def _is_leaf(value: Any) -> bool:
    if isinstance(value, Mapping):
        estimate = "value" in value or "share" in value
        return estimate or all(isinstance(v, int | str) for v in value.values())
    return False


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and ("value" in value or "share" in value):
        point = value.get("value", value.get("share"))
        if point is None:
            return "-"
        ends = "" if value.get("low") is None else f" [{value['low']:.3f}, {value['high']:.3f}]"
        return f"{point:.3f}{ends}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
