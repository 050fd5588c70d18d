"""A panel of LLM judges on the tests' model server: for faults, load and kills, never to show that judging works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from jury_of_words import question, trace

GOOD = {
    "findings": [{"claim": "C1", "evidence": "vignette", "quote": "a cough for three days", "relation": "supports"}],
    "rationale": "Three days is acute.",
    "label": "supported",
    "error_type": "none",
    "confidence": 90,
}
"""What the model server replies where it is told to reply well."""


def panel_body(url: str, **changes: Any) -> dict[str, Any]:
    endpoint = {
        "model": "m",
        "base_url": url,
        "max_concurrency": 8,
        "max_attempts": 3,
        "timeout_s": 2.0,
        "deadline_s": 20.0,
    }
    return {
        "name": "local",
        "endpoints": {"local": endpoint | changes.pop("endpoint", {})},
        "judges": [
            {"name": "facts", "judge": "facts", "endpoint": "local"},
            {"name": "inference", "judge": "inference", "endpoint": "local"},
        ],
        "resolver": {},
        "show_earlier": False,
        # Judging is not what these tests are about: the judges' majority decides, and nothing is checked.
        "policy": "consensus",
        "checker": None,
        **changes,
    }


def write_panel(folder: Path, url: str, **changes: Any) -> Path:
    path = folder / "panel.yaml"
    path.write_text(yaml.safe_dump(panel_body(url, **changes)))
    return path


def write_traces(folder: Path, steps: list[list[str]]) -> Path:
    """Write one trace a list of steps, in the native format."""
    lines = []
    for n, texts in enumerate(steps):
        asked, taken = question(n), trace(texts, n)
        lines.append({"kind": "question", "id": asked.key, "stem": asked.stem, "options": asked.options, "gold": "A"})
        lines.append({"kind": "trace", "question": asked.key, "model": "m", "arm": "base", "text": taken.text})
    path = folder / "traces.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
