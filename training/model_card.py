"""Write the card of a student into each folder of its weights: README.md with the YAML head that the hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tracejury.training.prompts import QUESTION

_PURPOSE = (
    "A student for research on reasoning: its chains are to be audited, not to be followed. It is no medical device "
    "and no source of medical advice."
)

_LICENCE = (
    "The weights keep the licence of the base model, and the training data those of its sources (see the card of the "
    "corpus). Look there before you publish."
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
    lines += ["", "## Use", "", *_use(kind, recipe), "", "## Licence", "", _LICENCE]
    return "\n".join(lines) + "\n"


def _use(kind: str, recipe: Mapping[str, Any]) -> list[str]:
    """Return how the weights are loaded and prompted: a student answers as it was trained only by the same prompt."""
    prompt = [
        "The user's message begins with these words, then the question, an empty line and the options (`A. ...`):"
    ]
    prompt += ["", *(f"> {line}" for line in QUESTION.strip().splitlines())]
    if kind == "gguf":
        return ["`llama-server -m FILE.gguf --jinja`", "", *prompt]
    library = "peft" if kind == "adapter" else "transformers"
    loader = "AutoPeftModelForCausalLM" if kind == "adapter" else "AutoModelForCausalLM"
    thinking = ", enable_thinking=False" if recipe["student"]["think"] == "empty" else ""
    code = [
        "```python",
        f"from {library} import {loader}",
        "from transformers import AutoTokenizer",
        "",
        f'model, tokenizer = {loader}.from_pretrained("."), AutoTokenizer.from_pretrained(".")',
        'chat = [{"role": "user", "content": PROMPT}]',
        f'tokens = tokenizer.apply_chat_template(chat, add_generation_prompt=True{thinking}, return_tensors="pt")',
        "```",
    ]
    return [*code, "", *prompt]


def _pairs(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in facts.items() if value is not None)


def _shown(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(map(str, value)) if isinstance(value, list) else value
