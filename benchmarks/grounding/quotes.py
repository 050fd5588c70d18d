"""Quotes that must be refused and true ones: written to get through, written blind, made by rule."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracejury.retrieval import check_quote, read_statement

BENCHMARKS = Path(__file__).parents[1]
OWN = BENCHMARKS.parent / "tests" / "retrieval" / "quoted_sentences.jsonl"


def measure_quotes(data: Path, further: Sequence[Path]) -> dict[str, Any]:
    """Return counts for each file of quotes, and the shares of true and altered quotes that verify."""
    files = {"written to get through": data.parent / "cases/breaker/quotes.jsonl", "the project's own": OWN}
    files |= {f"without sight of the code: {path.name}": path for path in further}
    result: dict[str, Any] = {name: _counts(path) for name, path in files.items() if path.is_file()}
    script = BENCHMARKS / "retrieval.py"
    subprocess.run([sys.executable, script, "quotes", "--data", data], check=True, stdout=subprocess.DEVNULL)
    made = json.loads((BENCHMARKS / "results" / "retrieval-quotes.json").read_text("utf-8"))
    shares = {
        "true forms that verify": made["recall"],
        "forgiven slips that verify": made["forgiven_accepted"],
        "altered quotes that verify": made["altered_accepted"],
    }
    return result | {"made by rule": shares}


def _counts(path: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    states = [(row.get("must_verify", row.get("states")), _states(row["evidence"], row["quote"])) for row in rows]
    false = [not found for must, found in states if not must]
    true = [found for must, found in states if must]
    return {
        "refused of those that must be": f"{sum(false)} of {len(false)}",
        "true that count": f"{sum(true)} of {len(true)}",
    }


def _states(evidence: str, quote: str) -> bool:
    check = check_quote(quote, evidence)
    if check.start is None or check.end is None:
        return False
    return read_statement(evidence, check.start, check.end).why_not is None
