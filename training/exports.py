"""The files of a finished student: adapter, merged weights, GGUF, each whole or not at all, each with a model card."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tracejury.storage import replacing_folder
from tracejury.training.backends import Backend, Loaded, unsloth_gguf_arguments, unsloth_merge_arguments
from tracejury.training.recipe import Recipe, RecipeError


def export_student(recipe: Recipe, backend: Backend, loaded: Loaded, out: Path) -> dict[str, str]:
    """Write what the recipe asks for below `out`; return the folders by kind (`adapter`, `model`, `merged`, `gguf`)."""
    name = "adapter" if recipe.lora else "model"
    outputs = {name: save_whole(out / name, loaded)}
    if recipe.export.merged and recipe.lora:
        outputs["merged"] = _whole(out / "merged", lambda folder: _merge(backend, loaded, folder))
    if recipe.export.gguf:
        quantisation = recipe.export.gguf
        outputs["gguf"] = _whole(out / "gguf", lambda folder: write_gguf(loaded, quantisation, folder))
    return outputs


def save_whole(folder: Path, loaded: Loaded) -> str:
    """Save model (or adapter) and tokenizer to `folder`, whole or not at all; return its name."""
    return _whole(folder, lambda partial: _save(loaded.model, loaded.tokenizer, partial))


def write_gguf(loaded: Loaded, quantisation: str, folder: Path) -> None:
    """Let Unsloth convert the student, and put the GGUF files into `folder`.

    Unsloth writes 16-bit weights into the folder that it is given, the GGUF files beside it, and returns their paths.

    Raises:
        RecipeError: Unsloth names no file, or one that is not there.
    """
    with TemporaryDirectory(dir=folder.parent, prefix=".gguf-") as work:
        arguments = unsloth_gguf_arguments(Path(work) / "weights", loaded.tokenizer, quantisation)
        result = loaded.model.save_pretrained_gguf(**arguments)
        files = [Path(file) for file in (result or {}).get("gguf_files", ())]
        missing = [str(file) for file in files if not file.is_file()]
        if not files or missing:
            raise RecipeError(
                f"{folder}: Unsloth wrote no GGUF ({', '.join(missing) or 'it names no file'}). Look at its output "
                "above; `export.merged` and llama.cpp's convert_hf_to_gguf.py do the same by hand."
            )
        for file in files:
            shutil.move(file, folder / file.name)


def _merge(backend: Backend, loaded: Loaded, folder: Path) -> None:
    if backend == "unsloth":
        loaded.model.save_pretrained_merged(**unsloth_merge_arguments(folder, loaded.tokenizer))
        return
    _save(loaded.model.merge_and_unload(), loaded.tokenizer, folder)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _whole(folder: Path, write: Callable[[Path], None]) -> str:
    with replacing_folder(folder) as partial:
        write(partial)
    return folder.name
