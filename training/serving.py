"""Build the command that serves a student: vLLM for weights and adapters, llama.cpp for a GGUF."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from tracejury.training.chat import template_arguments
from tracejury.training.recipe import RecipeError, Student

VLLM_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The values of `--max-lora-rank` (vLLM's `MaxLoRARanks`, without 1)."""


class Serving(NamedTuple):
    """A command that serves a student, with the address and the model name of its endpoint."""

    command: tuple[str, ...]
    base_url: str
    model: str
    """The value for `tracejury student sample --model`."""
    base_model: str | None = None
    """The name under which the same server answers as the base: that of an adapter's base weights."""


def serving(
    student: Path,
    *,
    port: int = 8000,
    name: str | None = None,
    base: str | None = None,
    recipe: Student | None = None,
) -> Serving:
    """Return the command that serves the weights in `student`, without the model's own generation defaults.

    Args:
        student: The folder that `tracejury student train` wrote, a part of it (adapter/, merged/, ...), or a GGUF.
        port: The port on loopback.
        name: The served model's name; None: the folder's.
        base: An adapter's base weights, where they have moved since its config was written.
        recipe: The recipe's student, whose template arguments the server uses; None: those that the folder was
            trained with, where it says so.

    Raises:
        RecipeError: The folder holds no weights that can be served.
    """
    url = f"http://127.0.0.1:{port}/v1"
    weights_path = _servable(student)
    served_name = name or (student.stem if weights_path.suffix == ".gguf" else student.name)
    address = ("--host", "127.0.0.1", "--port", str(port))
    arguments = template_arguments(recipe or _trained_as(student))
    command: tuple[str, ...]
    if weights_path.suffix == ".gguf":
        template = ("--chat-template-kwargs", json.dumps(arguments)) if arguments else ()
        command = ("llama-server", "-m", str(weights_path), "--alias", served_name, *address, "--jinja", *template)
        return Serving(command, url, served_name)
    template = ("--default-chat-template-kwargs", json.dumps(arguments)) if arguments else ()
    plain_sampling = ("--generation-config", "vllm", *template)
    config = weights_path / "adapter_config.json"
    if not config.is_file():
        command = ("vllm", "serve", str(weights_path), "--served-model-name", served_name, *address, *plain_sampling)
        return Serving(command, url, served_name)
    adapter = json.loads(config.read_text(encoding="utf-8"))
    weights = base or str(adapter["base_model_name_or_path"])
    command = (
        *("vllm", "serve", weights, "--enable-lora", "--lora-modules", f"{served_name}={weights_path}"),
        *("--served-model-name", f"{served_name}-base"),
        *("--max-lora-rank", str(vllm_lora_rank(int(adapter["r"]))), *address, *plain_sampling),
    )
    return Serving(command, url, served_name, f"{served_name}-base")


def vllm_lora_rank(rank: int) -> int:
    """Return the least `--max-lora-rank` that vLLM takes for an adapter of this rank.

    Raises:
        RecipeError: vLLM serves no adapter of this rank; the merged weights can be served.
    """
    enough = next((rank_limit for rank_limit in VLLM_LORA_RANKS if rank_limit >= rank), None)
    if enough is None:
        raise RecipeError(
            f"lora.r {rank}: vLLM serves adapters up to rank {VLLM_LORA_RANKS[-1]}. Serve the merged weights "
            "(`export.merged: true` in the recipe)."
        )
    return enough


def _trained_as(student: Path) -> Student:
    """Return the student of the recipe that `tracejury student train` wrote beside the weights."""
    for folder in (student, student.parent):
        record = folder / "inputs.json"
        if record.is_file():
            trained = json.loads(record.read_text(encoding="utf-8"))
            if "recipe" in trained:
                return Student.model_validate(trained["recipe"]["student"])
    return Student(model=str(student))


def require_program(command: tuple[str, ...]) -> None:
    """Check that the command's program is installed.

    Raises:
        RecipeError: It is not; the message says what to install.
    """
    if shutil.which(command[0]) is None:
        how = "`pip install vllm` on a GPU machine" if command[0] == "vllm" else "llama.cpp's llama-server"
        raise RecipeError(f"{command[0]} is not on the PATH: install {how}, or run the printed command where it is.")


def _servable(student: Path) -> Path:
    if student.is_file() and student.suffix == ".gguf":
        return student
    for part in ("gguf", "merged", "model", "adapter", "."):
        folder = student / part
        if ggufs := sorted(folder.glob("*.gguf")):
            return ggufs[0]
        if (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file():
            return folder.resolve() if part == "." else folder
    raise RecipeError(
        f"{student}: no weights to serve here (adapter/, merged/, model/, or a .gguf). "
        "Run `tracejury student train` first."
    )
