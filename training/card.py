"""Write the card of a corpus: what it holds, what was left out and why, what it was checked against.

The card begins with the YAML head that the hub and `datasets` read: `load_dataset(FOLDER)` gives the rendered rows,
`load_dataset(FOLDER, "messages")` the same as conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tracejury.training.rows import SftRow


def write_card(path: Path, manifest: Mapping[str, Any], example: SftRow) -> None:
    """Write the card as Markdown, from the manifest alone and one rendered row."""
    rows, questions, contamination = manifest["rows"], manifest["questions"], manifest["contamination"]
    lines = [
        *_head(manifest),
        f"# SFT corpus for {manifest['recipe']}",
        "",
        "| | training | held out |",
        "|---|---|---|",
        f"| rows | {rows['train']} | {rows['heldout']} |",
        f"| questions | {questions['train']} | {questions['heldout']} |",
        "",
        f"Split by question. {manifest['tokens']['all']} tokens; the longest row has {manifest['tokens']['longest']}. "
        f"Target: {manifest['target']}; the loss looks at the completion only. "
        f"{manifest['hint_used']} rows come from prompts that disclosed the answer.",
        "",
        "Made from: " + ("; ".join(manifest["made_from"]) or "traces given in memory") + ".",
        "",
        "## Left out",
        "",
        *([f"- {reason}: {n}" for reason, n in manifest["drops"].items()] or ["Nothing."]),
        "",
        "## Contamination",
        "",
        _contamination(contamination),
        "",
    ]
    if manifest["verdicts"]:
        counts = "; ".join(f"{k}: {v}" for k, v in manifest["verdicts"].items() if k != "mode")
        lines += ["## Verdicts", "", f"Mode `{manifest['verdicts']['mode']}`. {counts}.", ""]
    lines += [
        "## Columns",
        "",
        "`rendered`: `prompt` in the student's chat template up to the assistant's header, `completion` with the end "
        "of its turn, `weight` (copies in an epoch), `id` of the chain, `question_id`, `meta` (teacher, arm, whether "
        "the prompt disclosed the answer). `messages`: the same as conversations, without a template.",
        "",
        "## Licence",
        "",
        "Questions and chains keep the licences of their sources. Look there before you publish.",
        "",
        "## A rendered row",
        "",
        f"Template SHA-256 `{manifest['template_sha256']}`, prompt version {manifest['prompt_version']}, "
        f"rows SHA-256 `{manifest['data_sha256']}`.",
        "",
        "````text",
        example.prompt + "<<<the loss starts here>>>" + example.completion,
        "````",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head(manifest: Mapping[str, Any]) -> list[str]:
    """Return the YAML head; a split without rows is not named, because `datasets` refuses empty files."""
    splits = {"train": "train", "heldout": "test"}
    files = {split: name for name, split in splits.items() if manifest["rows"][name]}
    configs = [
        {
            "config_name": config,
            "data_files": [{"split": split, "path": f"{folder}{name}.jsonl"} for split, name in files.items()],
            **({"default": True} if config == "rendered" else {}),
        }
        for config, folder in (("rendered", ""), ("messages", "messages/"))
        if config == "rendered" or manifest["conversations"] == sum(manifest["rows"].values())
    ]
    head = {
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": ["medical", "chain-of-thought", "tracejury"],
        "configs": configs,
    }
    return ["---", yaml.safe_dump(head, sort_keys=False).strip(), "---", ""]


def _contamination(contamination: Mapping[str, Any]) -> str:
    if not contamination["checked_against"]:
        return (
            "**Not checked**: no evaluation questions were given. Whether a student trained on this corpus may be "
            "examined on a benchmark is open."
        )
    by = " and ".join(contamination["by"])
    return (
        f"Checked against {contamination['checked_against']} evaluation questions by {by}: {contamination['found']} "
        "training questions overlapped" + (f" and were {contamination['then']}." if contamination["found"] else ".")
    )
