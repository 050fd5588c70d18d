"""Build the command that serves a student: vLLM for weights and adapters, llama.cpp for a GGUF."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from tracejury.training.recipe import RecipeError


class Serving(NamedTuple):
    """A command that serves a student, with the address and the model name of its endpoint."""

    command: tuple[str, ...]
    base_url: str
    model: str
    """The value for `tracejury student sample --model`."""


def serving(student: Path, *, port: int = 8000, name: str | None = None, base: str | None = None) -> Serving:
    """Return the command that serves the weights in `student`.

    Args:
        student: The folder that `tracejury student train` wrote, a part of it (adapter/, merged/, ...), or a GGUF.
        port: The port on loopback.
        name: The served model's name; None: the folder's.
        base: An adapter's base weights, where they have moved since its config was written.

    Raises:
        RecipeError: The folder holds no weights that can be served.
    """
    url = f"http://127.0.0.1:{port}/v1"
    weights_path = _servable(student)
    served_name = name or (student.stem if weights_path.suffix == ".gguf" else student.name)
    command: tuple[str, ...]
    if weights_path.suffix == ".gguf":
        command = (
            "llama-server",
            "-m",
            str(weights_path),
            "--alias",
            served_name,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--jinja",
        )
        return Serving(command, url, served_name)
    config = weights_path / "adapter_config.json"
    if not config.is_file():
        command = (
            "vllm",
            "serve",
            str(weights_path),
            "--served-model-name",
            served_name,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        )
        return Serving(command, url, served_name)
    adapter = json.loads(config.read_text(encoding="utf-8"))
    weights = base or str(adapter["base_model_name_or_path"])
    command = (
        *("vllm", "serve", weights, "--enable-lora", "--lora-modules", f"{served_name}={weights_path}"),
        *("--max-lora-rank", str(max(8, int(adapter["r"]))), "--host", "127.0.0.1", "--port", str(port)),
    )
    return Serving(command, url, served_name)


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
