"""Write the card of a student into each folder of its weights: README.md with the YAML head that the hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_PURPOSE = (
    "A student for research on reasoning: its chains are to be audited, not to be followed. It is no medical device "
    "and no source of medical advice."
)


def write_model_cards(out: Path, manifest: Mapping[str, Any], method: str) -> None:
    """Write a card into every folder that `manifest["outputs"]` names.

    Args:
        out: The student's folder.
        manifest: The training's manifest.
        method: How the student was trained, such as `supervised fine-tuning`.
    """
    for kind, folder in manifest["outputs"].items():
        (out / folder / "README.md").write_text(_card(kind, manifest, method), encoding="utf-8")


def _card(kind: str, manifest: Mapping[str, Any], method: str) -> str:
    recipe = manifest["recipe"]
    base = recipe["student"]["model"]
    head: dict[str, Any] = {
        "library_name": "peft" if kind == "adapter" else "gguf" if kind == "gguf" else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["medical", "chain-of-thought", "tracejury", "unsloth" if manifest["backend"] == "unsloth" else "trl"],
    }
    # A folder or `random` is no name on the hub, and the hub refuses it.
    if base.count("/") == 1 and not Path(base).exists():
        head["base_model"] = base
        head["base_model_relation"] = {"adapter": "adapter", "gguf": "quantized"}.get(kind, "finetune")
    facts = {
        "recipe": f"{recipe['name']}: {recipe['description']}",
        "base": f"{base}, weights {manifest['weights']}",
        "method": f"{method}, back end {manifest['backend']}, {manifest['steps']} steps",
        "adapter": "none; every weight was trained" if recipe["lora"] is None else _pairs(recipe["lora"]),
        "data": manifest.get("data_sha256") and f"rows with SHA-256 {manifest['data_sha256']}",
        "rows": manifest.get("rows") and _pairs(manifest["rows"]),
        "loss": manifest.get("loss") and _pairs(manifest["loss"]),
        "held-out loss": manifest.get("eval_loss") and _pairs(manifest["eval_loss"]),
        "panel of the reward": manifest.get("panel"),
        "hardware": _pairs(manifest["hardware"]),
        "versions": _pairs(manifest["versions"]),
        "commit": manifest["commit"],
    }
    lines = ["---", yaml.safe_dump(head, sort_keys=False).strip(), "---", "", f"# {recipe['name']} ({kind})", ""]
    lines += [_PURPOSE, "", "| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items() if fact)]
    lines += ["", "No figure of a benchmark is claimed here: sample the student and audit it (`tracejury adjudicate`)."]
    return "\n".join(lines) + "\n"


def _pairs(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
